//! Tombstones as Redis stores them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use redis::{Pipeline, Value};

use crate::id::SessionId;
use crate::store::redis::RedisStore;
use crate::store::redis::cause::{Cause, Code};
use crate::store::redis::protocol::command::command_of;
use crate::store::redis::protocol::reply::time;
use crate::store::{DestroyReason, Lookup, SessionKey, StoreError, Tombstone, TombstoneKind};

/// The lifetime of tombstones in a former format, which lacks the time of creation.
const FORMER_LIFETIME: Duration = Duration::from_secs(5 * 60);

const LOGGED_OUT: &str = "loggedout";
const ENDED_ELSEWHERE: &str = "endedelsewhere";
const TOO_MANY: &str = "toomany";
const ROTATED: &str = "rotated";
const RENEWED: &str = "renewed";

impl RedisStore {
    pub(crate) async fn tombstone(
        &self,
        key: &SessionKey,
    ) -> Result<Option<Tombstone>, StoreError> {
        let mut commands = Pipeline::with_capacity(2);
        commands.add_command(command_of(&["GET", key.expose_secret()]));
        // Sent behind `GET`, so that the age is never less than the age at the read.
        commands.add_command(command_of(&["TIME"]));
        let mut replies = self.query(key, &commands).await?.into_iter();
        let stored = match replies.next() {
            Some(Value::BulkString(stored)) => {
                self.void_if_gone(key, Lookup::<()>::Dead);
                stored
            }
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
        let stored = StoredTombstone::parse(&stored);
        Ok(Some(Tombstone { kind: stored.kind, age: stored.age_at(now) }))
    }
}

/// Commands on a tombstone return `WRONGTYPE`, because a tombstone is a string and not a hash.
pub(super) fn dead_or_error<T>(code: Code) -> Result<Lookup<T>, StoreError> {
    if code == Code::WrongType { Ok(Lookup::Dead) } else { Err(code.into()) }
}

/// Returns the word that scripts store for a destruction.
pub(super) fn reason_word(reason: DestroyReason) -> &'static str {
    match reason {
        DestroyReason::LoggedOut => LOGGED_OUT,
        DestroyReason::EndedElsewhere => ENDED_ELSEWHERE,
        DestroyReason::TooMany => TOO_MANY,
    }
}

/// Returns the word that scripts store for a rotation.
pub(super) fn rotation_word(renews: bool) -> &'static str {
    if renews { RENEWED } else { ROTATED }
}

/// The text of a tombstone: `KIND:CREATED:UNTIL:SUCCESSOR`, with times in milliseconds since 1970.
///
/// Tombstones of former releases can be read too: `UNTIL:SUCCESSOR`, and the successor alone. They
/// do not distinguish a renewal from a rotation.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct StoredTombstone {
    pub(crate) kind: TombstoneKind,
    pub(crate) created_at: Option<SystemTime>,
}

impl StoredTombstone {
    pub(crate) fn parse(text: &[u8]) -> Self {
        let parts: Vec<&[u8]> = text.splitn(4, |byte| *byte == b':').collect();
        match parts[..] {
            [word, created_at, _, successor] => Self {
                kind: kind_of(word, successor),
                created_at: time_from_milliseconds(created_at),
            },
            [until, successor] => {
                let created_at = time_from_milliseconds(until)
                    .and_then(|until| until.checked_sub(FORMER_LIFETIME));
                Self { kind: kind_of(b"", successor), created_at }
            }
            _ => Self { kind: kind_of(b"", text), created_at: None },
        }
    }

    /// Returns at most the true age, because the stored time was truncated to milliseconds.
    fn age_at(&self, now: SystemTime) -> Duration {
        let age =
            self.created_at.and_then(|made| now.duration_since(made).ok()).unwrap_or_default();
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
        .find(|reason| reason_word(*reason).as_bytes() == word)
        .unwrap_or(DestroyReason::LoggedOut)
}

fn time_from_milliseconds(milliseconds: &[u8]) -> Option<SystemTime> {
    let milliseconds = std::str::from_utf8(milliseconds).ok()?.parse().ok()?;
    UNIX_EPOCH.checked_add(Duration::from_millis(milliseconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "dGFndGFnAGkBAgMAc2VjcmV0c2VjcmV0c2VjcmV0";

    fn read(text: &str) -> StoredTombstone {
        StoredTombstone::parse(text.as_bytes())
    }

    fn at(milliseconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_millis(milliseconds)
    }

    #[test]
    fn each_kind_is_read_as_it_is_written() {
        let id = SessionId::parse(ID).unwrap();
        for reason in
            [DestroyReason::LoggedOut, DestroyReason::EndedElsewhere, DestroyReason::TooMany]
        {
            let stored = read(&format!("{}:1000:61000:", reason_word(reason)));
            assert_eq!(
                stored,
                StoredTombstone {
                    kind: TombstoneKind::Destroyed(reason),
                    created_at: Some(at(1_000))
                }
            );
        }
        for (renews, kind) in
            [(false, TombstoneKind::Rotated(id)), (true, TombstoneKind::Renewed(id))]
        {
            let stored = read(&format!("{}:1000:61000:{ID}", rotation_word(renews)));
            assert_eq!(stored, StoredTombstone { kind, created_at: Some(at(1_000)) });
        }
    }

    #[test]
    fn tombstones_of_former_releases_are_read() {
        let rotated = TombstoneKind::Rotated(SessionId::parse(ID).unwrap());
        let destroyed = TombstoneKind::Destroyed(DestroyReason::LoggedOut);
        assert_eq!(
            read(&format!("301000:{ID}")),
            StoredTombstone { kind: rotated, created_at: Some(at(1_000)) }
        );
        assert_eq!(
            read("301000:"),
            StoredTombstone { kind: destroyed, created_at: Some(at(1_000)) }
        );
        assert_eq!(read(ID), StoredTombstone { kind: rotated, created_at: None });
        assert_eq!(read(""), StoredTombstone { kind: destroyed, created_at: None });
    }

    #[test]
    fn an_unknown_text_is_a_tombstone_of_a_session_that_just_ended() {
        let destroyed = TombstoneKind::Destroyed(DestroyReason::LoggedOut);
        for text in ["x", ":::", "::::", "renewed:x:y:z", "rotated:18446744073709551616:1:", "-1:"]
        {
            assert_eq!(read(text), StoredTombstone { kind: destroyed, created_at: None });
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
