//! The wait for the end of a request's session, which all futures of the request share.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::FutureExt as _;
use futures_util::future::Shared;
use tokio::sync::Notify;

use crate::lifecycle::EndReason;
use crate::operation::BoxFuture;

/// A wait that goes on if the future of a caller is dropped. The next future costs little.
pub(super) type EndWait = Shared<BoxFuture<'static, EndReason>>;

/// The place for the wait in the state of a request. Small, because few requests wait.
#[derive(Default)]
pub(super) struct EndWaitSlot(Mutex<Option<Box<Slot>>>);

struct Slot {
    wait: EndWait,
    /// Tells the wait that the request itself has learned something about its session.
    learned: Arc<Notify>,
}

impl EndWaitSlot {
    /// Returns the wait under way, or starts one. `reason` is the reason of the end, if the request
    /// knows that its session is over. A wait with another result was for an earlier session.
    pub(super) fn get_or_start(
        &self,
        reason: Option<EndReason>,
        start: impl FnOnce(Arc<Notify>) -> BoxFuture<'static, EndReason>,
    ) -> EndWait {
        let mut slot = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        slot.take_if(|slot| slot.wait.peek().is_some_and(|former| Some(*former) != reason));
        let slot = slot.get_or_insert_with(|| {
            let learned = Arc::<Notify>::default();
            Box::new(Slot { wait: start(Arc::clone(&learned)).shared(), learned })
        });
        slot.wait.clone()
    }

    /// Has a wait look at the state of the request. Costs little without a wait.
    pub(super) fn learned(&self) {
        let slot = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let learned = slot.as_ref().map(|slot| Arc::clone(&slot.learned));
        drop(slot);
        learned.inspect(|learned| learned.notify_waiters());
    }
}

/// Starts to wait until the request has learned something.
pub(super) fn until_learned(learned: &Arc<Notify>) -> impl Future<Output = ()> + Send + use<> {
    Arc::clone(learned).notified_owned()
}
