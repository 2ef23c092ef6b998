//! The connection to one endpoint: made, watched and made again.

mod reconnect;
mod state;

use std::fmt;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use redis::RedisResult;
use tokio::sync::watch;
use tokio::time::{Instant, timeout, timeout_at};

use self::reconnect::ReconnectTask;
use self::state::State;
use crate::store::ConnectionState;
use crate::store::redis::cause::{Cause, Code};
use crate::store::redis::net::connection::role::{Role, RoleQuery};
use crate::store::redis::net::connection::{ConnectionHealth, LiveConnection, ServerInfo};
use crate::store::redis::net::endpoint::Endpoint;
use crate::store::redis::net::generation::GenerationCounter;
use crate::store::redis::net::outage_log::{OutageLog, log_first};
use crate::store::redis::net::request::{Request, RequestError};

/// One connection that all requests share, and its successors.
///
/// - It is made when it is first used, or when it is [awaited](Self::connect).
/// - An operation that finds the connection lost waits for a new one, within its own deadline.
/// - If the first attempt at a new one fails, the server counts as down: operations fail at once,
///   and nothing queues, while one task goes on trying. If its lease has expired, because its
///   runtime is parked, the next operation has another task try on its own runtime.
/// - An operation without an answer in time makes the connection suspect, which takes no new ones:
///   the task opens another, which takes its place if the server answers there. What only reads,
///   and waits on the old one, is sent again. If the server does not answer there either, it counts
///   as down.
/// - A reply that only a replica gives ends the use of all connections to the endpoint: the next
///   one leads to wherever the master is then. An operation that a replica would answer too brings
///   the question for the role along, unless the server has proven within the last second that it
///   is the master.
/// - A write that follows a second of idleness is handed over after the driver had a turn: it may
///   not have noticed the connection's end.
///
/// The client's own reconnecting connection is not used: it waits for attempts outside any deadline
/// and keeps a silent connection for ever.
#[derive(Clone)]
pub(crate) struct Link {
    shared: Arc<Shared>,
}

struct Shared {
    endpoint: Endpoint,
    scripts: &'static [&'static str],
    timeout: Duration,
    state: watch::Sender<State>,
    log: OutageLog,
    generations: GenerationCounter,
}

/// However patient operations are, this bounds how many attempts hang side by side.
const LONGEST_ATTEMPT: Duration = Duration::from_secs(5);
/// An operation that takes no longer than this waits for nothing but its reply, which costs least.
const USUALLY: Duration = Duration::from_millis(20);
/// How often one operation looks for the master.
const MASTER_ATTEMPTS: usize = 3;

