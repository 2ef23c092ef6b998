//! What went wrong between us and the server, in our own words.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use redis::{ErrorKind, RedisError, ServerError, Value};
use thiserror::Error;

use crate::store::StoreError;

/// The source of every [`StoreError`] of this store: category and code, never the server's text, which quotes keys and values.
#[derive(Debug, Clone, Error)]
pub(crate) enum Cause {
    #[error("cannot connect to {address}: {reason}")]
    Unreachable { address: String, reason: &'static str },
    #[error("no answer within {0:?}")]
    TimedOut(Duration),
    /// Somebody answers there, and answers likewise until something is configured otherwise, here or at the server.
    #[error("cannot connect to {address}: {reason}")]
    Misconfigured { address: String, reason: Cow<'static, str> },
    #[error("the server has as many connections as its `maxclients` allows")]
    TooManyClients,
    #[error("the connection was lost")]
    Lost,
    #[error("the server answered {0}")]
    Server(Code),
    #[error("the server's answer was not understood")]
    Unexpected,
    #[error("the server cannot expire single fields: Redis 7.4 or later, or Valkey 9 or later, is needed")]
    NoFieldExpiry,
    #[error("the sentinels know no master of this name")]
    UnknownMaster,
    #[error("no sentinel answered")]
    NoSentinel,
    #[error("what answered is no sentinel")]
    NoSentinelAtAll,
    #[error("no node of the cluster told its slots")]
    NoClusterNode,
    #[error("the server is no node of a cluster")]
    NoCluster,
    #[error(
        "a node of the cluster does not tell where it is: its `cluster-preferred-endpoint-type` is `hostname`, and its \
         `cluster-announce-hostname` is not set"
    )]
    NoAddress,
}

/// The first word of a server's error message, as `WRONGTYPE`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(crate) enum Code {
    #[error("WRONGTYPE")]
    WrongType,
    #[error("NOSCRIPT")]
    NoScript,
    #[error("READONLY: it is a replica")]
    ReadOnly,
    #[error("LOADING: it is still reading its data")]
    Loading,
    #[error("MASTERDOWN: it is a replica without its master")]
    MasterDown,
    #[error("CLUSTERDOWN")]
    ClusterDown,
    #[error("TRYAGAIN")]
    TryAgain,
    #[error("MOVED: another node of its cluster has the slot")]
    Moved,
    #[error("BUSY: a script is running")]
    Busy,
    #[error("MISCONF: it cannot save its data and takes no writes")]
    Misconf,
    #[error("NOREPLICAS: it has too few replicas and takes no writes")]
    NoReplicas,
    #[error("OOM: its memory is full")]
    OutOfMemory,
    #[error("NOPERM: the user lacks a permission")]
    NoPermission,
    #[error("NOPERM: the user may not access the key")]
    NoKeyPermission,
    #[error("NOAUTH: it asks for a password")]
    NoAuth,
    #[error("WRONGPASS: user or password is wrong")]
    WrongPassword,
    #[error("BUSYKEY: the key that the session moves to is taken")]
    BusyKey,
    #[error("that it cannot expire single fields: Redis 7.4 or later, or Valkey 9 or later, is needed")]
    NoFieldExpiry,
    #[error(
        "that its scripts cannot ask for permissions (`redis.acl_check_cmd`): Redis 7 or later, or Valkey, is needed"
    )]
    CannotAsk,
    #[error("an error")]
    Other,
}

