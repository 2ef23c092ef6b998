//! The protocol that keeps the lists of a cluster in step with the sessions: see
//! `tests/support/index_model/mod.rs`.
//!
//! `INDEX_MODEL_SCHEDULES=1000000` runs that many random schedules, and `INDEX_MODEL_SEED` repeats
//! a single schedule. A failure prints the seed.

use session_tests::index_model::{Fault, run};
use session_tests::model::{Choices, shrink};

use super::{number, random};

const SCHEDULES: u64 = 100_000;
const FIRST: u64 = 20_261_129;

/// Seeds that show a fault which is rarely found. After a change of the model, they show nothing.
/// A run with `INDEX_MODEL_SCHEDULES=10000000` then prints others.
const FOUND: [(Fault, u64); 9] = [
    (Fault::LateRetry, 22_008_562),
    (Fault::MoveOntoTombstone, 20_281_181),
    (Fault::EndAnyTime, 20_278_713),
    (Fault::LateEnd, 20_289_057),
    (Fault::OldList, 20_273_249),
    (Fault::OldProof, 24_861_734),
    (Fault::CreateAgain, 20_411_222),
    (Fault::CeaseAfterMinute, 20_275_140),
    (Fault::CountUntilDeadline, 20_315_259),
];

/// Returns the seeds of this run. By default the seeds are always the same.
fn seeds() -> impl Iterator<Item = u64> {
    let (first, count) = match number("INDEX_MODEL_SCHEDULES") {
        Some(count) => (random(), count),
        None => (FIRST, SCHEDULES),
    };
    (0..count).map(move |number| first + number)
}

/// Returns the first seed with which a rule is violated.
fn find(fault: Option<Fault>, mut seeds: impl Iterator<Item = u64>) -> Option<u64> {
    seeds.find(|seed| run(&mut Choices::from_seed(*seed), fault, false).is_err())
}

/// Describes a violation, in as few steps as possible.
fn report(seed: u64, fault: Option<Fault>) -> String {
    let again = |choices: &mut Choices| run(choices, fault, true);
    let mut choices = Choices::from_seed(seed);
    let broken = again(&mut choices).unwrap_err();
    let (choices, smallest) = shrink(choices.into_drawn(), broken, again);
    let steps = smallest.steps.join("\n");
    format!("INDEX_MODEL_SEED={seed}: {}\n{steps}\n{} choices", smallest.what, choices.len())
}

/// Behaviour: sessions of a user.
#[test]
fn the_protocol_of_a_cluster_keeps_its_rules() {
    let found = match number("INDEX_MODEL_SEED") {
        Some(seed) => find(None, [seed].into_iter()),
        None => find(None, seeds()),
    };
    if let Some(seed) = found {
        panic!("{}", report(seed, None));
    }
}

#[test]
fn each_fault_of_the_protocol_is_found() {
    let mut missed = Vec::new();
    for fault in Fault::ALL {
        let known = FOUND.iter().filter(|(of, _)| *of == fault).map(|(_, seed)| *seed);
        match find(Some(fault), known.chain(seeds())) {
            Some(seed) => println!("{fault:?}: seed {seed}"),
            None => missed.push(fault),
        }
    }
    assert!(missed.is_empty(), "no schedule shows {missed:?}");
}
