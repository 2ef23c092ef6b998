//! The connection to one server: made, watched and made again.

use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use redis::aio::{MultiplexedConnection, SendError};
use redis::{AsyncConnectionConfig, Client, Cmd, Pipeline, PushInfo, PushKind, RedisResult, Value};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::cause::{Cause, Code};

/// One connection that all requests share, and its successors.
///
/// - An operation that finds the connection lost waits for a new one, within its own deadline.
/// - If the first attempt at a new one fails, the server counts as down: operations fail at once, and nothing queues, while one task goes on
///   trying.
/// - An operation without an answer in time casts doubt on the connection: the task opens another, which takes its place if the server
///   answers there. If it does not, the server counts as down.
///
/// The client's own reconnecting connection is not used: it waits for attempts outside any deadline and keeps a silent connection for ever.
#[derive(Clone)]
pub(super) struct Link {
    shared: Arc<Shared>,
}

/// Why an exchange gave no reply.
#[derive(Debug)]
pub(super) enum Fault {
    /// The request was never handed to a connection.
    NotSent(Cause),
    /// It was, and what became of it is not known.
    NoReply(Cause),
}

struct Shared {
    client: Client,
    scripts: &'static [&'static str],
    address: String,
    timeout: Duration,
    state: watch::Sender<State>,
}

#[derive(Default)]
struct State {
    connection: Option<Watched>,
    /// Whether the server of this connection, or of the one before it, can expire single fields.
    expires_fields: bool,
    /// Why the latest attempt failed, until one succeeds.
    trouble: Option<Cause>,
    /// The one task that connects is under way.
    connecting: bool,
}

/// A connection, and whether it is still open.
#[derive(Clone)]
struct Watched {
    connection: MultiplexedConnection,
    expires_fields: bool,
    pulse: Pulse,
}

/// Cleared as soon as the connection is known to be closed.
#[derive(Clone)]
struct Pulse(Arc<AtomicBool>);

/// Lives in the connection's driver: whichever way that ends, with its runtime too, the pulse stops.
struct StopsWithDriver(Pulse);

/// An attempt that takes longer gets another one beside it: a lost first packet must not cost a returning server more.
const ATTEMPT_BESIDE: Duration = Duration::from_millis(500);
/// However patient operations are, this bounds how many attempts hang side by side.
const LONGEST_ATTEMPT: Duration = Duration::from_secs(5);
/// Never written.
const PROBE_KEY: &str = "session-runtime:probe";
const SHORTEST_PAUSE: Duration = Duration::from_millis(25);
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

