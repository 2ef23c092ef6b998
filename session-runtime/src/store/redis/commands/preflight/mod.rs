//! Checks a server before sessions are stored there.

mod index;
mod required;

use std::collections::BTreeSet;

use redis::{Pipeline, Value};

use self::required::{Refusal, RequiredCommand};
use crate::error::Error;
use crate::store::redis::RedisStore;
use crate::store::redis::commands::query::read_error;
use crate::store::redis::net::node_connections::Route;
use crate::store::redis::protocol::command::command_of;
use crate::store::{SessionKey, StoreError};

impl RedisStore {
    /// Checks that the server has everything that sessions need, and that the user has all
    /// permissions. The commands use this key, which must not exist.
    ///
    /// # Errors
    ///
    /// Fails with [`Error::is_config`] if something is missing, and names the missing parts. Fails
    /// with [`Error::is_unavailable`] if the server does not answer.
    pub(crate) async fn check_server(&self, key: &SessionKey) -> Result<(), Error> {
        let required = RequiredCommand::all(key, self.deployment.topology.is_cluster());
        let missing = Missing::among(&required, &self.ask_each(&required).await?);
        self.deployment.check_no_lone_cluster_node()?;
        missing.refuse_for("sessions", key.prefix())?;
        if missing.acl_check {
            return Err(Error::config(format!(
                "the scripts of the Redis server ({}) cannot check permissions \
                 (`redis.acl_check_cmd`): sessions need Redis 7 or later, or Valkey",
                self.server_names()
            )));
        }
        missing.warn_of_field_expiry();
        Ok(())
    }

    /// Sends the commands to each server, and returns the replies of each.
    async fn ask_each(&self, required: &[RequiredCommand]) -> Result<Vec<Vec<Value>>, StoreError> {
        let mut commands = Pipeline::with_capacity(required.len());
        for required in required {
            commands.add_command(required.command.clone());
        }
        let deadline = self.deployment.deadline();
        let sent = self.deployment.send_to_each(&commands, Route::Session, deadline).await;
        sent.map_err(read_error)
    }

    /// Returns each name and version once, such as `redis 6.2.5, redis 7.0.15`.
    fn server_names(&self) -> String {
        let names: BTreeSet<_> =
            self.deployment.server_infos().iter().map(|server| server.to_string()).collect();
        Vec::from_iter(names).join(", ")
    }

    /// Warns about a server that may evict live sessions when the memory is full.
    pub(crate) async fn warn_of_eviction(&self) {
        let Ok(replies) = self.query_each(&command_of(&["INFO", "memory"])).await else {
            tracing::debug!("could not read the eviction policy of the session store");
            return;
        };
        for policy in replies.iter().filter_map(evicting_policy) {
            tracing::warn!(
                policy,
                "the session store may evict live sessions when its memory is full: set \
                 `maxmemory-policy noeviction` to refuse new sessions instead"
            );
        }
    }
}

/// The missing parts of all servers, each listed once.
#[derive(Default)]
struct Missing {
    key_access: bool,
    permissions: Vec<&'static str>,
    commands: Vec<String>,
    field_expiry_permissions: Vec<&'static str>,
    field_expiry_commands: Vec<String>,
    acl_check: bool,
}

impl Missing {
    /// Finds what is missing in the replies of each server to these commands.
    fn among(required: &[RequiredCommand], replies: &[Vec<Value>]) -> Self {
        let mut missing = Self::default();
        for (required, reply) in replies.iter().flat_map(|replies| required.iter().zip(replies)) {
            missing.acl_check |= required.lacks_acl_check(reply);
            if let Some(refusal) = Refusal::in_reply(reply) {
                missing.record(required, refusal);
            }
        }
        missing
    }

    /// # Errors
    ///
    /// Fails with [`Error::is_config`] if a part is missing that `what` need, under this prefix of
    /// keys.
    fn refuse_for(&self, what: &str, prefix: &str) -> Result<(), Error> {
        let message = if self.key_access {
            format!("the Redis user may not access the keys of sessions: grant ~{prefix}*")
        } else if !self.permissions.is_empty() {
            let permissions = self.permissions.join(" +");
            format!("the Redis user lacks permissions that {what} need: +{permissions}")
        } else if !self.commands.is_empty() {
            let commands = self.commands.join(", ");
            format!(
                "the Redis server lacks commands that {what} need, or has renamed them: {commands}"
            )
        } else {
            return Ok(());
        };
        Err(Error::config(message))
    }

    fn record(&mut self, required: &RequiredCommand, refusal: Refusal) {
        let (permissions, commands) = match required.is_for_field_expiry {
            true => (&mut self.field_expiry_permissions, &mut self.field_expiry_commands),
            false => (&mut self.permissions, &mut self.commands),
        };
        match refusal {
            Refusal::Key => self.key_access = true,
            Refusal::Permission => add_once(permissions, required.permission),
            Refusal::Command => add_once(commands, required.command_name()),
        }
    }

    fn warn_of_field_expiry(&self) {
        if !self.field_expiry_permissions.is_empty() {
            let lacks = format!("+{}", self.field_expiry_permissions.join(" +"));
            tracing::warn!(
                lacks,
                "the Redis user may not expire single fields, so fields with a `ttl` cannot be \
                 written: grant the permissions in `lacks`"
            );
        }
        // A server without any of these commands is simply an older version.
        if let [lacks] = &self.field_expiry_commands[..] {
            tracing::warn!(
                lacks,
                "the Redis server lacks a command, so fields with a `ttl` cannot be written, or \
                 their expiry cannot be read"
            );
        }
    }
}

fn add_once<T: PartialEq>(list: &mut Vec<T>, item: T) {
    if !list.contains(&item) {
        list.push(item);
    }
}

/// Returns the policy in the section `memory` of `INFO`, if there is a memory limit and the policy
/// evicts keys.
fn evicting_policy(info: &Value) -> Option<&str> {
    let text = match info {
        Value::BulkString(bytes) => std::str::from_utf8(bytes).ok()?,
        Value::VerbatimString { text, .. } => text,
        _ => return None,
    };
    let value_of =
        |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    let policy = value_of("maxmemory_policy")?;
    (value_of("maxmemory")? != "0" && policy != "noeviction").then_some(policy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_eviction_policy_matters_only_with_a_memory_limit() {
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
