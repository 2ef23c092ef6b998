//! The connection to one endpoint, which is opened, watched and reopened.

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
use crate::store::redis::near::Lease;
use crate::store::redis::net::connection::role::{Role, RoleQuery};
use crate::store::redis::net::connection::{
    ConnectionHealth, LiveConnection, NewsFeed, ServerInfo,
};
use crate::store::redis::net::endpoint::Endpoint;
use crate::store::redis::net::generation::GenerationCounter;
use crate::store::redis::net::listeners::Listeners;
use crate::store::redis::net::outage_log::{OutageLog, log_first};
use crate::store::redis::net::request::{Exchange, Request, RequestError};

/// A connection that all requests share, and that is replaced when necessary.
///
/// - The connection is opened on first use, or by [`connect`](Self::connect).
/// - An operation that finds the connection lost waits for a new connection, until the deadline of
///   the operation.
/// - If the first attempt to reconnect fails, the server counts as down. Operations fail at once
///   and nothing queues, while one task keeps trying. If the lease of the task has expired, because
///   the runtime is parked, the next operation starts another task on the operation's own runtime.
/// - An operation without an answer in time makes the connection suspect. A suspect connection gets
///   no new operations, and the task opens another connection. If the server answers there, the new
///   connection takes over, and waiting reads are sent again. If not, the server counts as down.
/// - A reply that only a replica gives retires all connections to the endpoint. The next connection
///   leads to the current master. An operation that a replica would also answer is sent with a
///   query for the role. The query is skipped if the server has proven to be the master within the
///   last second.
/// - A write after a second without operations first gives the driver a turn. The driver may not
///   have noticed the end of the connection.
///
/// The client's own reconnecting connection is not used. It waits for attempts outside any
/// deadline, and keeps a silent connection forever.
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
    /// The connection tells changes to these listeners, if any.
    listeners: Option<Listeners>,
}

/// The longest time for an attempt, even if operations have longer deadlines. The limit bounds the
/// number of concurrent attempts.
const LONGEST_ATTEMPT: Duration = Duration::from_secs(5);
/// The time in which an operation only waits for the reply, which is cheapest.
const USUALLY: Duration = Duration::from_millis(20);
/// The number of attempts of an operation to find the master.
const MASTER_ATTEMPTS: usize = 3;

