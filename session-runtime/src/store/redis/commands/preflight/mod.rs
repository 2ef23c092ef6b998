//! Checks a server before sessions are stored there.

mod index;
#[cfg(feature = "cli")]
pub(crate) mod operator;
mod required;

use std::collections::BTreeSet;
use std::fmt;

use redis::{Pipeline, Value};

use self::required::{Refusal, RequiredCommand};
use crate::error::Error;
use crate::store::redis::RedisStore;
use crate::store::redis::cause::Code;
use crate::store::redis::commands::query::read_error;
use crate::store::redis::net::node_connections::Route;
use crate::store::redis::protocol::command::command_of;
use crate::store::{SessionKey, StoreError};

/// The purpose of the commands that every application needs.
const SESSIONS: &str = "sessions";

/// The findings about the servers, before sessions are stored there.
pub(crate) struct Preflight<'a> {
    store: &'a RedisStore,
    prefix: &'a str,
    missing: Missing,
}

/// A server's policy that may evict keys.
pub(crate) struct Evicting {
    #[cfg_attr(
        not(feature = "cli"),
        allow(dead_code, reason = "only sessionctl names the server")
    )]
    pub(crate) address: String,
    pub(crate) policy: String,
}

/// A condition under which sessions work, but fields with a `ttl` do not.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum FieldExpiryLack {
    Permissions(String),
    Command(String),
}

impl RedisStore {
    /// Asks each server whether it has everything that sessions need, and whether the user has all
    /// permissions. The commands use this key, which must not exist.
    ///
    /// # Errors
    ///
    /// Fails with [`Error::is_unavailable`] if a server does not answer.
    pub(crate) async fn preflight<'a>(
        &'a self,
        key: &'a SessionKey,
    ) -> Result<Preflight<'a>, Error> {
        let required = RequiredCommand::all(key, self.deployment.topology.is_cluster());
        let missing = Missing::among(&required, &self.ask_each(&required).await?);
        Ok(Preflight { store: self, prefix: key.prefix(), missing })
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

    /// Returns the policies of servers that may evict keys when their memory is full.
    pub(crate) async fn evicting_policies(&self) -> Result<Vec<Evicting>, StoreError> {
        let (command, deadline) = (command_of(&["INFO", "memory"]), self.deployment.deadline());
        let sent = self.deployment.exchange_with_each(&command, Route::Session, deadline).await;
        let exchanges = sent.map_err(read_error)?;
        if let Some(code) = exchanges.iter().find_map(|one| Code::in_reply(&one.reply)) {
            return Err(code.into());
        }
        let evicting = exchanges.iter().filter_map(|one| {
            let policy = evicting_policy(&one.reply)?.to_owned();
            Some(Evicting { address: one.connection.server.address.clone(), policy })
        });
        Ok(evicting.collect())
    }

    /// Warns about a server that may evict live sessions when the memory is full.
    pub(crate) async fn warn_of_eviction(&self) {
        let Ok(evicting) = self.evicting_policies().await else {
            tracing::debug!("could not read the eviction policy of the session store");
            return;
        };
        for Evicting { policy, .. } in evicting {
            tracing::warn!(policy, "{}", Evicting::WARNING);
        }
    }
}

impl Preflight<'_> {
    /// Refuses what the start refuses, and logs what the start logs.
    ///
    /// # Errors
    ///
    /// Fails with [`Error::is_config`] if something is missing, and names the missing parts.
    pub(crate) fn check(&self) -> Result<(), Error> {
        self.store.deployment.check_no_lone_cluster_node()?;
        self.permissions()?;
        self.scripts()?;
        self.field_expiry().iter().for_each(FieldExpiryLack::warn);
        Ok(())
    }

    /// # Errors
    ///
    /// Fails with [`Error::is_config`] if a permission or a command is missing, and names the worst
    /// problem.
    fn permissions(&self) -> Result<(), Error> {
        self.missing.refuse_for(SESSIONS, self.prefix)
    }

    /// Returns all problems with permissions and commands.
    #[cfg(feature = "cli")]
    pub(crate) fn problems(&self) -> Vec<String> {
        self.missing.problems_for(SESSIONS, self.prefix)
    }

    /// # Errors
    ///
    /// Fails with [`Error::is_config`] if scripts cannot check permissions before the first write.
    pub(crate) fn scripts(&self) -> Result<(), Error> {
        if !self.missing.acl_check {
            return Ok(());
        }
        Err(Error::config(format!(
            "the scripts of the Redis server ({}) cannot check permissions \
             (`redis.acl_check_cmd`): sessions need Redis 7 or later, or Valkey",
            self.store.server_names()
        )))
    }

    /// Returns what fields with a `ttl` lack. A server without any of the commands is simply an
    /// older version.
    pub(crate) fn field_expiry(&self) -> Vec<FieldExpiryLack> {
        let permissions = &self.missing.field_expiry_permissions;
        let mut lacks = Vec::new();
        if !permissions.is_empty() {
            lacks.push(FieldExpiryLack::Permissions(format!("+{}", permissions.join(" +"))));
        }
        if let [command] = &self.missing.field_expiry_commands[..] {
            lacks.push(FieldExpiryLack::Command(command.clone()));
        }
        lacks
    }
}

impl Evicting {
    pub(crate) const WARNING: &str = "the session store may evict live sessions when its memory is full: set \
         `maxmemory-policy noeviction` to refuse new sessions instead";
}

impl FieldExpiryLack {
    fn warn(&self) {
        match self {
            Self::Permissions(lacks) => tracing::warn!(lacks, "{self}"),
            Self::Command(lacks) => tracing::warn!(lacks, "{self}"),
        }
    }

    #[cfg(feature = "cli")]
    pub(crate) fn lacks(&self) -> &str {
        let (Self::Permissions(lacks) | Self::Command(lacks)) = self;
        lacks
    }
}

/// Writes the warning of the start.
impl fmt::Display for FieldExpiryLack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Permissions(_) => {
                "the Redis user may not expire single fields, so fields with a `ttl` cannot be \
                 written: grant the permissions in `lacks`"
            }
            Self::Command(_) => {
                "the Redis server lacks a command, so fields with a `ttl` cannot be written, or \
                 their expiry cannot be read"
            }
        })
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
        self.problems_for(what, prefix)
            .into_iter()
            .next()
            .map_or(Ok(()), |problem| Err(Error::config(problem)))
    }

    /// Returns a message for each kind of missing parts, the worst first.
    fn problems_for(&self, what: &str, prefix: &str) -> Vec<String> {
        let mut problems = Vec::new();
        if self.key_access {
            problems.push(format!(
                "the Redis user may not access the keys of sessions: grant ~{prefix}*"
            ));
        }
        if !self.permissions.is_empty() {
            let permissions = self.permissions.join(" +");
            problems
                .push(format!("the Redis user lacks permissions that {what} need: +{permissions}"));
        }
        if !self.commands.is_empty() {
            let commands = self.commands.join(", ");
            problems.push(format!(
                "the Redis server lacks commands that {what} need, or has renamed them: {commands}"
            ));
        }
        problems
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
