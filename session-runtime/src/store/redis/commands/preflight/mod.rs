//! What a server's administrator should know before sessions are kept on it.

mod required;

use std::collections::BTreeSet;

use redis::{Pipeline, Value};

use self::required::{Lack, Needed};
use crate::error::Error;
use crate::store::redis::RedisStore;
use crate::store::redis::command::command_of;
use crate::store::redis::commands::read::read_fault;
use crate::store::redis::net::node_connections::Lane;
use crate::store::{SessionKey, StoreError};

impl RedisStore {
    /// Whether the server has all that sessions need, and its user may use it, tried on this key, which is not there.
    ///
    /// # Errors
    ///
    /// [`Error::is_config`] naming what is lacking, [`Error::is_unavailable`] if the server does not answer.
    pub(crate) async fn check_server(&self, key: &SessionKey) -> Result<(), Error> {
        let missing = self.missing(key).await?;
        self.check_is_whole()?;
        if missing.may_not_access_key {
            return Err(Error::config(format!(
                "the Redis user may not access the keys of sessions: it needs ~{}*",
                key.prefix()
            )));
        }
        if !missing.permissions.is_empty() {
            return Err(Error::config(format!(
                "the Redis user lacks permissions that sessions need: +{}",
                missing.permissions.join(" +")
            )));
        }
        if !missing.commands.is_empty() {
            return Err(Error::config(format!(
                "the Redis server lacks commands that sessions need, or has other names for them: {}",
                missing.commands.join(", ")
            )));
        }
        if missing.cannot_ask {
            return Err(Error::config(format!(
                "the scripts of the Redis server ({}) cannot ask for permissions (`redis.acl_check_cmd`): \
                 sessions need Redis 7 or later, or Valkey",
                self.names_of_servers()
            )));
        }
        missing.warn_of_fields();
        Ok(())
    }

    async fn missing(&self, key: &SessionKey) -> Result<Missing, StoreError> {
        let needed = Needed::all(key, self.servers.topology.is_cluster());
        let mut questions = Pipeline::with_capacity(needed.len());
        for needed in &needed {
            questions.add_command(needed.command.clone());
        }
        let answers = self.servers.ask_each(&questions, Lane::Own, self.servers.deadline()).await;
        let answers = answers.map_err(read_fault)?;
        let mut missing = Missing::default();
        for (needed, answer) in answers.iter().flat_map(|answers| needed.iter().zip(answers)) {
            missing.cannot_ask |= needed.denies_asking(answer);
            if let Some(lack) = Needed::lack(answer) {
                missing.note(needed, lack);
            }
        }
        Ok(missing)
    }

    /// Each once, as `redis 6.2.5, redis 7.0.15`.
    fn names_of_servers(&self) -> String {
        let names: BTreeSet<_> = self.servers.known().iter().map(|server| server.to_string()).collect();
        Vec::from_iter(names).join(", ")
    }

    /// Warns of a server that may throw live sessions away when its memory is full.
    pub(crate) async fn warn_of_eviction(&self) {
        let Ok(answers) = self.ask_each(&command_of(&["INFO", "memory"])).await else {
            tracing::debug!("the session store does not tell its eviction policy");
            return;
        };
        for policy in answers.iter().filter_map(evicting_policy) {
            tracing::warn!(
                policy,
                "the session store may evict live sessions when its memory is full: with `maxmemory-policy noeviction` it refuses new ones instead"
            );
        }
    }
}

/// What the servers lack, each once.
#[derive(Default)]
struct Missing {
    may_not_access_key: bool,
    permissions: Vec<&'static str>,
    commands: Vec<String>,
    permissions_of_fields: Vec<&'static str>,
    commands_of_fields: Vec<String>,
    cannot_ask: bool,
}

impl Missing {
    fn note(&mut self, needed: &Needed, lack: Lack) {
        let (permissions, commands) = match needed.is_of_fields {
            true => (&mut self.permissions_of_fields, &mut self.commands_of_fields),
            false => (&mut self.permissions, &mut self.commands),
        };
        match lack {
            Lack::Key => self.may_not_access_key = true,
            Lack::Permission => add_once(permissions, needed.permission),
            Lack::Command => add_once(commands, needed.command_name()),
        }
    }

    fn warn_of_fields(&self) {
        if !self.permissions_of_fields.is_empty() {
            let lacks = format!("+{}", self.permissions_of_fields.join(" +"));
            tracing::warn!(
                lacks,
                "the Redis user may not let single fields expire: fields with a `ttl` cannot be written"
            );
        }
        // A server that has none of them is one that never had.
        if let [lacks] = &self.commands_of_fields[..] {
            tracing::warn!(
                lacks,
                "the Redis server lacks a command: fields with a `ttl` cannot be written or asked for their end"
            );
        }
    }
}

fn add_once<T: PartialEq>(list: &mut Vec<T>, item: T) {
    if !list.contains(&item) {
        list.push(item);
    }
}

/// The policy in a section `memory` of `INFO`, if it evicts anything: there has to be a limit.
fn evicting_policy(info: &Value) -> Option<&str> {
    let text = match info {
        Value::BulkString(bytes) => std::str::from_utf8(bytes).ok()?,
        Value::VerbatimString { text, .. } => text,
        _ => return None,
    };
    let said = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    let policy = said("maxmemory_policy")?;
    (said("maxmemory")? != "0" && policy != "noeviction").then_some(policy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_matters_where_there_is_a_limit() {
        for (info, expected) in [
            ("# Memory\r\nmaxmemory:1000\r\nmaxmemory_policy:allkeys-lru\r\n", Some("allkeys-lru")),
            ("maxmemory:1000\r\nmaxmemory_policy:volatile-ttl\r\n", Some("volatile-ttl")),
            ("maxmemory:0\r\nmaxmemory_policy:allkeys-lru\r\n", None),
            ("maxmemory:1000\r\nmaxmemory_policy:noeviction\r\n", None),
            ("used_memory:1\r\n", None),
        ] {
            assert_eq!(evicting_policy(&Value::BulkString(info.into())), expected, "{info}");
        }
    }
}
