//! The sessions that a command is about.

use std::fmt;
use std::str::FromStr;

use bytes::Bytes;

use super::connection::Place;
use super::output::Safe;
use super::untyped::Untyped;
use crate::encryption::Encryption;
use crate::request::index_list::IndexedField;
use crate::session::index_query::IndexQuery;

#[derive(clap::Args)]
pub(super) struct Selection {
    /// Only sessions with this value in an indexed field, such as user=42. Walks over no
    /// other session. Encrypted values need a key in SESSION_ENCRYPTION_KEYS or SESSION_SECRET
    #[arg(long, value_name = "INDEX=VALUE")]
    pub(super) by: Option<IndexedValue>,

    /// Stored name of the indexed field, if it differs from the name of the index
    #[arg(long, value_name = "FIELD", requires = "by")]
    pub(super) field: Option<String>,
}

/// A value in an index, as the application stores it.
#[derive(Clone)]
pub(super) struct IndexedValue {
    pub(super) index: String,
    value: String,
}

impl FromStr for IndexedValue {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once('=') {
            Some((index, value)) if !index.is_empty() => {
                Ok(Self { index: index.to_owned(), value: value.to_owned() })
            }
            _ => Err("must be the name of an index and a value, such as user=42"),
        }
    }
}

impl fmt::Display for Selection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(IndexedValue { index, value }) = &self.by else { return Ok(()) };
        write!(f, "{}={}", Safe(index), Safe(value))
    }
}

impl Selection {
    /// Returns the hint for a selection without a session.
    pub(super) fn nothing_found(&self, place: &Place) -> String {
        match self.by {
            Some(_) => format!("no session with {self} {place}"),
            None => format!("no session {place}"),
        }
    }

    /// Returns the question for the sessions with the value, if any.
    pub(super) fn query(&self) -> Option<IndexQuery<Untyped>> {
        let IndexedValue { index, value } = self.by.clone()?;
        // The names live as long as the program.
        let index: &'static str = index.leak();
        let field = self.field.clone().map_or(index, |field| field.leak());
        // Covers plain values and all keys.
        let encryption = Some(Encryption::new().accept_plain());
        let field = IndexedField { index, field, alias: None, encryption };
        Some(IndexQuery::of_stored(field, Bytes::from(value)).keeping_lists())
    }
}
