//! The reasons for which a page is not shown.

use crate::error::Error;

/// The reason for which a page is not shown, or a form is not carried out.
pub(super) enum Refusal {
    /// There is no such page.
    NoPage,
    /// The page has another method.
    Method(&'static str),
    /// The schema has no such index.
    UnknownIndex,
    /// The text is no value of the indexed field.
    NotOfType {
        index: &'static str,
        text: String,
        reason: String,
    },
    UnknownTag(String),
    /// Two sessions have the tag, and the form does not tell them apart.
    SharedTag,
    /// The form is larger than any form of the pages.
    Form,
    Error(Error),
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}
