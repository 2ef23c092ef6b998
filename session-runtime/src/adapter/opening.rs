//! What every adapter does with a request.

use crate::handle::SessionHandle;
use crate::sessions::Sessions;

/// How an adapter opens the session of each request.
#[derive(Clone, Debug)]
pub(super) struct Opening {
    sessions: Sessions,
    tolerates_unavailability: bool,
}

impl Opening {
    pub(super) fn new(sessions: Sessions) -> Self {
        Self { sessions, tolerates_unavailability: false }
    }

    pub(super) fn tolerate_unavailability(self) -> Self {
        Self { tolerates_unavailability: true, ..self }
    }

    /// The same for a worker, which has a runtime of its own.
    #[cfg(feature = "actix")]
    pub(super) fn of_this_runtime(&self) -> Self {
        Self { sessions: self.sessions.of_this_runtime(), ..*self }
    }

    /// Whether an outer layer of the same manager has opened the session, and finishes it: `outer` is what a layer further out, of any manager,
    /// handed over.
    pub(super) fn is_done_by(&self, outer: Option<&SessionHandle>) -> bool {
        let outer = outer.filter(|outer| outer.belongs_to(&self.sessions));
        outer.inspect(|outer| self.apply_to(outer)).is_some()
    }

    /// The session to hand to the request's handler, and to finish.
    pub(super) fn open<'a>(&self, cookie_headers: impl IntoIterator<Item = &'a [u8]>) -> SessionHandle {
        let handle = self.sessions.open(cookie_headers);
        self.apply_to(&handle);
        handle
    }

    fn apply_to(&self, handle: &SessionHandle) {
        if self.tolerates_unavailability {
            handle.tolerate_unavailability();
        }
    }
}
