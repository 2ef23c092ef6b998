//! The reasons for which a page is not shown.

use crate::error::Error;

/// The reason for which a page is not shown, or a form is not carried out.
pub(super) enum Refusal {
    /// There is no such page.
    NoPage,
    /// The page has another method.
    Method(&'static str),
    /// A page of another site asks for the page, not a person.
    Embedded,
    /// The schema has no such index.
    UnknownIndex,
    /// The text is no value of the indexed field.
    NotOfType {
        index: &'static str,
        text: String,
        reason: String,
    },
    /// The text is not a tag.
    MalformedTag(String),
    UnknownTag(String),
    /// Another search for a tag is walking over all keys.
    Busy,
    /// Several sessions have the tag, and the form does not tell them apart.
    SharedTag,
    /// The session with the tag is not the session of the form.
    OtherSession,
    /// The form is larger than any form of the pages.
    LargeForm,
    /// The form did not arrive as a whole.
    BrokenForm,
    /// The program stopped while it carried out a form.
    Interrupted,
    Error(Error),
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}
