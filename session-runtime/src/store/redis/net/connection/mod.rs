//! One connection: opened, greeted, watched.

mod activity;
mod coalescing;
mod health;
pub(super) mod role;
mod server_info;

pub(super) use health::ConnectionHealth;
pub(crate) use server_info::ServerInfo;

use std::sync::Arc;
use std::time::Duration;

use redis::aio::{MultiplexedConnection, SendError};
use redis::{AsyncConnectionConfig, PushInfo};
use tokio::runtime::Handle;
use tokio::time::sleep;

use self::activity::Activity;
use self::coalescing::WriteCoalescer;
use self::health::ClosesWithDriver;
use crate::store::redis::cause::Cause;
use crate::store::redis::net::connector::Connector;
use crate::store::redis::net::generation::Generation;

/// A connection to a server that takes writes, and whether it is still open.
pub(crate) struct LiveConnection {
    pub(crate) connection: MultiplexedConnection,
    pub(crate) server: Arc<ServerInfo>,
    pub(crate) health: ConnectionHealth,
    pub(crate) coalescer: WriteCoalescer,
    pub(crate) activity: Activity,
    /// The generation in which it was opened.
    pub(crate) generation: Generation,
    /// The runtime of its driver.
    runtime: Handle,
}

/// How many operations may wait to be written. Each further one has its task run once more.
/// Those for a server that takes nothing more stay in memory until the connection is given up.
const QUEUE_LENGTH: usize = 256;

/// The shortest time that tokio's timers tell from none.
const DRIVER_TURN: Duration = Duration::from_millis(1);
/// Never written.
const PROBE_KEY: &str = "session-runtime:probe";

impl LiveConnection {
    /// Opens a connection, on which these scripts are loaded. A replica is refused, and so is a
    /// server that still reads its data: neither can serve sessions.
    pub(crate) async fn open(
        connector: &Connector,
        scripts: &[&str],
        generation: Generation,
    ) -> Result<Self, Cause> {
        let address = connector.to_string();
        let failed = |error| Cause::from_connect_error(&error, &address);
        let health = ConnectionHealth::default();
        let closes = ClosesWithDriver(health.clone());
        let config = AsyncConnectionConfig::new()
            // Every deadline is ours.
            .set_connection_timeout(None)
            .set_response_timeout(None)
            .set_pipeline_buffer_size(QUEUE_LENGTH)
            .set_push_sender(move |push: PushInfo| {
                closes.note(&push);
                Ok::<_, SendError>(())
            });
        let mut connection = connector.open(config).await.map_err(failed)?;
        let activity = Activity::new();
        let mut greeting = redis::pipe();
        // Needs no permission, as everything that may stand before a login.
        greeting.cmd("HELLO");
        // Of a key that is not there. A permission that is missing proves that the command is
        // there.
        greeting.cmd("HPTTL").arg(PROBE_KEY).arg("FIELDS").arg(1).arg("");
        // Without arguments: as commands that write they would wait for the end of a pause.
        greeting.cmd("HPEXPIRE");
        greeting.cmd("HSETEX");
        for script in scripts {
            greeting.cmd("SCRIPT").arg("LOAD").arg(script);
        }
        let replies =
            connection.send_packed_commands(&greeting, 0, greeting.len()).await.map_err(failed)?;
        let server = ServerInfo::from_greeting(&replies, &address)?;
        health.count_open(&server.address);
        let (coalescer, runtime) = (WriteCoalescer::new(), Handle::current());
        Ok(Self {
            connection,
            server: Arc::new(server),
            health,
            coalescer,
            activity,
            generation,
            runtime,
        })
    }

    /// Gives the driver a turn, in which it notices if the connection has ended while nothing was
    /// done. By a timer: it passes through the runtime's own driver, where a task that yields
    /// may go on before that was asked.
    pub(crate) async fn let_driver_run(&self) {
        let _ = self.runtime.spawn(sleep(DRIVER_TURN)).await;
    }
}