impl Link {
    /// Connects, once. Every connection loads these scripts before it is used.
    pub(super) async fn connect(
        client: Client,
        scripts: &'static [&'static str],
        timeout: Duration,
    ) -> Result<Self, Cause> {
        let address = client.get_connection_info().addr().to_string();
        let shared = Shared { client, scripts, address, timeout, state: watch::Sender::default() };
        let connection = shared.open().await?;
        shared.state.send_modify(|state| *state = State::connected(connection));
        tracing::info!(address = shared.address, "connected to the session store");
        Ok(Self { shared: Arc::new(shared) })
    }

    pub(super) fn address(&self) -> &str {
        &self.shared.address
    }

    /// Whether the server can expire single fields, as it said when it was connected to.
    pub(super) fn expires_fields(&self) -> bool {
        self.shared.state.borrow().expires_fields
    }

    /// Whether the server that the next operation goes to is known not to expire single fields. While there is no connection, nothing is
    /// known: the next server may be another.
    pub(super) fn lacks_field_expiry(&self) -> bool {
        let state = self.shared.state.borrow();
        !state.expires_fields && matches!(state.verdict(), Some(Ok(_)))
    }

    /// When an operation that begins now is out of time.
    pub(super) fn deadline(&self) -> Instant {
        Instant::now() + self.shared.timeout
    }

    /// Sends one command. An error reply is a reply.
    pub(super) async fn command(&self, command: &Cmd, deadline: Instant) -> Result<Value, Fault> {
        let Watched { mut connection, pulse, .. } =
            self.connection(deadline).await.map_err(Fault::NotSent)?;
        // Pinned here: passed by value it would be copied into every future on the way, and be as large in each.
        self.reply(pin!(connection.send_packed_command(command)), &pulse, deadline).await
    }

    /// Sends several commands in one go. An error reply is a reply.
    pub(super) async fn pipeline(&self, pipeline: &Pipeline, deadline: Instant) -> Result<Vec<Value>, Fault> {
        let Watched { mut connection, pulse, .. } =
            self.connection(deadline).await.map_err(Fault::NotSent)?;
        self.reply(pin!(connection.send_packed_commands(pipeline, 0, pipeline.len())), &pulse, deadline).await
    }

    async fn reply<T>(
        &self,
        reply: impl Future<Output = RedisResult<T>>,
        pulse: &Pulse,
        deadline: Instant,
    ) -> Result<T, Fault> {
        match timeout_at(deadline, reply).await {
            Ok(Ok(reply)) => Ok(reply),
            // Error replies are values here: what is left are broken connections and broken protocol.
            Ok(Err(_)) => {
                pulse.stop();
                Err(Fault::NoReply(Cause::Lost))
            }
            Err(_) => {
                self.doubt(pulse);
                Err(Fault::NoReply(Cause::TimedOut(self.shared.timeout)))
            }
        }
    }

    async fn connection(&self, deadline: Instant) -> Result<Watched, Cause> {
        if let Some(verdict) = self.shared.state.borrow().verdict() {
            return verdict;
        }
        let mut states = self.shared.state.subscribe();
        self.replace_lost();
        let settled = states.wait_for(|state| state.verdict().is_some() || !state.connecting);
        match timeout_at(deadline, settled).await {
            Ok(Ok(state)) => state.verdict().unwrap_or(Err(Cause::Lost)),
            Ok(Err(_)) => Err(Cause::Lost),
            Err(_) => Err(Cause::TimedOut(self.shared.timeout)),
        }
    }

    fn replace_lost(&self) {
        let begins = self.shared.state.send_if_modified(|state| {
            let begins = !state.connecting && state.verdict().is_none();
            state.connecting |= begins;
            begins
        });
        if begins {
            tracing::warn!(
                address = self.address(),
                "lost the connection to the session store, connecting again"
            );
            self.spawn_connector();
        }
    }

    /// Opens a connection in place of this one, if it is still the one in use.
    fn doubt(&self, pulse: &Pulse) {
        let begins = self.shared.state.send_if_modified(|state| {
            let in_use = state.connection.as_ref().is_some_and(|watched| watched.pulse.is_same(pulse));
            let begins = !state.connecting && in_use;
            state.connecting |= begins;
            begins
        });
        if begins {
            let address = self.address();
            tracing::warn!(address, "no answer from the session store in time, trying a new connection");
            self.spawn_connector();
        }
    }

    /// In a task of its own: a request that is dropped must not take the attempt with it.
    fn spawn_connector(&self) {
        let connector = Connector { shared: Arc::downgrade(&self.shared), done: false };
        tokio::spawn(connector.run());
    }
}

impl State {
    fn connected(connection: Watched) -> Self {
        let expires_fields = connection.expires_fields;
        Self { connection: Some(connection), expires_fields, trouble: None, connecting: false }
    }

    /// What an operation gets without waiting, if that is settled.
    fn verdict(&self) -> Option<Result<Watched, Cause>> {
        match (&self.connection, &self.trouble) {
            (Some(watched), _) if watched.pulse.beats() => Some(Ok(watched.clone())),
            (_, Some(trouble)) if self.connecting => Some(Err(trouble.clone())),
            _ => None,
        }
    }
}

/// The task that connects: there is one at a time, until it has succeeded or nobody holds the link any more.
struct Connector {
    shared: Weak<Shared>,
    done: bool,
}

