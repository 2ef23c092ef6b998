//! Requests to each server of a deployment in turn.

use tokio::time::Instant;

#[cfg(feature = "cli")]
use crate::id::slot::StoredKey;
use crate::store::redis::cause::Cause;
use crate::store::redis::net::deployment::{Deployment, Topology};
use crate::store::redis::net::link::Link;
use crate::store::redis::net::node_connections::Route;
use crate::store::redis::net::request::{Exchange, Idempotent, Request, RequestError};

impl Deployment {
    /// Returns the names of the servers that keep sessions, for
    /// [`send_to_server`](Self::send_to_server). With `anew`, a cluster is asked for its masters.
    pub(crate) async fn servers(
        &self,
        anew: bool,
        deadline: Instant,
    ) -> Result<Vec<String>, RequestError> {
        match &self.topology {
            // Sentinels may name another server at any time.
            Topology::Single(_) => Ok(vec![String::new()]),
            Topology::Cluster(cluster) => {
                let known = match anew {
                    true => cluster.refresh_slots(deadline).await,
                    false => cluster.ensure_slots_known(deadline).await,
                };
                known.map_err(RequestError::NotSent)?;
                Ok(cluster.nodes().iter().map(|node| node.address.to_string()).collect())
            }
        }
    }

    /// Sends a request that may be carried out twice to a server, regardless of the keys in the
    /// request. Redirections are returned as replies.
    pub(crate) async fn send_to_server<R: Request>(
        &self,
        name: &str,
        request: &R,
        deadline: Instant,
    ) -> Result<Exchange<R::Reply>, RequestError> {
        let Some(link) = self.link_to(name) else {
            return Err(RequestError::NotSent(Cause::NoClusterNode));
        };
        let request = Idempotent(request);
        let mut sent = link.send(&request, false, deadline).await;
        if matches!(sent, Err(RequestError::NoReply(Cause::Lost))) {
            sent = link.send(&request, false, deadline).await;
        }
        sent.inspect_err(|_| self.topology.refresh_soon())
    }

    /// Returns the name of the server that has the key, if known.
    #[cfg(feature = "cli")]
    pub(crate) fn server_of(&self, key: &impl StoredKey) -> Option<String> {
        match &self.topology {
            Topology::Single(_) => Some(String::new()),
            Topology::Cluster(cluster) => Some(cluster.node_of(key)?.address.to_string()),
        }
    }

    fn link_to(&self, name: &str) -> Option<Link> {
        match &self.topology {
            Topology::Single(node) => Some(node.first_link(Route::Session).clone()),
            Topology::Cluster(cluster) => {
                let nodes = cluster.nodes();
                let node = nodes.iter().find(|node| node.address.to_string() == name)?;
                Some(node.connections.first_link(Route::Session).clone())
            }
        }
    }
}
