//! The servers of one deployment, behind one face: which of them keeps a session is nobody else's concern.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use redis::{Cmd, Value};
use tokio::time::Instant;

use super::cause::Cause;
use super::cluster::Cluster;
use super::connection::Server;
use super::exchange::Exchange;
use super::lanes::{Lanes, Weight};
use super::link::{Fault, Link};
use crate::store::{ConnectionState, SessionKey};

/// Where the sessions are kept. Clones share the connections.
#[derive(Clone)]
pub(super) struct Servers {
    pub(super) topology: Topology,
    pub(super) timeout: Duration,
}

#[derive(Clone)]
pub(super) enum Topology {
    /// One server, or the master that sentinels name.
    One(Lanes),
    Cluster(Cluster),
}

impl Servers {
    /// When an operation that begins now is out of time.
    pub(super) fn deadline(&self) -> Instant {
        Instant::now() + self.timeout
    }

    /// Sends what is to be sent to the server that keeps the session, and gives the reply. An error reply is a reply.
    ///
    /// Sent again only after a reply that proves that nothing was carried out.
    pub(super) async fn exchange<E: Exchange>(
        &self,
        key: &SessionKey,
        weight: Weight,
        exchange: &E,
        deadline: Instant,
    ) -> Result<E::Reply, Fault> {
        match &self.topology {
            Topology::One(lanes) => lanes.of(key, weight).exchange(exchange, false, deadline).await,
            Topology::Cluster(cluster) => cluster.exchange(key, weight, exchange, deadline).await,
        }
    }

    /// Asks every server that keeps sessions the same, side by side. What a cluster's nodes are is as far as is known.
    pub(super) async fn ask_each(&self, question: &Cmd) -> Result<Vec<Value>, Fault> {
        let deadline = self.deadline();
        let asked = self.links().into_iter().map(|link| {
            let question = question.clone();
            async move { link.exchange(&question, false, deadline).await }
        });
        let mut answers = Vec::new();
        let mut asking: tokio::task::JoinSet<_> = asked.collect();
        while let Some(answer) = asking.join_next().await {
            answers.push(answer.unwrap_or(Err(Fault::NoReply(Cause::Lost)))?);
        }
        Ok(answers)
    }

    /// Whether the server of a session is known not to expire single fields. While there is no connection, nothing is known.
    pub(super) fn lacks_field_expiry(&self, key: &SessionKey) -> bool {
        let lacks = |lanes: &Lanes| lanes.of(key, Weight::Light).lacks_field_expiry();
        match &self.topology {
            Topology::One(lanes) => lacks(lanes),
            Topology::Cluster(cluster) => cluster.node_of(key).is_some_and(|node| lacks(&node.lanes)),
        }
    }

    /// Whether all servers can expire single fields, as they said when they were connected to.
    pub(super) fn expire_fields(&self) -> bool {
        let servers = self.known();
        !servers.is_empty() && servers.iter().all(|server| server.expires_fields)
    }

    /// What the servers said of themselves that were connected to.
    pub(super) fn known(&self) -> Vec<Arc<Server>> {
        self.links().iter().filter_map(Link::server).collect()
    }

    /// One connection to each server.
    fn links(&self) -> Vec<Link> {
        match &self.topology {
            Topology::One(lanes) => vec![lanes.first().clone()],
            Topology::Cluster(cluster) => {
                cluster.nodes().iter().map(|node| node.lanes.first().clone()).collect()
            }
        }
    }
}

impl Topology {
    pub(super) fn connection_state(&self) -> ConnectionState {
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
