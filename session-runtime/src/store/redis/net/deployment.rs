//! The servers of a deployment behind one interface, which finds the server of each session.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::TryFutureExt as _;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::error::Error;
use crate::id::slot::StoredKey;
use crate::store::redis::cause::Cause;
use crate::store::redis::near::Lease;
#[cfg(feature = "cli")]
use crate::store::redis::net::broadcast::Broadcast;
use crate::store::redis::net::cluster::Cluster;
use crate::store::redis::net::connection::ServerInfo;
use crate::store::redis::net::link::Link;
use crate::store::redis::net::listeners::Listeners;
use crate::store::redis::net::node_connections::{NodeConnections, Route};
use crate::store::redis::net::outage_log::{LogThrottle, log_first};
use crate::store::redis::net::request::{Exchange, Idempotent, Request, RequestError};
use crate::store::{ConnectionState, SessionKey};

/// The servers that keep the sessions.
pub(crate) struct Deployment {
    pub(crate) topology: Topology,
    pub(crate) timeout: Duration,
    /// The listeners to the news that the session connections bring.
    pub(crate) listeners: Listeners,
    unrefreshed_log: Arc<LogThrottle>,
    /// The server that was looked at last tells no changes.
    is_untold: Arc<AtomicBool>,
}

/// The warning of servers that do not tell of changes.
pub(crate) const UNTOLD: &str = "the session store does not tell of changes, so live connections notice an end only within \
     `end_check_interval`, and a near cache keeps nothing: grant +client|tracking \
     +client|caching to the Redis user, and for a near cache +hpttl on Redis 7.4, Valkey 9 or \
     later, and let proxies pass on the messages of RESP3";

pub(crate) enum Topology {
    /// One server, or the master that sentinels name.
    Single(NodeConnections),
    Cluster(Cluster),
}

impl Deployment {
    /// Creates a deployment. The connections of the topology tell changes to these listeners.
    pub(crate) fn new(topology: Topology, timeout: Duration, listeners: Listeners) -> Self {
        let (unrefreshed_log, is_untold) = Default::default();
        Self { topology, timeout, listeners, unrefreshed_log, is_untold }
    }

    /// Returns the same servers with separate connections, which are not open yet.
    pub(crate) fn fork(&self) -> Self {
        self.fork_with(self.listeners.fork())
    }

    /// Returns the same servers with separate connections, which tell of all changes.
    #[cfg(feature = "cli")]
    pub(crate) fn fork_for(&self, broadcast: Broadcast) -> Self {
        self.fork_with(Listeners { broadcast: Some(broadcast), ..Listeners::default() })
    }

    fn fork_with(&self, listeners: Listeners) -> Self {
        let topology = match &self.topology {
            Topology::Single(node) => Topology::Single(node.fork(&listeners)),
            Topology::Cluster(cluster) => Topology::Cluster(cluster.fork(&listeners)),
        };
        let (unrefreshed_log, is_untold) =
            (Arc::clone(&self.unrefreshed_log), Arc::clone(&self.is_untold));
        Self { topology, timeout: self.timeout, listeners, unrefreshed_log, is_untold }
    }

    /// Starts to connect to all servers, without waiting.
    pub(crate) fn connect_soon(&self) {
        match &self.topology {
            Topology::Single(node) => node.connect_soon(),
            Topology::Cluster(cluster) => cluster.connect_soon(self.deadline()),
        }
    }

    /// Returns the deadline of an operation that starts now.
    pub(crate) fn deadline(&self) -> Instant {
        Instant::now() + self.timeout
    }

    /// Sends a request to the server of the key, and returns the reply. Error replies are returned
    /// as replies.
    ///
    /// A write is only sent again after a reply that proves that nothing was carried out.
    pub(crate) fn send<R: Request>(
        &self,
        key: &impl StoredKey,
        route: Route,
        request: &R,
        deadline: Instant,
    ) -> impl Future<Output = Result<R::Reply, RequestError>> {
        // An `async` block would have a copy of each argument.
        self.exchange(key, route, request, deadline).map_ok(|exchange| exchange.reply)
    }

