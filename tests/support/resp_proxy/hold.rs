//! A message that a test holds.

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::frame::Message;
use super::lock;
use crate::until;

/// A message that is held, or will be once it comes.
pub struct Hold {
    shared: Arc<Shared>,
    /// Dropping the test's value releases the message.
    releases: bool,
}

struct Shared {
    selects: Box<dyn Fn(&Message<'_>) -> bool + Send + Sync>,
    state: Mutex<State>,
}

struct State {
    connection: Option<usize>,
    is_open: bool,
    is_over: bool,
}

impl Hold {
    pub(super) fn new(
        selects: impl Fn(&Message<'_>) -> bool + Send + Sync + 'static,
        is_open: bool,
    ) -> Self {
        let state = Mutex::new(State { connection: None, is_open, is_over: false });
        Self { shared: Arc::new(Shared { selects: Box::new(selects), state }), releases: true }
    }

    /// Waits until the message has come, and returns the number of its connection.
    pub async fn reached(&self) -> usize {
        until("the message to be held", async || self.connection().is_some()).await;
        self.connection().unwrap()
    }

    /// Returns whether the message has come.
    pub fn is_reached(&self) -> bool {
        self.connection().is_some()
    }

    /// Lets the message pass. If it has not come yet, it will pass.
    pub fn release(self) {}

    fn connection(&self) -> Option<usize> {
        lock(&self.shared.state).connection
    }

    pub(super) fn other(&self) -> Self {
        Self { shared: Arc::clone(&self.shared), releases: false }
    }

    pub(super) fn selects(&self, message: &Message<'_>) -> bool {
        (self.shared.selects)(message)
    }

    pub(super) fn reach(&self, connection: usize) {
        lock(&self.shared.state).connection = Some(connection);
    }

    pub(super) fn is_over(&self) -> bool {
        lock(&self.shared.state).is_over
    }

    pub(super) fn is_closed(&self) -> bool {
        !lock(&self.shared.state).is_open
    }
}

/// The time between two looks at a hold or a stall.
pub(super) const POLL: Duration = Duration::from_micros(500);

impl Drop for Hold {
    fn drop(&mut self) {
        if self.releases {
            let mut state = lock(&self.shared.state);
            (state.is_open, state.is_over) = (true, true);
        }
    }
}

impl fmt::Debug for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hold").field("connection", &self.connection()).finish_non_exhaustive()
    }
}
