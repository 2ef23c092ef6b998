//! The builder of a [`RedisStore`].

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use redis::ConnectionAddr;

use super::RedisStore;
use super::cause::{Cause, Code};
use super::commands::script::SOURCES;
use super::credentials::Credentials;
use super::net::address::Address;
use super::net::cluster::Cluster;
use super::net::connect_options::ConnectOptions;
use super::net::deployment::{Deployment, Topology};
use super::net::endpoint::Endpoint;
use super::net::failure_probe::probe_connect_failure;
use super::net::link::Link;
use super::net::node_connections::NodeConnections;
use super::net::sentinel::Sentinels;
#[cfg(feature = "tls")]
use super::tls::Certificates;
use super::url::{RedisUrl, USABLE_URLS, UrlKind};
use crate::error::Error;
use crate::operation::Operation;
use crate::store::StoreError;
use crate::store::redis::net::listeners::Listeners;
use crate::store::timeout;

/// A builder of a [`RedisStore`], created by [`RedisStore::builder`]. Settings of the builder
/// override the same settings in the URL.
#[derive(Clone)]
pub struct RedisStoreBuilder {
    url: String,
    timeout: Duration,
    connections: Option<usize>,
    login: Option<(Option<String>, String)>,
    sentinel_login: Option<(Option<String>, String)>,
    #[cfg(feature = "tls")]
    certificates: Certificates,
}

/// The largest number of connections. A higher number is a mistake.
const MAX_CONNECTIONS: usize = 256;

impl RedisStoreBuilder {
    pub(super) fn new(url: &str) -> Self {
        Self {
            url: url.to_owned(),
            timeout: Duration::from_secs(1),
            connections: None,
            login: None,
            sentinel_login: None,
            #[cfg(feature = "tls")]
            certificates: Certificates::default(),
        }
    }

    /// Sets the deadline of an operation, including the time to connect. An operation without an
    /// answer fails after this time. Allowed: 10 milliseconds to 1 hour. Default: 1 second.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sets the number of shared connections to each server, from 1 to 256. Default: 1.
    ///
    /// One connection carries all requests of a program on a few cores. All operations of an HTTP
    /// request on the session use the same connection. [Single-threaded
    /// runtimes](crate::Sessions::for_current_runtime), such as the workers of actix-web, each open
    /// as many connections in addition.
    ///
    /// In the URL: `connections=…`.
    pub fn connections(mut self, connections: usize) -> Self {
        self.connections = Some(connections);
        self
    }

    /// Sets the user and password, which override both in the URL. `None` is the default user. Do
    /// not percent-encode either here. A user without a password has the empty password.
    pub fn login(mut self, user: Option<&str>, password: impl Into<String>) -> Self {
        self.login = Some((user.map(str::to_owned), password.into()));
        self
    }

    /// Sets the user and password for the sentinels themselves, in the same form as
    /// [`login`](Self::login). Default: none, even if the master requires a login.
    ///
    /// In the URL: `sentinel_user=…` and `sentinel_pass=…`.
    pub fn sentinel_login(mut self, user: Option<&str>, password: impl Into<String>) -> Self {
        self.sentinel_login = Some((user.map(str::to_owned), password.into()));
        self
    }

    /// Sets the certificate authorities, in PEM, that you trust to sign the servers' certificates.
    /// Default: the authorities of the operating system.
    ///
    /// In the URL: `ca=FILE`.
    #[cfg(feature = "tls")]
    pub fn certificate_authority(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.certificates.authority = Some(pem.into());
        self
    }

    /// Sets the client certificate with the chain, and the key, both in PEM. Servers that ask for a
    /// certificate get this certificate. Default: none.
    ///
    /// In the URL: `cert=FILE` and `key=FILE`.
    #[cfg(feature = "tls")]
    pub fn client_certificate(
        mut self,
        certificate: impl Into<Vec<u8>>,
        key: impl Into<Vec<u8>>,
    ) -> Self {
        self.certificates.client = Some((certificate.into(), key.into()));
        self
    }

