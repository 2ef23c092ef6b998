//! The listeners to the news of changed keys.

use std::sync::Arc;

use crate::store::Watchlist;
use crate::store::redis::near::NearCell;

/// The listeners to the news of changed keys, which connections bring.
#[derive(Debug, Clone, Default)]
pub(crate) struct Listeners {
    /// The sessions whose end is awaited on these connections.
    pub(crate) watchlist: Arc<Watchlist>,
    /// The near cache, of all connections of the store.
    pub(crate) near: Arc<NearCell>,
}

impl Listeners {
    /// Returns the listeners for separate connections.
    pub(crate) fn fork(&self) -> Self {
        Self { watchlist: Arc::default(), near: Arc::clone(&self.near) }
    }
}
