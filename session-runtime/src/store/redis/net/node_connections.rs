//! The connections to one node: a server, or the master that sentinels name.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use crate::store::redis::cause::Cause;
use crate::store::redis::net::link::Link;
use crate::store::{ConnectionState, SessionKey};

/// The connections to one node: as many as were asked for, each for its share of the sessions, and
/// one for the background.
#[derive(Clone)]
pub(crate) struct NodeConnections {
    /// All requests of one session go by one of them, in order.
    session: Arc<[Link]>,
    background: Link,
    hasher: RandomState,
}

/// The connection by which a request goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Route {
    /// The session's own, behind all earlier requests of the session.
    Session,
    /// The one for requests that nobody waits for. A server that pauses writes may not answer them
    /// for a while, nor those behind them.
    Background,
}

impl NodeConnections {
    /// As many of them as of this link, to its endpoint.
    pub(crate) fn new(connections: usize, link: &Link) -> Self {
        let session = (0..connections).map(|_| link.fork()).collect();
        Self { session, background: link.fork(), hasher: RandomState::new() }
    }

    /// Others to the same node, not connected yet. The connection for the background is shared.
    pub(crate) fn fork(&self) -> Self {
        Self {
            session: self.session.iter().map(Link::fork).collect(),
            background: self.background.clone(),
            hasher: self.hasher.clone(),
        }
    }

    pub(crate) fn link(&self, key: &SessionKey, route: Route) -> &Link {
        match (route, &*self.session) {
            (Route::Background, _) => &self.background,
            (Route::Session, [only]) => only,
            (Route::Session, several) => {
                &several[self.hasher.hash_one(key.hash_tag()) as usize % several.len()]
            }
        }
    }

    /// The link for requests that concern no session.
    pub(crate) fn first_link(&self, route: Route) -> &Link {
        match (route, &*self.session) {
            (Route::Session, [first, ..]) => first,
            _ => &self.background,
        }
    }

    /// Connects all of them. The one for the background is connected when it is needed.
    pub(crate) async fn connect(&self) -> Result<(), Cause> {
        for link in &*self.session {
            link.connect().await?;
        }
        Ok(())
    }

    /// Connects them in tasks of their own, which try until it is done.
    pub(crate) fn connect_soon(&self) {
        self.session.iter().for_each(Link::connect_soon);
    }

    /// The worst of them. The one for the background does not count.
    pub(crate) fn connection_state(&self) -> ConnectionState {
        self.session.iter().map(Link::connection_state).max().unwrap_or(ConnectionState::Connecting)
    }
}
