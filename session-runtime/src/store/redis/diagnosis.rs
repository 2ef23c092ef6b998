//! What a server's administrator should know before sessions are kept on it.

use redis::{Cmd, Pipeline, Value};

use super::RedisStore;
use super::cause::Code;
use super::command::command_of;
use super::read::read_fault;
use crate::error::Error;
use crate::store::{SessionKey, StoreError};

impl RedisStore {
    /// Whether the user may do all that sessions need, tried on this key, which is not there.
    ///
    /// # Errors
    ///
    /// [`Error::is_config`] naming what the user lacks, [`Error::is_unavailable`] if the server does not answer.
    pub(crate) async fn check_permissions(&self, key: &SessionKey) -> Result<(), Error> {
        let missing = self.missing_permissions(key).await?;
        self.check_is_whole()?;
        if missing.keys {
            return Err(Error::config(format!(
                "the Redis user may not access the keys of sessions: it needs ~{}*",
                key.prefix()
            )));
        }
        if !missing.commands.is_empty() {
            return Err(Error::config(format!(
                "the Redis user lacks permissions that sessions need: +{}",
                missing.commands.join(" +")
            )));
        }
        if !missing.of_fields.is_empty() {
            let lacks = format!("+{}", missing.of_fields.join(" +"));
            tracing::warn!(
                lacks,
                "the Redis user may not let single fields expire: fields with a `ttl` cannot be written"
            );
        }
        Ok(())
    }

    async fn missing_permissions(&self, key: &SessionKey) -> Result<Missing, StoreError> {
        let mut questions = Pipeline::new();
        let needed: Vec<_> = needed(key, self.servers.expire_fields()).collect();
        for (_, command) in &needed {
            questions.add_command(command.clone());
        }
        // Permissions are a server's own, and it asks for them before it asks whose the key is.
        let answers = self.servers.ask_each(&questions, self.servers.deadline()).await;
        let answers = answers.map_err(read_fault)?;
        let mut missing = Missing::default();
        for ((name, _), answer) in answers.iter().flat_map(|answers| needed.iter().zip(answers)) {
            match Code::of(answer) {
                Some(Code::NoPermission) if missing.has(name) => {}
                Some(Code::NoPermission) if FIELD_EXPIRY.contains(name) => missing.of_fields.push(name),
                Some(Code::NoPermission) => missing.commands.push(name),
                Some(Code::NoKeyPermission) => missing.keys = true,
                _ => {}
            }
        }
        Ok(missing)
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

#[derive(Default)]
struct Missing {
    commands: Vec<&'static str>,
    /// What only fields with an expiry of their own need.
    of_fields: Vec<&'static str>,
    keys: bool,
}

impl Missing {
    /// Another server said so already.
    fn has(&self, name: &str) -> bool {
        self.commands.iter().chain(&self.of_fields).any(|missing| *missing == name)
    }
}

const FIELD_EXPIRY: [&str; 2] = ["hpexpire", "hpttl"];

/// Every command that a session needs, in a form that changes nothing where the key is not there; permissions are asked before all else.
fn needed(key: &SessionKey, expires_fields: bool) -> impl Iterator<Item = (&'static str, Cmd)> {
    const NO_SCRIPT: &str = "0000000000000000000000000000000000000000";
    let name = key.expose_secret();
    let always: [(&str, &[&str]); 17] = [
        ("hget", &["HGET", name, "f"]),
        ("hmget", &["HMGET", name, "f"]),
        ("hexists", &["HEXISTS", name, "f"]),
        // A value too few.
        ("hset", &["HSET", name, "f", "v", "g"]),
        ("hdel", &["HDEL", name, "f"]),
        ("pexpire", &["PEXPIRE", name, "1"]),
        ("pexpireat", &["PEXPIREAT", name, "1"]),
        ("pttl", &["PTTL", name]),
        ("exists", &["EXISTS", name]),
        ("get", &["GET", name]),
        ("set", &["SET", name, "v", "XX"]),
        ("rename", &["RENAME", name, name]),
        ("unlink", &["UNLINK", name]),
        ("time", &["TIME"]),
        ("evalsha", &["EVALSHA", NO_SCRIPT, "1", name]),
        ("eval", &["EVAL", "return 1", "1", name]),
        ("script|load", &["SCRIPT", "LOAD", "return 1"]),
    ];
    let of_fields: [(&str, &[&str]); 2] = [
        ("hpexpire", &["HPEXPIRE", name, "1", "FIELDS", "1", "f"]),
        ("hpttl", &["HPTTL", name, "FIELDS", "1", "f"]),
    ];
    let of_fields = of_fields.into_iter().filter(move |_| expires_fields);
    let all: Vec<_> =
        always.into_iter().chain(of_fields).map(|(name, words)| (name, command_of(words))).collect();
    all.into_iter()
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
