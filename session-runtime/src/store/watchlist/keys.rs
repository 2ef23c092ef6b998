//! The state of each watched session, free of I/O.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::source::Source;
use crate::store::{Lookup, SessionKey, StoreError};

/// The watched sessions, by key and by the time of the next look.
#[derive(Default)]
pub(super) struct Keys {
    pub(super) watched: HashMap<Arc<str>, Watched>,
    /// Every session that is not over, with the time of its next look.
    due: BTreeSet<(Instant, Arc<str>)>,
    looks: u64,
    /// The waiters to wake after the lock on the list is released. A woken task may use the list.
    pub(super) to_wake: Vec<Arc<Notify>>,
}

/// A watched session.
pub(super) struct Watched {
    key: SessionKey,
    /// The number of watches.
    watches: usize,
    pace: Pace,
    /// Wakes the waiters, after an end and after a change of the time of the next look.
    news: Arc<Notify>,
    /// The time of the next look. During a look, the time after which the look counts as lost.
    pub(super) due: Instant,
    looked_at: Option<Instant>,
    /// The number of the look under way.
    look: Option<u64>,
    /// The session has changed since the latest look was sent.
    has_changed: bool,
    /// The sender of news about the next change.
    pub(super) source: Option<Source>,
    is_over: bool,
    /// The number of looks without an answer since the latest answer.
    pub(super) failures: u32,
}

/// The times between looks at a session.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    /// The longest time between two looks, even without news.
    pub(crate) interval: Duration,
    /// The longest time of a look.
    pub(crate) timeout: Duration,
}

/// The next step of a waiter.
pub(crate) enum Step {
    /// The session was over at the latest look.
    Over,
    /// Look at these sessions.
    Look(Vec<PendingLook>),
    /// Wait for news until this moment.
    Wait(Instant),
}

/// A look that was started and has no result yet.
pub(crate) struct PendingLook {
    pub(crate) key: SessionKey,
    number: u64,
}

/// The result of a look.
pub(crate) enum LookResult {
    /// The session is live. The next change is told by this source, if any.
    Live {
        expires_in: Duration,
        source: Option<Source>,
    },
    /// The session is live, and about to move to another server.
    #[cfg_attr(not(feature = "redis"), expect(dead_code, reason = "only a cluster moves sessions"))]
    Moving,
    /// The store has no live session under the key.
    Over,
    Failed,
}

impl LookResult {
    /// Returns the result for a store whose changes are told in another way, or not at all.
    pub(crate) fn untold(expires_in: Result<Lookup<Duration>, StoreError>) -> Self {
        match expires_in {
            Ok(Lookup::Found(expires_in)) => Self::Live { expires_in, source: None },
            Ok(Lookup::Missing | Lookup::Dead) => Self::Over,
            Err(_) => Self::Failed,
        }
    }
}

impl Pace {
    /// Returns the pace for watches with either pace.
    fn and(self, other: Self) -> Self {
        Self {
            interval: self.interval.min(other.interval),
            timeout: self.timeout.max(other.timeout),
        }
    }
}

/// The shortest time between two looks at a session, however often the session changes.
const SHORTEST_INTERVAL: Duration = Duration::from_secs(1);
/// The longest time between two looks without an answer.
const LONGEST_RETRY: Duration = Duration::from_secs(4);
/// The number of sessions that are looked at together.
pub(super) const TOGETHER: usize = 500;
/// Expiry on the server and our clock may differ a little.
const AFTER_EXPIRY: Duration = Duration::from_millis(20);
/// The time after the timeout of a look until the look counts as lost.
const GRACE: Duration = Duration::from_secs(1);

impl Keys {
    pub(super) fn len(&self) -> usize {
        self.watched.len()
    }

    /// Adds a watch of a session, and returns the signal of news.
    pub(super) fn add(&mut self, key: &SessionKey, pace: Pace, now: Instant) -> Arc<Notify> {
        if let Some(watched) = self.watched.get_mut(key.expose_secret()) {
            watched.watches += 1;
            watched.pace = watched.pace.and(pace);
            let (news, latest) = (Arc::clone(&watched.news), now + watched.pace.interval);
            self.look_by(key.expose_secret(), latest);
            return news;
        }
        let name: Arc<str> = key.expose_secret().into();
        let news = Arc::<Notify>::default();
        let watched = Watched {
            key: key.clone(),
            watches: 1,
            pace,
            news: Arc::clone(&news),
            due: now,
            looked_at: None,
            look: None,
            has_changed: false,
            source: None,
            is_over: false,
            failures: 0,
        };
        self.due.insert((now, Arc::clone(&name)));
        self.watched.insert(name, watched);
        news
    }

