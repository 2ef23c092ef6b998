//! Codes of the servers' error replies.

use redis::{ServerError, Value};
use thiserror::Error;

/// The first word of a server's error message, such as `WRONGTYPE`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(crate) enum Code {
    #[error("WRONGTYPE")]
    WrongType,
    #[error("NOSCRIPT")]
    NoScript,
    #[error("READONLY: it is a replica")]
    ReadOnly,
    #[error("LOADING: it is still loading its data")]
    Loading,
    #[error("MASTERDOWN: it is a replica that lost its master")]
    MasterDown,
    #[error("CLUSTERDOWN")]
    ClusterDown,
    #[error("TRYAGAIN")]
    TryAgain,
    #[error("MOVED: another node of the cluster has the slot")]
    Moved,
    #[error("BUSY: a script is running")]
    Busy,
    #[error("MISCONF: it cannot save its data and refuses writes")]
    Misconf,
    #[error("NOREPLICAS: it has too few replicas and refuses writes")]
    NoReplicas,
    #[error("OOM: its memory is full")]
    OutOfMemory,
    #[error("NOPERM: the user lacks a permission")]
    NoPermission,
    #[error("NOPERM: the user may not access the key")]
    NoKeyPermission,
    #[error("NOAUTH: it requires a password")]
    NoAuth,
    #[error("WRONGPASS: the user or the password is wrong")]
    WrongPassword,
    #[error("BUSYKEY: the new key of the session already exists")]
    BusyKey,
    #[error(
        "an error: it cannot expire single fields, which needs Redis 7.4 or later, or Valkey 9 or \
         later"
    )]
    NoFieldExpiry,
    #[error(
        "an error: its scripts cannot check permissions (`redis.acl_check_cmd`), which needs Redis \
         7 or later, or Valkey"
    )]
    NoAclCheck,
    #[error("all sessions of the user were ended")]
    EndedSince,
    #[error("the user has as many sessions as allowed")]
    TooMany,
    #[error("an error")]
    Other,
}

impl Code {
    fn read(word: &str) -> Self {
        match word {
            "WRONGTYPE" => Self::WrongType,
            "NOSCRIPT" => Self::NoScript,
            "READONLY" => Self::ReadOnly,
            "LOADING" => Self::Loading,
            "MASTERDOWN" => Self::MasterDown,
            "CLUSTERDOWN" => Self::ClusterDown,
            "TRYAGAIN" => Self::TryAgain,
            "MOVED" | "ASK" => Self::Moved,
            "BUSY" => Self::Busy,
            "MISCONF" => Self::Misconf,
            "NOREPLICAS" => Self::NoReplicas,
            "OOM" => Self::OutOfMemory,
            "NOPERM" => Self::NoPermission,
            "NOAUTH" => Self::NoAuth,
            "WRONGPASS" => Self::WrongPassword,
            "BUSYKEY" => Self::BusyKey,
            "NOFIELDEXPIRY" => Self::NoFieldExpiry,
            "NOACLCHECK" => Self::NoAclCheck,
            "ENDEDSINCE" => Self::EndedSince,
            "TOOMANY" => Self::TooMany,
            _ => Self::Other,
        }
    }

    /// Returns the code of an error reply.
    pub(crate) fn in_reply(reply: &Value) -> Option<Self> {
        match reply {
            Value::ServerError(error) => Some(error.into()),
            _ => None,
        }
    }

    /// Returns whether a retry may help, on another server or later on the same server. Nothing was
    /// carried out.
    pub(crate) fn is_retryable(self) -> bool {
        self.is_not_master() || matches!(self, Self::Moved | Self::TryAgain | Self::ClusterDown)
    }

    /// Returns whether the server is currently not the master that keeps the sessions. The master
    /// must be looked up again. Nothing was carried out.
    pub(crate) fn is_not_master(self) -> bool {
        matches!(self, Self::ReadOnly | Self::MasterDown | Self::Loading)
    }

    /// Returns whether the server, or a successor of the server, will be able to serve later.
    pub(super) fn is_transient(self) -> bool {
        matches!(
            self,
            Self::ReadOnly
                | Self::Loading
                | Self::MasterDown
                | Self::ClusterDown
                | Self::TryAgain
                | Self::Moved
                | Self::Busy
                | Self::Misconf
                | Self::NoReplicas
        )
    }

    /// Returns whether the server currently accepts no writes.
    pub(crate) fn refuses_writes(self) -> bool {
        self.refuses_only_writes() || self.is_not_master()
    }

    /// Returns whether the server currently accepts no writes, but answers reads correctly.
    pub(crate) fn refuses_only_writes(self) -> bool {
        matches!(self, Self::Misconf | Self::NoReplicas | Self::OutOfMemory)
    }
}

impl From<&ServerError> for Code {
    fn from(error: &ServerError) -> Self {
        match Self::read(error.code()) {
            // Redis has two such messages: "User app has no permissions to run the 'get' command"
            // and "No permissions to access a key".
            Self::NoPermission
                if error.details().is_some_and(|details| details.contains("to access ")) =>
            {
                Self::NoKeyPermission
            }
            Self::Other => code_in_script(error).map_or(Self::Other, Self::read),
            code => code,
        }
    }
}

/// Finds the code of an error in a script.
///
/// Redis 6 writes text and a minus before the code. An error that the script returned looks like
/// `@user_script: 31: -READONLY You can't …`. An error that the script raised has `ERR` and more
/// text in front.
fn code_in_script(error: &ServerError) -> Option<&str> {
    let details = error.details()?;
    if !error.code().starts_with(SCRIPT) && !details.contains(SCRIPT) {
        return None;
    }
    details.split_once(": -")?.1.split(' ').next()
}

/// The name that Redis gives to every script.
const SCRIPT: &str = "@user_script:";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_read_as_every_server_writes_them() {
        let raised = "ERR Error running script (call to \
                      f_499841560d84aac3a77e488624c4966af4e6eeb5): @user_script:1: ";
        for (reply, expected) in [
            ("READONLY You can't write against a read only replica.".to_owned(), Code::ReadOnly),
            (
                "READONLY You can't write against a read only replica. script: 49984156, on \
                 @user_script:1."
                    .to_owned(),
                Code::ReadOnly,
            ),
            (
                "@user_script: 1: -READONLY You can't write against a read only replica."
                    .to_owned(),
                Code::ReadOnly,
            ),
            (
                format!(
                    "{raised}@user_script: 1: -READONLY You can't write against a read only \
                     replica."
                ),
                Code::ReadOnly,
            ),
            (
                format!(
                    "{raised}@user_script: 1: -OOM command not allowed when used memory > \
                     'maxmemory'."
                ),
                Code::OutOfMemory,
            ),
            (
                format!(
                    "{raised}@user_script: 1: The user executing the script can't run this command"
                ),
                Code::Other,
            ),
            (
                "NOPERM User app has no permissions to run the 'hget' command".to_owned(),
                Code::NoPermission,
            ),
            ("NOPERM No permissions to access a key".to_owned(), Code::NoKeyPermission),
            (
                "NOPERM this user has no permissions to access one of the keys used as arguments"
                    .to_owned(),
                Code::NoKeyPermission,
            ),
            ("ERR unknown command: -READONLY".to_owned(), Code::Other),
            ("ERR".to_owned(), Code::Other),
        ] {
            let parsed = redis::parse_redis_value(format!("-{reply}\r\n").as_bytes()).unwrap();
            let Value::ServerError(error) = parsed else { panic!("{parsed:?}") };
            assert_eq!(Code::from(&error), expected, "{reply}");
        }
    }
}
