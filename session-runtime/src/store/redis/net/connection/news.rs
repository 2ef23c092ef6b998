//! News of changed keys, which the server sends over a connection.

use std::sync::Arc;

use redis::{PushInfo, PushKind, Value};

use crate::background;
use crate::store::Source;
use crate::store::redis::near::Lease;
#[cfg(feature = "cli")]
use crate::store::redis::net::broadcast::Told;
use crate::store::redis::net::listeners::Listeners;
use crate::store::redis::protocol::reply::text;

/// The news of a connection, for its listeners.
///
/// The server sends news by [client-side caching]. After `CLIENT TRACKING ON OPTIN`, the next
/// change of each key that was read behind a `CLIENT CACHING YES` is told.
///
/// [client-side caching]: https://redis.io/docs/latest/develop/reference/client-side-caching/
#[derive(Clone)]
pub(crate) struct NewsFeed {
    listeners: Listeners,
    source: Source,
    lease: Arc<Lease>,
}

/// A feed that ends when this is dropped.
pub(super) struct EndsFeed(pub(super) NewsFeed);

impl NewsFeed {
    pub(super) fn new(listeners: &Listeners) -> Self {
        let source = Source::default();
        let lease = Arc::new(Lease::new(source.clone()));
        Self { listeners: listeners.clone(), source, lease }
    }

    /// Records that the connection is in use, so that the server answers again.
    pub(crate) fn begin(&self) {
        #[cfg(feature = "cli")]
        self.tell(Told::Begun);
        if !self.listeners.watchlist.is_empty() {
            self.listeners.watchlist.back();
        }
    }

    pub(crate) fn source(&self) -> &Source {
        &self.source
    }

    /// Returns the time for which values from this connection count.
    pub(crate) fn lease(&self) -> &Arc<Lease> {
        &self.lease
    }

    /// Ends the news, because no more will come or count.
    pub(crate) fn end(&self) {
        let watchlist = &self.listeners.watchlist;
        let is_first = self.source.end();
        #[cfg(feature = "cli")]
        if is_first {
            self.tell(Told::Lost);
        }
        if is_first && !watchlist.is_empty() {
            let (watchlist, source) = (Arc::clone(watchlist), self.source.clone());
            // The connection may end under a lock that the woken waiters need.
            background::spawn(async move { watchlist.lost(&source) });
        }
    }

    /// Passes on a push of the server: the changed keys, or null after a `FLUSHALL`.
    pub(super) fn note(&self, push: &PushInfo) {
        if push.kind != PushKind::Invalidate {
            return;
        }
        #[cfg(feature = "cli")]
        if let Some(broadcast) = &self.listeners.broadcast {
            return broadcast.note(push);
        }
        match &push.data[..] {
            [Value::Array(keys)] => {
                keys.iter().filter_map(text).for_each(|key| self.changed(key));
            }
            _ => {
                self.lease.void();
                self.listeners.watchlist.all_changed();
            }
        }
    }

    /// Notes the replies to the greeting, of which the last is about the news.
    #[cfg(feature = "cli")]
    pub(super) fn greeted(&self, replies: &[Value]) {
        if replies.last() != Some(&Value::Okay) {
            self.tell(Told::Refused);
        }
    }

    #[cfg(feature = "cli")]
    fn tell(&self, told: Told) {
        if let Some(broadcast) = &self.listeners.broadcast {
            broadcast.tell(told);
        }
    }

    fn changed(&self, key: &str) {
        if let Some(near) = self.listeners.near.get() {
            near.void(key);
        }
        self.listeners.watchlist.changed(key);
    }
}

impl Drop for EndsFeed {
    fn drop(&mut self) {
        self.0.end();
    }
}