    /// Removes a watch of a session.
    pub(super) fn remove(&mut self, key: &SessionKey) {
        let Some(watched) = self.watched.get_mut(key.expose_secret()) else { return };
        watched.watches -= 1;
        if watched.watches == 0
            && let Some((name, watched)) = self.watched.remove_entry(key.expose_secret())
        {
            self.due.remove(&(watched.due, name));
        }
    }

    /// Returns the next step of a waiter for this session.
    pub(super) fn step(&mut self, key: &SessionKey, now: Instant) -> Step {
        match self.watched.get(key.expose_secret()) {
            Some(watched) if watched.is_over => Step::Over,
            Some(watched) if watched.due > now => Step::Wait(watched.due),
            _ => Step::Look(self.begin_looks(key, now)),
        }
    }

    /// Starts a look at this session, and at others that are due.
    fn begin_looks(&mut self, key: &SessionKey, now: Instant) -> Vec<PendingLook> {
        let own = self.begin(key.expose_secret(), now);
        let due = self.due.iter().take_while(|(due, _)| *due <= now).take(TOGETHER - 1);
        let others: Vec<_> = due.map(|(_, name)| Arc::clone(name)).collect();
        let others = others.iter().filter_map(|name| self.begin(name, now));
        own.into_iter().chain(others).collect()
    }

    fn begin(&mut self, name: &str, now: Instant) -> Option<PendingLook> {
        self.looks += 1;
        let number = self.looks;
        let watched = self.watched.get_mut(name)?;
        watched.look = Some(number);
        watched.looked_at = Some(now);
        (watched.has_changed, watched.source) = (false, None);
        let (key, lost_at) = (watched.key.clone(), now + watched.pace.timeout + GRACE);
        self.reschedule(name, Some(lost_at));
        Some(PendingLook { key, number })
    }

    /// Gives a look its time from now on. Returns `false` for a look that was taken for lost.
    pub(super) fn renew(&mut self, look: &PendingLook, now: Instant) -> bool {
        let name = look.key.expose_secret();
        let Some(watched) = self.watched.get(name).filter(|it| it.look == Some(look.number)) else {
            return false;
        };
        let lost_at = now + watched.pace.timeout + GRACE;
        self.reschedule(name, Some(lost_at));
        true
    }

    /// Records the result of a look. The result of a look that was taken for lost does not count.
    pub(super) fn looked(&mut self, look: &PendingLook, result: LookResult, now: Instant) {
        let name = look.key.expose_secret();
        let Some(watched) = self.watched.get_mut(name) else { return };
        if watched.look != Some(look.number) {
            return;
        }
        watched.look = None;
        watched.failures = match result {
            LookResult::Failed => watched.failures.saturating_add(1),
            _ => 0,
        };
        let soon = watched.soon(now);
        let next = match result {
            LookResult::Over => {
                watched.is_over = true;
                None
            }
            LookResult::Live { expires_in, source } => {
                let is_certain =
                    !watched.has_changed && !source.as_ref().is_some_and(Source::has_ended);
                let quiet = watched.pace.interval.min(expires_in.saturating_add(AFTER_EXPIRY));
                watched.source = source.filter(|_| is_certain);
                Some(if is_certain { soon.max(now + quiet) } else { soon })
            }
            LookResult::Moving => Some(soon),
            LookResult::Failed => Some(now + watched.pause()),
        };
        self.reschedule(name, next);
    }

    /// Records a change of a session.
    #[cfg(any(test, feature = "redis"))]
    pub(super) fn changed(&mut self, name: &str, now: Instant) {
        let Some(watched) = self.watched.get_mut(name) else { return };
        watched.source = None;
        watched.has_changed = true;
        let soon = watched.soon(now);
        self.look_by(name, soon);
    }

    /// Lets a session be looked at again, although the latest look found it ended.
    pub(super) fn look_again(&mut self, key: &SessionKey, now: Instant) {
        let Some(watched) = self.watched.get_mut(key.expose_secret()) else { return };
        if watched.is_over {
            watched.is_over = false;
            watched.failures = watched.failures.saturating_add(1);
            let again = now + watched.pause();
            self.reschedule(key.expose_secret(), Some(again));
        }
    }

    /// Lets a session be looked at now, whenever it was due.
    pub(super) fn hurry(&mut self, name: &str, now: Instant) {
        let Some(watched) = self.watched.get_mut(name) else { return };
        watched.has_changed = true;
        self.look_by(name, now);
    }

    /// Returns whether the next change of a session will be told.
    #[cfg(feature = "redis")]
    pub(super) fn has_source(&self, key: &SessionKey) -> bool {
        let watched = self.watched.get(key.expose_secret());
        watched.is_some_and(|watched| watched.source.is_some())
    }

