//! The log of what administrators do.

use crate::error::Error;

/// The target of all events, a stable name.
const TARGET: &str = "session_runtime::admin";

/// The most tags of an event.
const MOST_TAGS: usize = 100;

/// Sessions that an administrator ends.
pub(super) struct Ending<'a> {
    pub(super) administrator: &'a str,
    /// The index by which the sessions were found.
    pub(super) index: Option<&'a str>,
    pub(super) tags: &'a [&'a str],
}

impl Ending<'_> {
    /// Records the end. Never records the value of the index, which may name a person.
    pub(super) fn record(&self, ended: Result<usize, &Error>) {
        let Self { administrator, index, tags } = self;
        let (tags, rest) = tags.split_at(tags.len().min(MOST_TAGS));
        let (tags, left_out) = (tags.join(","), (!rest.is_empty()).then_some(rest.len()));
        match ended {
            Ok(ended) => tracing::info!(
                target: TARGET,
                administrator, index, tags, left_out, ended, "an administrator ended sessions"
            ),
            Err(error) => tracing::warn!(
                target: TARGET,
                administrator, index, tags, left_out,
                error = error as &dyn std::error::Error,
                "an administrator could not end all of these sessions"
            ),
        }
    }
}

/// Sessions that an administrator looks at.
pub(super) struct Viewing<'a> {
    pub(super) administrator: &'a str,
    /// The index by which the sessions were found.
    pub(super) index: Option<&'a str>,
    /// The tag, on the page of a session.
    pub(super) tag: Option<&'a str>,
}

impl Viewing<'_> {
    /// Records the look, at this many sessions. Never records the value of the index.
    pub(super) fn record(&self, viewed: usize) {
        let Self { administrator, index, tag } = self;
        tracing::info!(
            target: TARGET,
            administrator, index, tag, viewed, "an administrator viewed sessions"
        );
    }
}
