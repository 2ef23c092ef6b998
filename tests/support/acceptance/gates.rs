//! Points at which a handler waits for the test.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

/// Named points in handlers. A handler waits at such a point until the test opens it. Clones share
/// the gates.
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
    /// Waits in the handler until the gate is open.
    pub(crate) async fn pass(&self, name: &str) {
        let gate = self.gate(name);
        gate.send_modify(|state| state.arrived = true);
        let _ = gate.subscribe().wait_for(|state| state.open).await;
    }

    /// Waits in the test until a handler arrives.
    pub async fn arrival(&self, name: &str) {
        let _ = self.gate(name).subscribe().wait_for(|state| state.arrived).await;
    }

    /// Opens the gate, so that the handler continues.
    pub fn open(&self, name: &str) {
        self.gate(name).send_modify(|state| state.open = true);
    }

    fn gate(&self, name: &str) -> watch::Sender<State> {
        let mut states = self.states.lock().unwrap_or_else(PoisonError::into_inner);
        states.entry(name.to_owned()).or_default().clone()
    }
}
