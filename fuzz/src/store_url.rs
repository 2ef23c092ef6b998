//! URLs of stores.

use session_runtime::{MemoryStore, RedisStore, SessionConfig, Sessions};

use super::cookies;
use super::marker::{MARKER, assert_is_discreet, with_marker};

/// Checks the URL of a store, without a connection.
///
/// The configuration takes every URL that a store takes. The error for an invalid URL does not
/// quote the URL. No output contains the password.
pub fn store_url(input: &[u8]) {
    for url in [input, &with_marker(input)] {
        let Ok(url) = str::from_utf8(url) else { return };
        let config = SessionConfig::new().secret(cookies::SECRET).store(url);
        assert!(!format!("{config:?}").contains(MARKER), "the configuration shows the URL");
        let taken = Sessions::with_store(config, MemoryStore::new());
        let reached = RedisStore::builder(url).connect_lazily();
        assert!(
            taken.is_ok() || reached.is_err(),
            "the configuration takes fewer URLs than the store"
        );
        if let Err(error) = taken {
            assert_is_discreet(&error);
        }
        if let Err(error) = reached {
            assert!(error.is_config(), "{error}");
            assert_is_discreet(&error);
        }
    }
}
