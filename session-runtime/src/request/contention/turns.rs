//! Turns for updates of the same field in this process.

use std::collections::VecDeque;
use std::collections::hash_map::{Entry, HashMap};
use std::future::poll_fn;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use crate::id::SessionId;

/// A field of a session.
pub(super) type Contended = (SessionId, &'static str);

/// The queues of updates in this process, for each contended field.
///
/// A turn is a courtesy and not a lock. An update that proceeds without its turn may lose an
/// attempt, or cause another update to lose. So no update depends on another runtime. A turn
/// without a sign of life is taken over by an update that is polled.
#[derive(Default)]
pub(crate) struct Turns {
    lines: Mutex<Lines>,
    /// The number of queues, for a check without the lock.
    in_use: AtomicUsize,
}

#[derive(Default)]
struct Lines {
    by_field: HashMap<Contended, Line>,
    next_ticket: u64,
}

/// A place in a queue, until dropped.
pub(super) struct Turn<'a> {
    turns: &'a Turns,
    field: Contended,
    ticket: u64,
}

/// The queue is so long that the deadline cannot be met.
#[derive(Debug)]
pub(super) struct Full;

/// The maximum number of updates that wait for a field. Each takes two round trips or more, so the
/// last update waits for about a second.
const MOST_WAITING: usize = 1_000;

impl Turns {
    /// Returns whether any update has a turn, on any field.
    pub(crate) fn are_in_use(&self) -> bool {
        self.in_use.load(Ordering::Relaxed) > 0
    }

    /// Returns a place at the end of the queue. `None` if there is no queue and `begins` is
    /// `false`.
    pub(super) fn join(&self, field: Contended, begins: bool) -> Result<Option<Turn<'_>>, Full> {
        let mut lines = self.lock();
        let ticket = lines.next_ticket;
        match lines.by_field.entry(field) {
            Entry::Occupied(line) if line.get().waiting.len() >= MOST_WAITING => return Err(Full),
            Entry::Occupied(mut line) => line.get_mut().wait(ticket, Waker::noop()),
            Entry::Vacant(_) if !begins => return Ok(None),
            Entry::Vacant(free) => {
                free.insert(Line::new(ticket, Instant::now()));
                self.in_use.fetch_add(1, Ordering::Relaxed);
            }
        }
        lines.next_ticket += 1;
        Ok(Some(Turn { turns: self, field, ticket }))
    }

    fn lock(&self) -> MutexGuard<'_, Lines> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Turn<'_> {
    /// Waits for this turn, and returns whether the turn came before the deadline. Call this before
    /// each attempt, as a sign of life for the others. `patience` is the time without a sign of
    /// life after which a turn is taken over.
    pub(super) async fn come(&self, patience: Duration, deadline: Instant) -> bool {
        let mut look_again_at = Instant::now();
        loop {
            let until = look_again_at;
            let its_turn = poll_fn(|cx| match self.look(patience, cx.waker()) {
                Ok(()) => Poll::Ready(()),
                Err(overdue_at) => {
                    look_again_at = overdue_at.min(deadline);
                    Poll::Pending
                }
            });
            if timeout_at(until, its_turn).await.is_ok() {
                return true;
            } else if Instant::now() >= deadline {
                return false;
            }
        }
    }

    fn look(&self, patience: Duration, waker: &Waker) -> Result<(), Instant> {
        let (now, mut lines) = (Instant::now(), self.turns.lock());
        // The queue may be gone, if others took over this silent turn.
        let line = lines.by_field.entry(self.field).or_insert_with(|| {
            self.turns.in_use.fetch_add(1, Ordering::Relaxed);
            Line::new(self.ticket, now)
        });
        line.look(self.ticket, patience, now, waker)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut lines = self.turns.lock();
        let Entry::Occupied(mut line) = lines.by_field.entry(self.field) else { return };
        let next = match line.get_mut().leave(self.ticket, Instant::now()) {
            Left::Nobody => {
                line.remove();
                self.turns.in_use.fetch_sub(1, Ordering::Relaxed);
                None
            }
            Left::Waiting(next) => next,
        };
        drop(lines);
        if let Some(next) = next {
            next.wake();
        }
    }
}

