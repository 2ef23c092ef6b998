//! The connection to one place: made, watched and made again.

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

use self::reconnect::Connector;
use self::state::State;
use crate::store::ConnectionState;
use crate::store::redis::cause::{Cause, Code};
use crate::store::redis::net::connect_options::Place;
use crate::store::redis::net::connection::role::{Role, RoleQuestion};
use crate::store::redis::net::connection::{Pulse, Server, Watched};
use crate::store::redis::net::generation::Reigns;
use crate::store::redis::net::outage_log::{Told, tell};
use crate::store::redis::net::request::Exchange;

/// One connection that all requests share, and its successors.
///
/// - It is made when it is first used, or when it is [awaited](Self::connect).
/// - An operation that finds the connection lost waits for a new one, within its own deadline.
/// - If the first attempt at a new one fails, the server counts as down: operations fail at once, and nothing queues, while one task goes on
///   trying. If that task is overdue, because its runtime is parked, the next operation takes its place on its own runtime.
/// - An operation without an answer in time casts doubt on the connection, which takes no new ones: the task opens another, which takes its
///   place if the server answers there. What only reads, and waits on the old one, is sent again. If the server does not answer there
///   either, it counts as down.
/// - A reply that only a replica gives ends the use of all connections to the place: the next one leads to wherever the master is then.
///   An operation that a replica would answer too brings the question for the role along, unless the server has proven within the last
///   second that it is the master.
/// - A write that follows a second of idleness is handed over after the driver had a turn: it may not have noticed the connection's end.
///
/// The client's own reconnecting connection is not used: it waits for attempts outside any deadline and keeps a silent connection for ever.
#[derive(Clone)]
pub(crate) struct Link {
    shared: Arc<Shared>,
}

/// Why an exchange gave no reply.
#[derive(Debug)]
pub(crate) enum Fault {
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
    reigns: Reigns,
}

/// However patient operations are, this bounds how many attempts hang side by side.
const LONGEST_ATTEMPT: Duration = Duration::from_secs(5);
/// An operation that takes no longer than this waits for nothing but its reply, which costs least.
const USUALLY: Duration = Duration::from_millis(20);
/// How often one operation looks for the master anew.
const MASTERS_TRIED: usize = 3;

