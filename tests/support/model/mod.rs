//! A model test of the life cycle. Several clients send random concurrent requests over a network
//! that loses, delays and reorders. A simple model of the life cycle in `ARCHITECTURE.md` checks
//! the results.
//!
//! In memory, a sequence is a list of numbers, the [`Choices`]. They determine each client's
//! operations, the next request to proceed, and the commands and replies that arrive. The same
//! numbers give the same run. So you can repeat a failure from its seed, and make it smaller by
//! removing numbers.
//!
//! A second kind of sequence has logins with an index, and lists and ends of a user's sessions. The
//! rules in `user_sequence.rs` are those of the index.
//!
//! On a server, the requests really run concurrently, and their history is checked afterwards: see
//! [`real`].

mod choices;
mod index_network;
mod network;
mod operation;
pub mod real;
mod reference_store;
mod request;
mod sequence;
mod user_operation;
mod user_sequence;

pub use choices::Choices;
pub use sequence::{Broken, run};
pub use user_sequence::{Fault, run_with_users};

/// Returns the smallest list of choices with which `run` still violates its model, and the
/// violation.
pub fn shrink(
    mut choices: Vec<u32>,
    mut broken: Broken,
    run: impl Fn(&mut Choices) -> Result<(), Broken>,
) -> (Vec<u32>, Broken) {
    let mut tries = 0;
    let mut length = choices.len();
    while length > 0 && tries < 20_000 {
        let mut at = 0;
        let mut smaller = false;
        while at < choices.len() && tries < 20_000 {
            let end = (at + length).min(choices.len());
            let without = [&choices[..at], &choices[end..]].concat();
            let zeroed = [&choices[..at], &vec![0; end - at], &choices[end..]].concat();
            let fails = [without, zeroed]
                .into_iter()
                .filter(|candidate| *candidate != choices)
                .find_map(|candidate| {
                    tries += 1;
                    run(&mut Choices::replay(candidate.clone()))
                        .err()
                        .map(|broken| (candidate, broken))
                });
            match fails {
                Some((candidate, why)) => (choices, broken, smaller) = (candidate, why, true),
                None => at += length,
            }
        }
        if !smaller {
            length /= 2;
        }
    }
    (choices, broken)
}