    /// Sets the host name that the servers' certificates must be valid for. The name is also sent
    /// to the servers (SNI, RFC 6066 §3). Default: the host of each server, as the URL, the
    /// sentinels or the cluster's nodes give.
    ///
    /// Use this for servers with an address but a certificate for a name. Examples are the nodes of
    /// a managed cluster, or one server behind a tunnel.
    ///
    /// In the URL: `server_name=HOST`.
    #[cfg(feature = "tls")]
    pub fn server_name(mut self, host: impl Into<String>) -> Self {
        self.certificates.server_name = Some(host.into());
        self
    }

    /// Connects to the server, or to all masters of a cluster.
    ///
    /// # Errors
    ///
    /// The same errors as [`RedisStore::connect`].
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # session_runtime::__example!({
    /// use std::time::Duration;
    /// use session_runtime::{RedisStore, SessionConfig, Sessions};
    ///
    /// let store = RedisStore::builder("redis://10.0.0.1")
    ///     .login(Some("sessions"), "a password")
    ///     .timeout(Duration::from_millis(500))
    ///     .connect()
    ///     .await?;
    /// let sessions = Sessions::with_store(SessionConfig::from_env()?, store)?;
    /// sessions.check().await?;
    /// # });
    /// ```
    pub fn connect(self) -> Operation<'static, RedisStore> {
        Operation::new(async move {
            let url = RedisUrl::parse(&self.url)?;
            let speaks_tls = matches!(url.info.addr(), ConnectionAddr::TcpTls { .. });
            let store = self.store(url)?;
            store.connect_now(speaks_tls).await?;
            Ok(store)
        })
    }

    /// Creates a store that connects on first use, for programs that must start before their Redis
    /// server. Until the store is connected, and while the server is away, operations fail as after
    /// a lost connection.
    ///
    /// # Errors
    ///
    /// Fails with [`Error::is_config`] if the URL, a setting or a certificate cannot be used.
    /// Refusals by the server only show when you use the store.
    pub fn connect_lazily(self) -> Result<RedisStore, Error> {
        self.store(RedisUrl::parse(&self.url)?)
    }

    fn store(&self, url: RedisUrl) -> Result<RedisStore, Error> {
        if !timeout::ALLOWED.contains(&self.timeout) {
            return Err(Error::config(format!(
                "the deadline of an operation must be {}",
                timeout::ALLOWED_TEXT
            )));
        }
        let connections = self.connections.or(url.options.connections).unwrap_or(1);
        if !(1..=MAX_CONNECTIONS).contains(&connections) {
            return Err(Error::config(
                "the number of connections to a Redis server must be 1 to 256",
            ));
        }
        let listeners = Listeners::default();
        let topology = self.topology(url, connections, &listeners)?;
        Ok(RedisStore::new(Deployment::new(topology, self.timeout, listeners)))
    }

    fn topology(
        &self,
        url: RedisUrl,
        connections: usize,
        listeners: &Listeners,
    ) -> Result<Topology, Error> {
        let (timeout, listeners) = (self.timeout, listeners.clone());
        let near = Arc::clone(&listeners.near);
        let node = move |endpoint| {
            let link = Link::new(endpoint, SOURCES, timeout);
            NodeConnections::new(connections, &link, &listeners)
        };
        let unusable = |_: Cause| Error::config(USABLE_URLS);
        let options = self.connect_options(&url)?;
        Ok(match url.kind {
            UrlKind::Server => Topology::Single(node(Endpoint::Server(Box::new(
                options.connector().map_err(unusable)?,
            )))),
            UrlKind::Sentinel { sentinels, master_name } => {
                let login = given_or(&self.sentinel_login, &url.options.sentinel_login)?;
                let sentinels = Arc::new(Sentinels {
                    addresses: sentinels,
                    master_name,
                    sentinel_options: options.with_login(login.user(), login.password()),
                    master_options: options,
                });
                Topology::Single(node(Endpoint::Sentinel(sentinels)))
            }
            UrlKind::Cluster { nodes } => Topology::Cluster(Cluster::new(
                options.clone(),
                nodes,
                near,
                move |address: &Address| {
                    Ok(node(Endpoint::Server(Box::new(options.connector_to(address)?))))
                },
            )),
        })
    }

    fn connect_options(&self, url: &RedisUrl) -> Result<ConnectOptions, Error> {
        let login = given_or(&self.login, &url.login)?;
        let info = url.info.clone();
        let settings = login.for_database(info.redis_settings().db());
        let info = info.set_redis_settings(settings);
        #[cfg(feature = "tls")]
        let (info, server_name) =
            self.certificates.clone().or_from_url(&url.options)?.apply(info)?;
        #[cfg(not(feature = "tls"))]
        let server_name = None;
        Ok(ConnectOptions::new(info, server_name))
    }
}

