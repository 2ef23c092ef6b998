//! Checks which cookies are accepted.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use pollster::block_on;
use session_runtime::testing::{FailingStore, Failure, ManualClock};
use session_runtime::{MemoryStore, Session, SessionConfig, Sessions};

/// Current time of all fuzz targets, in seconds since 1970.
pub(super) const NOW: u64 = 1_795_000_000;

#[derive(Session)]
struct Nothing {}

/// A manager whose store always fails. The store is only called for valid cookies, so a failure
/// means that the cookie was accepted.
pub(super) struct Gate(Sessions);

impl Gate {
    pub(super) fn new(config: SessionConfig) -> Self {
        let store = FailingStore::new(MemoryStore::new());
        store.fail(Failure::Unavailable);
        Self(Sessions::with_store(config, store).unwrap().with_clock(&ManualClock::new(now())))
    }

    /// Returns whether the manager accepts this cookie and calls the store.
    pub(super) fn accepts(&self, name: &str, value: &[u8]) -> bool {
        let header = [name.as_bytes(), b"=", value].concat();
        let session = self.0.open([&header[..]]).session::<Nothing>();
        match block_on(session.exists()) {
            Ok(is_there) => {
                assert!(!is_there, "the store was not asked");
                false
            }
            Err(error) => {
                assert!(error.is_unavailable(), "{error}");
                true
            }
        }
    }
}

pub(super) fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(NOW)
}

/// Returns whether a header can carry these bytes as the value of a single cookie. Other bytes
/// would be cut off or trimmed.
pub(super) fn is_one_value(value: &[u8]) -> bool {
    !value.contains(&b';') && value.trim_ascii() == value
}

/// Returns an id in the format of the Python package, with digits from these bytes.
pub(super) fn python_id(bytes: &[u8]) -> String {
    let digit = |at: usize| bytes.get(at).map_or(0, |byte| byte % 16);
    let shape = "xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx".repeat(2);
    let at = |(at, c): (usize, char)| match c {
        'x' => char::from_digit(digit(at).into(), 16).unwrap(),
        'y' => char::from_digit((8 + digit(at) % 4).into(), 16).unwrap(),
        c => c,
    };
    shape.chars().enumerate().map(at).collect()
}
