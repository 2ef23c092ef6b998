//! Session keys that nobody else uses.

use std::sync::atomic::{AtomicU64, Ordering};

use session_runtime::{SessionId, SessionKey};

/// A key that no other test of this process has.
pub fn fresh_key() -> SessionKey {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    SessionKey::new("test", &SessionId::parse(&format!("{number:0>40}")).unwrap())
}
