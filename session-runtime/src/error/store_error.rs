//! What a store reports when it cannot do its work.

use std::error::Error;
use std::fmt;

/// Why a store could not carry out an operation.
///
/// Built by stores. Their messages are shown and logged: they must hold no stored value, no key and
/// no text that a server sent.
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
}

impl StoreError {
    /// The store cannot be reached or cannot serve now, and the operation was not carried out; the
    /// same operation may succeed later.
    pub fn unavailable(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { kind: StoreErrorKind::Unavailable, source: source.into() }
    }

    /// A write was handed over and no answer came: it was carried out once, or not at all.
    pub fn outcome_unknown(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { kind: StoreErrorKind::OutcomeUnknown, source: source.into() }
    }

    /// The store refused the operation: a permission that is missing, memory that is full. Nothing
    /// was changed.
    pub fn refused(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { kind: StoreErrorKind::Refused, source: source.into() }
    }

    /// The store could not be reached or did not answer in time.
    pub fn is_unavailable(&self) -> bool {
        matches!(self.kind, StoreErrorKind::Unavailable | StoreErrorKind::OutcomeUnknown)
    }

    /// The store refused the operation, and would again.
    pub(crate) fn is_refused(&self) -> bool {
        self.kind == StoreErrorKind::Refused
    }

    /// A write may or may not have been carried out.
    pub fn is_outcome_unknown(&self) -> bool {
        self.kind == StoreErrorKind::OutcomeUnknown
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            StoreErrorKind::Unavailable => "the session store is unavailable",
            StoreErrorKind::OutcomeUnknown => {
                "the session store did not answer, it is not known whether the write was carried \
                 out"
            }
            StoreErrorKind::Refused => "the session store refused the operation",
        };
        write!(f, "{kind}: {}", self.source)
    }
}

impl Error for StoreError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.source)
    }
}
