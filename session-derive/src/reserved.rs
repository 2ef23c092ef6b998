//! Names that a field's getter or setter must not have, because something else of that name would
//! be called in its place.
//!
//! Plain text on purpose: a test reads this file and compares it with the methods of `Session`.

/// The methods of `Session`: they come before the fields that `Session` dereferences to.
pub(crate) const SESSION_METHODS: &[&str] = &[
    "session_id",
    "created_at",
    "exists",
    "expires_in",
    "lifetime",
    "read",
    "write",
    "load",
    "save",
    "clear",
    "rotate",
    "renew",
    "destroy",
];

/// Methods of traits that `Session` or every type has, from the standard library, `futures` and
/// `tracing`.
pub(crate) const COMMON_TRAIT_METHODS: &[&str] = &[
    "clone",
    "into",
    "try_into",
    "to_owned",
    "borrow",
    "borrow_mut",
    "fmt",
    "type_id",
    "deref",
    "instrument",
    "in_current_span",
    "with_subscriber",
    "with_current_subscriber",
];
