//! The model test: see `tests/support/model/mod.rs`.
//!
//! `MODEL_SEQUENCES=100000` runs that many random sequences, and `MODEL_SEED` repeats a single
//! sequence. A failure prints the seed.

#![allow(clippy::unwrap_used, reason = "a failure is a failed test")]

mod index_protocol;

use session_tests::model::real::Real;
use session_tests::model::{Broken, Choices, Fault, run, run_with_users, shrink};

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|value| value.parse().expect("a number"))
}

/// Returns the seeds of this run. By default the seeds are always the same, so a change in the
/// result comes from the code. `MODEL_SEQUENCES` selects other seeds.
fn seeds(sequences: u64) -> impl Iterator<Item = u64> + Clone {
    const FIRST: u64 = 20_261_123;
    let (first, count) = match (number("MODEL_SEED"), number("MODEL_SEQUENCES")) {
        (Some(seed), _) => (seed, 1),
        (None, Some(count)) => (random(), count),
        (None, None) => (FIRST, sequences),
    };
    let found = if number("MODEL_SEED").is_none() { FOUND.as_slice() } else { &[] };
    found.iter().copied().chain((0..count).map(move |number| first + number))
}

/// Seeds that once broke the model or the code.
const FOUND: [u64; 10] = [
    25_764_625_155_342,
    116_370_862_515_250,
    150_638_166_328_851,
    18_595_362_752_922,
    81_629_211_391_157,
    104_265_801_341_091,
    162_604_054_999_586,
    209_561_268_497_039,
    217_159_430_410_636,
    275_908_852_556_848,
];

fn random() -> u64 {
    let mut bytes = [0; 6];
    getrandom::fill(&mut bytes).unwrap();
    bytes.iter().fold(0, |seed, byte| seed << 8 | u64::from(*byte))
}

#[test]
fn requests_on_memory_follow_the_model() {
    follow_the_model(10_000, run);
}

#[test]
fn sessions_of_users_follow_the_model() {
    follow_the_model(USER_SEQUENCES, |choices| run_with_users(choices, None));
}

/// Number of sequences with the sessions of users.
const USER_SEQUENCES: u64 = 2_000;

#[test]
fn every_planted_fault_is_found() {
    let breaks = |fault| {
        let mut seeds = seeds(USER_SEQUENCES);
        seeds.find(|seed| run_with_users(&mut Choices::from_seed(*seed), Some(fault)).is_err())
    };
    if number("MODEL_SEED").is_none() {
        for fault in Fault::ALL {
            assert!(breaks(fault).is_some(), "{fault:?} is not found");
        }
    }
}

fn follow_the_model(sequences: u64, run: impl Fn(&mut Choices) -> Result<(), Broken>) {
    for seed in seeds(sequences) {
        let mut choices = Choices::from_seed(seed);
        if let Err(broken) = run(&mut choices) {
            let (choices, smallest) = shrink(choices.into_drawn(), broken, &run);
            panic!(
                "MODEL_SEED={seed}: {}\n{}\n{} choices: {choices:?}",
                smallest.what,
                smallest.steps.join("\n"),
                choices.len()
            );
        }
    }
}

#[tokio::test]
async fn requests_on_a_server_follow_the_model() {
    let mut real = Real::start().await;
    let seeds = seeds(1_000);
    for seed in seeds.clone() {
        if let Err(broken) = real.run(&mut Choices::from_seed(seed)).await {
            panic!("MODEL_SEED={seed}: {broken}");
        }
    }
    println!("{} outcomes were unknown", real.unknown);
    assert!(seeds.count() < 1_000 || real.unknown > 0, "the network lost replies");
}
