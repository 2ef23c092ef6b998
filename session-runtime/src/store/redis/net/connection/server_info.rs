//! Information about a server.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};

use redis::Value;

use super::role::{Role, role_in};
use crate::store::redis::cause::{Cause, Code};
use crate::store::redis::protocol::reply::{is_unknown_command, text_in};

/// A server, described by the server's replies when the connection was opened.
#[derive(Debug)]
pub(crate) struct ServerInfo {
    pub(crate) address: String,
    /// `redis` or `valkey`.
    name: String,
    version: String,
    /// The server is a node of a cluster.
    pub(crate) is_cluster_node: bool,
    /// The server supports expiries of single fields.
    pub(crate) supports_field_expiry: bool,
    /// The server has `HSETEX`, which can set only existing fields (Redis 8 and Valkey 9), and has
    /// not refused the command since.
    can_overwrite: AtomicBool,
}

impl ServerInfo {
    /// Reads the replies to the first commands of a connection.
    pub(super) fn from_greeting(replies: &[Value], address: &str) -> Result<Self, Cause> {
        // A loading server accepts connections, but does not serve sessions. Other errors are
        // missing permissions. A user without the permission to load scripts may still run scripts.
        if replies.iter().any(|reply| Code::in_reply(reply) == Some(Code::Loading)) {
            return Err(Cause::Server(Code::Loading));
        }
        let [hello, field_left, field_expiry, overwriting, ..] = replies else {
            return Err(Cause::Unexpected);
        };
        let said = |key| text_in(hello, key).unwrap_or_default();
        if role_in(hello) == Role::Replica {
            return Err(Cause::Server(Code::ReadOnly));
        }
        if is_too_old(said("server"), said("version")) {
            return Err(Cause::too_old(address, said("version")));
        }
        Ok(Self {
            address: address.to_owned(),
            name: said("server").to_owned(),
            version: said("version").to_owned(),
            is_cluster_node: said("mode") == "cluster",
            supports_field_expiry: knows_command(field_left) && !is_unknown_command(field_expiry),
            can_overwrite: AtomicBool::new(is_arity_error(overwriting)),
        })
    }

    pub(crate) fn can_overwrite(&self) -> bool {
        self.can_overwrite.load(Ordering::Relaxed)
    }

    pub(crate) fn record_overwrite_refused(&self) {
        self.can_overwrite.store(false, Ordering::Relaxed);
        tracing::debug!(address = self.address, "HSETEX was refused, using a script instead");
    }
}

/// Writes name and version, such as `redis 7.0.15`.
impl fmt::Display for ServerInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.version)
    }
}

/// Returns whether the server is a Redis before version 7, where scripts cannot check permissions
/// before the first write. Other servers have other version numbers. There, the preflight check
/// runs a script that tries.
fn is_too_old(server: &str, version: &str) -> bool {
    let major = version.split('.').next().and_then(|major| major.parse::<u32>().ok());
    server == "redis" && major.is_some_and(|major| major < 7)
}

/// Returns whether the server has the command. A server checks this before anything else, even
/// before permissions. There is no special error code for an unknown command.
fn knows_command(reply: &Value) -> bool {
    Code::in_reply(reply) != Some(Code::Other)
}

/// Returns whether the server has the command and the user may run the command.
fn is_arity_error(reply: &Value) -> bool {
    let Value::ServerError(error) = reply else { return false };
    error.details().is_some_and(|details| details.starts_with("wrong number of arguments"))
}