impl Connector {
    async fn run(mut self) {
        let mut attempts = JoinSet::new();
        let mut pause = SHORTEST_PAUSE;
        while let Some(shared) = self.shared.upgrade() {
            attempts.spawn(async move { shared.open().await });
            match timeout(ATTEMPT_BESIDE, attempts.join_next()).await {
                Err(_) => continue,
                Ok(Some(Ok(Ok(connection)))) => return self.succeeded(connection),
                Ok(Some(Ok(Err(cause)))) => self.failed(cause),
                Ok(Some(Err(_)) | None) => self.failed(Cause::Lost),
            }
            sleep(jittered(pause)).await;
            pause = LONGEST_PAUSE.min(pause * 2);
        }
    }

    fn succeeded(&mut self, connection: Watched) {
        self.done = true;
        let Some(shared) = self.shared.upgrade() else { return };
        shared.state.send_modify(|state| {
            *state = State::connected(connection);
        });
        tracing::info!(address = shared.address, "connected to the session store again");
    }

    fn failed(&self, cause: Cause) {
        let Some(shared) = self.shared.upgrade() else { return };
        let mut is_news = false;
        shared.state.send_modify(|state| {
            is_news = state.trouble.is_none();
            (state.connection, state.trouble) = (None, Some(cause.clone()));
        });
        if is_news {
            tracing::error!(address = shared.address, cause = %cause, "the session store is down, trying again and again");
        }
    }
}

/// A connector that was stopped with its runtime leaves its place to the next one.
impl Drop for Connector {
    fn drop(&mut self) {
        if let (false, Some(shared)) = (self.done, self.shared.upgrade()) {
            shared.state.send_modify(|state| (state.connecting, state.trouble) = (false, None));
        }
    }
}

impl Shared {
    /// Opens a connection on which the server answers.
    async fn open(&self) -> Result<Watched, Cause> {
        let silent = |_| Cause::Unreachable { address: self.address.clone(), reason: "no answer in time" };
        timeout(self.timeout.min(LONGEST_ATTEMPT), self.greet()).await.map_err(silent)?
    }

    async fn greet(&self) -> Result<Watched, Cause> {
        let failed = |error| Cause::of_connecting(&error, &self.address);
        let pulse = Pulse(Arc::new(AtomicBool::new(true)));
        let stops = StopsWithDriver(pulse.clone());
        let config = AsyncConnectionConfig::new()
            // Every deadline is ours.
            .set_connection_timeout(None)
            .set_response_timeout(None)
            .set_push_sender(move |push: PushInfo| {
                stops.note(&push);
                Ok::<_, SendError>(())
            });
        let opening = self.client.get_multiplexed_async_connection_with_config(&config);
        let mut connection = opening.await.map_err(failed)?;
        let mut greeting = redis::pipe();
        greeting.cmd("PING");
        // Of a key that is not there. It needs no permission: one that is missing proves that the command is there.
        greeting.cmd("HPTTL").arg(PROBE_KEY).arg("FIELDS").arg(1).arg("");
        for script in self.scripts {
            greeting.cmd("SCRIPT").arg("LOAD").arg(script);
        }
        let replies = connection.send_packed_commands(&greeting, 0, greeting.len()).await.map_err(failed)?;
        let expires_fields = replies.get(1).is_some_and(knows_command);
        match replies.first() {
            // A server that is still reading its data lets us in, but does not serve.
            Some(Value::ServerError(error)) if Code::from(error) == Code::Loading => {
                Err(Cause::Server(Code::Loading))
            }
            // Other errors are missing permissions: who may not load scripts may still run them.
            _ => Ok(Watched { connection, expires_fields, pulse }),
        }
    }
}

/// A server asks whether it has a command before anything else, permissions included. It has no code for one that it lacks.
fn knows_command(reply: &Value) -> bool {
    !matches!(reply, Value::ServerError(error) if Code::from(error) == Code::Other)
}

impl Pulse {
    fn beats(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }

    fn stop(&self) {
        self.0.store(false, Ordering::Release);
    }

    fn is_same(&self, other: &Self) -> bool {
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

/// Between half and the whole of it, so that many programs do not come back to a server all at once.
fn jittered(pause: Duration) -> Duration {
    let share = f64::from(getrandom::u32().unwrap_or(0)) / f64::from(u32::MAX);
    pause.mul_f64(0.5 + share / 2.0)
}
