//! One connection: opened, greeted, watched.

mod activity;
mod coalescing;
pub(crate) mod role;

use std::fmt;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redis::aio::{MultiplexedConnection, SendError};
use redis::{AsyncConnectionConfig, PushInfo, PushKind, Value};
use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::time::sleep;

use self::activity::Usage;
use self::coalescing::Gathering;
use self::role::{Role, role_in};
use crate::store::redis::cause::{Cause, Code};
use crate::store::redis::net::connector::Endpoint;
use crate::store::redis::net::generation::Reign;
use crate::store::redis::reply::{is_unknown_command, text_in};
use crate::telemetry::GaugeGuard;

/// A connection to a server that takes writes, and whether it is still open.
pub(crate) struct Watched {
    pub(crate) connection: MultiplexedConnection,
    pub(crate) server: Arc<Server>,
    pub(crate) pulse: Pulse,
    pub(crate) gathering: Gathering,
    pub(crate) usage: Usage,
    /// In which it was opened.
    pub(crate) reign: Reign,
    /// That of its driver.
    runtime: Handle,
}

/// What a server said of itself when it was connected to.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) address: String,
    /// `redis` or `valkey`.
    name: String,
    version: String,
    /// It is a node of a cluster.
    pub(crate) is_cluster_node: bool,
    /// It can expire single fields.
    pub(crate) supports_field_expiry: bool,
    /// It has `HSETEX`, which sets fields if they are there (Redis 8 and Valkey 9), and has not refused it since.
    can_overwrite: AtomicBool,
}

/// Stops as soon as the connection is known to be closed.
#[derive(Clone, Default)]
pub(crate) struct Pulse(Arc<Beat>);

#[derive(Default)]
struct Beat {
    has_stopped: AtomicBool,
    stopped: Notify,
    /// From when the connection is open until it stops.
    gauge: Mutex<Option<GaugeGuard>>,
}

/// Lives in the connection's driver: whichever way that ends, with its runtime too, the pulse stops.
struct StopsWithDriver(Pulse);

/// How many operations may wait to be written. Further ones wait for room, each with a task that has to be run once more. What waits for a
/// server that takes nothing more is in memory until the connection is given up.
const QUEUED: usize = 256;

/// The shortest time that tokio's timers tell from none.
const SETTLING: Duration = Duration::from_millis(1);
/// Never written.
const PROBE_KEY: &str = "session-runtime:probe";

impl Watched {
    /// Opens a connection, on which these scripts are loaded. A replica is refused, and so is a server that still reads its data: neither
    /// can serve sessions.
    pub(crate) async fn open(endpoint: &Endpoint, scripts: &[&str], reign: Reign) -> Result<Self, Cause> {
        let address = endpoint.to_string();
        let failed = |error| Cause::of_connecting(&error, &address);
        let pulse = Pulse::default();
        let stops = StopsWithDriver(pulse.clone());
        let config = AsyncConnectionConfig::new()
            // Every deadline is ours.
            .set_connection_timeout(None)
            .set_response_timeout(None)
            .set_pipeline_buffer_size(QUEUED)
            .set_push_sender(move |push: PushInfo| {
                stops.note(&push);
                Ok::<_, SendError>(())
            });
        let mut connection = endpoint.open(config).await.map_err(failed)?;
        let usage = Usage::new();
        let mut greeting = redis::pipe();
        // Needs no permission, as everything that may stand before a login.
        greeting.cmd("HELLO");
        // Of a key that is not there. A permission that is missing proves that the command is there.
        greeting.cmd("HPTTL").arg(PROBE_KEY).arg("FIELDS").arg(1).arg("");
        // Without arguments: as commands that write they would wait for the end of a pause.
        greeting.cmd("HPEXPIRE");
        greeting.cmd("HSETEX");
        for script in scripts {
            greeting.cmd("SCRIPT").arg("LOAD").arg(script);
        }
        let replies = connection.send_packed_commands(&greeting, 0, greeting.len()).await.map_err(failed)?;
        let server = Server::introduced(&replies, &address)?;
        pulse.count(&server.address);
        let (gathering, runtime) = (Gathering::new(), Handle::current());
        Ok(Self { connection, server: Arc::new(server), pulse, gathering, usage, reign, runtime })
    }

