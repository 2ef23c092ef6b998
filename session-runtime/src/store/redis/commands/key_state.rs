//! The state of a session, as an operator's program reads it without a change.

use redis::{Cmd, Pipeline, Value};

use crate::id::slot::{StoredKey, tag_in};
use crate::store::StoreError;
use crate::store::redis::RedisStore;
use crate::store::redis::cause::{Cause, Code};
use crate::store::redis::commands::key_walk::has_moved;
use crate::store::redis::commands::query::read_error;
use crate::store::redis::commands::tombstone::StoredTombstone;
use crate::store::redis::protocol::command::command_of;

/// The state of a session's key.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum KeyState {
    Live,
    Tombstone(StoredTombstone),
    Missing,
}

/// The length that no tombstone reaches. A longer text is from another program, and is not read
/// whole.
const LONGEST: &str = "200";
/// The largest number of keys that are looked at together.
pub(super) const AT_ONCE: usize = 500;

/// A key, whatever it is the key of.
pub(super) struct AnyKey(pub(super) String);

impl StoredKey for AnyKey {
    fn hash_tag(&self) -> &str {
        tag_in(&self.0)
    }
}

impl KeyState {
    /// Returns the command whose reply tells the state.
    pub(super) fn question(key: &str) -> Cmd {
        command_of(&["GETRANGE", key, "0", LONGEST])
    }

    pub(super) fn from_reply(reply: Value) -> Result<Self, StoreError> {
        match reply {
            Value::BulkString(stored) if stored.is_empty() => Ok(Self::Missing),
            Value::BulkString(stored) => Ok(Self::Tombstone(StoredTombstone::parse(&stored))),
            Value::ServerError(error) => match Code::from(&error) {
                Code::WrongType => Ok(Self::Live),
                code => Err(code.into()),
            },
            _ => Err(StoreError::refused(Cause::Unexpected)),
        }
    }
}

impl RedisStore {
    /// Sends the same number of commands about each key to a server. Keys that have moved are
    /// followed. Returns the replies about each key.
    pub(super) async fn ask_about(
        &self,
        server: &str,
        keys: &[AnyKey],
        ask: impl Fn(&mut Pipeline, &str),
    ) -> Result<Vec<Vec<Value>>, StoreError> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let mut commands = Pipeline::new();
        keys.iter().for_each(|key| ask(&mut commands, &key.0));
        let each = commands.len() / keys.len();
        let deadline = self.deployment.deadline();
        let sent = self.deployment.send_to_server(server, &commands, deadline).await;
        let mut replies = sent.map_err(read_error)?.reply.into_iter();
        let mut of_keys = Vec::with_capacity(keys.len());
        for key in keys {
            let mut of_key: Vec<_> = replies.by_ref().take(each).collect();
            if of_key.iter().any(has_moved) {
                let mut commands = Pipeline::with_capacity(each);
                ask(&mut commands, &key.0);
                of_key = self.query(key, &commands).await?;
            }
            of_keys.push(of_key);
        }
        Ok(of_keys)
    }
}