    /// Has a session looked at no later than this, unless a look is under way.
    fn look_by(&mut self, name: &str, latest: Instant) {
        let Some(watched) = self.watched.get(name) else { return };
        if watched.look.is_none() && !watched.is_over && latest < watched.due {
            self.reschedule(name, Some(latest));
        }
    }

    /// Sets the time of the next look. Waiters only have to know of an earlier time, and of an end.
    fn reschedule(&mut self, name: &str, due: Option<Instant>) {
        let Some((name, watched)) = self.watched.get_key_value(name) else { return };
        let (name, before) = (Arc::clone(name), watched.due);
        self.due.remove(&(before, Arc::clone(&name)));
        let Some(watched) = self.watched.get_mut(&name) else { return };
        if let Some(due) = due {
            watched.due = due;
            self.due.insert((due, name));
        }
        if due.is_none_or(|due| due < before) {
            self.to_wake.push(Arc::clone(&watched.news));
        }
    }
}

impl Watched {
    /// Returns the earliest time of the next look.
    fn soon(&self, now: Instant) -> Instant {
        self.looked_at.map_or(now, |looked_at| now.max(looked_at + SHORTEST_INTERVAL))
    }

    /// Returns the time until the next look after looks without an answer, longer each time.
    fn pause(&self) -> Duration {
        let doublings = self.failures.saturating_sub(1).min(2);
        LONGEST_RETRY.min(SHORTEST_INTERVAL * 2_u32.pow(doublings)).min(self.pace.interval)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::SessionId;

    const SECOND: Duration = Duration::from_secs(1);
    const PACE: Pace = Pace { interval: Duration::from_secs(60), timeout: SECOND };

    /// A list with its time.
    struct List {
        keys: Keys,
        now: Instant,
    }

    impl List {
        /// Creates a list with this number of watched sessions.
        fn of(sessions: u64) -> Self {
            let (mut keys, now) = (Keys::default(), Instant::now());
            for number in 0..sessions {
                keys.add(&key(number), PACE, now);
            }
            Self { keys, now }
        }

        fn at(&mut self, seconds: f64) -> Instant {
            self.now + Duration::from_secs_f64(seconds)
        }

        /// Returns the looks that a waiter for the session starts.
        fn looks(&mut self, number: u64, seconds: f64) -> Vec<PendingLook> {
            let now = self.at(seconds);
            match self.keys.step(&key(number), now) {
                Step::Look(looks) => looks,
                Step::Over => panic!("over"),
                Step::Wait(until) => panic!("waits for {:?}", until - now),
            }
        }

        /// Returns the seconds until the next look, since the start.
        fn due(&mut self, number: u64) -> f64 {
            match self.keys.step(&key(number), self.now - SECOND) {
                Step::Wait(until) => (until - self.now).as_secs_f64(),
                _ => panic!("a step now"),
            }
        }

        fn is_over(&mut self, number: u64) -> bool {
            matches!(self.keys.step(&key(number), self.now - SECOND), Step::Over)
        }

        fn report(&mut self, looks: &[PendingLook], seconds: f64, result: fn() -> LookResult) {
            let now = self.at(seconds);
            looks.iter().for_each(|look| self.keys.looked(look, result(), now));
        }
    }

    fn key(number: u64) -> SessionKey {
        let id = SessionId::parse(&format!("{number:A>40}")).unwrap();
        SessionKey::new("app", &id)
    }

    fn live() -> LookResult {
        LookResult::Live { expires_in: Duration::from_secs(3600), source: Some(Source::default()) }
    }

    #[test]
    fn a_quiet_session_is_looked_at_once_in_an_interval() {
        let mut list = List::of(1);
        let looks = list.looks(0, 0.0);
        assert_eq!(list.due(0), 2.0, "the look counts as lost then");
        list.report(&looks, 0.5, live);
        assert_eq!(list.due(0), 60.5);
        let looks = list.looks(0, 60.5);
        list.report(&looks, 61.0, || LookResult::Live { expires_in: SECOND, source: None });
        assert_eq!(list.due(0), 62.02, "the session expires");
        let looks = list.looks(0, 62.02);
        list.report(&looks, 62.03, || LookResult::Live { expires_in: SECOND / 1000, source: None });
        assert_eq!(list.due(0), 63.02, "a second after the look before");
    }

    #[test]
    fn a_busy_session_is_looked_at_once_a_second() {
        let mut list = List::of(1);
        let looks = list.looks(0, 0.0);
        list.report(&looks, 0.1, live);
        for seconds in [0.2, 0.3] {
            let now = list.at(seconds);
            list.keys.changed(key(0).expose_secret(), now);
            assert_eq!(list.due(0), 1.0);
        }
        let looks = list.looks(0, 5.0);
        list.report(&looks, 5.1, live);
        let now = list.at(8.0);
        list.keys.changed(key(0).expose_secret(), now);
        assert_eq!(list.due(0), 8.0, "no look was in the last second");
    }

    #[test]
    fn a_look_before_a_change_does_not_count() {
        let mut list = List::of(1);
        let looks = list.looks(0, 0.0);
        let now = list.at(0.1);
        list.keys.changed(key(0).expose_secret(), now);
        list.report(&looks, 0.2, live);
        assert_eq!(list.due(0), 1.0);
    }

    #[test]
    fn a_look_over_a_connection_that_has_ended_does_not_count() {
        let mut list = List::of(1);
        let looks = list.looks(0, 0.0);
        list.report(&looks, 0.2, || {
            let source = Source::default();
            #[cfg(feature = "redis")]
            source.end();
            LookResult::Live { expires_in: Duration::MAX, source: Some(source) }
        });
        assert_eq!(list.due(0), if cfg!(feature = "redis") { 1.0 } else { 60.2 });
    }

    #[test]
    fn a_lost_look_is_repeated_and_comes_too_late() {
        let mut list = List::of(1);
        let lost = list.looks(0, 0.0);
        let looks = list.looks(0, 2.0);
        list.report(&lost, 2.1, || LookResult::Over);
        assert!(!list.is_over(0));
        list.report(&looks, 2.2, || LookResult::Failed);
        assert_eq!(list.due(0), 3.2);
    }

    #[test]
    fn looks_without_an_answer_become_rarer() {
        let (mut list, mut seconds) = (List::of(1), 0.0);
        for pause in [1.0, 2.0, 4.0, 4.0] {
            let looks = list.looks(0, seconds);
            list.report(&looks, seconds, || LookResult::Failed);
            assert_eq!(list.due(0) - seconds, pause);
            seconds += pause;
        }
        let looks = list.looks(0, seconds);
        list.report(&looks, seconds, live);
        let looks = list.looks(0, seconds + 60.0);
        list.report(&looks, seconds + 60.0, || LookResult::Failed);
        assert_eq!(list.due(0) - seconds, 61.0);
    }

    #[test]
    fn a_long_look_can_be_renewed_until_it_is_lost() {
        let mut list = List::of(1);
        let looks = list.looks(0, 0.0);
        let now = list.at(1.5);
        assert!(list.keys.renew(&looks[0], now));
        assert_eq!(list.due(0), 3.5);
        let others = list.looks(0, 3.5);
        assert!(!list.keys.renew(&looks[0], now));
        list.report(&others, 3.6, live);
        assert_eq!(list.due(0), 63.6);
    }

    #[test]
    fn the_shorter_interval_of_two_watches_holds() {
        let mut list = List::of(1);
        let looks = list.looks(0, 0.0);
        list.report(&looks, 0.1, live);
        let now = list.at(5.0);
        list.keys.add(&key(0), Pace { interval: SECOND, ..PACE }, now);
        assert_eq!(list.due(0), 6.0);
        list.keys.add(&key(0), PACE, now);
        let looks = list.looks(0, 6.0);
        list.report(&looks, 6.1, live);
        assert_eq!(list.due(0), 7.1);
    }

    #[test]
    fn an_end_stays_until_another_look_is_wanted() {
        let mut list = List::of(1);
        let looks = list.looks(0, 0.0);
        list.report(&looks, 0.1, || LookResult::Over);
        let now = list.at(0.2);
        list.keys.changed(key(0).expose_secret(), now);
        assert!(list.is_over(0));
        list.keys.look_again(&key(0), now);
        assert_eq!(list.due(0), 1.2);
    }

    #[test]
    fn five_hundred_due_sessions_are_looked_at_together() {
        let mut list = List::of(700);
        assert_eq!(list.looks(0, 0.0).len(), 500);
        let others = list.keys.due.iter().filter(|(due, _)| *due <= list.now).count();
        assert_eq!(others, 200);
    }

    #[test]
    fn a_session_leaves_with_its_last_watch() {
        let mut list = List::of(1);
        list.keys.add(&key(0), PACE, list.now);
        list.keys.remove(&key(0));
        assert_eq!((list.keys.len(), list.keys.due.len()), (1, 1));
        let looks = list.looks(0, 0.0);
        list.keys.remove(&key(0));
        list.report(&looks, 0.1, live);
        assert_eq!((list.keys.len(), list.keys.due.len()), (0, 0));
    }
}
