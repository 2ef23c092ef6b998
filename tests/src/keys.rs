//! Session keys that nobody else uses.

use std::sync::atomic::{AtomicU64, Ordering};

use session_runtime::{SessionId, SessionKey};

/// A key that no other test of this process has.
pub fn fresh_key() -> SessionKey {
    key_of(&fresh_id())
}

/// An id that no other test of this process has. All have the same tag.
pub fn fresh_id() -> SessionId {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    SessionId::parse(&format!("{number:0>40}")).unwrap()
}

/// The key of this id, under the prefix that all keys of these tests have.
pub fn key_of(id: &SessionId) -> SessionKey {
    SessionKey::new("test", id)
}