impl Link {
    /// A link that is not connected yet. Every connection loads these scripts before it is used.
    pub(crate) fn new(place: Place, scripts: &'static [&'static str], timeout: Duration) -> Self {
        Self::sharing(place, scripts, timeout, Told::default(), Reigns::default(), State::default())
    }

    /// Another one to the same place, not connected yet. What the server is, it takes from this one until it knows better.
    pub(crate) fn anew(&self) -> Self {
        let Shared { place, scripts, timeout, told, reigns, .. } = &*self.shared;
        let state = State::of(self.server());
        Self::sharing(place.clone(), scripts, *timeout, told.clone(), reigns.clone(), state)
    }

    fn sharing(
        place: Place,
        scripts: &'static [&'static str],
        timeout: Duration,
        told: Told,
        reigns: Reigns,
        state: State,
    ) -> Self {
        let state = watch::Sender::new(state);
        Self { shared: Arc::new(Shared { place, scripts, timeout, state, told, reigns }) }
    }

    /// Connects, in one attempt.
    pub(crate) async fn connect(&self) -> Result<Arc<Server>, Cause> {
        let connection = self.shared.open(self.shared.timeout).await?;
        let server = Arc::clone(&connection.server);
        self.shared.connected(connection);
        Ok(server)
    }

    pub(crate) fn connection_state(&self) -> ConnectionState {
        let state = self.shared.state.borrow();
        match self.shared.verdict(&state) {
            Some(Ok(_)) => ConnectionState::Connected,
            Some(Err(_)) => ConnectionState::Disconnected,
            None => ConnectionState::Connecting,
        }
    }

    /// What the server said when it was connected to last; nothing before the first connection.
    pub(crate) fn server(&self) -> Option<Arc<Server>> {
        self.shared.state.borrow().server.clone()
    }

    /// Whether the server that the next operation goes to is known not to expire single fields. While there is no connection, nothing is
    /// known: the next server may be another.
    pub(crate) fn lacks_field_expiry(&self) -> bool {
        self.leads_to_one(|server| !server.supports_field_expiry)
    }

    /// Whether the server that the next operation goes to is known to have `HSETEX`, and not known to refuse it.
    pub(crate) fn can_overwrite(&self) -> bool {
        self.leads_to_one(Server::can_overwrite)
    }

    fn leads_to_one(&self, is_so: impl FnOnce(&Server) -> bool) -> bool {
        let state = self.shared.state.borrow();
        matches!(self.shared.verdict(&state), Some(Ok(watched)) if is_so(&watched.server))
    }

    /// The server has refused `HSETEX`.
    pub(crate) fn note_cannot_overwrite(&self) {
        self.server().inspect(|server| server.note_cannot_overwrite());
    }

    /// Sends what is to be sent, and gives the reply. An error reply is a reply.
    ///
    /// Sent again only after a reply that proves that nothing was carried out, by a server that is no master any more.
    pub(crate) async fn exchange<E: Exchange>(
        &self,
        exchange: &E,
        is_asking: bool,
        deadline: Instant,
    ) -> Result<E::Reply, Fault> {
        let begun = deadline.checked_sub(self.shared.timeout).unwrap_or(deadline);
        let mut tries = MASTERS_TRIED;
        loop {
            let watched = self.settled_connection::<E>(begun, deadline).await.map_err(Fault::NotSent)?;
            let question = role_question(exchange, &watched, begun).await;
            let mut connection = watched.connection.clone();
            // Pinned here: passed by value it would be copied into every future on the way, and be as large in each.
            let sent = pin!(exchange.send(&mut connection, is_asking));
            let sent = pin!(watched.gathering.gather(sent));
            let reply = self.reply::<E, _>(sent, &watched.pulse, begun, deadline).await?;
            let role = match question {
                Some(question) => question.answer(deadline).await,
                None => Role::Unknown,
            };
            if self.is_of_master(exchange, &watched, &reply, role, begun) {
                return Ok(reply);
            }
            let elsewhere = E::elsewhere(&reply);
            // A node of a cluster that became a replica names the master, which proves that nothing was carried out.
            if elsewhere.is_some_and(|code| !code.tells_of_another_master()) {
                return Ok(reply);
            }
            let was_refused = elsewhere.is_some();
            tries -= 1;
            match tries {
                1.. if was_refused || E::MAY_BE_REPEATED => {}
                _ if was_refused => return Ok(reply),
                // Another connection was refused: this one may have led to the master still.
                _ if !E::MAY_BE_REPEATED && role != Role::Replica => return Ok(reply),
                _ => return Err(Fault::NoReply(Cause::Server(Code::ReadOnly))),
            }
        }
    }

    /// A connection that did not end unnoticed before a write is handed over.
    async fn settled_connection<E: Exchange>(
        &self,
        begun: Instant,
        deadline: Instant,
    ) -> Result<Arc<Watched>, Cause> {
        loop {
            let watched = self.connection(deadline).await?;
            let has_to_settle = !E::MAY_BE_REPEATED && watched.usage.is_idle(begun);
            if has_to_settle && timeout_at(deadline, watched.settle()).await.is_err() {
                self.doubt(&watched.pulse);
                return Err(Cause::TimedOut(self.shared.timeout));
            }
            watched.usage.note_use(begun);
            if !has_to_settle {
                return Ok(watched);
            }
        }
    }

    /// Whether the reply is that of the master, as far as is known by now.
    fn is_of_master<E: Exchange>(
        &self,
        exchange: &E,
        watched: &Watched,
        reply: &E::Reply,
        role: Role,
        begun: Instant,
    ) -> bool {
        let is_proven = exchange.proves_master(reply);
        if E::denies_master(reply) || role == Role::Replica {
            self.shared.reigns.end(watched.reign);
        } else if is_proven || role == Role::Master {
            watched.usage.prove_role(begun);
        }
        is_proven || watched.reign == self.shared.reigns.current()
    }

    async fn reply<E: Exchange, T>(
        &self,
        mut reply: Pin<&mut impl Future<Output = RedisResult<T>>>,
        pulse: &Pulse,
        begun: Instant,
        deadline: Instant,
    ) -> Result<T, Fault> {
        let usual = timeout_at(deadline.min(begun + USUALLY), reply.as_mut()).await;
        let replied = match usual {
            Ok(reply) => Ok(received(reply, pulse)),
            Err(_) => timeout_at(deadline, self.unless_over::<E, _>(reply, pulse)).await,
        };
        match replied {
            Ok(Some(reply)) => Ok(reply),
            Ok(None) => Err(Fault::NoReply(Cause::Lost)),
            Err(_) => {
                self.doubt(pulse);
                Err(Fault::NoReply(Cause::TimedOut(self.shared.timeout)))
            }
        }
    }

    /// The reply; nothing if the connection ends first, or if another takes its place and the operation may be repeated there.
    ///
    /// The end is waited for by itself: an operation that is handed over while a connection ends may be neither answered nor
    /// given back, for as long as it keeps the connection's queue alive (tokio's issue 7714).
    async fn unless_over<E: Exchange, T>(
        &self,
        mut reply: Pin<&mut impl Future<Output = RedisResult<T>>>,
        pulse: &Pulse,
    ) -> Option<T> {
        let mut states = self.shared.state.subscribe();
        let mut replaced = pin!(states.wait_for(|state| E::MAY_BE_REPEATED && !state.has(pulse)));
        let mut stopped = pin!(pulse.stopped());
        poll_fn(|cx| match reply.as_mut().poll(cx) {
            Poll::Ready(reply) => Poll::Ready(received(reply, pulse)),
            Poll::Pending => {
                let is_over = stopped.as_mut().poll(cx).is_ready() || replaced.as_mut().poll(cx).is_ready();
                if is_over { Poll::Ready(None) } else { Poll::Pending }
            }
        })
        .await
    }

    async fn connection(&self, deadline: Instant) -> Result<Arc<Watched>, Cause> {
        if let Some(verdict) = self.shared.verdict(&self.shared.state.borrow()) {
            return owned(verdict);
        }
        let mut states = self.shared.state.subscribe();
        while Instant::now() < deadline {
            self.connect_soon();
            let overdue_at = states.borrow().overdue_at().unwrap_or(deadline);
            let settled = states.wait_for(|state| self.shared.verdict(state).is_some() || state.is_free());
            if let Ok(Ok(state)) = timeout_at(deadline.min(overdue_at), settled).await
                && let Some(verdict) = self.shared.verdict(&state)
            {
                return owned(verdict);
            }
        }
        Err(Cause::TimedOut(self.shared.timeout))
    }

    /// Has a task connect, unless there is a connection, or one is being made by a task that is not overdue.
    pub(crate) fn connect_soon(&self) {
        let mut had_one = false;
        let begins = self.begin_turn(|state| {
            had_one = state.connection.is_some() && !state.is_doubted;
            self.shared.verdict(state).is_none()
        });
        if begins && had_one {
            tell!(
                self.shared.told.doubted(),
                warn,
                address = %self.shared.place,
                "lost the connection to the session store, connecting again"
            );
        }
    }

    /// Opens a connection in place of this one, if it is still the one in use.
    fn doubt(&self, pulse: &Pulse) {
        let begins = self.begin_turn(|state| {
            let is_in_use = state.has(pulse) && !state.is_doubted;
            state.is_doubted |= is_in_use && state.is_free();
            is_in_use
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
        }
    }

    /// Has a task connect, if that is wanted, and nobody does or is overdue. A task of its own: a request that is dropped must not take the
    /// attempt with it.
    fn begin_turn(&self, is_wanted: impl FnOnce(&mut State) -> bool) -> bool {
        let mut turn = None;
        self.shared.state.send_if_modified(|state| {
            turn = (is_wanted(state) && state.is_free()).then(|| state.begin_turn());
            turn.is_some()
        });
        if let Some(turn) = turn {
            tokio::spawn(Connector { shared: Arc::downgrade(&self.shared), turn }.run());
        }
        turn.is_some()
    }
}

