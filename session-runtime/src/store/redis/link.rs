//! The connection to one place: made, watched and made again.

use std::fmt;
use std::pin::pin;
use std::sync::{Arc, Weak};
use std::time::Duration;

use redis::RedisResult;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::cause::Cause;
use super::connection::{Pulse, Server, Watched};
use super::exchange::Exchange;
use super::place::Place;
use super::told::Told;
use crate::store::ConnectionState;
use crate::telemetry::Counted;

/// One connection that all requests share, and its successors.
///
/// - It is made when it is first used, or when it is [awaited](Self::connect).
/// - An operation that finds the connection lost waits for a new one, within its own deadline.
/// - If the first attempt at a new one fails, the server counts as down: operations fail at once, and nothing queues, while one task goes on
///   trying.
/// - An operation without an answer in time casts doubt on the connection: the task opens another, which takes its place if the server
///   answers there. If it does not, the server counts as down.
/// - A reply that only a replica gives ends the connection: the next one leads to wherever the master is then.
///
/// The client's own reconnecting connection is not used: it waits for attempts outside any deadline and keeps a silent connection for ever.
#[derive(Clone)]
pub(super) struct Link {
    shared: Arc<Shared>,
}

/// An event of this level if it is news, else one for whoever looks for the cause of something.
macro_rules! tell {
    ($is_news:expr, $level:ident, $($event:tt)+) => {
        if $is_news {
            tracing::$level!($($event)+);
        } else {
            tracing::debug!($($event)+);
        }
    };
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
    place: Place,
    scripts: &'static [&'static str],
    timeout: Duration,
    state: watch::Sender<State>,
    told: Told,
}

#[derive(Default)]
struct State {
    connection: Option<Arc<Watched>>,
    /// The server of this connection, or of the one before it.
    server: Option<Arc<Server>>,
    trouble: Option<Trouble>,
    /// The one task that connects is under way.
    connecting: bool,
}

/// Why the latest attempt failed, until one succeeds.
struct Trouble {
    cause: Cause,
    _counted: Counted,
}

/// An attempt that takes longer gets another one beside it: a lost first packet must not cost a returning server more.
const ATTEMPT_BESIDE: Duration = Duration::from_millis(500);
/// However patient operations are, this bounds how many attempts hang side by side.
const LONGEST_ATTEMPT: Duration = Duration::from_secs(5);
/// However short the deadline of an operation, which does not wait for it longer than that.
const SHORTEST_ATTEMPT: Duration = Duration::from_secs(1);
const SHORTEST_PAUSE: Duration = Duration::from_millis(25);
const LONGEST_PAUSE: Duration = Duration::from_millis(500);
/// How often one operation looks for the master anew.
const MASTERS_TRIED: usize = 3;

impl Link {
    /// A link that is not connected yet. Every connection loads these scripts before it is used.
    pub(super) fn new(place: Place, scripts: &'static [&'static str], timeout: Duration) -> Self {
        Self::with(place, scripts, timeout, State::default(), Told::default())
    }

    /// Another one to the same place, not connected yet. What the server is, it takes from this one until it knows better.
    pub(super) fn anew(&self) -> Self {
        let Shared { place, scripts, timeout, told, .. } = &*self.shared;
        let state = State { server: self.server(), ..State::default() };
        Self::with(place.clone(), scripts, *timeout, state, told.clone())
    }

    fn with(
        place: Place,
        scripts: &'static [&'static str],
        timeout: Duration,
        state: State,
        told: Told,
    ) -> Self {
        Self { shared: Arc::new(Shared { place, scripts, timeout, state: watch::Sender::new(state), told }) }
    }

    /// Connects, in one attempt.
    pub(super) async fn connect(&self) -> Result<Arc<Server>, Cause> {
        let connection = self.shared.open(self.shared.timeout).await?;
        let server = Arc::clone(&connection.server);
        self.shared.connected(connection);
        Ok(server)
    }

    pub(super) fn connection_state(&self) -> ConnectionState {
        let state = self.shared.state.borrow();
        match state.verdict() {
            Some(Ok(_)) => ConnectionState::Connected,
            Some(Err(_)) => ConnectionState::Disconnected,
            None => ConnectionState::Connecting,
        }
    }

    /// What the server said when it was connected to last; nothing before the first connection.
    pub(super) fn server(&self) -> Option<Arc<Server>> {
        self.shared.state.borrow().server.clone()
    }

    /// Whether the server that the next operation goes to is known not to expire single fields. While there is no connection, nothing is
    /// known: the next server may be another.
    pub(super) fn lacks_field_expiry(&self) -> bool {
        matches!(self.shared.state.borrow().verdict(), Some(Ok(watched)) if !watched.server.expires_fields)
    }

    /// Whether the server that the next operation goes to is known to have `HSETEX`, and not known to refuse it.
    pub(super) fn can_overwrite(&self) -> bool {
        matches!(self.shared.state.borrow().verdict(), Some(Ok(watched)) if watched.server.can_overwrite())
    }

    /// The server has refused `HSETEX`.
    pub(super) fn note_cannot_overwrite(&self) {
        self.server().inspect(|server| server.note_cannot_overwrite());
    }

    /// Sends what is to be sent, and gives the reply. An error reply is a reply.
    ///
    /// Sent again only after a reply that proves that nothing was carried out, by a server that is no master any more.
    pub(super) async fn exchange<E: Exchange>(
        &self,
        exchange: &E,
        is_asking: bool,
        deadline: Instant,
    ) -> Result<E::Reply, Fault> {
        let mut tries = MASTERS_TRIED;
        loop {
            let watched = self.connection(deadline).await.map_err(Fault::NotSent)?;
            let Watched { connection, pulse, gathering, .. } = &*watched;
            let mut connection = connection.clone();
            // Pinned here: passed by value it would be copied into every future on the way, and be as large in each.
            let sent = pin!(exchange.send(&mut connection, is_asking));
            let reply = self.reply(gathering.gather(sent), pulse, deadline).await?;
            let is_no_master = E::elsewhere(&reply).is_some_and(|code| code.tells_of_another_master());
            if is_no_master {
                pulse.stop();
            }
            tries -= 1;
            if !is_no_master || tries == 0 {
                return Ok(reply);
            }
        }
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

    async fn connection(&self, deadline: Instant) -> Result<Arc<Watched>, Cause> {
        if let Some(verdict) = self.shared.state.borrow().verdict() {
            return owned(verdict);
        }
        let mut states = self.shared.state.subscribe();
        self.connect_soon();
        let settled = states.wait_for(|state| state.verdict().is_some() || !state.connecting);
        match timeout_at(deadline, settled).await {
            Ok(Ok(state)) => state.verdict().map_or(Err(Cause::Lost), owned),
            Ok(Err(_)) => Err(Cause::Lost),
            Err(_) => Err(Cause::TimedOut(self.shared.timeout)),
        }
    }

    /// Has a task connect, unless there is a connection, or one is being made.
    pub(super) fn connect_soon(&self) {
        let mut had_one = false;
        let begins = self.shared.state.send_if_modified(|state| {
            let begins = !state.connecting && state.verdict().is_none();
            state.connecting |= begins;
            had_one = state.connection.is_some();
            begins
        });
        if begins {
            if had_one {
                tell!(
                    self.shared.told.doubted(),
                    warn,
                    address = %self.shared.place,
                    "lost the connection to the session store, connecting again"
                );
            }
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
            let address = tracing::field::display(&self.shared.place);
            let is_news = self.shared.told.doubted();
            tell!(
                is_news,
                warn,
                address,
                "no answer from the session store in time, trying a new connection"
            );
            self.spawn_connector();
        }
    }

    /// In a task of its own: a request that is dropped must not take the attempt with it.
    fn spawn_connector(&self) {
        let connector = Connector { shared: Arc::downgrade(&self.shared), done: false };
        tokio::spawn(connector.run());
    }
}