    /// Does the same as [`send`](Self::send), and tells which connection replied.
    pub(crate) async fn exchange<R: Request>(
        &self,
        key: &impl StoredKey,
        route: Route,
        request: &R,
        deadline: Instant,
    ) -> Result<Exchange<R::Reply>, RequestError> {
        match &self.topology {
            Topology::Single(node) => node.link(key, route).send(request, false, deadline).await,
            Topology::Cluster(cluster) => cluster.send(key, route, request, deadline).await,
        }
    }

    /// Sends a request that only reads, or that may be carried out twice. Retries once if the
    /// connection was lost.
    pub(crate) fn ask<R: Request>(
        &self,
        key: &impl StoredKey,
        route: Route,
        request: &R,
        deadline: Instant,
    ) -> impl Future<Output = Result<R::Reply, RequestError>> {
        self.exchange_again(key, route, request, deadline).map_ok(|exchange| exchange.reply)
    }

    /// Does the same as [`ask`](Self::ask), and tells which connection replied.
    pub(crate) async fn exchange_again<R: Request>(
        &self,
        key: &impl StoredKey,
        route: Route,
        request: &R,
        deadline: Instant,
    ) -> Result<Exchange<R::Reply>, RequestError> {
        let request = Idempotent(request);
        match self.exchange(key, route, &request, deadline).await {
            // A server that closes idle connections, or was restarted, should not cause an error.
            Err(RequestError::NoReply(Cause::Lost)) => {
                self.exchange(key, route, &request, deadline).await
            }
            replied => replied,
        }
    }

