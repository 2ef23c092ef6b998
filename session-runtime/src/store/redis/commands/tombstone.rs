//! Tombstones as Redis stores them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use redis::{Pipeline, Value};

use crate::id::SessionId;
use crate::store::redis::RedisStore;
use crate::store::redis::cause::{Cause, Code};
use crate::store::redis::command::command_of;
use crate::store::redis::commands::read::time;
use crate::store::{DestroyReason, SessionKey, StoreError, Tombstone, TombstoneKind};

/// The stay of the tombstones of a former format, which do not tell their beginning.
const FORMER_STAY: Duration = Duration::from_secs(5 * 60);

const LOGGED_OUT: &str = "loggedout";
const ENDED_ELSEWHERE: &str = "endedelsewhere";
const TOO_MANY: &str = "toomany";
const ROTATED: &str = "rotated";
const RENEWED: &str = "renewed";

impl RedisStore {
    pub(crate) async fn read_tombstone(&self, key: &SessionKey) -> Result<Option<Tombstone>, StoreError> {
        let mut commands = Pipeline::with_capacity(2);
        commands.add_command(command_of(&["GET", key.expose_secret()]));
        // Behind the tombstone, so that its age is never less than it was.
        commands.add_command(command_of(&["TIME"]));
        let mut replies = self.ask(key, &commands).await?.into_iter();
        let stored = match replies.next() {
            Some(Value::BulkString(stored)) => stored,
            Some(Value::Nil) => return Ok(None),
            Some(Value::ServerError(error)) => {
                return match Code::from(&error) {
                    Code::WrongType => Ok(None),
                    code => Err(code.into()),
                };
            }
            _ => return Err(StoreError::refused(Cause::Unexpected)),
        };
        let now = match replies.next() {
            Some(Value::ServerError(error)) => return Err(Code::from(&error).into()),
            reply => reply.and_then(time).ok_or_else(|| StoreError::refused(Cause::Unexpected))?,
        };
        let stored = Stored::read(&stored);
        Ok(Some(Tombstone { kind: stored.kind, age: stored.age_at(now) }))
    }
}

/// The word of a destruction, as a script stores it.
pub(crate) fn word_of(reason: DestroyReason) -> &'static str {
    match reason {
        DestroyReason::LoggedOut => LOGGED_OUT,
        DestroyReason::EndedElsewhere => ENDED_ELSEWHERE,
        DestroyReason::TooMany => TOO_MANY,
    }
}

/// The word of a rotation, as a script stores it.
pub(crate) fn word_of_rotation(renews: bool) -> &'static str {
    if renews { RENEWED } else { ROTATED }
}

/// The text of a tombstone: `KIND:MADE:UNTIL:SUCCESSOR`, with times in milliseconds since 1970.
///
/// Tombstones of former releases are read too: `UNTIL:SUCCESSOR`, and the successor alone. They do not tell a renewal from a
/// rotation.
#[derive(Debug, PartialEq)]
pub(crate) struct Stored {
    pub(crate) kind: TombstoneKind,
    made: Option<SystemTime>,
}

impl Stored {
    pub(crate) fn read(text: &[u8]) -> Self {
        let parts: Vec<&[u8]> = text.splitn(4, |byte| *byte == b':').collect();
        match parts[..] {
            [word, made, _, successor] => Self { kind: kind_of(word, successor), made: moment(made) },
            [until, successor] => {
                let made = moment(until).and_then(|until| until.checked_sub(FORMER_STAY));
                Self { kind: kind_of(b"", successor), made }
            }
            _ => Self { kind: kind_of(b"", text), made: None },
        }
    }

    /// Less than it is, if anything: the stored time was cut to whole milliseconds.
    fn age_at(&self, now: SystemTime) -> Duration {
        let age = self.made.and_then(|made| now.duration_since(made).ok()).unwrap_or_default();
        age.saturating_sub(Duration::from_millis(1))
    }
}

fn kind_of(word: &[u8], successor: &[u8]) -> TombstoneKind {
    match (word, SessionId::from_ascii(successor)) {
        (word, Some(successor)) if word == RENEWED.as_bytes() => TombstoneKind::Renewed(successor),
        (_, Some(successor)) => TombstoneKind::Rotated(successor),
        (word, None) => TombstoneKind::Destroyed(reason_of(word)),
    }
}

fn reason_of(word: &[u8]) -> DestroyReason {
    [DestroyReason::EndedElsewhere, DestroyReason::TooMany]
        .into_iter()
        .find(|reason| word_of(*reason).as_bytes() == word)
        .unwrap_or(DestroyReason::LoggedOut)
}

fn moment(milliseconds: &[u8]) -> Option<SystemTime> {
    let milliseconds = std::str::from_utf8(milliseconds).ok()?.parse().ok()?;
    UNIX_EPOCH.checked_add(Duration::from_millis(milliseconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "dGFndGFnAGkBAgMAc2VjcmV0c2VjcmV0c2VjcmV0";

    fn read(text: &str) -> Stored {
        Stored::read(text.as_bytes())
    }

    fn at(milliseconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_millis(milliseconds)
    }

    #[test]
    fn each_kind_is_read_as_it_is_written() {
        let id = SessionId::parse(ID).unwrap();
        for reason in [DestroyReason::LoggedOut, DestroyReason::EndedElsewhere, DestroyReason::TooMany] {
            let stored = read(&format!("{}:1000:61000:", word_of(reason)));
            assert_eq!(stored, Stored { kind: TombstoneKind::Destroyed(reason), made: Some(at(1_000)) });
        }
        for (renews, kind) in [(false, TombstoneKind::Rotated(id)), (true, TombstoneKind::Renewed(id))] {
            let stored = read(&format!("{}:1000:61000:{ID}", word_of_rotation(renews)));
            assert_eq!(stored, Stored { kind, made: Some(at(1_000)) });
        }
    }

    #[test]
    fn tombstones_of_former_releases_are_read() {
        let rotated = TombstoneKind::Rotated(SessionId::parse(ID).unwrap());
        let destroyed = TombstoneKind::Destroyed(DestroyReason::LoggedOut);
        assert_eq!(read(&format!("301000:{ID}")), Stored { kind: rotated, made: Some(at(1_000)) });
        assert_eq!(read("301000:"), Stored { kind: destroyed, made: Some(at(1_000)) });
        assert_eq!(read(ID), Stored { kind: rotated, made: None });
        assert_eq!(read(""), Stored { kind: destroyed, made: None });
    }

    #[test]
    fn a_text_of_anybody_else_is_the_tombstone_of_a_session_that_has_just_ended() {
        let destroyed = TombstoneKind::Destroyed(DestroyReason::LoggedOut);
        for text in ["x", ":::", "::::", "renewed:x:y:z", "rotated:18446744073709551616:1:", "-1:"] {
            assert_eq!(read(text), Stored { kind: destroyed, made: None });
            assert_eq!(read(text).age_at(at(5_000)), Duration::ZERO);
        }
    }

    #[test]
    fn the_age_counts_from_the_stored_time_and_is_never_negative() {
        let stored = read("loggedout:1000:301000:");
        assert_eq!(stored.age_at(at(4_500)), Duration::from_millis(3_499));
        assert_eq!(stored.age_at(at(500)), Duration::ZERO);
    }
}
