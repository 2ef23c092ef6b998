//! A model test of the life cycle: random requests of several clients at once, on a network that
//! loses, delays and reorders, against a simple model of the life cycle in `ARCHITECTURE.md`.
//!
//! On memory a sequence is a list of numbers, the [`Choices`]: which client asks what, which
//! request goes on next, which command reaches the store and which reply is lost. The same numbers
//! give the same run, so a failure can be repeated from its seed, and made smaller by leaving
//! numbers out. On a server the requests run side by side for real, and what they did is judged by
//! its history: see [`real`].

mod choices;
mod network;
mod operation;
pub mod real;
mod reference_store;
mod request;
mod sequence;

pub use choices::Choices;
pub use sequence::{Broken, run};

/// The smallest list of choices that still breaks the model, and how.
pub fn shrink(mut choices: Vec<u32>, mut broken: Broken) -> (Vec<u32>, Broken) {
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
