//! A walk over all keys of a prefix, for an operator's program.

use std::time::Duration;

use redis::Value;

use super::key_state::{AnyKey, KeyState};
use super::key_walk::Wanted;
use crate::store::redis::RedisStore;
use crate::store::redis::cause::Code;
use crate::store::redis::protocol::command::{command_of, pattern_of};
use crate::store::redis::protocol::reply::{is_unknown_command, text};
use crate::store::{ScanCursor, StoreError};

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
    pub(crate) state: KeyState,
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
        let keys: Vec<_> = names.map(|name| AnyKey(name.to_owned())).collect();
        let asked = self.ask_about(&page.server, &keys, |commands, key| {
            commands
                .add_command(KeyState::question(key))
                .add_command(command_of(&["MEMORY", "USAGE", key]))
                .add_command(command_of(&["PTTL", key]));
        });
        let replies = asked.await?;
        let counted = keys.into_iter().zip(replies).map(|(key, replies)| {
            let mut replies = replies.into_iter();
            let state = KeyState::from_reply(replies.next())?;
            let (bytes, expires_in) = (bytes(replies.next())?, expires_in(replies.next())?);
            Ok(CountedKey { name: key.0, state, bytes, expires_in })
        });
        Ok(CensusPage { keys: counted.collect::<Result<_, StoreError>>()?, next: page.next })
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

fn expires_in(reply: Option<Value>) -> Result<Duration, StoreError> {
    match reply {
        Some(Value::Int(left @ 0..)) => Ok(Duration::from_millis(left.unsigned_abs())),
        Some(Value::Int(-1)) => Ok(Duration::MAX),
        reply => match reply.as_ref().and_then(Code::in_reply) {
            Some(code) => Err(code.into()),
            None => Ok(Duration::ZERO),
        },
    }
}
