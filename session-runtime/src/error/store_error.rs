//! The errors of stores.

use std::error::Error;
use std::fmt;

/// An error of a store that could not carry out an operation.
///
/// Stores create these errors. Messages are shown and logged, so they must not contain a stored
/// value, a key or text that a server sent.
///
/// # Examples
///
/// ```
/// use session_runtime::store::StoreError;
///
/// let error = StoreError::unavailable("no connection");
/// assert!(error.is_unavailable() && !error.is_outcome_unknown());
///
/// // An answer that did not come is both.
/// let error = StoreError::outcome_unknown("no answer");
/// assert!(error.is_unavailable() && error.is_outcome_unknown());
/// ```
#[derive(Debug)]
pub struct StoreError {
    kind: StoreErrorKind,
    source: Box<dyn Error + Send + Sync>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum StoreErrorKind {
    Unavailable,
    OutcomeUnknown,
    Refused,
    EndedSince,
    TooMany,
    Unsupported,
}

impl StoreError {
    /// Creates an error for a store that cannot be reached or cannot serve now. The operation was
    /// not carried out, and may succeed later.
    pub fn unavailable(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { kind: StoreErrorKind::Unavailable, source: source.into() }
    }

    /// Creates an error for a write that was sent without a reply. The write was carried out once
    /// or not at all.
    pub fn outcome_unknown(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { kind: StoreErrorKind::OutcomeUnknown, source: source.into() }
    }

    /// Creates an error for an operation that the store refused, for example for a missing
    /// permission or full memory. Nothing was changed.
    pub fn refused(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { kind: StoreErrorKind::Refused, source: source.into() }
    }

    /// Creates an error for an operation that the store cannot carry out at all. Nothing was
    /// changed.
    pub fn unsupported(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { kind: StoreErrorKind::Unsupported, source: source.into() }
    }

    /// Creates an error for a login that was overtaken: all sessions of the user were ended since
    /// the time in [`LoginGuard`](crate::store::LoginGuard). Nothing was changed.
    pub fn ended_since() -> Self {
        let source = "all sessions of the user were ended in the meantime";
        Self { kind: StoreErrorKind::EndedSince, source: source.into() }
    }

    /// Creates an error for a login beyond the limit in
    /// [`LoginGuard`](crate::store::LoginGuard). Nothing was changed.
    pub fn too_many() -> Self {
        let source = "the user has as many sessions as allowed";
        Self { kind: StoreErrorKind::TooMany, source: source.into() }
    }

    /// Returns `true` for [`ended_since`](Self::ended_since).
    pub(crate) fn is_ended_since(&self) -> bool {
        self.kind == StoreErrorKind::EndedSince
    }

    /// Returns `true` for [`too_many`](Self::too_many).
    pub(crate) fn is_too_many(&self) -> bool {
        self.kind == StoreErrorKind::TooMany
    }

    /// Returns `true` for [`unsupported`](Self::unsupported).
    pub(crate) fn is_unsupported(&self) -> bool {
        self.kind == StoreErrorKind::Unsupported
    }

    /// Returns `true` if the store could not be reached or did not reply in time.
    pub fn is_unavailable(&self) -> bool {
        matches!(self.kind, StoreErrorKind::Unavailable | StoreErrorKind::OutcomeUnknown)
    }

    /// Returns `true` if the store refused the operation, and would refuse again.
    pub(crate) fn is_refused(&self) -> bool {
        self.kind == StoreErrorKind::Refused
    }

    /// Returns `true` if the store refused the operation, and nothing was carried out.
    pub(crate) fn changed_nothing(&self) -> bool {
        self.is_refused() || self.is_ended_since() || self.is_too_many()
    }

    /// Returns `true` if a write may or may not have been carried out.
    pub fn is_outcome_unknown(&self) -> bool {
        self.kind == StoreErrorKind::OutcomeUnknown
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            StoreErrorKind::Unavailable => "the session store is unavailable",
            StoreErrorKind::OutcomeUnknown => {
                "the session store did not reply, so the write may or may not have been carried out"
            }
            StoreErrorKind::Refused => "the session store refused the operation",
            StoreErrorKind::Unsupported => "the operation is not supported",
            StoreErrorKind::EndedSince | StoreErrorKind::TooMany => "the login was refused",
        };
        write!(f, "{kind}: {}", self.source)
    }
}

impl Error for StoreError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.source)
    }
}
