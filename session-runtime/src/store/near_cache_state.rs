//! The state of a near cache.

use std::fmt;

/// The state of a [near cache](crate::SessionConfig::near_cache).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NearCacheState {
    /// Values are kept. No refusal of the server is known.
    Keeping,
    /// The server does not tell of changes, so nothing is kept. The log has the missing permission.
    Untold,
}

/// Writes the state in lower case, such as `keeping`.
impl fmt::Display for NearCacheState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Keeping => "keeping",
            Self::Untold => "untold",
        })
    }
}
