//! How much the store may hold, and the bytes that count for each entry.

/// What a [`MemoryStore`](crate::MemoryStore) does with what it has no room for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WhenFull {
    /// It is refused: no session begins and none grows until others have expired or were destroyed.
    /// Those that are live go on, and nothing of them is lost. As a Redis server does with the
    /// policy `noeviction`.
    #[default]
    Refuse,
    /// The sessions that were not used for longest make room, one after another. New visitors
    /// always get in; but whoever can begin sessions without end can sign out everybody who is
    /// not active meanwhile.
    Evict,
}

/// How much the store may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bounds {
    /// Sessions and tombstones together.
    pub(crate) entries: usize,
    /// Of what they count by the functions below.
    pub(crate) bytes: usize,
    pub(crate) when_full: WhenFull,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { entries: 100_000, bytes: 256 * 1024 * 1024, when_full: WhenFull::default() }
    }
}

// What is counted beside keys, names and values was measured on 64 bits and rounded up, so that no
// shape of session takes more memory than it counts: `tests/perf/examples/memory_store.rs` prints
// what is counted, allocated and resident.

/// A session: its key's place in three collections, and the node of a tree that its first fields
/// lie in.
const SESSION: usize = 900;
/// A tombstone: the same without fields.
const TOMBSTONE: usize = 260;
/// A field: the name's and the value's allocations, their headers, and its share of a tree's nodes.
const FIELD: usize = 210;

/// What a session counts beside its fields.
pub(super) fn session_bytes(key: &str) -> usize {
    SESSION + key.len()
}

pub(super) fn tombstone_bytes(key: &str) -> usize {
    TOMBSTONE + key.len()
}

pub(super) fn field_bytes(name: &str, value: &[u8]) -> usize {
    FIELD + name.len() + value.len()
}
