//! The commands that sessions need, and the refusals of a server.

use redis::{Cmd, Value};

use crate::store::SessionKey;
use crate::store::redis::cause::Code;
use crate::store::redis::protocol::command::command_of;
use crate::store::redis::protocol::reply::is_unknown_command;

/// A required command, in a form that changes nothing if the key does not exist.
///
/// A server first checks whether the command exists, then whether the user may run the command, and
/// then whether the user may access the key.
#[derive(Clone)]
pub(super) struct RequiredCommand {
    /// The name of the permission, such as `script|load`.
    pub(super) permission: &'static str,
    pub(super) command: Cmd,
    /// Only needed for fields with an expiry of their own.
    pub(super) is_for_field_expiry: bool,
}

/// The reason why a command cannot be run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    Command,
    Permission,
    Key,
}

/// A script that returns 0 before Redis 7. There, a script cannot check the user's permissions
/// before the first write.
const HAS_ACL_CHECK: &str = "return redis.acl_check_cmd and 1 or 0";
const NO_SCRIPT: &str = "0000000000000000000000000000000000000000";

impl RequiredCommand {
    pub(super) fn all(key: &SessionKey, is_cluster: bool) -> Vec<Self> {
        let name = key.expose_secret();
        let always: [(&str, &[&str]); 18] = [
            ("hget", &["HGET", name, "f"]),
            ("hmget", &["HMGET", name, "f"]),
            ("hexists", &["HEXISTS", name, "f"]),
            ("hkeys", &["HKEYS", name]),
            // The last value is missing on purpose.
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
            ("eval", &["EVAL", HAS_ACL_CHECK, "1", name]),
            ("script|load", &["SCRIPT", "LOAD", "return 1"]),
        ];
        let for_field_expiry: [(&str, &[&str]); 2] = [
            ("hpexpire", &["HPEXPIRE", name, "1", "FIELDS", "1", "f"]),
            ("hpttl", &["HPTTL", name, "FIELDS", "1", "f"]),
        ];
        // `ASKING` comes first, because the command affects the next command on the connection. At
        // the end, the next command could belong to another request.
        let for_cluster = is_cluster.then(|| Self::new("asking", &["ASKING"], false));
        let reads_all_fields =
            cfg!(any(feature = "tower-sessions-0_14", feature = "tower-sessions-0_15"));
        let for_all_fields =
            reads_all_fields.then(|| Self::new("hscan", &["HSCAN", name, "0"], false));
        let always = always.map(|(permission, words)| Self::new(permission, words, false));
        let for_field_expiry =
            for_field_expiry.map(|(permission, words)| Self::new(permission, words, true));
        for_cluster
            .into_iter()
            .chain(always)
            .chain(for_all_fields)
            .chain(for_field_expiry)
            .collect()
    }

    /// Returns the command that shows the eviction policy.
    pub(super) fn of_memory() -> Self {
        Self::new("info", &["INFO", "memory"], false)
    }

    /// Returns the commands that indexes need in addition. This list must not exist.
    pub(super) fn for_index(list: &str) -> Vec<Self> {
        let commands: [(&str, &[&str]); 5] = [
            ("zadd", &["ZADD", list, "XX", "0", "m"]),
            ("zrem", &["ZREM", list, "m"]),
            ("zrange", &["ZRANGE", list, "0", "-1"]),
            ("zscore", &["ZSCORE", list, "m"]),
            ("zremrangebyscore", &["ZREMRANGEBYSCORE", list, "0", "0"]),
        ];
        commands.map(|(permission, words)| Self::new(permission, words, false)).into()
    }

    /// Returns the commands that a walk over all sessions needs in addition.
    #[cfg(feature = "cli")]
    pub(super) fn for_walk() -> Vec<Self> {
        let commands: [(&str, &[&str]); 2] =
            [("scan", &["SCAN", "0", "COUNT", "1"]), ("info", &["INFO", "server"])];
        commands.map(|(permission, words)| Self::new(permission, words, false)).into()
    }

    /// Returns the commands that show all values of a session. This key must not exist.
    #[cfg(feature = "cli")]
    pub(super) fn for_values(key: &SessionKey) -> Vec<Self> {
        vec![Self::new("hscan", &["HSCAN", key.expose_secret(), "0"], false)]
    }

    /// Returns the commands by which a server tells of changes, each with an argument that the
    /// server does not know.
    #[cfg(feature = "cli")]
    pub(super) fn for_news() -> Vec<Self> {
        let commands: [(&str, &[&str]); 2] = [
            ("client|tracking", &["CLIENT", "TRACKING", "?"]),
            ("client|caching", &["CLIENT", "CACHING", "?"]),
        ];
        commands.map(|(permission, words)| Self::new(permission, words, false)).into()
    }

    /// Returns the commands that tell of all changes and look at sessions. This key must not
    /// exist.
    #[cfg(feature = "cli")]
    pub(super) fn for_watch(key: &SessionKey) -> Vec<Self> {
        let mut commands = Self::for_news();
        commands.truncate(1);
        commands.push(Self::new("getrange", &["GETRANGE", key.expose_secret(), "0", "0"], false));
        commands
    }

    fn new(permission: &'static str, words: &[&str], is_for_field_expiry: bool) -> Self {
        Self { permission, command: command_of(words), is_for_field_expiry }
    }

    /// Returns the command as sent, such as `SCRIPT LOAD`.
    pub(super) fn command_name(&self) -> String {
        self.permission.to_ascii_uppercase().replace('|', " ")
    }

    /// Returns whether the reply shows that scripts on the server cannot check permissions.
    pub(super) fn lacks_acl_check(&self, reply: &Value) -> bool {
        self.permission == "eval" && *reply == Value::Int(0)
    }
}

impl Refusal {
    pub(super) fn in_reply(reply: &Value) -> Option<Self> {
        if is_unknown_command(reply) {
            return Some(Self::Command);
        }
        match Code::in_reply(reply) {
            Some(Code::NoPermission) => Some(Self::Permission),
            Some(Code::NoKeyPermission) => Some(Self::Key),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_distinguished_from_other_errors() {
        for (reply, expected) in [
            ("-ERR unknown command 'PTTL', with args beginning with: 'k' ", Some(Refusal::Command)),
            (
                "-ERR unknown command `PTTL`, with args beginning with: `k`, ",
                Some(Refusal::Command),
            ),
            (
                "-ERR Unknown subcommand or wrong number of arguments for 'LOAD'",
                Some(Refusal::Command),
            ),
            (
                "-NOPERM User app has no permissions to run the 'pttl' command",
                Some(Refusal::Permission),
            ),
            ("-NOPERM No permissions to access a key", Some(Refusal::Key)),
            ("-ERR wrong number of arguments for 'hset' command", None),
            ("-ERR no such key", None),
            ("-NOSCRIPT No matching script.", None),
            (":-2", None),
        ] {
            let reply_value = redis::parse_redis_value(format!("{reply}\r\n").as_bytes()).unwrap();
            assert_eq!(Refusal::in_reply(&reply_value), expected, "{reply}");
        }
    }
}