struct Line {
    /// The ticket that has the turn.
    turn: u64,
    /// The time of the last sign of life.
    heard_at: Instant,
    /// The other tickets, next first.
    waiting: VecDeque<Waiting>,
}

struct Waiting {
    ticket: u64,
    waker: Waker,
}

/// The rest of a queue after an update has left.
enum Left {
    Nobody,
    /// With the waker of the next update, if its turn has come.
    Waiting(Option<Waker>),
}

impl Line {
    fn new(ticket: u64, now: Instant) -> Self {
        Self { turn: ticket, heard_at: now, waiting: VecDeque::new() }
    }

    /// Returns whether this ticket has the turn. If not, the ticket waits, and the error holds the
    /// time at which the current turn is overdue.
    fn look(
        &mut self,
        ticket: u64,
        patience: Duration,
        now: Instant,
        waker: &Waker,
    ) -> Result<(), Instant> {
        let overdue_at = self.heard_at + patience;
        if self.turn != ticket {
            if now < overdue_at {
                self.wait(ticket, waker);
                return Err(overdue_at);
            }
            self.move_behind(ticket);
        }
        self.give_turn_to(ticket, now);
        Ok(())
    }

    fn wait(&mut self, ticket: u64, waker: &Waker) {
        match self.waiting.iter_mut().find(|waiting| waiting.ticket == ticket) {
            Some(waiting) => waiting.waker.clone_from(waker),
            None => self.waiting.push_back(Waiting { ticket, waker: waker.clone() }),
        }
    }

    /// Removes a ticket from the queue. The tickets in front did not notice that the turn was
    /// overdue. They are probably not polled any more, and move to the end.
    fn move_behind(&mut self, ticket: u64) {
        if let Some(place) = self.waiting.iter().position(|waiting| waiting.ticket == ticket) {
            self.waiting.rotate_left(place);
            self.waiting.pop_front();
        }
    }

    fn give_turn_to(&mut self, ticket: u64, now: Instant) {
        self.turn = ticket;
        self.heard_at = now;
    }

    fn leave(&mut self, ticket: u64, now: Instant) -> Left {
        if self.turn != ticket {
            self.waiting.retain(|waiting| waiting.ticket != ticket);
            return Left::Waiting(None);
        }
        let Some(next) = self.waiting.pop_front() else { return Left::Nobody };
        self.give_turn_to(next.ticket, now);
        Left::Waiting(Some(next.waker))
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::sync::Arc;
    use std::time::SystemTime;

    use super::*;
    use crate::id::LifetimeId;

    const PATIENCE: Duration = Duration::from_secs(1);
    const ANY: Duration = Duration::from_secs(3600);

    fn contended() -> Contended {
        (SessionId::generate(SystemTime::now(), LifetimeId::default()).unwrap(), "count")
    }

    impl Turns {
        fn place(&self, field: Contended) -> Turn<'_> {
            self.join(field, true).unwrap().unwrap()
        }
    }

    impl Turn<'_> {
        /// Waits without a limit, and takes over no turn.
        async fn comes(&self) -> bool {
            self.come(ANY, Instant::now() + ANY).await
        }