impl Cause {
    /// Nobody answered.
    pub(crate) fn is_silence(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::TimedOut(_) | Self::Lost | Self::NoSentinel)
    }

    /// What a failed attempt to connect came from.
    pub(crate) fn of_connecting(error: &RedisError, address: &str) -> Self {
        let unreachable = |reason| Self::Unreachable { address: address.to_owned(), reason };
        let misconfigured = |reason| Self::Misconfigured { address: address.to_owned(), reason };
        if let Some(refusal) = refusal_by_tls(error) {
            return misconfigured(refusal);
        }
        if let Some(answer) = cause_of::<ServerError>(error) {
            return Self::of_greeting(answer, address);
        }
        match error.kind() {
            ErrorKind::RESP3NotSupported => misconfigured(NO_HELLO.into()),
            ErrorKind::AuthenticationFailed => Self::Server(Code::WrongPassword),
            // The client's own words for an error reply to `SELECT`.
            ErrorKind::Server(_) => misconfigured(NO_DATABASE.into()),
            ErrorKind::Parse => Self::Unexpected,
            _ if error.is_connection_refusal() => unreachable("nothing listens there"),
            _ if error.is_timeout() => unreachable("no answer"),
            _ if error.is_connection_dropped() => unreachable(Self::CLOSED),
            _ => unreachable(io_reason(error)),
        }
    }

    /// What a server answers to `HELLO`, or says before it.
    pub(crate) fn of_greeting(answer: &ServerError, address: &str) -> Self {
        let misconfigured = |reason| Self::Misconfigured { address: address.to_owned(), reason };
        let details = answer.details().unwrap_or_default().to_ascii_lowercase();
        match answer.code() {
            "NOPROTO" => misconfigured(NO_HELLO.into()),
            "DENIED" => misconfigured(PROTECTED_MODE.into()),
            "ERR" if details.starts_with("unknown command") => misconfigured(NO_HELLO.into()),
            "ERR" if details.starts_with("max number of clients") => Self::TooManyClients,
            _ => Self::Server(answer.into()),
        }
    }

    /// A Redis of this version.
    pub(crate) fn too_old(address: &str, version: &str) -> Self {
        let reason = format!("the server is Redis {version}, and sessions need Redis 7 or later, or Valkey");
        Self::Misconfigured { address: address.to_owned(), reason: reason.into() }
    }

    /// A server that takes a TLS handshake for a command.
    pub(crate) fn without_tls(address: &str) -> Self {
        Self::Misconfigured { address: address.to_owned(), reason: WITHOUT_TLS.into() }
    }

    pub(crate) const CLOSED: &str = "the connection was closed";
}

pub(crate) const WITHOUT_TLS: &str =
    "what answers there does not speak TLS: its URL begins with `redis`, not with `rediss`";

const NO_HELLO: &str = "the server does not know `HELLO 3`: sessions need Redis 7 or later, or Valkey, which has no other \
                        name for the command HELLO";
const PROTECTED_MODE: &str = "the server answers DENIED: its protected mode lets nobody in from another machine, until it has a \
                              password (`requirepass`)";
const NO_DATABASE: &str = "the server refused the database: check the database number in the URL (another than 0 needs the permission \
                           +select, and a cluster has no other)";

#[cfg(feature = "tls")]
fn refusal_by_tls(error: &RedisError) -> Option<Cow<'static, str>> {
    crate::store::redis::tls::refusal(error)
}

#[cfg(not(feature = "tls"))]
fn refusal_by_tls(_: &RedisError) -> Option<Cow<'static, str>> {
    None
}

/// The error of this type that the client passes on, if it is one.
pub(crate) fn cause_of<E: StdError + 'static>(error: &RedisError) -> Option<&E> {
    let source = error.source()?;
    // The client shares those that are not its own: the source is the `Arc`.
    let shared = source.downcast_ref::<Arc<dyn StdError + Send + Sync>>();
    shared.map_or_else(|| source.downcast_ref(), |error| error.downcast_ref())
}

