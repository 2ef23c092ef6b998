//! Names that the getter and the setter of a field must not have. Another method with the same name
//! would be called instead.
//!
//! This file contains plain text only. A test compares the names with the methods of `Session`.

/// The methods of `Session`. Method calls prefer these to the getters, which need a dereference.
pub(crate) const SESSION_METHODS: &[&str] = &[
    "session_id",
    "created_at",
    "exists",
    "touch",
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
    "token",
    "end_reason",
    "ended",
    "form_token",
    "check_form_token",
];

/// Methods of traits that `Session` or every type implements, from the standard library, `futures`
/// and `tracing`.
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
