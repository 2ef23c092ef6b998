//! Every command that sessions need, and what a server says of it.

use redis::{Cmd, Value};

use crate::store::SessionKey;
use crate::store::redis::cause::Code;
use crate::store::redis::command::command_of;
use crate::store::redis::reply::is_unknown_command;

/// A command, in a form that changes nothing where the key is not there.
///
/// A server looks first whether it has the command, then whether the user may run it, then whose the key is.
#[derive(Clone)]
pub(crate) struct Needed {
    /// As permissions name it: `script|load`.
    pub(crate) permission: &'static str,
    pub(crate) command: Cmd,
    /// Only fields with an expiry of their own need it.
    pub(crate) is_of_fields: bool,
}

/// Why a command cannot be run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lack {
    Command,
    Permission,
    Key,
}

/// Answers 0 before Redis 7: there a script cannot ask, before its first write, what its user may do.
const CAN_ASK_FOR_PERMISSIONS: &str = "return redis.acl_check_cmd and 1 or 0";
const NO_SCRIPT: &str = "0000000000000000000000000000000000000000";

impl Needed {
    pub(crate) fn all(key: &SessionKey, is_cluster: bool) -> Vec<Self> {
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
            ("eval", &["EVAL", CAN_ASK_FOR_PERMISSIONS, "1", name]),
            ("script|load", &["SCRIPT", "LOAD", "return 1"]),
        ];
        let of_fields: [(&str, &[&str]); 2] = [
            ("hpexpire", &["HPEXPIRE", name, "1", "FIELDS", "1", "f"]),
            ("hpttl", &["HPTTL", name, "FIELDS", "1", "f"]),
        ];
        // First: what it says of the next command must not be said of another one's.
        let of_cluster = is_cluster.then(|| Self::new("asking", &["ASKING"], false));
        let always = always.map(|(permission, words)| Self::new(permission, words, false));
        let of_fields = of_fields.map(|(permission, words)| Self::new(permission, words, true));
        of_cluster.into_iter().chain(always).chain(of_fields).collect()
    }

    fn new(permission: &'static str, words: &[&str], is_of_fields: bool) -> Self {
        Self { permission, command: command_of(words), is_of_fields }
    }

    /// As it is sent: `SCRIPT LOAD`.
    pub(crate) fn command_name(&self) -> String {
        self.permission.to_ascii_uppercase().replace('|', " ")
    }

    pub(crate) fn lack(answer: &Value) -> Option<Lack> {
        if is_unknown_command(answer) {
            return Some(Lack::Command);
        }
        match Code::of(answer) {
            Some(Code::NoPermission) => Some(Lack::Permission),
            Some(Code::NoKeyPermission) => Some(Lack::Key),
            _ => None,
        }
    }

    /// The answer of a server whose scripts cannot ask for permissions.
    pub(crate) fn denies_asking(&self, answer: &Value) -> bool {
        self.permission == "eval" && *answer == Value::Int(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_lacking_is_told_from_other_errors() {
        for (reply, expected) in [
            ("-ERR unknown command 'PTTL', with args beginning with: 'k' ", Some(Lack::Command)),
            ("-ERR unknown command `PTTL`, with args beginning with: `k`, ", Some(Lack::Command)),
            ("-ERR Unknown subcommand or wrong number of arguments for 'LOAD'", Some(Lack::Command)),
            ("-NOPERM User app has no permissions to run the 'pttl' command", Some(Lack::Permission)),
            ("-NOPERM No permissions to access a key", Some(Lack::Key)),
            ("-ERR wrong number of arguments for 'hset' command", None),
            ("-ERR no such key", None),
            ("-NOSCRIPT No matching script.", None),
            (":-2", None),
        ] {
            let answer = redis::parse_redis_value(format!("{reply}\r\n").as_bytes()).unwrap();
            assert_eq!(Needed::lack(&answer), expected, "{reply}");
        }
    }
}
