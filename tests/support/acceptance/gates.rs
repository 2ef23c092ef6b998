//! Points at which a handler waits for its test.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

/// Named points in handlers: a handler that arrives at one is held until the test lets it go on.
/// Clones are the same gates.
#[derive(Clone, Debug, Default)]
pub struct Gates {
    states: Arc<Mutex<HashMap<String, watch::Sender<State>>>>,
}

#[derive(Clone, Copy, Debug, Default)]
struct State {
    arrived: bool,
    open: bool,
}

impl Gates {
    /// For the handler: arrive, and wait until the gate is open.
    pub(crate) async fn pass(&self, name: &str) {
        let gate = self.gate(name);
        gate.send_modify(|state| state.arrived = true);
        let _ = gate.subscribe().wait_for(|state| state.open).await;
    }

    /// For the test: wait until a handler has arrived.
    pub async fn arrival(&self, name: &str) {
        let _ = self.gate(name).subscribe().wait_for(|state| state.arrived).await;
    }

    /// For the test: let the handler go on.
    pub fn open(&self, name: &str) {
        self.gate(name).send_modify(|state| state.open = true);
    }

    fn gate(&self, name: &str) -> watch::Sender<State> {
        let mut states = self.states.lock().unwrap_or_else(PoisonError::into_inner);
        states.entry(name.to_owned()).or_default().clone()
    }
}