        /// Checks once.
        async fn has_come(&self) -> bool {
            let mut coming = pin!(self.comes());
            poll_fn(|cx| Poll::Ready(coming.as_mut().poll(cx).is_ready())).await
        }
    }

    #[tokio::test]
    async fn turns_come_in_the_order_of_the_line() {
        let (turns, field) = (Turns::default(), contended());
        let [first, second, third] = [(); 3].map(|()| turns.place(field));
        assert!(first.has_come().await && !second.has_come().await && !third.has_come().await);
        assert!(turns.are_in_use());
        drop(first);
        assert!(!third.has_come().await && second.has_come().await);
        drop(second);
        assert!(third.has_come().await && third.has_come().await, "for as many tries as it needs");
        drop(third);
        assert!(!turns.are_in_use() && turns.lock().by_field.is_empty());
    }

    #[tokio::test]
    async fn fields_and_sessions_do_not_wait_for_each_other() {
        let (turns, field) = (Turns::default(), contended());
        let others = [field, (field.0, "other"), contended()].map(|field| turns.place(field));
        for other in &others {
            assert!(other.has_come().await);
        }
    }

    #[tokio::test]
    async fn a_queue_starts_after_a_lost_attempt() {
        let (turns, field) = (Turns::default(), contended());
        assert!(turns.join(field, false).unwrap().is_none());
        let _first = turns.place(field);
        assert!(turns.join(field, false).unwrap().is_some());
    }

    #[tokio::test]
    async fn dropped_waiters_are_skipped() {
        let (turns, field) = (Turns::default(), contended());
        let [first, second, third] = [(); 3].map(|()| turns.place(field));
        assert!(!second.has_come().await && !third.has_come().await);
        drop(second);
        let (came, ()) = tokio::join!(third.comes(), async { drop(first) });
        assert!(came);
    }

    #[tokio::test]
    async fn all_waiters_of_a_queue_are_woken_in_turn() {
        let (turns, field) = (Arc::new(Turns::default()), contended());
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..100 {
            let turns = Arc::clone(&turns);
            tasks.spawn(async move {
                let turn = turns.place(field);
                assert!(turn.comes().await);
                tokio::task::yield_now().await;
            });
        }
        tasks.join_all().await;
        assert!(!turns.are_in_use());
    }

    #[tokio::test]
    async fn a_queue_has_a_maximum_length() {
        let (turns, field) = (Turns::default(), contended());
        let mut places: Vec<_> = (0..=MOST_WAITING).map(|_| turns.place(field)).collect();
        assert!(turns.join(field, true).is_err());
        places.pop();
        assert!(turns.join(field, true).is_ok());
    }

    #[tokio::test]
    async fn a_silent_turn_is_taken_over_and_returns() {
        let (turns, field) = (Turns::default(), contended());
        let [silent, second] = [(); 2].map(|()| turns.place(field));
        assert!(silent.has_come().await);
        assert!(second.come(Duration::from_millis(10), Instant::now() + ANY).await);
        assert!(!silent.has_come().await, "it was taken over");
        drop(second);
        assert!(silent.has_come().await);
        let [second] = [(); 1].map(|()| turns.place(field));
        assert!(second.come(Duration::from_millis(10), Instant::now() + ANY).await);
        drop(second);
        assert!(!turns.are_in_use());
        assert!(silent.has_come().await, "the line had ended without it");
        drop(silent);
        assert!(!turns.are_in_use());
    }

    #[tokio::test]
    async fn a_deadline_ends_the_wait() {
        let (turns, field) = (Turns::default(), contended());
        let [first, second] = [(); 2].map(|()| turns.place(field));
        assert!(first.has_come().await);
        assert!(!second.come(ANY, Instant::now() + Duration::from_millis(10)).await);
        drop((first, second));
        assert!(!turns.are_in_use());
    }

    /// A queue in which each ticket has looked once, at a given time.
    fn line(tickets: u64, now: Instant) -> Line {
        let mut line = Line::new(0, now);
        (1..tickets).for_each(|ticket| line.wait(ticket, Waker::noop()));
        line
    }

    #[test]
    fn an_active_turn_is_not_overdue() {
        let mut now = Instant::now();
        let mut line = line(2, now);
        for _ in 0..10 {
            assert!(line.look(0, PATIENCE, now, Waker::noop()).is_ok());
            assert_eq!(line.look(1, PATIENCE, now, Waker::noop()), Err(now + PATIENCE));
            now += PATIENCE / 2;
        }
        now += PATIENCE / 2;
        assert!(line.look(1, PATIENCE, now, Waker::noop()).is_ok());
    }

    /// The number does not matter. A whole runtime may be parked, for example.
    #[test]
    fn waiters_that_are_no_longer_polled_delay_the_others_once() {
        let mut now = Instant::now();
        let mut line = line(100, now);
        let began = now;
        for alive in 50..100 {
            while let Err(look_again_at) = line.look(alive, PATIENCE, now, Waker::noop()) {
                now = look_again_at;
            }
            assert!(matches!(line.leave(alive, now), Left::Waiting(Some(_))));
        }
        assert_eq!(now, began + PATIENCE);
    }
}