/// Where it leads.
impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.shared.place.fmt(f)
    }
}

fn owned<T: Clone, E: Clone>(verdict: Result<&T, &E>) -> Result<T, E> {
    verdict.cloned().map_err(E::clone)
}

/// The question for the role, handed over ahead of an operation that a replica would answer too, if it is due.
async fn role_question<E: Exchange>(exchange: &E, watched: &Watched, begun: Instant) -> Option<RoleQuestion> {
    if exchange.needs_master() || !watched.usage.is_role_due(begun) {
        return None;
    }
    Some(RoleQuestion::hand_over(&watched.connection).await)
}

/// Error replies are values here: what is left are broken connections and broken protocol.
fn received<T>(reply: RedisResult<T>, pulse: &Pulse) -> Option<T> {
    reply.inspect_err(|_| pulse.stop()).ok()
}

impl Shared {
    /// The result that an operation gets without waiting, if that is settled.
    fn verdict<'a>(&self, state: &'a State) -> Option<Result<&'a Arc<Watched>, &'a Cause>> {
        state.verdict(self.reigns.current())
    }

    /// Opens a connection on which the server answers.
    async fn open(&self, at_least: Duration) -> Result<Watched, Cause> {
        let silent = |_| Cause::Unreachable { address: self.place.to_string(), reason: "no answer in time" };
        let opening = self.place.open(self.scripts, self.reigns.current());
        timeout(self.timeout.max(at_least).min(LONGEST_ATTEMPT), opening).await.map_err(silent)?
    }

    fn connected(&self, connection: Watched) {
        let server = Arc::clone(&connection.server);
        self.state.send_modify(|state| state.connected(connection));
        tell!(self.told.connected(), info, address = server.address, %server, "connected to the session store");
    }
}

