//! The sessions that a page is about.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::query::Query;
use super::refusal::Refusal;
use crate::session::found::{FoundSessions, LastUsed, SessionEntry};
use crate::session::index_query::IndexQuery;
use crate::session::schema::Schema;
use crate::session::sessions::Sessions;
use crate::session::shown::{self, ShownValue};

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
        // From a log line, a tag often comes with spaces around it.
        let tag = query.get("tag").unwrap_or_default().trim().to_owned();
        Ok(Self { tag, value: Value::read::<S>(query)? })
    }

    /// Returns the live sessions with the tag. Usually there is one.
    pub(super) async fn entries<S: Schema>(
        &self,
        sessions: &Sessions,
    ) -> Result<Vec<SessionEntry<S>>, Refusal> {
        let mut entries = match &self.value {
            Some(value) => value.found(sessions)?.list().await?,
            None if self.tag.is_empty() => Vec::new(),
            None => sessions.by_tag(&self.tag).await?,
        };
        entries.retain(|entry| entry.tag() == self.tag);
        match entries.is_empty() {
            true => Err(Refusal::UnknownTag(self.tag.clone())),
            false => Ok(entries),
        }
    }
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
    pub(super) value: ShownValue,
}

impl Shown {
    pub(super) fn new<S: Schema>(entry: &SessionEntry<S>, own_tag: Option<&str>) -> Self {
        let field = |(field, value): (&'static dyn shown::ShownField, _)| ShownField {
            name: field.name(),
            index: field.index(),
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

/// Selects the session that a form named.
///
/// # Errors
///
/// Two sessions have the tag, and not exactly one of them was created at this time.
pub(super) fn select<'a, S: Schema>(
    entries: &'a [SessionEntry<S>],
    created_at: Option<&str>,
) -> Result<&'a SessionEntry<S>, Refusal> {
    if let [entry] = entries {
        return Ok(entry);
    }
    let is_meant = |entry: &&SessionEntry<S>| Some(&*created(entry.created_at())) == created_at;
    let meant: Vec<_> = entries.iter().filter(is_meant).collect();
    match meant[..] {
        [entry] => Ok(entry),
        _ => Err(Refusal::SharedTag),
    }
}

fn created(at: SystemTime) -> String {
    at.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs().to_string()
}
