//! The listeners to the news of changed keys.

use std::sync::Arc;

use redis::Cmd;

use crate::store::Watchlist;
use crate::store::redis::near::NearCell;
#[cfg(feature = "cli")]
use crate::store::redis::net::broadcast::Broadcast;
use crate::store::redis::protocol::command::command_of;

/// The listeners to the news of changed keys, which connections bring.
#[derive(Debug, Clone, Default)]
pub(crate) struct Listeners {
    /// The sessions whose end is awaited on these connections.
    pub(crate) watchlist: Arc<Watchlist>,
    /// The near cache, of all connections of the store.
    pub(crate) near: Arc<NearCell>,
    /// The listener to the changes of all sessions. The others then hear nothing.
    #[cfg(feature = "cli")]
    pub(crate) broadcast: Option<Broadcast>,
}

impl Listeners {
    /// Returns the listeners for separate connections.
    pub(crate) fn fork(&self) -> Self {
        Self { watchlist: Arc::default(), ..self.clone() }
    }

    /// Returns the command by which a connection asks for the news.
    pub(crate) fn tracking(&self) -> Cmd {
        #[cfg(feature = "cli")]
        if let Some(broadcast) = &self.broadcast {
            return broadcast.tracking();
        }
        command_of(&["CLIENT", "TRACKING", "ON", "OPTIN"])
    }
}
