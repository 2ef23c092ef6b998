//! Keys and sessions that were counted.

use std::collections::HashSet;
use std::hash::{BuildHasher as _, Hash, RandomState};

/// Hashes of keys or sessions, because a walk may show each of them twice. Hashes take little memory
/// and are no secrets. Among a million, two have the same hash once in ten million walks.
#[derive(Default)]
pub(super) struct Seen {
    hasher: RandomState,
    hashes: HashSet<u64>,
}

impl Seen {
    /// Returns whether this was not seen before.
    pub(super) fn insert(&mut self, shown: impl Hash) -> bool {
        self.hashes.insert(self.hasher.hash_one(shown))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_is_new_once() {
        let mut seen = Seen::default();
        let inserted = ["a", "b", "a", "", "b", ""].map(|key| seen.insert(key));
        assert_eq!(inserted, [true, true, false, true, false, false]);
    }
}
