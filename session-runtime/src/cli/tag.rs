//! The options that name a single session.

use std::str::FromStr;

use jiff::Timestamp;

use super::connection::Place;
use super::failure::Failure;
use super::untyped::Untyped;
use crate::id::SessionId;
use crate::session::found::SessionEntry;

/// The tag of a session, as log lines and lists show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tag(String);

impl Tag {
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Tag {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let tag = SessionId::tag_in(text);
        let tag = tag.ok_or("must be the 8 characters that log lines and `list` show")?;
        Ok(Self(tag.to_owned()))
    }
}

/// The time of the creation of a session, which tells sessions with the same tag apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct CreatedAt(Timestamp);

impl CreatedAt {
    /// Returns whether a session was created in this second.
    fn is_of(self, entry: &SessionEntry<Untyped>) -> bool {
        Timestamp::try_from(entry.created_at())
            .is_ok_and(|created| created.as_second() == self.0.as_second())
    }
}

impl FromStr for CreatedAt {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self).map_err(|_| "must be a time such as 2025-11-30T10:53:20Z")
    }
}

/// Leaves out sessions of another creation time.
pub(super) fn select(
    mut found: Vec<SessionEntry<Untyped>>,
    created: Option<CreatedAt>,
) -> Vec<SessionEntry<Untyped>> {
    found.retain(|entry| created.is_none_or(|created| created.is_of(entry)));
    found
}

/// Returns the error for options that name no session.
pub(super) fn no_session(tag: &Tag, created: Option<CreatedAt>, place: &Place) -> Failure {
    let created = created.map(|created| format!(", created at {},", created.0)).unwrap_or_default();
    let wanted = format!("the tag {}{created}", tag.0);
    Failure::NoSession { wanted, place: place.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_read_from_lists_and_log_lines() {
        for text in ["aB3_-xyz", "aB3_-xyz…"] {
            assert_eq!(text.parse(), Ok(Tag("aB3_-xyz".to_owned())));
        }
        for text in
            ["", "…", "aB3_-xy", "aB3_-xyz0", "aB3_-xyz……", "aB3_*xyz", "Grüße_x", "aB3_-xyz "]
        {
            assert!(text.parse::<Tag>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_creation_time_is_a_time_with_an_offset() {
        let time = "2025-11-30T10:53:20Z".parse::<CreatedAt>().unwrap();
        assert_eq!("2025-11-30T11:53:20+01:00".parse(), Ok(time));
        for text in ["", "now", "2025-11-30", "2025-11-30T10:53:20", "1764500000"] {
            assert!(text.parse::<CreatedAt>().is_err(), "{text}");
        }
    }
}
