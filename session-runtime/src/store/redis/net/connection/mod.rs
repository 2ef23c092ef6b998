//! A connection: setup, greeting and health.

mod activity;
mod coalescing;
mod health;
mod life;
mod news;
pub(super) mod role;
mod server_info;

pub(super) use health::ConnectionHealth;
pub(super) use news::NewsFeed;
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
use self::news::EndsFeed;
use crate::store::redis::cause::Cause;
use crate::store::redis::net::connector::Connector;
use crate::store::redis::net::generation::Generation;
use crate::store::redis::net::listeners::Listeners;

/// A connection to a server that accepts writes, and the connection's health.
pub(crate) struct LiveConnection {
    pub(crate) connection: MultiplexedConnection,
    pub(crate) server: Arc<ServerInfo>,
    pub(crate) health: ConnectionHealth,
    pub(crate) coalescer: WriteCoalescer,
    pub(crate) activity: Activity,
    /// The generation in which the connection was opened.
    pub(crate) generation: Generation,
    /// The news of changed keys. `None` for a connection that is not asked for news.
    pub(crate) news: Option<NewsFeed>,
    /// Ends the news even if the driver's runtime is parked.
    _ends_news: Option<EndsFeed>,
    /// The runtime of the connection's driver.
    runtime: Handle,
}

/// The number of operations that may wait to be written. The task of each further operation has to
/// run once more. If the server stops reading, waiting operations stay in memory until the
/// connection is abandoned.
const QUEUE_LENGTH: usize = 256;

/// The shortest sleep that tokio's timers do not treat as zero.
const DRIVER_TURN: Duration = Duration::from_millis(1);
/// A key that is never written.
const PROBE_KEY: &str = "session-runtime:probe";

impl LiveConnection {
    /// Opens a connection and loads these scripts. News of changed keys goes to these listeners, if
    /// any. Fails for a replica and for a server that is still loading data, because neither can
    /// serve sessions.
    pub(crate) async fn open(
        connector: &Connector,
        scripts: &[&str],
        generation: Generation,
        listeners: Option<&Listeners>,
    ) -> Result<Self, Cause> {
        let address = connector.to_string();
        let failed = |error| Cause::from_connect_error(&error, &address);
        let health = ConnectionHealth::default();
        let closes = ClosesWithDriver(health.clone());
        let news = listeners.map(NewsFeed::new);
        let ends_news = || news.clone().map(EndsFeed);
        let told = ends_news();
        let config = AsyncConnectionConfig::new()
            // All deadlines are set by this crate.
            .set_connection_timeout(None)
            .set_response_timeout(None)
            .set_pipeline_buffer_size(QUEUE_LENGTH)
            .set_push_sender(move |push: PushInfo| {
                closes.note(&push);
                if let Some(EndsFeed(news)) = &told {
                    news.note(&push);
                }
                Ok::<_, SendError>(())
            });
        let mut connection = connector.open(config).await.map_err(failed)?;
        let activity = Activity::new();
        let mut greeting = redis::pipe();
        // `HELLO` needs no permission, like all commands that are allowed before a login.
        greeting.cmd("HELLO");
        // The key does not exist. A missing permission proves that the command exists.
        greeting.cmd("HPTTL").arg(PROBE_KEY).arg("FIELDS").arg(1).arg("");
        // Both commands are sent without arguments. As complete write commands, they would wait for
        // the end of a pause.
        greeting.cmd("HPEXPIRE");
        greeting.cmd("HSETEX");
        for script in scripts {
            greeting.cmd("SCRIPT").arg("LOAD").arg(script);
        }
        // A server or a user without tracking sends no news. The start check warns of this.
        if let Some(listeners) = listeners {
            greeting.add_command(listeners.tracking());
        }
        let replies =
            connection.send_packed_commands(&greeting, 0, greeting.len()).await.map_err(failed)?;
        let server = ServerInfo::from_greeting(&replies, &address)?;
        #[cfg(feature = "cli")]
        news.iter().for_each(|news| news.greeted(&replies));
        health.count_open(&server.address);
        let (coalescer, runtime) = (WriteCoalescer::new(), Handle::current());
        Ok(Self {
            connection,
            server: Arc::new(server),
            health,
            coalescer,
            activity,
            generation,
            _ends_news: ends_news(),
            news,
            runtime,
        })
    }

    /// Ends the news of a connection that gets no more operations.
    pub(crate) fn end_news(&self) {
        if let Some(news) = &self.news {
            news.end();
        }
    }

    /// Gives the connection's driver a turn to notice that the idle connection has ended.
    ///
    /// A timer is used, because timers pass through the runtime's own driver. A task that only
    /// yields may continue before the runtime has polled the driver.
    pub(crate) async fn let_driver_run(&self) {
        let _ = self.runtime.spawn(sleep(DRIVER_TURN)).await;
    }
}
