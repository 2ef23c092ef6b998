//! A walk over all keys of a prefix, for an operator's program.

use std::time::Duration;

use redis::Value;

use super::key_state::{AT_ONCE, AnyKey, KeyState};
use super::key_walk::Wanted;
use crate::store::redis::RedisStore;
use crate::store::redis::cause::Code;
use crate::store::redis::protocol::command::{command_of, pattern_of};
use crate::store::redis::protocol::reply::{is_unknown_command, text};
use crate::store::{ScanCursor, SessionKey, StoreError, TombstoneKind};

/// Some keys of a prefix.
pub(crate) struct CensusPage {
    /// A walk may show a key twice.
    pub(crate) keys: Vec<CountedKey>,
    /// The place where the next page begins. `None` at the end of the walk.
    pub(crate) next: Option<ScanCursor>,
}

pub(crate) struct CountedKey {
    /// The whole key, which contains a secret.
    pub(crate) name: String,
    /// The tombstone, if the key is that of a session that has ended.
    pub(crate) tombstone: Option<TombstoneKind>,
    /// The memory of key and value. `None` if the user may not ask.
    pub(crate) bytes: Option<u64>,
    /// The time until the key expires. `Duration::MAX` if it never does.
    pub(crate) expires_in: Duration,
}

impl RedisStore {
    /// Returns some keys of a prefix, of about this many keys that the server looks at. Changes
    /// nothing.
    pub(crate) async fn census(
        &self,
        prefix: &str,
        from: Option<&ScanCursor>,
        count: u32,
    ) -> Result<CensusPage, StoreError> {
        let pattern = pattern_of(&format!("{prefix}:sessions:"));
        let wanted = Wanted { pattern: &pattern, count, only_hashes: false };
        let Some(page) = self.key_page(from, wanted).await? else {
            return Ok(CensusPage { keys: Vec::new(), next: None });
        };
        let names = page.names.iter().filter_map(text);
        let keys = names.map(|name| AnyKey(name.to_owned()));
        // The other keys may have values of any size.
        let (of_sessions, others): (Vec<_>, Vec<_>) =
            keys.partition(|key| SessionKey::id_in(prefix, &key.0).is_some());
        let mut counted = self.count(&page.server, of_sessions, true).await?;
        counted.extend(self.count(&page.server, others, false).await?);
        Ok(CensusPage { keys: counted, next: page.next })
    }

    /// Counts the keys that exist.
    async fn count(
        &self,
        server: &str,
        keys: Vec<AnyKey>,
        are_of_sessions: bool,
    ) -> Result<Vec<CountedKey>, StoreError> {
        let mut counted = Vec::with_capacity(keys.len());
        for keys in keys.chunks(AT_ONCE) {
            let asked = self.ask_about(server, keys, |commands, key| {
                commands
                    .add_command(command_of(&["MEMORY", "USAGE", key]))
                    .add_command(command_of(&["PTTL", key]));
                if are_of_sessions {
                    commands.add_command(KeyState::question(key));
                }
            });
            for (key, replies) in keys.iter().zip(asked.await?) {
                let mut replies = replies.into_iter();
                let (bytes, expires_in) = (bytes(replies.next())?, expires_in(replies.next())?);
                let state = replies.next().map(KeyState::from_reply).transpose()?;
                let (Some(expires_in), false) = (expires_in, state == Some(KeyState::Missing))
                else {
                    continue;
                };
                let tombstone = match state {
                    Some(KeyState::Tombstone(stored)) => Some(stored.kind),
                    _ => None,
                };
                counted.push(CountedKey { name: key.0.clone(), tombstone, bytes, expires_in });
            }
        }
        Ok(counted)
    }
}

fn bytes(reply: Option<Value>) -> Result<Option<u64>, StoreError> {
    match reply {
        Some(Value::Int(bytes)) => Ok(u64::try_from(bytes).ok()),
        Some(Value::Nil) => Ok(Some(0)),
        Some(reply) => match Code::in_reply(&reply) {
            Some(Code::NoPermission) => Ok(None),
            Some(_) if is_unknown_command(&reply) => Ok(None),
            Some(code) => Err(code.into()),
            None => Ok(None),
        },
        None => Ok(None),
    }
}

/// Returns the time until the key expires, or `None` for a key that does not exist.
fn expires_in(reply: Option<Value>) -> Result<Option<Duration>, StoreError> {
    match reply {
        Some(Value::Int(left @ 0..)) => Ok(Some(Duration::from_millis(left.unsigned_abs()))),
        Some(Value::Int(-1)) => Ok(Some(Duration::MAX)),
        reply => match reply.as_ref().and_then(Code::in_reply) {
            Some(code) => Err(code.into()),
            None => Ok(None),
        },
    }
}
