//! The connection that a link has, and the attempts at another one.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::store::redis::cause::Cause;
use crate::store::redis::net::connect_options::Place;
use crate::store::redis::net::connection::{Pulse, Server, Watched};
use crate::store::redis::net::generation::Reign;
use crate::telemetry::GaugeGuard;

#[derive(Default)]
pub(crate) struct State {
    pub(crate) connection: Option<Arc<Watched>>,
    /// An operation on the connection got no answer in time. It takes no new ones until something speaks for it.
    pub(crate) is_doubted: bool,
    /// The server of this connection, or of the one before it.
    pub(crate) server: Option<Arc<Server>>,
    pub(crate) trouble: Option<Trouble>,
    turn: Option<Turn>,
    /// How many there have been.
    turns: u64,
}

/// Why the latest attempt failed, until one succeeds.
pub(crate) struct Trouble {
    pub(crate) cause: Cause,
    _gauge: GaugeGuard,
}

/// The task that connects. There is one at a time.
struct Turn {
    number: u64,
    /// From then on its runtime counts as parked, and any operation may take the next turn.
    overdue_at: Instant,
}

/// How late a runtime that is not parked may be.
const GRACE: Duration = Duration::from_millis(150);

impl State {
    /// Without a connection. The server was this one, for all that is known.
    pub(crate) fn of(server: Option<Arc<Server>>) -> Self {
        Self { server, ..Self::default() }
    }

    /// The result that an operation gets in this reign without waiting, if that is settled.
    pub(crate) fn verdict(&self, reign: Reign) -> Option<Result<&Arc<Watched>, &Cause>> {
        let serves = |watched: &Watched| watched.reign == reign && watched.pulse.beats();
        match (&self.connection, &self.trouble) {
            (Some(watched), _) if !self.is_doubted && serves(watched) => Some(Ok(watched)),
            (_, Some(trouble)) if !self.is_free() => Some(Err(&trouble.cause)),
            _ => None,
        }
    }

    /// Whether this is the connection that it has, doubted or not.
    pub(crate) fn has(&self, pulse: &Pulse) -> bool {
        self.connection.as_ref().is_some_and(|watched| watched.pulse.is_same(pulse))
    }

    /// Whether nobody connects, or a task that is overdue.
    pub(crate) fn is_free(&self) -> bool {
        self.overdue_at().is_none_or(|overdue_at| overdue_at <= Instant::now())
    }

    /// Until when the task that connects has to give a sign of life, if there is one.
    pub(crate) fn overdue_at(&self) -> Option<Instant> {
        self.turn.as_ref().map(|turn| turn.overdue_at)
    }

    /// Begins the turn of another task, and gives its number. Its attempt is worth waiting for, whatever became of earlier ones.
    pub(crate) fn begin_turn(&mut self) -> u64 {
        self.turns += 1;
        self.trouble = None;
        self.turn = Some(Turn { number: self.turns, overdue_at: Instant::now() + GRACE });
        self.turns
    }

    /// Notes a sign of life of the task whose turn this is: the next one follows within this time. Tells whether it still has the turn.
    pub(crate) fn prolong_turn(&mut self, number: u64, next: Duration) -> bool {
        let Some(turn) = self.turn.as_mut().filter(|turn| turn.number == number) else { return false };
        turn.overdue_at = Instant::now() + next + GRACE;
        true
    }

    /// Ends this turn, if nobody has taken the next one. The next operation connects.
    pub(crate) fn end_turn(&mut self, number: u64) -> bool {
        let is_its_turn = self.turn.as_ref().is_some_and(|turn| turn.number == number);
        if is_its_turn {
            (self.turn, self.trouble) = (None, None);
        }
        is_its_turn
    }

    /// Puts a new connection in place of the one that it has.
    pub(crate) fn connected(&mut self, connection: Watched) {
        *self = Self {
            server: Some(Arc::clone(&connection.server)),
            connection: Some(Arc::new(connection)),
            turns: self.turns,
            ..Self::default()
        };
    }

    /// Notes a failed attempt, and tells whether it is the first one.
    pub(crate) fn failed(&mut self, cause: Cause, place: &Place, reign: Reign) -> bool {
        self.connection.take_if(|watched| cause.is_silence() || watched.reign != reign);
        // A server that answers, if only with a refusal of another connection, may serve on the one that it has.
        self.is_doubted = false;
        let is_first = self.trouble.is_none();
        match &mut self.trouble {
            Some(trouble) => trouble.cause = cause,
            None => self.trouble = Some(Trouble { cause, _gauge: GaugeGuard::failing_connection(place) }),
        }
        is_first
    }
}
