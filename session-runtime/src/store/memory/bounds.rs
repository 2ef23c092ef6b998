//! The bounds of the store, and the size that counts for each entry.

/// The behaviour of a full [`MemoryStore`](crate::MemoryStore).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WhenFull {
    /// Refuses writes that need room. No session is created and none grows until other sessions
    /// have expired or were destroyed.
    ///
    /// Live sessions continue and lose nothing. A Redis server with the policy `noeviction` behaves
    /// the same.
    #[default]
    Refuse,
    /// Evicts the least recently used sessions, one after another.
    ///
    /// New visitors always get a session. But anyone who can create sessions without limit can sign
    /// out all users who are not active meanwhile.
    Evict,
}

/// The bounds of the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bounds {
    /// The largest number of sessions and tombstones together.
    pub(crate) entries: usize,
    /// The largest sum of the sizes that the functions below return.
    pub(crate) bytes: usize,
    pub(crate) when_full: WhenFull,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { entries: 100_000, bytes: 256 * 1024 * 1024, when_full: WhenFull::default() }
    }
}

// The overhead besides keys, names and values was measured on 64 bits and rounded up. No shape of
// session takes more memory than counted. `tests/perf/examples/memory_store.rs` prints the counted,
// allocated and resident sizes.

/// The overhead of a session: the key's place in three collections, and the tree node with the
/// first fields.
const SESSION: usize = 900;
/// The overhead of a tombstone, which has no fields.
const TOMBSTONE: usize = 260;
/// The overhead of a field: the allocations of the name and value, their headers, and a share of
/// the tree nodes.
const FIELD: usize = 210;

/// The overhead of an entry in an index: two keys, the place in the list, and the label.
const LABEL: usize = 500;

/// Returns the size of a session without fields.
pub(super) fn session_bytes(key: &str) -> usize {
    SESSION + key.len()
}

pub(super) fn tombstone_bytes(key: &str) -> usize {
    TOMBSTONE + key.len()
}

/// Returns the size of a session's label.
pub(super) fn label_bytes(index: &str, field: &str) -> usize {
    LABEL + index.len() + field.len()
}

pub(super) fn field_bytes(name: &str, value: &[u8]) -> usize {
    FIELD + name.len() + value.len()
}
