//! Sessions on Redis or Valkey.

mod builder;
mod cause;
mod commands;
mod credentials;
mod net;
mod protocol;
#[cfg(feature = "tls")]
mod tls;
mod url;

pub use builder::RedisStoreBuilder;

use std::fmt;
use std::sync::Arc;

use self::net::deployment::Deployment;
use self::net::per_runtime::PerRuntime;
use super::ConnectionState;
use super::boxed::impl_session_store;
use crate::operation::Operation;

/// Sessions on a Redis or Valkey server, on the master that sentinels name, or on a cluster; over
/// TCP, TLS or a unix socket.
///
/// A session is a hash: `PREFIX:sessions:{TAG}REST`. Clones share their connections, on which the
/// requests of all of them travel together. They are made again by themselves when they are lost;
/// while a server is away, operations fail at once or within their deadline.
///
/// A tombstone is a string under the session's key, such as
/// `rotated:1761741315000:1761741615000:ID`. It holds the kind of the end, its time and
/// the tombstone's own end in milliseconds since 1970 by the server's clock, and the successor's id
/// if there is one. A read that refreshes by [`Refresh::To`](crate::store::Refresh::To) gives a
/// tombstone the expiry that it would have given the session: its two commands travel together, and
/// the second does not know what the first found. So does a write that only gives new values to
/// fields that the same request has seen, on Redis 8 and Valkey 9, whose `HSETEX` needs no script
/// for it. As soon as the operation is told so, without waiting for it, the tombstone gets
/// its own end back. Where a session ends between the two commands, or before an unawaited refresh,
/// the next such operation is the one that is told.
///
/// The server is Redis 7 or later, or Valkey, with all commands under their own names. Earlier ones
/// are not connected to. Their scripts cannot ask for permissions before they write: an operation
/// that the server refuses half-way would leave a key that never expires, or end a session without
/// a tombstone. Servers of another make that speak this protocol are asked for it by
/// [`Sessions::check`](crate::Sessions::check). One that is met later, after a failover
/// say, has every write refused before anything is changed.
///
/// Fields with an expiry of their own need Redis 7.4 or later, or Valkey 9 or later; whether the
/// server is one is asked when it is connected to. On others all else works, and a write that would
/// give a field an expiry is refused before it is sent.
#[derive(Clone)]
pub struct RedisStore {
    deployment: Arc<Deployment>,
    per_runtime: Arc<PerRuntime>,
}

impl RedisStore {
    fn new(deployment: Deployment) -> Self {
        Self { deployment: Arc::new(deployment), per_runtime: Arc::default() }
    }

    /// Connects to what the URL names: [`SessionConfig::store`](crate::SessionConfig::store) has
    /// all forms of it.
    ///
    /// # Errors
    ///
    /// [`Error::is_config`](crate::Error::is_config) if the URL cannot be used, or the server
    /// refuses us until something is configured otherwise: user, password, database or
    /// protected mode, one of the two certificates, TLS or the lack of it.
    /// [`Error::is_unavailable`](crate::Error::is_unavailable) if no server answers there within
    /// the deadline, or it has no room for another connection. The error may take up to three
    /// quarters of a second more, to find out why.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example() -> Result<(), session_runtime::Error> {
    /// use session_runtime::RedisStore;
    ///
    /// let store = RedisStore::connect("redis://127.0.0.1:6379/0").await?;
    /// # let _ = store;
    /// # Ok(())
    /// # }
    /// ```
    pub fn connect(url: &str) -> Operation<'static, Self> {
        Self::builder(url).connect()
    }

    /// Settings beyond the URL.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example() -> Result<(), session_runtime::Error> {
    /// use std::time::Duration;
    /// use session_runtime::RedisStore;
    ///
    /// let store = RedisStore::builder("redis://127.0.0.1").timeout(Duration::from_millis(300)).connect().await?;
    /// # let _ = store;
    /// # Ok(())
    /// # }
    /// ```
    pub fn builder(url: &str) -> RedisStoreBuilder {
        RedisStoreBuilder::new(url)
    }

    /// The same store by connections of the current runtime's own, if that is single-threaded. All
    /// that ask for it there share them.
    pub(crate) fn for_current_runtime(&self) -> Option<Self> {
        let deployment = self.per_runtime.for_current_runtime(&self.deployment)?;
        Some(Self { deployment, per_runtime: Arc::clone(&self.per_runtime) })
    }

    /// As the server said when it was connected to, and again after every reconnect.
    pub(crate) fn supports_field_expiry(&self) -> bool {
        self.deployment.supports_field_expiry()
    }

    pub(crate) fn connection_state(&self) -> ConnectionState {
        let of_runtimes = self.per_runtime.all();
        let all = of_runtimes.iter().chain([&self.deployment]);
        let states = all.map(|deployment| deployment.topology.connection_state());
        // What nobody uses may have lost its connection long ago, and gets another one when
        // somebody does.
        let in_use = |state: &ConnectionState| *state != ConnectionState::Connecting;
        states.filter(in_use).max().unwrap_or(ConnectionState::Connecting)
    }
}

impl_session_store!(async RedisStore);

/// Shows the server's address; user and password are kept out.
impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStore")
            .field("address", &format_args!("{}", self.deployment.topology))
            .finish_non_exhaustive()
    }
}