impl Link {
    /// A link that is not connected yet. Every connection loads these scripts before it is used.
    pub(crate) fn new(
        endpoint: Endpoint,
        scripts: &'static [&'static str],
        timeout: Duration,
    ) -> Self {
        Self::with_state(
            endpoint,
            scripts,
            timeout,
            OutageLog::default(),
            GenerationCounter::default(),
            State::default(),
        )
    }

    /// Another link to the same endpoint, not connected yet. What the server is, it takes from this
    /// one until it knows better.
    pub(crate) fn fork(&self) -> Self {
        let Shared { endpoint, scripts, timeout, log, generations, .. } = &*self.shared;
        let state = State::disconnected_from(self.server());
        Self::with_state(
            endpoint.clone(),
            scripts,
            *timeout,
            log.clone(),
            generations.clone(),
            state,
        )
    }

    fn with_state(
        endpoint: Endpoint,
        scripts: &'static [&'static str],
        timeout: Duration,
        log: OutageLog,
        generations: GenerationCounter,
        state: State,
    ) -> Self {
        let state = watch::Sender::new(state);
        Self { shared: Arc::new(Shared { endpoint, scripts, timeout, state, log, generations }) }
    }

    /// Connects, in one attempt.
    pub(crate) async fn connect(&self) -> Result<(), Cause> {
        self.shared.connected(self.shared.open(self.shared.timeout).await?);
        Ok(())
    }

    pub(crate) fn connection_state(&self) -> ConnectionState {
        let state = self.shared.state.borrow();
        match self.shared.immediate_result(&state) {
            Some(Ok(_)) => ConnectionState::Connected,
            Some(Err(_)) => ConnectionState::Disconnected,
            None => ConnectionState::Connecting,
        }
    }

    /// The server's account of itself at the latest connection. Nothing before the first one.
    pub(crate) fn server(&self) -> Option<Arc<ServerInfo>> {
        self.shared.state.borrow().server.clone()
    }

    /// Whether the server that the next operation goes to is known not to expire single fields.
    /// While there is no connection, nothing is known: the next server may be another.
    pub(crate) fn lacks_field_expiry(&self) -> bool {
        self.is_connected_to(|server| !server.supports_field_expiry)
    }

    /// Whether the server that the next operation goes to is known to have `HSETEX`, and not known
    /// to refuse it.
    pub(crate) fn can_overwrite(&self) -> bool {
        self.is_connected_to(ServerInfo::can_overwrite)
    }

    fn is_connected_to(&self, is_so: impl FnOnce(&ServerInfo) -> bool) -> bool {
        let state = self.shared.state.borrow();
        matches!(self.shared.immediate_result(&state), Some(Ok(live)) if is_so(&live.server))
    }

    /// The server has refused `HSETEX`.
    pub(crate) fn record_overwrite_refused(&self) {
        self.server().inspect(|server| server.record_overwrite_refused());
    }

    /// Sends a request, and gives the reply. An error reply is a reply.
    ///
    /// Sent again only after a reply that proves that nothing was carried out, by a server that is
    /// no master any more.
    pub(crate) async fn send<R: Request>(
        &self,
        request: &R,
        is_asking: bool,
        deadline: Instant,
    ) -> Result<R::Reply, RequestError> {
        let begun = deadline.checked_sub(self.shared.timeout).unwrap_or(deadline);
        let mut tries = MASTER_ATTEMPTS;
        loop {
            let live = self
                .checked_connection::<R>(begun, deadline)
                .await
                .map_err(RequestError::NotSent)?;
            let question = role_query(request, &live, begun).await;
            let mut connection = live.connection.clone();
            // Pinned here: passed by value it would be copied into every future on the way, and be
            // as large in each.
            let sent = pin!(request.send_on(&mut connection, is_asking));
            let sent = pin!(live.coalescer.coalesce(sent));
            let reply = self.reply::<R, _>(sent, &live.health, begun, deadline).await?;
            let role = match question {
                Some(question) => question.answer(deadline).await,
                None => Role::Unknown,
            };
            if self.is_of_master(request, &live, &reply, role, begun) {
                return Ok(reply);
            }
            let retryable = R::retryable_code(&reply);
            // A node of a cluster that became a replica names the master, which proves that nothing
            // was carried out.
            if retryable.is_some_and(|code| !code.is_not_master()) {
                return Ok(reply);
            }
            let was_refused = retryable.is_some();
            tries -= 1;
            match tries {
                1.. if was_refused || R::IS_IDEMPOTENT => {}
                _ if was_refused => return Ok(reply),
                // Another connection was refused: this one may have led to the master still.
                _ if !R::IS_IDEMPOTENT && role != Role::Replica => return Ok(reply),
                _ => return Err(RequestError::NoReply(Cause::Server(Code::ReadOnly))),
            }
        }
    }

    /// A connection on which no write is handed over after an end that nobody noticed.
    async fn checked_connection<R: Request>(
        &self,
        begun: Instant,
        deadline: Instant,
    ) -> Result<Arc<LiveConnection>, Cause> {
        loop {
            let live = self.connection(deadline).await?;
            let may_have_ended = !R::IS_IDEMPOTENT && live.activity.is_idle(begun);
            if may_have_ended && timeout_at(deadline, live.let_driver_run()).await.is_err() {
                self.suspect(&live.health);
                return Err(Cause::TimedOut(self.shared.timeout));
            }
            live.activity.record_use(begun);
            if !may_have_ended {
                return Ok(live);
            }
        }
    }

    /// Whether the reply is that of the master, as far as is known by now.
    fn is_of_master<R: Request>(
        &self,
        request: &R,
        live: &LiveConnection,
        reply: &R::Reply,
        role: Role,
        begun: Instant,
    ) -> bool {
        let is_proven = request.proves_master(reply);
        if R::denies_master(reply) || role == Role::Replica {
            self.shared.generations.retire(live.generation);
        } else if is_proven || role == Role::Master {
            live.activity.record_master(begun);
        }
        is_proven || live.generation == self.shared.generations.current()
    }

    async fn reply<R: Request, T>(
        &self,
        mut reply: Pin<&mut impl Future<Output = RedisResult<T>>>,
        health: &ConnectionHealth,
        begun: Instant,
        deadline: Instant,
    ) -> Result<T, RequestError> {
        let usual = timeout_at(deadline.min(begun + USUALLY), reply.as_mut()).await;
        let replied = match usual {
            Ok(reply) => Ok(received(reply, health)),
            Err(_) => timeout_at(deadline, self.reply_or_end::<R, _>(reply, health)).await,
        };
        match replied {
            Ok(Some(reply)) => Ok(reply),
            Ok(None) => Err(RequestError::NoReply(Cause::Lost)),
            Err(_) => {
                self.suspect(health);
                Err(RequestError::NoReply(Cause::TimedOut(self.shared.timeout)))
            }
        }
    }

    /// The reply; nothing if the connection ends first, or if another takes its place and the
    /// operation may be repeated there.
    ///
    /// The end is waited for by itself: an operation that is handed over while a connection ends
    /// may be neither answered nor given back, for as long as it keeps the connection's queue
    /// alive (tokio's issue 7714).
    async fn reply_or_end<R: Request, T>(
        &self,
        mut reply: Pin<&mut impl Future<Output = RedisResult<T>>>,
        health: &ConnectionHealth,
    ) -> Option<T> {
        let mut states = self.shared.state.subscribe();
        let mut replaced = pin!(states.wait_for(|state| R::IS_IDEMPOTENT && !state.has(health)));
        let mut closed = pin!(health.closed());
        poll_fn(|cx| match reply.as_mut().poll(cx) {
            Poll::Ready(reply) => Poll::Ready(received(reply, health)),
            Poll::Pending => {
                let is_over =
                    closed.as_mut().poll(cx).is_ready() || replaced.as_mut().poll(cx).is_ready();
                if is_over { Poll::Ready(None) } else { Poll::Pending }
            }
        })
        .await
    }

    async fn connection(&self, deadline: Instant) -> Result<Arc<LiveConnection>, Cause> {
        if let Some(result) = self.shared.immediate_result(&self.shared.state.borrow()) {
            return owned(result);
        }
        let mut states = self.shared.state.subscribe();
        while Instant::now() < deadline {
            self.connect_soon();
            let lease_ends_at = states.borrow().lease_ends_at().unwrap_or(deadline);
            let settled = states
                .wait_for(|state| self.shared.immediate_result(state).is_some() || state.is_free());
            if let Ok(Ok(state)) = timeout_at(deadline.min(lease_ends_at), settled).await
                && let Some(result) = self.shared.immediate_result(&state)
            {
                return owned(result);
            }
        }
        Err(Cause::TimedOut(self.shared.timeout))
    }

    /// Has a task connect, unless there is a connection, or a task that holds the lease makes one.
    pub(crate) fn connect_soon(&self) {
        let mut had_one = false;
        let begins = self.begin_connecting(|state| {
            had_one = state.connection.is_some() && !state.is_suspect;
            self.shared.immediate_result(state).is_none()
        });
        if begins && had_one {
            log_first!(
                self.shared.log.record_suspected(),
                warn,
                address = %self.shared.endpoint,
                "lost the connection to the session store, connecting again"
            );
        }
    }

    /// Makes this connection suspect, if it is still the one in use, and has a task open another.
    fn suspect(&self, health: &ConnectionHealth) {
        let begins = self.begin_connecting(|state| {
            let is_in_use = state.has(health) && !state.is_suspect;
            state.is_suspect |= is_in_use && state.is_free();
            is_in_use
        });
        if begins {
            let address = tracing::field::display(&self.shared.endpoint);
            let is_first = self.shared.log.record_suspected();
            log_first!(
                is_first,
                warn,
                address,
                "no answer from the session store in time, trying a new connection"
            );
        }
    }

    /// Has a task connect, if that is wanted, and no task holds the lease. A task of its own: a
    /// request that is dropped must not take the attempt with it.
    fn begin_connecting(&self, is_wanted: impl FnOnce(&mut State) -> bool) -> bool {
        let mut lease = None;
        self.shared.state.send_if_modified(|state| {
            lease = (is_wanted(state) && state.is_free()).then(|| state.grant_lease());
            lease.is_some()
        });
        if let Some(lease) = lease {
            tokio::spawn(ReconnectTask { shared: Arc::downgrade(&self.shared), lease }.run());
        }
        lease.is_some()
    }
}