/// Between half and the whole of it, so that many programs do not come back to a server all at once.
pub(crate) fn jittered(pause: Duration) -> Duration {
    let share = f64::from(getrandom::u32().unwrap_or(0)) / f64::from(u32::MAX);
    pause.mul_f64(0.5 + share / 2.0)
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use redis::{Cmd, ConnectionAddr, IntoConnectionInfo};

    use super::*;
    use crate::store::redis::net::connect_options::Dial;
    use crate::store::redis::net::request::Repeatable;

    #[tokio::test]
    async fn an_operation_that_a_connection_took_at_its_end_does_not_wait() {
        let (link, pulse) = (nowhere(), Pulse::default());
        let never = pin!(pending::<RedisResult<()>>());
        let waiting = tokio::spawn({
            let pulse = pulse.clone();
            async move { pulse.stopped().await }
        });
        let mut over = pin!(link.unless_over::<Cmd, _>(never, &pulse));
        assert!(poll_fn(|cx| Poll::Ready(over.as_mut().poll(cx).is_pending())).await);
        pulse.stop();
        assert_eq!(over.await, None);
        waiting.await.unwrap();
        // Of one that ended before.
        let never = pin!(pending::<RedisResult<()>>());
        assert_eq!(link.unless_over::<Cmd, _>(never, &pulse).await, None);
    }

    #[tokio::test]
    async fn only_what_may_be_repeated_leaves_a_connection_that_has_been_replaced() {
        let (link, pulse) = (nowhere(), Pulse::default());
        let never = pin!(pending::<RedisResult<()>>());
        assert_eq!(link.unless_over::<Repeatable<'_, Cmd>, _>(never, &pulse).await, None);
        let never = pin!(pending::<RedisResult<()>>());
        let mut write = pin!(link.unless_over::<Cmd, _>(never, &pulse));
        assert!(poll_fn(|cx| Poll::Ready(write.as_mut().poll(cx).is_pending())).await);
    }

    fn nowhere() -> Link {
        let info = ConnectionAddr::Tcp("localhost".into(), 1).into_connection_info().unwrap();
        let place = Place::Server(Box::new(Dial::new(info, None).endpoint().unwrap()));
        Link::new(place, &[], Duration::from_secs(1))
    }
}