/// Where it leads.
impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.shared.place.fmt(f)
    }
}

impl State {
    /// What an operation gets without waiting, if that is settled.
    fn verdict(&self) -> Option<Result<&Arc<Watched>, &Cause>> {
        match (&self.connection, &self.trouble) {
            (Some(watched), _) if watched.pulse.beats() => Some(Ok(watched)),
            (_, Some(trouble)) if self.connecting => Some(Err(&trouble.cause)),
            _ => None,
        }
    }
}

fn owned<T: Clone, E: Clone>(verdict: Result<&T, &E>) -> Result<T, E> {
    verdict.cloned().map_err(E::clone)
}

impl Trouble {
    fn new(cause: Cause, place: &Place) -> Self {
        Self { cause, _counted: Counted::trouble(place) }
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
            attempts.spawn(async move { shared.open(SHORTEST_ATTEMPT).await });
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
        if let Some(shared) = self.shared.upgrade() {
            shared.connected(connection);
        }
    }

    fn failed(&self, cause: Cause) {
        let Some(shared) = self.shared.upgrade() else { return };
        let mut is_news = false;
        shared.state.send_modify(|state| {
            is_news = state.trouble.is_none();
            match &mut state.trouble {
                Some(trouble) => trouble.cause = cause.clone(),
                None => state.trouble = Some(Trouble::new(cause.clone(), &shared.place)),
            }
            // A server that answers, if only with a refusal of another connection, may serve on the one that it has.
            if cause.is_silence() {
                state.connection = None;
            }
        });
        if is_news {
            tell!(
                shared.told.down(),
                error,
                address = %shared.place,
                cause = %cause,
                "the session store is down, trying again and again"
            );
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
    async fn open(&self, at_least: Duration) -> Result<Watched, Cause> {
        let silent = |_| Cause::Unreachable { address: self.place.to_string(), reason: "no answer in time" };
        let opening = self.place.open(self.scripts);
        timeout(self.timeout.max(at_least).min(LONGEST_ATTEMPT), opening).await.map_err(silent)?
    }

    fn connected(&self, connection: Watched) {
        let server = Arc::clone(&connection.server);
        self.state.send_modify(|state| {
            *state = State {
                connection: Some(Arc::new(connection)),
                server: Some(Arc::clone(&server)),
                trouble: None,
                connecting: false,
            };
        });
        tell!(self.told.connected(), info, address = server.address, %server, "connected to the session store");
    }
}

/// Between half and the whole of it, so that many programs do not come back to a server all at once.
pub(super) fn jittered(pause: Duration) -> Duration {
    let share = f64::from(getrandom::u32().unwrap_or(0)) / f64::from(u32::MAX);
    pause.mul_f64(0.5 + share / 2.0)
}