fn io_reason(error: &RedisError) -> &'static str {
    match cause_of::<io::Error>(error) {
        Some(error) if error.kind() == io::ErrorKind::PermissionDenied => "the system does not permit it",
        // Resolvers have error numbers of their own, which are not the system's.
        Some(error) if error.raw_os_error().is_none() => "the host's name is not known",
        _ => "the network failed",
    }
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
            "NOACLCHECK" => Self::CannotAsk,
            _ => Self::Other,
        }
    }

    /// The code of a reply that is an error.
    pub(crate) fn of(reply: &Value) -> Option<Self> {
        match reply {
            Value::ServerError(error) => Some(error.into()),
            _ => None,
        }
    }

    /// Another server is to be asked, or the same one in a moment. Nothing was carried out.
    pub(crate) fn sends_elsewhere(self) -> bool {
        self.tells_of_another_master() || matches!(self, Self::Moved | Self::TryAgain | Self::ClusterDown)
    }

    /// It is not, or not now, the server that sessions are kept on: that one has to be looked for again. Nothing was carried out.
    pub(crate) fn tells_of_another_master(self) -> bool {
        matches!(self, Self::ReadOnly | Self::MasterDown | Self::Loading)
    }

    /// The server cannot serve now, but it, or its successor, will.
    fn will_pass(self) -> bool {
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

    /// The server takes no writes now.
    pub(crate) fn stops_writes(self) -> bool {
        self.stops_writes_alone() || self.tells_of_another_master()
    }

    /// The server takes no writes now, but what it reads is right.
    pub(crate) fn stops_writes_alone(self) -> bool {
        matches!(self, Self::Misconf | Self::NoReplicas | Self::OutOfMemory)
    }
}

impl From<&ServerError> for Code {
    fn from(error: &ServerError) -> Self {
        match Self::read(error.code()) {
            // Of two words: "User app has no permissions to run the 'get' command", "No permissions to access a key".
            Self::NoPermission if error.details().is_some_and(|details| details.contains("to access ")) => {
                Self::NoKeyPermission
            }
            Self::Other => code_in_script(error).map_or(Self::Other, Self::read),
            code => code,
        }
    }
}

/// What a script was refused has words of Redis 6 before its code, and a minus: `@user_script: 31: -READONLY You can't …` if the script
/// returned the error, with an `ERR` and more before that if it was raised.
fn code_in_script(error: &ServerError) -> Option<&str> {
    let details = error.details()?;
    if !error.code().starts_with(SCRIPT) && !details.contains(SCRIPT) {
        return None;
    }
    details.split_once(": -")?.1.split(' ').next()
}

/// As Redis names every script.
const SCRIPT: &str = "@user_script:";

/// An error reply proves that nothing was carried out.
impl From<Code> for StoreError {
    fn from(code: Code) -> Self {
        let cause = Cause::Server(code);
        if code.will_pass() { Self::unavailable(cause) } else { Self::refused(cause) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_read_as_every_server_writes_them() {
        let raised =
            "ERR Error running script (call to f_499841560d84aac3a77e488624c4966af4e6eeb5): @user_script:1: ";
        for (reply, expected) in [
            ("READONLY You can't write against a read only replica.".to_owned(), Code::ReadOnly),
            (
                "READONLY You can't write against a read only replica. script: 49984156, on @user_script:1."
                    .to_owned(),
                Code::ReadOnly,
            ),
            (
                "@user_script: 1: -READONLY You can't write against a read only replica.".to_owned(),
                Code::ReadOnly,
            ),
            (
                format!("{raised}@user_script: 1: -READONLY You can't write against a read only replica."),
                Code::ReadOnly,
            ),
            (
                format!("{raised}@user_script: 1: -OOM command not allowed when used memory > 'maxmemory'."),
                Code::OutOfMemory,
            ),
            (
                format!("{raised}@user_script: 1: The user executing the script can't run this command"),
                Code::Other,
            ),
            ("NOPERM User app has no permissions to run the 'hget' command".to_owned(), Code::NoPermission),
            ("NOPERM No permissions to access a key".to_owned(), Code::NoKeyPermission),
            (
                "NOPERM this user has no permissions to access one of the keys used as arguments".to_owned(),
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
