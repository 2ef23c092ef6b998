//! A place on the store's list of watched sessions.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tokio::sync::Notify;

use crate::background::{spawn_here, timeout_at};
use crate::id::SessionKey;
use crate::store::{AnyStore, LookResult, Pace, PendingLook, Step, Watchlist};

/// A watched session.
pub(crate) struct Watch {
    store: AnyStore,
    key: SessionKey,
    /// The longest time of a look.
    timeout: Duration,
    news: Arc<Notify>,
}

impl Watch {
    pub(crate) fn new(store: &AnyStore, key: &SessionKey, pace: Pace) -> Self {
        let news = store.watchlist().add(key, pace);
        Self { store: store.clone(), key: key.clone(), timeout: pace.timeout, news }
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
        self.list().hurry(self.key.expose_secret());
    }

    /// Looks at the session, if a look is due. Returns whether the next change will be told.
    #[cfg(feature = "redis")]
    pub(crate) async fn look(&self) -> bool {
        if let Step::Look(looks) = self.list().step(&self.key) {
            self.looks(looks).await;
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
    fn look_soon(&self, pending: Vec<PendingLook>) {
        spawn_here(self.looks(pending));
    }

    fn looks(&self, pending: Vec<PendingLook>) -> impl Future<Output = ()> + Send + use<> {
        let look = |pending| Look {
            store: self.store.clone(),
            timeout: self.timeout,
            pending: Some(pending),
        };
        carry_out(pending.into_iter().map(look).collect(), self.store.looks_at_once())
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

/// Carries out looks, as many at once as the store allows. Each result counts at once.
async fn carry_out(looks: VecDeque<Look>, at_once: usize) {
    let (mut looks, mut under_way) = (looks, FuturesUnordered::new());
    let mut renewed_at = Instant::now();
    loop {
        while under_way.len() < at_once
            && let Some(look) = looks.pop_front()
        {
            under_way.push(look.carry_out());
        }
        if under_way.next().await.is_none() {
            return;
        }
        // Otherwise, other waiters would take over the looks that wait here.
        if renewed_at.elapsed() > BETWEEN_RENEWALS {
            looks.retain(Look::renew);
            renewed_at = Instant::now();
        }
    }
}

const BETWEEN_RENEWALS: Duration = Duration::from_millis(100);
/// A store with a deadline of its own notices a silent connection at that deadline.
const AFTER_DEADLINE: Duration = Duration::from_millis(500);

/// A look at a session. If the look is dropped with its runtime, another waiter takes over.
struct Look {
    store: AnyStore,
    /// A custom store may have no deadline.
    timeout: Duration,
    pending: Option<PendingLook>,
}

impl Look {
    async fn carry_out(mut self) {
        let (store, Some(pending)) = (&self.store, &self.pending) else { return };
        if self.renew() {
            let mut result = LookResult::Failed;
            let look = async { result = store.look_at(&pending.key).await };
            timeout_at(Instant::now() + self.timeout + AFTER_DEADLINE, look).await;
            store.watchlist().looked(pending, result);
        }
        self.pending = None;
    }

    /// Gives the look its time from now on. Returns `false` for a look that was taken for lost.
    fn renew(&self) -> bool {
        self.pending.as_ref().is_some_and(|pending| self.store.watchlist().renew(pending))
    }
}

impl Drop for Look {
    fn drop(&mut self) {
        if let Some(pending) = &self.pending {
            self.store.watchlist().looked(pending, LookResult::Failed);
        }
    }
}
