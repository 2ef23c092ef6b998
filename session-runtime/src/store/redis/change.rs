//! What changes sessions: one script each.

use std::time::Duration;

use redis::Value;

use super::RedisStore;
use super::cause::{Cause, Code};
use super::command::{Room, milliseconds};
use super::dead_or_failed;
use super::script::{DESTROY, ROTATE, WRITE};
use crate::id::SessionId;
use crate::store::{Change, Destroyed, Lookup, Rotation, SessionKey, StoreError, Write, WriteMode};

/// A number among a script's arguments has no more digits.
const NUMBER: usize = 16;

impl RedisStore {
    pub(crate) async fn write_fields(
        &self,
        key: &SessionKey,
        write: Write<'_>,
    ) -> Result<Lookup<u64>, StoreError> {
        let removed = || write.changes.iter().filter_map(removed_field);
        let bytes = write.changes.iter().map(length).sum::<usize>();
        let room = Room { words: 3 + 2 * write.changes.len(), bytes: 2 * NUMBER + 1 + bytes };
        let keys = [key];
        let ran = self.run(&WRITE, &keys, room, |invocation| {
            invocation.arg(milliseconds(write.expires_in)).arg(u8::from(write.mode == WriteMode::Create));
            invocation.arg(removed().count());
            for field in removed() {
                invocation.arg(field);
            }
            for change in write.changes {
                if let Change::Set { field, value } = change {
                    invocation.arg(field).arg(&value[..]);
                }
            }
        });
        match ran.await? {
            Value::Int(-1) => Ok(Lookup::Missing),
            Value::Int(removed) => Ok(Lookup::Found(removed.unsigned_abs())),
            Value::ServerError(error) => dead_or_failed((&error).into()),
            _ => Err(StoreError::outcome_unknown(Cause::Unexpected)),
        }
    }

    pub(crate) async fn rotate_session(
        &self,
        key: &SessionKey,
        rotation: Rotation<'_>,
    ) -> Result<Lookup<()>, StoreError> {
        let room = Room { words: 3, bytes: SessionId::LEN + 2 * NUMBER };
        let keys = [key, rotation.successor_key];
        let ran = self.run(&ROTATE, &keys, room, |invocation| {
            invocation.arg(rotation.successor.expose_secret());
            invocation.arg(milliseconds(rotation.expires_in)).arg(milliseconds(rotation.tombstone_for));
        });
        match ran.await? {
            Value::Int(1) => Ok(Lookup::Found(())),
            Value::Int(0) => Ok(Lookup::Missing),
            Value::ServerError(error) => dead_or_failed((&error).into()),
            _ => Err(StoreError::outcome_unknown(Cause::Unexpected)),
        }
    }

    pub(crate) async fn destroy_session(
        &self,
        key: &SessionKey,
        tombstone_for: Duration,
    ) -> Result<Destroyed, StoreError> {
        let room = Room { words: 1, bytes: NUMBER };
        let keys = [key];
        let ran = self.run(&DESTROY, &keys, room, |invocation| {
            invocation.arg(milliseconds(tombstone_for));
        });
        match ran.await? {
            Value::Int(1) => Ok(Destroyed::Ended),
            Value::Int(0) => Ok(Destroyed::Missing),
            Value::BulkString(successor) => {
                Ok(SessionId::from_ascii(&successor).map_or(Destroyed::Dead, Destroyed::Moved))
            }
            Value::ServerError(error) => match Code::from(&error) {
                Code::WrongType => Ok(Destroyed::Dead),
                code => Err(code.into()),
            },
            _ => Err(StoreError::outcome_unknown(Cause::Unexpected)),
        }
    }
}

fn removed_field<'a>(change: &Change<'a>) -> Option<&'a str> {
    match change {
        Change::Remove { field } => Some(field),
        Change::Set { .. } => None,
    }
}

fn length(change: &Change<'_>) -> usize {
    match change {
        Change::Set { field, value } => field.len() + value.len(),
        Change::Remove { field } => field.len(),
    }
}
