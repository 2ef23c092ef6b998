//! The wait for the end of a request's session, which all futures of the request share.

use std::sync::{Mutex, PoisonError};

use futures_util::FutureExt as _;
use futures_util::future::Shared;

use crate::lifecycle::EndReason;
use crate::operation::BoxFuture;

/// A wait that goes on if the future of a caller is dropped. The next future costs little.
pub(super) type EndWait = Shared<BoxFuture<'static, EndReason>>;

/// The place for the wait in the state of a request.
#[derive(Default)]
pub(super) struct EndWaitSlot(Mutex<Option<EndWait>>);

impl EndWaitSlot {
    /// Returns the wait under way, or starts one. With `begins_anew`, a wait that is over does not
    /// count.
    pub(super) fn get_or_start(
        &self,
        begins_anew: bool,
        start: impl FnOnce() -> BoxFuture<'static, EndReason>,
    ) -> EndWait {
        let mut slot = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        slot.take_if(|wait| begins_anew && wait.peek().is_some());
        slot.get_or_insert_with(|| start().shared()).clone()
    }
}