impl Link {
    /// Creates a link that is not connected yet. Every connection loads these scripts before the
    /// first use.
    pub(crate) fn new(
        endpoint: Endpoint,
        scripts: &'static [&'static str],
        timeout: Duration,
    ) -> Self {
        Self::with(Shared {
            endpoint,
            scripts,
            timeout,
            state: watch::Sender::default(),
            log: OutageLog::default(),
            generations: GenerationCounter::default(),
            listeners: None,
        })
    }

    /// Returns another link to the same endpoint, which is not connected yet, and tells changes to
    /// this list, if any. The information about the server is taken from this link until the other
    /// link connects.
    pub(crate) fn fork(&self, listeners: Option<&Listeners>) -> Self {
        let Shared { endpoint, scripts, timeout, log, generations, .. } = &*self.shared;
        Self::with(Shared {
            endpoint: endpoint.clone(),
            scripts,
            timeout: *timeout,
            state: watch::Sender::new(State::disconnected_from(self.server())),
            log: log.clone(),
            generations: generations.clone(),
            listeners: listeners.cloned(),
        })
    }

    fn with(shared: Shared) -> Self {
        Self { shared: Arc::new(shared) }
    }

    /// Connects, in a single attempt.
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

    /// Returns the information about the server from the latest connection, or `None` before the
    /// first connection.
    pub(crate) fn server(&self) -> Option<Arc<ServerInfo>> {
        self.shared.state.borrow().server.clone()
    }

    /// Returns whether the server of the next operation is known not to support expiries of single
    /// fields. Without a connection nothing is known, because the next server may be another.
    pub(crate) fn lacks_field_expiry(&self) -> bool {
        self.is_connected_to(|server| !server.supports_field_expiry)
    }

    /// Returns whether the server of the next operation is known to have `HSETEX`, and has not
    /// refused the command.
    pub(crate) fn can_overwrite(&self) -> bool {
        self.is_connected_to(ServerInfo::can_overwrite)
    }

    fn is_connected_to(&self, is_so: impl FnOnce(&ServerInfo) -> bool) -> bool {
        let state = self.shared.state.borrow();
        matches!(self.shared.immediate_result(&state), Some(Ok(live)) if is_so(&live.server))
    }

    /// Returns the time for which values from the present connection count, if there is one.
    pub(crate) fn lease(&self) -> Option<Arc<Lease>> {
        let state = self.shared.state.borrow();
        let Some(Ok(live)) = self.shared.immediate_result(&state) else { return None };
        live.news.as_ref().map(|news| Arc::clone(news.lease()))
    }

    /// Records that the server refused `HSETEX`.
    pub(crate) fn record_overwrite_refused(&self) {
        self.server().inspect(|server| server.record_overwrite_refused());
    }

    /// Sends a request, and returns the reply. Error replies are returned as replies.
    ///
    /// A write is only sent again if a server that is no longer the master has proven that nothing
    /// was carried out. An idempotent request is also sent again without this proof.
    pub(crate) async fn send<R: Request>(
        &self,
        request: &R,
        is_asking: bool,
        deadline: Instant,
    ) -> Result<Exchange<R::Reply>, RequestError> {
        let begun = deadline.checked_sub(self.shared.timeout).unwrap_or(deadline);
        let mut tries = MASTER_ATTEMPTS;
        loop {
            let live = self
                .checked_connection::<R>(begun, deadline)
                .await
                .map_err(RequestError::NotSent)?;
            let question = role_query(request, &live, begun).await;
            let mut connection = live.connection.clone();
            let reply = {
                // Pinned here. If passed by value, the future would be copied into every future on
                // the way, and make each as large.
                let sent = pin!(request.send_on(&mut connection, is_asking));
                let sent = pin!(live.coalescer.coalesce(sent));
                self.reply::<R, _>(sent, &live.health, begun, deadline).await?
            };
            let role = match question {
                Some(question) => question.answer(deadline).await,
                None => Role::Unknown,
            };
            let is_of_master = self.is_of_master(request, &live, &reply, role, begun);
            let exchange = Exchange { reply, connection: live, was_asking: is_asking };
            if is_of_master {
                return Ok(exchange);
            }
            let retryable = R::retryable_code(&exchange.reply);
            // A cluster node that became a replica names the master, which proves that nothing was
            // carried out.
            if retryable.is_some_and(|code| !code.is_not_master()) {
                return Ok(exchange);
            }
            let was_refused = retryable.is_some();
            tries -= 1;
            match tries {
                1.. if was_refused || R::IS_IDEMPOTENT => {}
                _ if was_refused => return Ok(exchange),
                // Only another connection was refused. This connection may still have led to the
                // master.
                _ if !R::IS_IDEMPOTENT && role != Role::Replica => return Ok(exchange),
                _ => return Err(RequestError::NoReply(Cause::Server(Code::ReadOnly))),
            }
        }
    }

    /// Returns a connection for a request. No write is handed over to a connection that has ended
    /// unnoticed.
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

    /// Returns whether the reply is from the master, as far as known.
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

    /// Returns the reply. Returns `None` if the connection ends first, or if a new connection takes
    /// over and the operation may be repeated there.
    ///
    /// The end of the connection is awaited separately. If an operation is handed over while the
    /// connection ends, the operation may be neither answered nor returned. That lasts for as long
    /// as the operation keeps the connection's queue alive (tokio's issue 7714).
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

    /// Starts a task that connects, unless there is a connection, or a task with the lease is
    /// connecting.
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
                "lost the connection to the session store, reconnecting"
            );
        }
    }

    /// Makes this connection suspect if it is still in use, and starts a task that opens another.
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
                "no reply from the session store in time, opening a new connection"
            );
        }
    }

    /// Starts a task that connects, if wanted and if no task holds the lease. A separate task is
    /// used because the request may be dropped during the attempt.
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

/// Writes the endpoint, for messages.
impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.shared.endpoint.fmt(f)
    }
}

fn owned<T: Clone, E: Clone>(result: Result<&T, &E>) -> Result<T, E> {
    result.cloned().map_err(E::clone)
}

/// Sends a query for the role ahead of an operation that a replica would also answer, if a query is
/// due.
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

/// Returns the reply. Error replies are values here, so the remaining errors are broken connections
/// and violations of the protocol.
fn received<T>(reply: RedisResult<T>, health: &ConnectionHealth) -> Option<T> {
    reply.inspect_err(|_| health.close()).ok()
}

impl Shared {
    /// Returns the result that an operation gets without waiting, if there is such a result.
    fn immediate_result<'a>(
        &self,
        state: &'a State,
    ) -> Option<Result<&'a Arc<LiveConnection>, &'a Cause>> {
        state.immediate_result(self.generations.current())
    }

    /// Opens a connection to a server that answers.
    async fn open(&self, at_least: Duration) -> Result<LiveConnection, Cause> {
        let silent = |_| Cause::Unreachable {
            address: self.endpoint.to_string(),
            reason: "no reply in time",
        };
        let listeners = self.listeners.as_ref();
        let opening = self.endpoint.open(self.scripts, self.generations.current(), listeners);
        timeout(self.timeout.max(at_least).min(LONGEST_ATTEMPT), opening).await.map_err(silent)?
    }

    fn connected(&self, connection: LiveConnection) {
        let connection = Arc::new(connection);
        let (server, news) = (Arc::clone(&connection.server), connection.news.clone());
        if let Some(news) = &news {
            let weak = Arc::downgrade(&connection);
            news.lease().begin(weak);
        }
        self.state.send_modify(|state| state.connected(connection));
        news.inspect(NewsFeed::begin);
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
    async fn an_operation_on_a_closing_connection_does_not_wait() {
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
        // The connection has already ended.
        let never = pin!(pending::<RedisResult<()>>());
        assert_eq!(link.reply_or_end::<Cmd, _>(never, &health).await, None);
    }

    #[tokio::test]
    async fn only_repeatable_operations_leave_a_replaced_connection() {
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
