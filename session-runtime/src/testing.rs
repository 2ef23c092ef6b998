//! What tests of programs with sessions need, and nothing else should use.

pub use crate::clock::ManualClock;
