//! The log of what administrators do.

use crate::error::Error;

/// The target of all events, a stable name.
const TARGET: &str = "session_runtime::admin";

/// Sessions that an administrator ends.
pub(super) struct Ending<'a> {
    pub(super) administrator: &'a str,
    /// The index by which the sessions were found.
    pub(super) index: Option<&'a str>,
    pub(super) tags: String,
}

impl Ending<'_> {
    /// Records the end. Never records the value of the index, which may name a person.
    pub(super) fn record(&self, ended: Result<usize, &Error>) {
        let Self { administrator, index, tags } = self;
        match ended {
            Ok(ended) => tracing::info!(
                target: TARGET,
                administrator, index, tags, ended, "an administrator ended sessions"
            ),
            Err(error) => tracing::warn!(
                target: TARGET,
                administrator, index, tags,
                error = error as &dyn std::error::Error,
                "an administrator could not end all of these sessions"
            ),
        }
    }
}