/// For messages: its endpoint.
impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.shared.endpoint.fmt(f)
    }
}

fn owned<T: Clone, E: Clone>(result: Result<&T, &E>) -> Result<T, E> {
    result.cloned().map_err(E::clone)
}

/// The question for the role, handed over ahead of an operation that a replica would answer too, if
/// it is due.
async fn role_query<R: Request>(
    request: &R,
    live: &LiveConnection,
    begun: Instant,
) -> Option<RoleQuery> {
    if request.needs_master() || !live.activity.is_role_check_due(begun) {
        return None;
    }
    Some(RoleQuery::hand_over(&live.connection).await)
}

/// Error replies are values here: what is left are broken connections and broken protocol.
fn received<T>(reply: RedisResult<T>, health: &ConnectionHealth) -> Option<T> {
    reply.inspect_err(|_| health.close()).ok()
}

impl Shared {
    /// The result that an operation gets without waiting, if there is one.
    fn immediate_result<'a>(
        &self,
        state: &'a State,
    ) -> Option<Result<&'a Arc<LiveConnection>, &'a Cause>> {
        state.immediate_result(self.generations.current())
    }

    /// Opens a connection on which the server answers.
    async fn open(&self, at_least: Duration) -> Result<LiveConnection, Cause> {
        let silent = |_| Cause::Unreachable {
            address: self.endpoint.to_string(),
            reason: "no answer in time",
        };
        let opening = self.endpoint.open(self.scripts, self.generations.current());
        timeout(self.timeout.max(at_least).min(LONGEST_ATTEMPT), opening).await.map_err(silent)?
    }

    fn connected(&self, connection: LiveConnection) {
        let server = Arc::clone(&connection.server);
        self.state.send_modify(|state| state.connected(connection));
        log_first!(self.log.record_connected(), info, address = server.address, %server, "connected to the session store");
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use redis::{Cmd, ConnectionAddr, IntoConnectionInfo};

    use super::*;
    use crate::store::redis::net::connect_options::ConnectOptions;
    use crate::store::redis::net::request::Idempotent;

    #[tokio::test]
    async fn an_operation_that_a_connection_took_at_its_end_does_not_wait() {
        let (link, health) = (nowhere(), ConnectionHealth::default());
        let never = pin!(pending::<RedisResult<()>>());
        let waiting = tokio::spawn({
            let health = health.clone();
            async move { health.closed().await }
        });
        let mut over = pin!(link.reply_or_end::<Cmd, _>(never, &health));
        assert!(poll_fn(|cx| Poll::Ready(over.as_mut().poll(cx).is_pending())).await);
        health.close();
        assert_eq!(over.await, None);
        waiting.await.unwrap();
        // Of one that ended before.
        let never = pin!(pending::<RedisResult<()>>());
        assert_eq!(link.reply_or_end::<Cmd, _>(never, &health).await, None);
    }

    #[tokio::test]
    async fn only_what_may_be_repeated_leaves_a_connection_that_has_been_replaced() {
        let (link, health) = (nowhere(), ConnectionHealth::default());
        let never = pin!(pending::<RedisResult<()>>());
        assert_eq!(link.reply_or_end::<Idempotent<'_, Cmd>, _>(never, &health).await, None);
        let never = pin!(pending::<RedisResult<()>>());
        let mut write = pin!(link.reply_or_end::<Cmd, _>(never, &health));
        assert!(poll_fn(|cx| Poll::Ready(write.as_mut().poll(cx).is_pending())).await);
    }

    fn nowhere() -> Link {
        let info = ConnectionAddr::Tcp("localhost".into(), 1).into_connection_info().unwrap();
        let endpoint =
            Endpoint::Server(Box::new(ConnectOptions::new(info, None).connector().unwrap()));
        Link::new(endpoint, &[], Duration::from_secs(1))
    }
}
