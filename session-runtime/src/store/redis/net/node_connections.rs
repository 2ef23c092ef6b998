//! The connections to one place.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use crate::store::redis::cause::Cause;
use crate::store::redis::net::connection::Server;
use crate::store::redis::net::link::Link;
use crate::store::{ConnectionState, SessionKey};

/// The connections to one server: as many as are asked for, each for its share of the sessions, and one more for what nobody waits for.
#[derive(Clone)]
pub(crate) struct Lanes {
    /// All that is asked here of one session goes by one of them, in order.
    main: Arc<[Link]>,
    aside: Link,
    hasher: RandomState,
}

/// By which of the connections something travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lane {
    /// By the session's own, behind all that was asked of it before.
    Own,
    /// By the one aside: nobody waits for it, and a server that pauses writes may not answer it for a while, nor what travels behind it.
    Aside,
}

impl Lanes {
    /// As many of them as of this one, which leads to the place.
    pub(crate) fn new(connections: usize, link: &Link) -> Self {
        let main = (0..connections).map(|_| link.anew()).collect();
        Self { main, aside: link.anew(), hasher: RandomState::new() }
    }

    /// Others to the same place, not connected yet; but for the one aside, on which nobody waits.
    pub(crate) fn anew(&self) -> Self {
        Self {
            main: self.main.iter().map(Link::anew).collect(),
            aside: self.aside.clone(),
            hasher: self.hasher.clone(),
        }
    }

    pub(crate) fn of(&self, key: &SessionKey, lane: Lane) -> &Link {
        match (lane, &*self.main) {
            (Lane::Aside, _) => &self.aside,
            (Lane::Own, [only]) => only,
            (Lane::Own, several) => &several[self.hasher.hash_one(key.hash_tag()) as usize % several.len()],
        }
    }

    /// The one for what concerns no session.
    pub(crate) fn first(&self) -> &Link {
        self.any(Lane::Own)
    }

    /// The first of this kind.
    pub(crate) fn any(&self, lane: Lane) -> &Link {
        match (lane, &*self.main) {
            (Lane::Own, [first, ..]) => first,
            _ => &self.aside,
        }
    }

    /// Connects all of them but the one aside, which is connected when it is needed. Tells what the server said.
    pub(crate) async fn connect(&self) -> Result<Arc<Server>, Cause> {
        for link in self.main.iter().skip(1) {
            link.connect().await?;
        }
        self.first().connect().await
    }

    /// The same in tasks of their own, again and again until it is done.
    pub(crate) fn connect_soon(&self) {
        self.main.iter().for_each(Link::connect_soon);
    }

    /// The worst of them, without the one aside, on which nobody waits.
    pub(crate) fn connection_state(&self) -> ConnectionState {
        self.main.iter().map(Link::connection_state).max().unwrap_or(ConnectionState::Connecting)
    }
}
