//! The connections to one node: a server, or the master that sentinels name.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use crate::id::slot::StoredKey;
use crate::store::ConnectionState;
use crate::store::redis::cause::Cause;
use crate::store::redis::net::link::Link;
use crate::store::redis::net::listeners::Listeners;

/// The connections to one node. Each session connection serves a share of the sessions. The
/// background connection is separate.
#[derive(Clone)]
pub(crate) struct NodeConnections {
    /// All requests of a session use the same connection, in order.
    session: Arc<[Link]>,
    background: Link,
    hasher: RandomState,
}

/// The connection that a request uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Route {
    /// The session's connection, behind all earlier requests of the session.
    Session,
    /// The connection for requests in the background. A server that pauses writes may not answer
    /// these requests, or requests behind them, for a while.
    Background,
}

impl NodeConnections {
    /// Creates this many session connections to the link's endpoint, which tell changes to
    /// these listeners.
    pub(crate) fn new(connections: usize, link: &Link, listeners: &Listeners) -> Self {
        let session = (0..connections).map(|_| link.fork(Some(listeners))).collect();
        Self { session, background: link.fork(None), hasher: RandomState::new() }
    }

    /// Returns other connections to the same node, which are not open yet, and tell changes to
    /// these listeners. The background connection is shared.
    pub(crate) fn fork(&self, listeners: &Listeners) -> Self {
        Self {
            session: self.session.iter().map(|link| link.fork(Some(listeners))).collect(),
            background: self.background.clone(),
            hasher: self.hasher.clone(),
        }
    }

    pub(crate) fn link(&self, key: &impl StoredKey, route: Route) -> &Link {
        match (route, &*self.session) {
            (Route::Background, _) => &self.background,
            (Route::Session, [only]) => only,
            (Route::Session, several) => {
                &several[self.hasher.hash_one(key.hash_tag()) as usize % several.len()]
            }
        }
    }

    /// Returns the link for requests that concern no session.
    pub(crate) fn first_link(&self, route: Route) -> &Link {
        match (route, &*self.session) {
            (Route::Session, [first, ..]) => first,
            _ => &self.background,
        }
    }

    /// Opens all session connections. The background connection is opened when needed.
    pub(crate) async fn connect(&self) -> Result<(), Cause> {
        for link in &*self.session {
            link.connect().await?;
        }
        Ok(())
    }

    /// Starts tasks that open all session connections, and that retry until done.
    pub(crate) fn connect_soon(&self) {
        self.session.iter().for_each(Link::connect_soon);
    }

    /// Returns the worst state of the session connections. The background connection does not
    /// count.
    pub(crate) fn connection_state(&self) -> ConnectionState {
        self.session.iter().map(Link::connection_state).max().unwrap_or(ConnectionState::Connecting)
    }
}
