//! Endpoints of connections.

use std::fmt;
use std::sync::Arc;

use crate::store::redis::cause::Cause;
use crate::store::redis::net::connection::LiveConnection;
use crate::store::redis::net::connector::Connector;
use crate::store::redis::net::generation::Generation;
use crate::store::redis::net::listeners::Listeners;
use crate::store::redis::net::sentinel::Sentinels;

/// The server that a connection leads to.
#[derive(Clone)]
pub(crate) enum Endpoint {
    Server(Box<Connector>),
    /// The master that sentinels name when asked.
    Sentinel(Arc<Sentinels>),
}

impl Endpoint {
    pub(crate) async fn open(
        &self,
        scripts: &'static [&'static str],
        generation: Generation,
        listeners: Option<&Listeners>,
    ) -> Result<LiveConnection, Cause> {
        match self {
            Self::Server(connector) => {
                LiveConnection::open(connector, scripts, generation, listeners).await
            }
            Self::Sentinel(sentinels) => {
                sentinels.open_master(scripts, generation, listeners).await
            }
        }
    }
}

/// Writes an address, or the master's name and the sentinels' addresses, for messages.
impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Server(connector) => connector.fmt(f),
            Self::Sentinel(sentinels) => sentinels.fmt(f),
        }
    }
}
