//! The events that a watch prints.

use std::fmt;
use std::time::SystemTime;

use serde::Serialize;

use crate::cli::time::Time;
use crate::id::SessionId;
use crate::store::{DestroyReason, TombstoneKind};

/// An event. The keys in JSON are stable.
#[derive(Serialize)]
pub(super) struct Event {
    time: Time,
    #[serde(flatten)]
    what: What,
    tag: String,
    /// The tag from now on, if it changes, which only that of an id from Python does.
    #[serde(skip_serializing_if = "Option::is_none")]
    new_tag: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(super) enum What {
    Created,
    Rotated,
    Renewed,
    Ended { reason: Reason },
    Expired,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Reason {
    LoggedOut,
    EndedElsewhere,
    TooMany,
}

impl Event {
    pub(super) fn new(id: &SessionId, what: What, time: SystemTime) -> Self {
        Self { time: Time(time), what, tag: id.tag().to_owned(), new_tag: None }
    }

    /// Returns the event by which a session came to its end under this id.
    pub(super) fn of_end(id: &SessionId, kind: &TombstoneKind, time: SystemTime) -> Self {
        let (what, successor) = match kind {
            TombstoneKind::Rotated(successor) => (What::Rotated, Some(successor)),
            TombstoneKind::Renewed(successor) => (What::Renewed, Some(successor)),
            TombstoneKind::Destroyed(reason) => {
                let reason = match reason {
                    DestroyReason::LoggedOut => Reason::LoggedOut,
                    DestroyReason::EndedElsewhere => Reason::EndedElsewhere,
                    DestroyReason::TooMany => Reason::TooMany,
                };
                (What::Ended { reason }, None)
            }
        };
        let new_tag = successor.map(SessionId::tag).filter(|tag| *tag != id.tag());
        Self { new_tag: new_tag.map(str::to_owned), ..Self::new(id, what, time) }
    }

    pub(super) fn time(&self) -> SystemTime {
        self.time.0
    }

    #[cfg(test)]
    pub(super) fn tag_and_name(&self) -> (&str, &'static str) {
        (&self.tag, self.what.name())
    }
}

impl What {
    fn name(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Rotated => "rotated",
            Self::Renewed => "renewed",
            Self::Ended { .. } => "ended",
            Self::Expired => "expired",
        }
    }

    fn reason(self) -> Option<&'static str> {
        match self {
            Self::Ended { reason: Reason::LoggedOut } => Some("logged out"),
            Self::Ended { reason: Reason::EndedElsewhere } => Some("ended elsewhere"),
            Self::Ended { reason: Reason::TooMany } => Some("too many"),
            _ => None,
        }
    }
}

/// Writes a line of text.
impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}  {:<7}  {}", self.time, self.what.name(), self.tag)?;
        if let Some(reason) = self.what.reason() {
            write!(f, "  {reason}")?;
        }
        match &self.new_tag {
            Some(tag) => write!(f, "  now {tag}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    #[test]
    fn the_json_of_an_event_is_one_flat_object() {
        let id: SessionId = "dGFndGFnAGkBAgMAc2VjcmV0c2VjcmV0c2VjcmV0".parse().unwrap();
        let reason = DestroyReason::EndedElsewhere;
        let ended = Event::of_end(&id, &TombstoneKind::Destroyed(reason), UNIX_EPOCH);
        assert_eq!(
            serde_json::to_string(&ended).unwrap(),
            r#"{"time":"1970-01-01T00:00:00Z","event":"ended","reason":"ended_elsewhere","tag":"dGFndGFn"}"#
        );
        assert_eq!(ended.to_string(), "1970-01-01T00:00:00Z  ended    dGFndGFn  ended elsewhere");
        let rotated = Event::of_end(&id, &TombstoneKind::Rotated(id), UNIX_EPOCH);
        assert_eq!(
            serde_json::to_string(&rotated).unwrap(),
            r#"{"time":"1970-01-01T00:00:00Z","event":"rotated","tag":"dGFndGFn"}"#
        );
    }
}
