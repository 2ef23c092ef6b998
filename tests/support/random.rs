//! Random numbers that a seed repeats.

use std::ops::Range;
use std::time::Duration;

/// A sequence of random numbers (SplitMix64).
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// Creates the sequence of this seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Returns the seed from `SESSION_TEST_SEED`, or a new one. Print it, so that a failure can be
    /// repeated.
    pub fn seed() -> u64 {
        std::env::var("SESSION_TEST_SEED")
            .map_or_else(|_| getrandom::u64().unwrap(), |seed| seed.parse().unwrap())
    }

    /// Splits off another sequence.
    pub fn fork(&mut self) -> Self {
        Self(self.number())
    }

    /// Returns another number.
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Returns a number in the range.
    pub fn within(&mut self, range: Range<u64>) -> u64 {
        range.start + self.number() % (range.end - range.start)
    }

    /// Returns a time of up to `most`.
    pub fn up_to(&mut self, most: Duration) -> Duration {
        let micros = u64::try_from(most.as_micros()).unwrap();
        Duration::from_micros(self.within(0..micros + 1))
    }
}