    /// Gives the driver a turn, in which it notices if the connection has ended while nothing was done. By a timer: it passes
    /// through the runtime's own driver, where a task that yields may go on before that was asked.
    pub(crate) async fn settle(&self) {
        let _ = self.runtime.spawn(sleep(SETTLING)).await;
    }
}

impl Server {
    fn introduced(replies: &[Value], address: &str) -> Result<Self, Cause> {
        // It lets us in, but does not serve. Other errors are missing permissions: who may not load scripts may still run them.
        if replies.iter().any(|reply| Code::of(reply) == Some(Code::Loading)) {
            return Err(Cause::Server(Code::Loading));
        }
        let [introduction, field_left, field_expiry, overwriting, ..] = replies else {
            return Err(Cause::Unexpected);
        };
        let said = |key| text_in(introduction, key).unwrap_or_default();
        if role_in(introduction) == Role::Replica {
            return Err(Cause::Server(Code::ReadOnly));
        }
        if is_too_old(said("server"), said("version")) {
            return Err(Cause::too_old(address, said("version")));
        }
        Ok(Self {
            address: address.to_owned(),
            name: said("server").to_owned(),
            version: said("version").to_owned(),
            is_cluster_node: said("mode") == "cluster",
            supports_field_expiry: knows_command(field_left) && !is_unknown_command(field_expiry),
            can_overwrite: AtomicBool::new(lacks_arguments(overwriting)),
        })
    }

    pub(crate) fn can_overwrite(&self) -> bool {
        self.can_overwrite.load(Ordering::Relaxed)
    }

    pub(crate) fn note_cannot_overwrite(&self) {
        self.can_overwrite.store(false, Ordering::Relaxed);
        tracing::debug!(address = self.address, "HSETEX was refused: a script is run in its place");
    }
}

/// Name and version, as `redis 7.0.15`.
impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.version)
    }
}

/// Before Redis 7 a script cannot ask for permissions before it writes. Other servers count otherwise; the start has
/// such a script run.
fn is_too_old(server: &str, version: &str) -> bool {
    let major = version.split('.').next().and_then(|major| major.parse::<u32>().ok());
    server == "redis" && major.is_some_and(|major| major < 7)
}

/// A server asks whether it has a command before anything else, permissions included. It has no code for one that it lacks.
fn knows_command(reply: &Value) -> bool {
    Code::of(reply) != Some(Code::Other)
}

/// It would have been carried out, but for that.
fn lacks_arguments(reply: &Value) -> bool {
    let Value::ServerError(error) = reply else { return false };
    error.details().is_some_and(|details| details.starts_with("wrong number of arguments"))
}

impl Pulse {
    pub(crate) fn beats(&self) -> bool {
        !self.0.has_stopped.load(Ordering::Acquire)
    }

    pub(crate) fn stop(&self) {
        self.0.has_stopped.store(true, Ordering::Release);
        self.gauge().take();
        self.0.stopped.notify_waiters();
    }

    /// Waits until it has stopped.
    pub(crate) async fn stopped(&self) {
        let mut stopped = pin!(self.0.stopped.notified());
        stopped.as_mut().enable();
        if self.beats() {
            stopped.await;
        }
    }

    /// Counts the connection to this address until it stops.
    fn count(&self, address: &str) {
        let mut gauge = self.gauge();
        if self.beats() {
            *gauge = Some(GaugeGuard::open_connection(address));
        }
    }

    fn gauge(&self) -> MutexGuard<'_, Option<GaugeGuard>> {
        self.0.gauge.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl StopsWithDriver {
    fn note(&self, push: &PushInfo) {
        if push.kind == PushKind::Disconnection {
            self.0.stop();
        }
    }
}

impl Drop for StopsWithDriver {
    fn drop(&mut self) {
        self.0.stop();
    }
}
