//! Sessions on Redis or Valkey.

mod builder;
mod cause;
pub(crate) mod commands;
mod credentials;
mod near;
mod net;
mod protocol;
#[cfg(feature = "tls")]
mod tls;
mod url;

pub use builder::RedisStoreBuilder;
#[cfg(feature = "cli")]
pub(crate) use cause::Lack;
#[cfg(feature = "cli")]
pub(crate) use net::broadcast::{News, Told};
#[cfg(feature = "cli")]
pub(crate) use net::deployment::UNTOLD;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use self::net::deployment::Deployment;
use self::net::per_runtime::PerRuntime;
use super::boxed::impl_session_store;
use super::{ConnectionState, Watchlist};
use crate::operation::Operation;

/// A store that keeps sessions on Redis or Valkey.
///
/// The URL selects one server, the master that sentinels name, or a cluster. Connections use TCP,
/// TLS or a Unix socket. Clones share the connections, and all requests are multiplexed on them. A
/// lost connection is reopened automatically. While a server is away, operations fail at once or at
/// the deadline.
///
/// # Servers
///
/// You need Redis 7 or later, or Valkey, with all commands under their own names. Connections to
/// earlier servers are refused. Scripts on earlier servers cannot check permissions before the
/// first write. An operation refused half-way would leave a key that never expires, or end a
/// session without a tombstone.
///
/// [`Sessions::check`](crate::Sessions::check) asks other servers with this protocol whether their
/// scripts can check permissions. If the store meets a server without this check later, such as
/// after a failover, every write fails before anything is changed.
///
/// Fields with an expiry of their own need Redis 7.4 or later, or Valkey 9 or later. The store
/// detects this on every new connection. Other servers support everything else. There, a write that
/// would set an expiry of a field fails before anything is sent.
///
/// # Stored data
///
/// A session is a hash under the key `PREFIX:sessions:{TAG}REST`.
///
/// A tombstone is a string under the session's key, such as
/// `rotated:1761741315000:1761741615000:ID`. The parts are the kind of the end, the time of the
/// end, the expiry of the tombstone, and the successor's id, if any. Times are in milliseconds
/// since 1970 by the server's clock.
///
/// The sessions with one value in an indexed field are a sorted set under
/// `PREFIX:sessions:by:HASH`. The members are whole session ids. A score is the absolute deadline
/// in seconds, and its fraction tells when the member was added. Such a session has a field with
/// the name NUL. In a cluster, the set and its sessions are on different nodes. A write of the
/// field then first adds the member, and changes the session in a second round trip.
///
/// Some operations briefly give a tombstone the expiry of a session:
///
/// - A read with [`Refresh::To`](crate::store::Refresh::To) sends two commands together, and the
///   second sets the expiry whatever the first finds.
/// - On Redis 8 and Valkey 9, a write that only overwrites fields seen by the same request uses
///   `HSETEX` instead of a script. A second command sets the expiry here as well.
///
/// When the reply shows a tombstone, the store restores the tombstone's own expiry in the
/// background. If the session ends between the two commands, the next such operation restores the
/// expiry. A background refresh that meets a tombstone restores the expiry as well.
#[derive(Clone)]
pub struct RedisStore {
    deployment: Arc<Deployment>,
    per_runtime: Arc<PerRuntime>,
}

impl RedisStore {
    fn new(deployment: Deployment) -> Self {
        Self { deployment: Arc::new(deployment), per_runtime: Arc::default() }
    }

    /// Connects to the server, sentinels or cluster that the URL names. All forms of the URL are
    /// listed at [`SessionConfig::store`](crate::SessionConfig::store).
    ///
    /// # Errors
    ///
    /// Fails with [`Error::is_config`](crate::Error::is_config) if the URL cannot be used, or if
    /// the server will refuse the connection until you change something. Examples are a wrong user,
    /// password or database, protected mode, a certificate of either side, and TLS on one side
    /// only.
    ///
    /// Fails with [`Error::is_unavailable`](crate::Error::is_unavailable) if no server answers
    /// within the deadline, or if the server has no room for another connection.
    ///
    /// The error may take up to three quarters of a second more, because the store looks for the
    /// reason.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # session_runtime::__example!({
    /// use session_runtime::RedisStore;
    ///
    /// let store = RedisStore::connect("redis://127.0.0.1:6379/0").await?;
    /// # });
    /// ```
    pub fn connect(url: &str) -> Operation<'static, Self> {
        Self::builder(url).connect()
    }

    /// Returns a builder for settings beyond the URL.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # session_runtime::__example!({
    /// use std::time::Duration;
    /// use session_runtime::RedisStore;
    ///
    /// let store = RedisStore::builder("redis://127.0.0.1")
    ///     .timeout(Duration::from_millis(300))
    ///     .connect()
    ///     .await?;
    /// # });
    /// ```
    pub fn builder(url: &str) -> RedisStoreBuilder {
        RedisStoreBuilder::new(url)
    }

    /// Returns the same store with separate connections for the current runtime, if the runtime is
    /// single-threaded. All callers on the same runtime share these connections.
    pub(crate) fn for_current_runtime(&self) -> Option<Self> {
        let deployment = self.per_runtime.for_current_runtime(&self.deployment)?;
        Some(Self { deployment, per_runtime: Arc::clone(&self.per_runtime) })
    }

    pub(crate) fn timeout(&self) -> Duration {
        self.deployment.timeout
    }

    pub(crate) fn is_untold(&self) -> bool {
        self.deployment.is_untold()
    }

    pub(crate) fn watchlist(&self) -> &Arc<Watchlist> {
        &self.deployment.listeners.watchlist
    }

    /// Returns the answer of the latest connection. Every reconnect updates the answer.
    pub(crate) fn supports_field_expiry(&self) -> bool {
        self.deployment.supports_field_expiry()
    }

    pub(crate) fn connection_state(&self) -> ConnectionState {
        let of_runtimes = self.per_runtime.all();
        let all = of_runtimes.iter().chain([&self.deployment]);
        let states = all.map(|deployment| deployment.topology.connection_state());
        // An unused connection may have been lost long ago. The next operation there reconnects.
        let in_use = |state: &ConnectionState| *state != ConnectionState::Connecting;
        states.filter(in_use).max().unwrap_or(ConnectionState::Connecting)
    }
}

impl_session_store!(async RedisStore);

/// Shows the server's address without user and password.
impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStore")
            .field("address", &format_args!("{}", self.deployment.topology))
            .finish_non_exhaustive()
    }
}
