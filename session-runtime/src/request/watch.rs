//! A place on the store's list of watched sessions.

use std::pin::pin;
use std::sync::Arc;
#[cfg(feature = "redis")]
use std::time::Instant;

use tokio::sync::Notify;

use crate::background::{spawn_here, timeout_at};
use crate::id::SessionKey;
use crate::store::{AnyStore, LookResult, Pace, PendingLook, Step, Watchlist};

/// A watched session.
pub(crate) struct Watch {
    store: AnyStore,
    key: SessionKey,
    news: Arc<Notify>,
}

impl Watch {
    pub(crate) fn new(store: &AnyStore, key: &SessionKey, pace: Pace) -> Self {
        let news = store.watchlist().add(key, pace);
        Self { store: store.clone(), key: key.clone(), news }
    }

    pub(crate) fn key(&self) -> &SessionKey {
        &self.key
    }

    /// Waits until the store has no live session under the key.
    pub(crate) async fn over(&self) {
        loop {
            let mut news = pin!(self.news.notified());
            news.as_mut().enable();
            match self.list().step(&self.key) {
                Step::Over => return,
                Step::Look(looks) => self.look_soon(looks),
                Step::Wait(until) => timeout_at(until, news).await,
            }
        }
    }

    /// Has the session looked at again, although the latest look found it ended.
    pub(crate) fn look_again(&self) {
        self.list().look_again(&self.key);
    }

    /// Has the session looked at now, whenever it was due.
    pub(crate) fn hurry(&self) {
        self.list().hurry(&self.key);
    }

    /// Looks at the session, if a look is due. Returns whether the next change will be told.
    #[cfg(feature = "redis")]
    pub(crate) async fn look(&self) -> bool {
        if let Step::Look(looks) = self.list().step(&self.key) {
            self.looks(looks).carry_out().await;
        }
        self.list().has_source(&self.key)
    }

    /// Waits for news after a look. Returns whether news has come by this moment.
    #[cfg(feature = "redis")]
    pub(crate) async fn has_news(&self, by: Instant) -> bool {
        loop {
            let mut news = pin!(self.news.notified());
            news.as_mut().enable();
            match self.list().has_source(&self.key) {
                false => return true,
                true if Instant::now() >= by => return false,
                true => timeout_at(by, news).await,
            }
        }
    }

    /// Starts to look at sessions, also for other waiters. So the looks outlast this waiter.
    fn look_soon(&self, looks: Vec<PendingLook>) {
        spawn_here(self.looks(looks).carry_out());
    }

    fn looks(&self, pending: Vec<PendingLook>) -> Looks {
        Looks { store: self.store.clone(), pending }
    }

    fn list(&self) -> &Watchlist {
        self.store.watchlist()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.list().remove(&self.key);
    }
}

/// Looks under way. If they are dropped with their runtime, other waiters take over.
struct Looks {
    store: AnyStore,
    pending: Vec<PendingLook>,
}

impl Looks {
    async fn carry_out(mut self) {
        let keys: Vec<_> = self.pending.iter().map(|look| look.key.clone()).collect();
        let results = self.store.look_at(&keys).await;
        self.store.watchlist().looked(&std::mem::take(&mut self.pending), results);
    }
}

impl Drop for Looks {
    fn drop(&mut self) {
        let failed = std::iter::repeat_with(|| LookResult::Failed);
        self.store.watchlist().looked(&self.pending, failed);
    }
}
