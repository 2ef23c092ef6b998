//! The sessions that a page is about.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::sync::Semaphore;

use super::query::{self, Query};
use super::refusal::Refusal;
use crate::id::SessionId;
use crate::session::found::{FoundSessions, LastUsed, SessionEntry};
use crate::session::index_query::IndexQuery;
use crate::session::schema::Schema;
use crate::session::sessions::Sessions;
use crate::session::shown::{self, ShownValue};

/// The hidden input of a form with the value of an index.
const SEARCH: &str = "search";

/// The value of an indexed field, as its text.
pub(super) struct Value {
    pub(super) index: &'static str,
    pub(super) text: String,
}

impl Value {
    /// Reads the value, if the request names one.
    pub(super) fn read<S: Schema>(query: &Query) -> Result<Option<Self>, Refusal> {
        let Some(text) = query.get("value") else { return Ok(None) };
        let mut fields = S::SEARCHED.iter();
        let field = match query.get("by") {
            Some(by) => fields.find(|field| field.index() == by),
            None => fields.next(),
        };
        let index = field.ok_or(Refusal::UnknownIndex)?.index();
        Ok(Some(Self { index, text: text.to_owned() }))
    }

    /// Reads the value of a form, if there is one. See [`Self::hidden`].
    pub(super) fn of_form<S: Schema>(form: &Query) -> Result<Option<Self>, Refusal> {
        let text = form.get(SEARCH).unwrap_or_default();
        Self::read::<S>(&Query::read(text.as_bytes()))
    }

    /// Returns the name and the value of the hidden input that keeps this value.
    ///
    /// Browsers change line breaks and NUL in the inputs of a form, and nobody could end the
    /// sessions of such a user. So the input has the text of a query.
    pub(super) fn hidden(&self) -> (&'static str, String) {
        (SEARCH, query::text(&self.and(&[])))
    }

    pub(super) fn found<S: Schema>(
        &self,
        sessions: &Sessions,
    ) -> Result<FoundSessions<S>, Refusal> {
        let field = S::SEARCHED.iter().find(|field| field.index() == self.index);
        let value = field.ok_or(Refusal::UnknownIndex)?.value(&self.text);
        let value = value.map_err(|reason| Refusal::NotOfType {
            index: self.index,
            text: self.text.clone(),
            reason: reason.to_string(),
        })?;
        Ok(sessions.find(IndexQuery::of_stored(value.field, value.stored)))
    }

    /// Returns the names and values that a link has, followed by others.
    pub(super) fn and<'a>(&'a self, others: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
        [&[("by", self.index), ("value", &self.text)], others].concat()
    }
}

/// A session by its tag, and by the user if the search was for a user.
pub(super) struct Tagged {
    pub(super) tag: String,
    pub(super) value: Option<Value>,
}

impl Tagged {
    pub(super) fn read<S: Schema>(query: &Query) -> Result<Self, Refusal> {
        Ok(Self { tag: tag(query)?, value: Value::read::<S>(query)? })
    }

    pub(super) fn of_form<S: Schema>(form: &Query) -> Result<Self, Refusal> {
        Ok(Self { tag: tag(form)?, value: Value::of_form::<S>(form)? })
    }

    /// Returns the live sessions with the tag. Usually there is one. Without a value, this walks
    /// over all keys, so there is a single walk at a time.
    pub(super) async fn entries<S: Schema, D: Schema>(
        &self,
        sessions: &Sessions,
        walks: &Semaphore,
    ) -> Result<Vec<SessionEntry<D>>, Refusal> {
        let mut entries = match &self.value {
            Some(value) => value.found::<S>(sessions)?.list_as().await?,
            None => {
                let _walk = walks.try_acquire().map_err(|_| Refusal::Busy)?;
                sessions.by_tag(&self.tag).await?
            }
        };
        entries.retain(|entry| entry.tag() == self.tag);
        Ok(entries)
    }
}

/// Reads a tag. Copied from a log line, it may have spaces around it.
fn tag(query: &Query) -> Result<String, Refusal> {
    let text = query.get("tag").unwrap_or_default().trim();
    let tag = SessionId::tag_in(text).ok_or_else(|| Refusal::MalformedTag(text.to_owned()))?;
    Ok(tag.to_owned())
}

/// A session as a page shows it.
pub(super) struct Shown {
    pub(super) tag: String,
    pub(super) created_at: SystemTime,
    pub(super) signed_in_at: Option<SystemTime>,
    pub(super) last_used: Option<LastUsed>,
    pub(super) expires_in: Duration,
    pub(super) fields: Vec<ShownField>,
    /// The administrator is using this session now.
    pub(super) is_own: bool,
}

/// A field as a page shows it.
pub(super) struct ShownField {
    pub(super) name: &'static str,
    pub(super) index: Option<&'static str>,
    pub(super) is_encrypted: bool,
    pub(super) value: ShownValue,
}

impl Shown {
    pub(super) fn new<S: Schema>(entry: &SessionEntry<S>, own_tag: Option<&str>) -> Self {
        let field = |(field, value): (&'static dyn shown::ShownField, _)| ShownField {
            name: field.name(),
            index: field.index(),
            is_encrypted: field.is_encrypted(),
            value,
        };
        Self {
            tag: entry.tag().to_owned(),
            created_at: entry.created_at(),
            signed_in_at: entry.signed_in_at(),
            last_used: entry.last_used(),
            expires_in: entry.expires_in(),
            fields: entry.shown().map(field).collect(),
            is_own: own_tag == Some(entry.tag()),
        }
    }

    /// Returns the creation in seconds, which tells two sessions with one tag apart.
    pub(super) fn created(&self) -> String {
        created(self.created_at)
    }
}

/// Selects the session that a form named. Returns `None` if there is no session with the tag any
/// more.
///
/// # Errors
///
/// Not exactly one session with the tag was created at this time. A session that was renewed since
/// may belong to another person.
pub(super) fn select<'a, D: Schema>(
    entries: &'a [SessionEntry<D>],
    created_at: Option<&str>,
) -> Result<Option<&'a SessionEntry<D>>, Refusal> {
    let is_meant = |entry: &&SessionEntry<D>| Some(&*created(entry.created_at())) == created_at;
    let meant: Vec<_> = entries.iter().filter(is_meant).collect();
    match (&meant[..], entries) {
        ([entry], _) => Ok(Some(entry)),
        (_, []) => Ok(None),
        ([], [_]) => Err(Refusal::OtherSession),
        _ => Err(Refusal::SharedTag),
    }
}

fn created(at: SystemTime) -> String {
    at.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs().to_string()
}
