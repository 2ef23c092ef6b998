//! What operations take in numbers that hardly wobble, allocations and instructions, and a baseline that they are held against.
//!
//! `tests/counted_allocations.rs` counts allocations, as a test of the suite. `tests/counts/run` counts instructions, under valgrind, and with
//! `--rewrite` writes the baseline anew.

#![allow(clippy::unwrap_used, reason = "a failure is a failed test")]

mod baseline;
mod ignored;
mod work;

pub use baseline::{Baseline, Gauge};
pub use work::{ALL, Counted, Repeat, start};