/// Returns the login of the builder, or else the login of the URL.
fn given_or(
    given: &Option<(Option<String>, String)>,
    from_url: &Credentials,
) -> Result<Credentials, Error> {
    match given {
        Some((user, password)) => Credentials::new(user.as_deref(), Some(password)),
        None => Ok(from_url.clone()),
    }
}

impl RedisStore {
    async fn connect_now(&self, speaks_tls: bool) -> Result<(), Error> {
        let connected = match &self.deployment.topology {
            Topology::Single(node) => node.connect().await,
            Topology::Cluster(cluster) => cluster.connect().await,
        };
        match connected {
            Ok(()) => self.deployment.check_no_lone_cluster_node(),
            Err(cause) => Err(self.explain(probe_connect_failure(cause, speaks_tls).await)),
        }
    }

    /// Returns the error for the person who starts the program, naming the setting to change.
    fn explain(&self, cause: Cause) -> Error {
        let at = &self.deployment.topology;
        match cause {
            Cause::Server(Code::NoAuth) => Error::config(format!(
                "the Redis server at {at} requires a password: put the password into the URL, as \
                 in redis://:password@host"
            )),
            Cause::Server(Code::WrongPassword) => Error::config(format!(
                "the Redis server at {at} refused the user or the password: special characters in \
                 the URL must be percent-encoded, and a user without a password logs in with an \
                 empty password"
            )),
            Cause::Server(Code::ReadOnly) => Error::config(format!(
                "the Redis server at {at} is a replica: use the URL of its master"
            )),
            Cause::Server(Code::NoPermission) if at.is_cluster() => Error::config(
                "the Redis user lacks a permission that sessions need on a cluster: +cluster|slots",
            ),
            Cause::Unexpected => Error::config(format!(
                "the reply from {at} is not from a Redis server: check the host and the port"
            )),
            Cause::NotSentinel => Error::config(
                "a server in the redis+sentinel:// URL is not a sentinel: the usual port of a \
                 sentinel is 26379, and the URL of a single Redis server is redis://host:port",
            ),
            Cause::NotCluster => Error::config(
                "a server in the redis+cluster:// URL is not a node of a cluster: the URL of a \
                 single Redis server is redis://host:port",
            ),
            Cause::NoAddress => Error::config(cause.to_string()),
            Cause::Misconfigured { .. } => Error::config(cause.to_string()),
            Cause::UnknownMaster | Cause::Server(Code::NoPermission | Code::Other) => {
                Error::config(format!("{at}: {cause}"))
            }
            cause => StoreError::unavailable(cause).into(),
        }
    }
}

/// Shows nothing of the URL, which may contain a password.
impl fmt::Debug for RedisStoreBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStoreBuilder").field("timeout", &self.timeout).finish_non_exhaustive()
    }
}
