//! Causes of failed requests and connections, in this crate's own words.

mod code;
#[cfg(feature = "tls")]
mod tls;

pub(super) use code::Code;

use std::borrow::Cow;
use std::error::Error as StdError;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use redis::{ErrorKind, RedisError, ServerError};
use thiserror::Error;

use crate::store::StoreError;

/// The source of every [`StoreError`] of this store. A cause has a category and a code, and never
/// the server's text, which quotes keys and values.
#[derive(Debug, Clone, Error)]
pub(crate) enum Cause {
    #[error("cannot connect to {address}: {reason}")]
    Unreachable { address: String, reason: &'static str },
    #[error("no reply within {0:?}")]
    TimedOut(Duration),
    /// A server answers, but refuses until the configuration is changed, here or on the server.
    #[error("cannot connect to {address}: {reason}")]
    Misconfigured { address: String, reason: Cow<'static, str> },
    #[error("the server has reached its limit of connections (`maxclients`)")]
    TooManyClients,
    #[error("the connection was lost")]
    Lost,
    #[error("the server replied with {0}")]
    Server(Code),
    #[error("the server sent an unexpected reply")]
    Unexpected,
    #[error("the server cannot expire single fields: use Redis 7.4 or later, or Valkey 9 or later")]
    NoFieldExpiry,
    #[error("the user may not list the keys: grant +scan +info, and do not rename these commands")]
    NoScan,
    #[error("the sentinels do not know a master with this name")]
    UnknownMaster,
    #[error("no sentinel replied")]
    NoSentinel,
    #[error("the server is not a sentinel")]
    NotSentinel,
    #[error("no node of the cluster returned its slots")]
    NoClusterNode,
    #[error("the server is not a node of a cluster")]
    NotCluster,
    #[error(
        "a node of the cluster does not announce its address: set its `cluster-announce-hostname`, \
         or change its `cluster-preferred-endpoint-type` from `hostname`"
    )]
    NoAddress,
}

impl Cause {
    /// Returns whether there was no answer at all.
    pub(crate) fn is_unanswered(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::TimedOut(_) | Self::Lost | Self::NoSentinel)
    }

    /// Returns the cause of a failed attempt to connect.
    pub(crate) fn from_connect_error(error: &RedisError, address: &str) -> Self {
        let unreachable = |reason| Self::Unreachable { address: address.to_owned(), reason };
        let misconfigured = |reason| Self::Misconfigured { address: address.to_owned(), reason };
        if let Some(refusal) = tls_refusal(error) {
            return misconfigured(refusal);
        }
        if let Some(answer) = find_source::<ServerError>(error) {
            return Self::from_handshake(answer, address);
        }
        match error.kind() {
            ErrorKind::RESP3NotSupported => misconfigured(NO_HELLO.into()),
            ErrorKind::AuthenticationFailed => Self::Server(Code::WrongPassword),
            // The client replaces the error reply to `SELECT` with this error.
            ErrorKind::Server(_) => misconfigured(NO_DATABASE.into()),
            ErrorKind::Parse => Self::Unexpected,
            _ if error.is_connection_refusal() => unreachable("no server is listening"),
            _ if error.is_timeout() => unreachable("no reply"),
            _ if error.is_connection_dropped() => unreachable(Self::CLOSED),
            _ => unreachable(io_reason(error)),
        }
    }

    /// Returns the cause for an error that a server sends in reply to `HELLO`, or before.
    pub(crate) fn from_handshake(answer: &ServerError, address: &str) -> Self {
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

    /// Returns the cause for a Redis server of an older version.
    pub(crate) fn too_old(address: &str, version: &str) -> Self {
        let reason =
            format!("the server is Redis {version}, but sessions need Redis 7 or later, or Valkey");
        Self::Misconfigured { address: address.to_owned(), reason: reason.into() }
    }

    /// Returns the cause for a server that reads a TLS handshake as a command.
    pub(crate) fn without_tls(address: &str) -> Self {
        Self::Misconfigured { address: address.to_owned(), reason: WITHOUT_TLS.into() }
    }

    pub(crate) const CLOSED: &str = "the connection was closed";
}

/// A permission that the user lacks.
#[cfg(feature = "cli")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lack {
    Certain,
    /// Servers have no code for a refusal within a script.
    Possible,
}

#[cfg(feature = "cli")]
impl Lack {
    pub(crate) fn in_error(error: &(dyn StdError + 'static)) -> Option<Self> {
        match error.source()?.downcast_ref()? {
            Cause::Server(Code::NoPermission | Code::NoKeyPermission) => Some(Self::Certain),
            Cause::Server(Code::Other) => Some(Self::Possible),
            _ => None,
        }
    }
}

const WITHOUT_TLS: &str =
    "the server does not use TLS: its URL must start with `redis`, not with `rediss`";

const NO_HELLO: &str = "the server does not know `HELLO 3`: sessions need Redis 7 or later, or \
                        Valkey, and the command HELLO must not be renamed";
const PROTECTED_MODE: &str = "the server replied with DENIED: its protected mode refuses other \
                              machines until it has a password (`requirepass`)";
const NO_DATABASE: &str = "the server refused the database: check the database number in the URL \
                           (a number other than 0 needs the permission +select, and a cluster has \
                           only database 0)";

#[cfg(feature = "tls")]
fn tls_refusal(error: &RedisError) -> Option<Cow<'static, str>> {
    tls::refusal(error)
}

#[cfg(not(feature = "tls"))]
fn tls_refusal(_: &RedisError) -> Option<Cow<'static, str>> {
    None
}

/// Returns the source of the client's error, if the source has this type.
fn find_source<E: StdError + 'static>(error: &RedisError) -> Option<&E> {
    let source = error.source()?;
    // The client wraps foreign errors in an `Arc`, and the `Arc` is the source.
    let shared = source.downcast_ref::<Arc<dyn StdError + Send + Sync>>();
    shared.map_or_else(|| source.downcast_ref(), |error| error.downcast_ref())
}

fn io_reason(error: &RedisError) -> &'static str {
    match find_source::<io::Error>(error) {
        Some(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            "the operating system denied permission"
        }
        // Resolvers have error numbers of their own, so there is no error number of the operating
        // system.
        Some(error) if error.raw_os_error().is_none() => "the host name is unknown",
        _ => "the network failed",
    }
}

/// An error reply proves that nothing was carried out.
impl From<Code> for StoreError {
    fn from(code: Code) -> Self {
        let cause = Cause::Server(code);
        match code {
            Code::EndedSince => Self::ended_since(),
            Code::TooMany => Self::too_many(),
            code if code.is_transient() => Self::unavailable(cause),
            _ => Self::refused(cause),
        }
    }
}

#[cfg(all(test, feature = "cli"))]
mod tests {
    use super::*;

    #[test]
    fn a_lack_of_a_permission_is_read_from_the_code() {
        for (code, lack) in [
            (Code::NoPermission, Some(Lack::Certain)),
            (Code::NoKeyPermission, Some(Lack::Certain)),
            (Code::Other, Some(Lack::Possible)),
            (Code::WrongType, None),
            (Code::EndedSince, None),
        ] {
            let error = crate::error::Error::from(StoreError::from(code));
            assert_eq!(Lack::in_error(&error), lack, "{code}");
        }
    }
}
