//! The servers of one deployment, behind one face: which of them keeps a session is nobody else's concern.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::store::redis::cause::Cause;
use crate::store::redis::net::cluster::Cluster;
use crate::store::redis::net::connection::Server;
use crate::store::redis::net::link::{Fault, Link};
use crate::store::redis::net::node_connections::{Lane, Lanes};
use crate::store::redis::net::outage_log::{Seldom, tell};
use crate::store::redis::net::request::{Exchange, Repeatable};
use crate::store::{ConnectionState, SessionKey};

/// Where the sessions are kept.
pub(crate) struct Servers {
    pub(crate) topology: Topology,
    pub(crate) timeout: Duration,
    unrefreshed: Arc<Seldom>,
}

pub(crate) enum Topology {
    /// One server, or the master that sentinels name.
    One(Lanes),
    Cluster(Cluster),
}

impl Servers {
    pub(crate) fn new(topology: Topology, timeout: Duration) -> Self {
        Self { topology, timeout, unrefreshed: Arc::default() }
    }

    /// The same ones by other connections, not connected yet.
    pub(crate) fn anew(&self) -> Self {
        let topology = match &self.topology {
            Topology::One(lanes) => Topology::One(lanes.anew()),
            Topology::Cluster(cluster) => Topology::Cluster(cluster.anew()),
        };
        Self { topology, timeout: self.timeout, unrefreshed: Arc::clone(&self.unrefreshed) }
    }

    /// Has them connected to, without waiting for it.
    pub(crate) fn connect_soon(&self) {
        match &self.topology {
            Topology::One(lanes) => lanes.connect_soon(),
            Topology::Cluster(cluster) => cluster.connect_soon(self.deadline()),
        }
    }

    /// When an operation that begins now is out of time.
    pub(crate) fn deadline(&self) -> Instant {
        Instant::now() + self.timeout
    }

    /// Sends what is to be sent to the server that keeps the session, and gives the reply. An error reply is a reply.
    ///
    /// Sent again only after a reply that proves that nothing was carried out.
    pub(crate) async fn exchange<E: Exchange>(
        &self,
        key: &SessionKey,
        lane: Lane,
        exchange: &E,
        deadline: Instant,
    ) -> Result<E::Reply, Fault> {
        match &self.topology {
            Topology::One(lanes) => lanes.of(key, lane).exchange(exchange, false, deadline).await,
            Topology::Cluster(cluster) => cluster.exchange(key, lane, exchange, deadline).await,
        }
    }

    /// Asks every server that keeps sessions the same, side by side, wherever the keys in it belong. A cluster's nodes are those that are
    /// known; if none is, they are learnt first.
    pub(crate) async fn ask_each<E: Exchange + Clone + Send + 'static>(
        &self,
        question: &E,
        lane: Lane,
        deadline: Instant,
    ) -> Result<Vec<E::Reply>, Fault> {
        let asked = self.links(lane, deadline).await?.into_iter().map(|link| {
            let question = question.clone();
            async move {
                let question = Repeatable(&question);
                match link.exchange(&question, false, deadline).await {
                    // A server that closes idle connections, or was started anew, is not worth an error.
                    Err(Fault::NoReply(Cause::Lost)) => link.exchange(&question, false, deadline).await,
                    replied => replied,
                }
            }
        });
        let mut answers = Vec::new();
        let mut asking: JoinSet<_> = asked.collect();
        while let Some(answer) = asking.join_next().await {
            let answer = answer.unwrap_or(Err(Fault::NoReply(Cause::Lost)));
            answers.push(answer.inspect_err(|_| self.topology.doubt())?);
        }
        Ok(answers)
    }

    /// Whether the server of a session is known not to expire single fields. While there is no connection, nothing is known.
    pub(crate) fn lacks_field_expiry(&self, key: &SessionKey) -> bool {
        self.own_link(key, Link::lacks_field_expiry).unwrap_or(false)
    }

    /// Whether the server of a session is known to overwrite fields by a plain command.
    pub(crate) fn can_overwrite(&self, key: &SessionKey) -> bool {
        self.own_link(key, Link::can_overwrite).unwrap_or(false)
    }

    /// It has refused to.
    pub(crate) fn note_cannot_overwrite(&self, key: &SessionKey) {
        self.own_link(key, Link::note_cannot_overwrite);
    }

    /// Asks the link by which a session is reached; nothing while it is not known where that leads.
    fn own_link<T>(&self, key: &SessionKey, ask: impl FnOnce(&Link) -> T) -> Option<T> {
        match &self.topology {
            Topology::One(lanes) => Some(ask(lanes.of(key, Lane::Own))),
            Topology::Cluster(cluster) => cluster.node_of(key).map(|node| ask(node.lanes.of(key, Lane::Own))),
        }
    }

    /// A session was used, and its expiry is what it was.
    pub(crate) fn tell_unrefreshed(&self, cause: &Cause) {
        tell!(
            self.unrefreshed.is_due(),
            warn,
            %cause,
            "a session was used, but its expiry was not refreshed: further ones within a minute are told at the level debug"
        );
    }

    /// Whether all servers can expire single fields, as they said when they were connected to. Before that nothing speaks against it.
    pub(crate) fn expire_fields(&self) -> bool {
        self.known().iter().all(|server| server.supports_field_expiry)
    }

    /// What the servers said of themselves that were connected to.
    pub(crate) fn known(&self) -> Vec<Arc<Server>> {
        self.topology.links(Lane::Own).iter().filter_map(Link::server).collect()
    }

    async fn links(&self, lane: Lane, deadline: Instant) -> Result<Vec<Link>, Fault> {
        if let Topology::Cluster(cluster) = &self.topology {
            cluster.know(deadline).await.map_err(Fault::NotSent)?;
        }
        Ok(self.topology.links(lane))
    }
}

impl Topology {
    pub(crate) fn is_cluster(&self) -> bool {
        matches!(self, Self::Cluster(_))
    }

    /// One connection to each server.
    fn links(&self, lane: Lane) -> Vec<Link> {
        match self {
            Self::One(lanes) => vec![lanes.any(lane).clone()],
            Self::Cluster(cluster) => {
                cluster.nodes().iter().map(|node| node.lanes.any(lane).clone()).collect()
            }
        }
    }

    /// A server did not answer: others may have its place by now.
    fn doubt(&self) {
        if let Self::Cluster(cluster) = self {
            cluster.learn_soon();
        }
    }

    pub(crate) fn connection_state(&self) -> ConnectionState {
        match self {
            Self::One(lanes) => lanes.connection_state(),
            Self::Cluster(cluster) => cluster.connection_state(),
        }
    }
}

/// Where the servers are, without user and password.
impl fmt::Display for Topology {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::One(lanes) => lanes.first().fmt(f),
            Self::Cluster(cluster) => cluster.fmt(f),
        }
    }
}
