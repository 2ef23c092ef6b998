//! News of changed keys, which the server sends over a connection.

use std::sync::Arc;

use redis::{PushInfo, PushKind, Value};

use crate::background;
use crate::store::redis::protocol::reply::text;
use crate::store::{Source, Watchlist};

/// The news of a connection, for a list of watched sessions.
///
/// The server sends news by [client-side caching]. After `CLIENT TRACKING ON OPTIN`, the next
/// change of each key that was read behind a `CLIENT CACHING YES` is told.
///
/// [client-side caching]: https://redis.io/docs/latest/develop/reference/client-side-caching/
#[derive(Clone)]
pub(crate) struct NewsFeed {
    watchlist: Arc<Watchlist>,
    source: Source,
}

/// A feed that ends when this is dropped.
pub(super) struct EndsFeed(pub(super) NewsFeed);

impl NewsFeed {
    pub(super) fn new(watchlist: &Arc<Watchlist>) -> Self {
        Self { watchlist: Arc::clone(watchlist), source: Source::default() }
    }

    /// Records that the connection is in use, so that the server answers again.
    pub(crate) fn begin(&self) {
        if !self.watchlist.is_empty() {
            self.watchlist.back();
        }
    }

    pub(crate) fn source(&self) -> &Source {
        &self.source
    }

    /// Passes on a push of the server: the changed keys, or null after a `FLUSHALL`.
    pub(super) fn note(&self, push: &PushInfo) {
        if push.kind != PushKind::Invalidate {
            return;
        }
        match &push.data[..] {
            [Value::Array(keys)] => {
                keys.iter().filter_map(text).for_each(|key| self.watchlist.changed(key));
            }
            _ => self.watchlist.all_changed(),
        }
    }
}

impl Drop for EndsFeed {
    fn drop(&mut self) {
        let NewsFeed { watchlist, source } = &self.0;
        if source.end() && !watchlist.is_empty() {
            let (watchlist, source) = (Arc::clone(watchlist), source.clone());
            // The connection may be dropped under a lock that the woken waiters need.
            background::spawn(async move { watchlist.lost(&source) });
        }
    }
}