    /// Sends the same request concurrently to every server that keeps sessions, regardless of the
    /// keys in the request. A cluster uses the known nodes, or first asks for the slots if no node
    /// is known.
    pub(crate) async fn send_to_each<R: Request + Clone + Send + 'static>(
        &self,
        request: &R,
        route: Route,
        deadline: Instant,
    ) -> Result<Vec<R::Reply>, RequestError> {
        let exchanges = self.exchange_with_each(request, route, deadline).await?;
        Ok(exchanges.into_iter().map(|exchange| exchange.reply).collect())
    }

    /// Does the same as [`send_to_each`](Self::send_to_each), and tells which connections replied.
    pub(crate) async fn exchange_with_each<R: Request + Clone + Send + 'static>(
        &self,
        request: &R,
        route: Route,
        deadline: Instant,
    ) -> Result<Vec<Exchange<R::Reply>>, RequestError> {
        let sent = self.links(route, deadline).await?.into_iter().map(|link| {
            let request = request.clone();
            async move {
                let request = Idempotent(&request);
                match link.send(&request, false, deadline).await {
                    // A server that closes idle connections, or was restarted, should not cause an
                    // error.
                    Err(RequestError::NoReply(Cause::Lost)) => {
                        link.send(&request, false, deadline).await
                    }
                    replied => replied,
                }
            }
        });
        let mut replies = Vec::new();
        let mut sending: JoinSet<_> = sent.collect();
        while let Some(reply) = sending.join_next().await {
            let reply = reply.unwrap_or(Err(RequestError::NoReply(Cause::Lost)));
            replies.push(reply.inspect_err(|_| self.topology.refresh_soon())?);
        }
        Ok(replies)
    }

    /// Returns whether the session's server is known not to support expiries of single fields.
    /// Without a connection, nothing is known.
    pub(crate) fn lacks_field_expiry(&self, key: &SessionKey) -> bool {
        self.on_session_link(key, Link::lacks_field_expiry).unwrap_or(false)
    }

    /// Returns the time for which values from the session's connection count, if the connection is
    /// known.
    pub(crate) fn lease(&self, key: &SessionKey) -> Option<Arc<Lease>> {
        self.on_session_link(key, Link::lease).flatten()
    }

    /// Returns whether the session's server is known to support overwriting fields with a plain
    /// command.
    pub(crate) fn can_overwrite(&self, key: &SessionKey) -> bool {
        self.on_session_link(key, Link::can_overwrite).unwrap_or(false)
    }

    /// Records that the session's server refused to overwrite fields with a plain command.
    pub(crate) fn record_overwrite_refused(&self, key: &SessionKey) {
        self.on_session_link(key, Link::record_overwrite_refused);
    }

    /// Calls a function with the link of a session, if the session's server is known.
    fn on_session_link<T>(&self, key: &SessionKey, call: impl FnOnce(&Link) -> T) -> Option<T> {
        match &self.topology {
            Topology::Single(node) => Some(call(node.link(key, Route::Session))),
            Topology::Cluster(cluster) => {
                cluster.node_of(key).map(|node| call(node.connections.link(key, Route::Session)))
            }
        }
    }

    /// Logs that a session was used without a refresh of the expiry.
    pub(crate) fn log_unrefreshed(&self, cause: &Cause) {
        log_first!(
            self.unrefreshed_log.is_due(),
            warn,
            %cause,
            "a session was used, but its expiry was not refreshed: further cases within a minute \
             are logged at the level debug"
        );
    }

    /// Returns whether the server did not tell of changes when it was last asked to.
    pub(crate) fn is_untold(&self) -> bool {
        self.is_untold.load(Ordering::Relaxed)
    }

    /// Records whether the server tells of changes. Warns if the server has just ceased to.
    pub(crate) fn record_told(&self, is_told: bool) {
        let was_untold = self.is_untold.swap(!is_told, Ordering::Relaxed);
        if !is_told && !was_untold {
            tracing::warn!("{UNTOLD}");
        }
    }

    /// Returns whether all servers support expiries of single fields, as detected on connecting.
    /// Unknown servers count as able.
    pub(crate) fn supports_field_expiry(&self) -> bool {
        self.server_infos().iter().all(|server| server.supports_field_expiry)
    }

    /// Returns information about all servers that were connected to.
    pub(crate) fn server_infos(&self) -> Vec<Arc<ServerInfo>> {
        self.topology.links(Route::Session).iter().filter_map(Link::server).collect()
    }

    /// Refuses a single server that is a node of a cluster, because most sessions would be
    /// redirected to other nodes.
    ///
    /// # Errors
    ///
    /// Fails with [`Error::is_config`].
    pub(crate) fn check_no_lone_cluster_node(&self) -> Result<(), Error> {
        let Topology::Single(_) = &self.topology else { return Ok(()) };
        match self.server_infos().iter().find(|server| server.is_cluster_node) {
            None => Ok(()),
            Some(server) => Err(Error::config(format!(
                "the Redis server at {} is a node of a cluster: use the URL of the cluster, \
                 redis+cluster://host:port,host:port",
                server.address
            ))),
        }
    }

    async fn links(&self, route: Route, deadline: Instant) -> Result<Vec<Link>, RequestError> {
        if let Topology::Cluster(cluster) = &self.topology {
            cluster.ensure_slots_known(deadline).await.map_err(RequestError::NotSent)?;
        }
        Ok(self.topology.links(route))
    }
}

impl Topology {
    pub(crate) fn is_cluster(&self) -> bool {
        matches!(self, Self::Cluster(_))
    }

    /// Returns one connection to each server.
    fn links(&self, route: Route) -> Vec<Link> {
        match self {
            Self::Single(node) => vec![node.first_link(route).clone()],
            Self::Cluster(cluster) => cluster
                .nodes()
                .iter()
                .map(|node| node.connections.first_link(route).clone())
                .collect(),
        }
    }

    /// Asks for the slots again after a server did not answer. Other servers may have taken over
    /// the slots.
    pub(super) fn refresh_soon(&self) {
        if let Self::Cluster(cluster) = self {
            cluster.refresh_slots_soon();
        }
    }

    pub(crate) fn connection_state(&self) -> ConnectionState {
        match self {
            Self::Single(node) => node.connection_state(),
            Self::Cluster(cluster) => cluster.connection_state(),
        }
    }
}

/// Writes the servers' addresses without user and password, for messages.
impl fmt::Display for Topology {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Single(node) => node.first_link(Route::Session).fmt(f),
            Self::Cluster(cluster) => cluster.fmt(f),
        }
    }
}
