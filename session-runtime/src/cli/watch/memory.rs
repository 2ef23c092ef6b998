//! The sessions that a watch has seen, which tell events from mere reads and writes.

use std::hash::{BuildHasher as _, RandomState};
use std::time::{Duration, SystemTime};

use hashlink::LinkedHashMap;
use tokio::time::Instant;

use super::clock::Moment;
use super::event::{Event, What};
use crate::id::SessionId;
use crate::lifecycle::END_TOMBSTONE_FOR;
use crate::store::TombstoneKind;
use crate::store::redis::commands::key_state::KeyState;
use crate::store::redis::commands::tombstone::StoredTombstone;

/// The largest number of sessions that are remembered. Those without a change for the longest are
/// forgotten.
const LIMIT: usize = 500_000;

/// The time after which no earlier tombstone is left. A server deletes some expired keys late.
const EARLIER_ARE_GONE_AFTER: Duration = END_TOMBSTONE_FOR.saturating_add(Duration::from_secs(60));

/// The known sessions, each under a hash of its id.
pub(super) struct Memory {
    known: LinkedHashMap<u64, Known>,
    hasher: RandomState,
    begun: SystemTime,
    /// The time before which a session may have been created and forgotten.
    created_from: SystemTime,
    /// The moment before which an end may have been forgotten, or not seen.
    ends_from: Instant,
    limit: usize,
}

struct Known {
    seen: Seen,
    created_at: SystemTime,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Seen {
    Live,
    /// The end was seen, and there is a tombstone.
    Over,
    /// Nothing is stored any more.
    Gone,
}

impl Memory {
    /// Creates an empty memory. Earlier ends are no events, nor are sessions that were created
    /// earlier.
    pub(super) fn new(begun: Moment) -> Self {
        Self {
            known: LinkedHashMap::new(),
            hasher: RandomState::new(),
            begun: begun.time,
            created_from: begun.time,
            ends_from: begun.at,
            limit: LIMIT,
        }
    }

    /// Returns the events that explain why these sessions have changed, ordered by time. All keys
    /// that a script changes have to be together.
    pub(super) fn events(
        &mut self,
        changed: Vec<(SessionId, KeyState)>,
        now: Moment,
    ) -> Vec<Event> {
        let mut events = Vec::new();
        let (mut tombstones, mut others) = (Vec::new(), Vec::new());
        for (id, state) in changed {
            match state {
                KeyState::Tombstone(stored) => tombstones.push((id, stored)),
                state => others.push((id, state == KeyState::Live)),
            }
        }
        // A session may have had several ids, one after the other.
        tombstones.sort_by_key(|(_, stored)| {
            (stored.created_at, matches!(stored.kind, TombstoneKind::Destroyed(_)))
        });
        for (id, stored) in tombstones {
            self.ended(id, &stored, now, &mut events);
        }
        for (id, is_live) in others {
            match is_live {
                true => self.live(id, now, &mut events),
                false => self.missing(id, now, &mut events),
            }
        }
        events.sort_by_key(Event::time);
        events
    }

    fn ended(
        &mut self,
        id: SessionId,
        stored: &StoredTombstone,
        now: Moment,
        events: &mut Vec<Event>,
    ) {
        let before = self.remember(&id, Seen::Over, now);
        let is_new = stored.created_at.is_some_and(|at| at >= self.begun);
        let is_known = matches!(before, Some(Seen::Over | Seen::Gone));
        if is_known || (before.is_none() && !is_new) {
            return;
        }
        let ended_at = stored.created_at.unwrap_or(now.time);
        if before.is_none() {
            self.created(&id, ended_at, events);
        }
        if let TombstoneKind::Rotated(successor) | TombstoneKind::Renewed(successor) = &stored.kind
            && !self.known.contains_key(&self.hash(successor))
        {
            self.remember(successor, Seen::Live, now);
        }
        events.push(Event::of_end(&id, &stored.kind, ended_at));
    }

    fn live(&mut self, id: SessionId, now: Moment, events: &mut Vec<Event>) {
        if self.remember(&id, Seen::Live, now).is_none() {
            self.created(&id, now.time, events);
        }
    }

    fn missing(&mut self, id: SessionId, now: Moment, events: &mut Vec<Event>) {
        // The server may tell an expiry twice: its cause, such as `PEXPIRE`, and the deletion.
        let before = self.remember(&id, Seen::Gone, now);
        // The tombstones of ends that are not remembered expire as well.
        let earlier_are_gone =
            now.at.saturating_duration_since(self.ends_from) > EARLIER_ARE_GONE_AFTER;
        match before {
            Some(Seen::Over | Seen::Gone) => return,
            None if !self.is_new(&id) && !earlier_are_gone => return,
            None => self.created(&id, now.time, events),
            Some(Seen::Live) => {}
        }
        events.push(Event::new(&id, What::Expired, now.time));
    }

    /// Adds the creation of a session that was never seen, if it was after the beginning. The id
    /// has the time by another clock, which may be ahead of that of the next event.
    fn created(&self, id: &SessionId, at_most: SystemTime, events: &mut Vec<Event>) {
        if self.is_new(id) {
            events.push(Event::new(id, What::Created, id.created_at().min(at_most)));
        }
    }

    /// Returns whether the session was created after the beginning. The key of an id from Python
    /// does not tell.
    fn is_new(&self, id: &SessionId) -> bool {
        id.created_at() >= self.created_from
    }

    /// Remembers the session as the latest. Returns what was known before.
    fn remember(&mut self, id: &SessionId, seen: Seen, now: Moment) -> Option<Seen> {
        let (hash, created_at) = (self.hash(id), id.created_at());
        let before = self.known.remove(&hash).map(|known| known.seen);
        self.known.insert(hash, Known { seen, created_at });
        if self.known.len() > self.limit {
            self.forget_one(now);
        }
        before
    }

    /// Forgets the session without a change for the longest, which must not seem new later.
    fn forget_one(&mut self, now: Moment) {
        let Some((_, forgotten)) = self.known.pop_front() else { return };
        let later = forgotten.created_at.checked_add(Duration::from_secs(1));
        self.created_from = self.created_from.max(later.unwrap_or(now.time).min(now.time));
        if forgotten.seen == Seen::Over {
            self.ends_from = now.at;
        }
    }

    fn hash(&self, id: &SessionId) -> u64 {
        self.hasher.hash_one(id.as_equal_ascii())
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;
    use crate::id::LifetimeId;
    use crate::store::DestroyReason;

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn id(created_at: u64) -> SessionId {
        SessionId::generate(at(created_at), LifetimeId::default()).unwrap()
    }

    fn tombstone(kind: TombstoneKind, created_at: u64) -> KeyState {
        KeyState::Tombstone(StoredTombstone { kind, created_at: Some(at(created_at)) })
    }

    fn logged_out(created_at: u64) -> KeyState {
        tombstone(TombstoneKind::Destroyed(DestroyReason::LoggedOut), created_at)
    }

    /// A watch that began at 1,000.
    struct Watch {
        memory: Memory,
        begun: Moment,
    }

    impl Watch {
        fn new() -> Self {
            let begun = Moment { time: at(1_000), at: Instant::now() };
            Self { memory: Memory::new(begun), begun }
        }

        #[track_caller]
        fn tells(&mut self, changed: &[(SessionId, KeyState)], expected: &[(SessionId, &str)]) {
            self.tells_at(1_010, changed, expected);
        }

        #[track_caller]
        fn tells_at(
            &mut self,
            now: u64,
            changed: &[(SessionId, KeyState)],
            expected: &[(SessionId, &str)],
        ) {
            let told = self.events_at(now, changed);
            let told: Vec<_> = told.iter().map(Event::tag_and_name).collect();
            let expected: Vec<_> = expected.iter().map(|(id, name)| (id.tag(), *name)).collect();
            assert_eq!(told, expected);
        }

        fn events_at(&mut self, now: u64, changed: &[(SessionId, KeyState)]) -> Vec<Event> {
            let since = Duration::from_secs(now - 1_000);
            let now = Moment { time: at(now), at: self.begun.at + since };
            self.memory.events(changed.to_vec(), now)
        }
    }

    #[test]
    fn only_sessions_that_begin_after_the_watch_are_created() {
        let (mut watch, new, old) = (Watch::new(), id(1_000), id(999));
        watch.tells(&[(new, KeyState::Live), (old, KeyState::Live)], &[(new, "created")]);
        watch.tells(&[(new, KeyState::Live), (old, KeyState::Live)], &[]);
        watch.tells(
            &[(new, logged_out(1_002)), (old, logged_out(1_003))],
            &[(new, "ended"), (old, "ended")],
        );
        watch.tells(&[(new, logged_out(1_002)), (old, logged_out(1_003))], &[]);
        watch.tells(&[(new, KeyState::Missing), (old, KeyState::Missing)], &[]);
    }

    #[test]
    fn ends_before_the_watch_are_no_events() {
        let (mut watch, old) = (Watch::new(), id(900));
        watch.tells(&[(old, logged_out(999))], &[]);
        watch.tells(&[(old, KeyState::Missing)], &[]);
        // Expired, or a tombstone that nothing has touched since.
        watch.tells(&[(id(900), KeyState::Missing)], &[]);
        watch.tells_at(1_600, &[(id(900), KeyState::Missing)], &[]);
        let expired = id(900);
        watch.tells_at(1_661, &[(expired, KeyState::Missing)], &[(expired, "expired")]);
        watch.tells_at(1_662, &[(expired, KeyState::Missing)], &[]);
    }

    #[test]
    fn an_expiry_that_the_server_tells_twice_is_one_event() {
        let (mut watch, seen, unseen) = (Watch::new(), id(1_001), id(1_001));
        watch.tells(&[(seen, KeyState::Live)], &[(seen, "created")]);
        watch.tells(&[(seen, KeyState::Missing)], &[(seen, "expired")]);
        watch.tells(&[(unseen, KeyState::Missing)], &[(unseen, "created"), (unseen, "expired")]);
        watch.tells(&[(seen, KeyState::Missing), (unseen, KeyState::Missing)], &[]);
    }

    #[test]
    fn a_rotation_is_one_event_of_one_session() {
        let (mut watch, first) = (Watch::new(), id(1_001));
        let [second, third] =
            [1_001, 1_005].map(|at_| first.generate_successor(at(at_), LifetimeId::default()));
        let (second, third) = (second.unwrap(), third.unwrap());
        watch.tells(&[(first, KeyState::Live)], &[(first, "created")]);
        let rotated = tombstone(TombstoneKind::Rotated(second), 1_003);
        watch.tells(&[(second, KeyState::Live), (first, rotated)], &[(first, "rotated")]);
        watch.tells(&[(second, KeyState::Live)], &[]);
        let renewed = tombstone(TombstoneKind::Renewed(third), 1_005);
        watch.tells(&[(third, KeyState::Live), (second, renewed)], &[(first, "renewed")]);
        watch.tells(&[(third, KeyState::Missing)], &[(first, "expired")]);
    }

    #[test]
    fn a_whole_life_at_once_is_told_in_order() {
        let (mut watch, first) = (Watch::new(), id(1_001));
        let second = first.generate_successor(at(1_001), LifetimeId::default()).unwrap();
        let rotated = tombstone(TombstoneKind::Rotated(second), 1_001);
        watch.tells(
            &[(second, logged_out(1_001)), (first, rotated)],
            &[(first, "created"), (first, "rotated"), (first, "ended")],
        );
        let short = id(1_002);
        watch.tells(&[(short, KeyState::Missing)], &[(short, "created"), (short, "expired")]);
    }

    #[test]
    fn the_sessions_without_a_change_for_the_longest_are_forgotten() {
        let mut watch = Watch::new();
        watch.memory.limit = 2;
        let sessions = [id(1_001), id(1_002), id(1_003)];
        for at in [0, 1, 0, 2] {
            watch.events_at(1_010, &[(sessions[at], KeyState::Live)]);
        }
        assert_eq!(watch.memory.known.len(), 2);
        watch.tells(&[(sessions[0], KeyState::Live), (sessions[2], KeyState::Live)], &[]);
        // A forgotten session is not created again, nor one as old.
        watch.tells(&[(sessions[1], KeyState::Live), (id(1_002), KeyState::Live)], &[]);
        let (new, ended) = (id(1_005), id(1_006));
        watch.tells(&[(new, KeyState::Live)], &[(new, "created")]);
        watch.tells(&[(ended, logged_out(1_006))], &[(ended, "created"), (ended, "ended")]);
    }

    /// A forgotten tombstone expires like a session.
    #[test]
    fn the_expiry_of_a_forgotten_tombstone_is_no_event() {
        let mut watch = Watch::new();
        watch.memory.limit = 1;
        let ended = id(1_001);
        watch.events_at(1_800, &[(ended, logged_out(1_800))]);
        watch.events_at(1_900, &[(id(1_900), KeyState::Live)]);
        watch.tells_at(2_100, &[(ended, KeyState::Missing)], &[]);
        let old = id(900);
        watch.tells_at(2_561, &[(old, KeyState::Missing)], &[(old, "expired")]);
    }

    #[test]
    fn a_creation_is_told_with_a_time_before_the_next_event() {
        for (state, next) in
            [(KeyState::Live, 1_010), (KeyState::Missing, 1_010), (logged_out(1_009), 1_009)]
        {
            let ahead = id(1_040);
            let told = Watch::new().events_at(1_010, &[(ahead, state)]);
            assert_eq!(told[0].tag_and_name(), (ahead.tag(), "created"));
            assert!(told.iter().all(|event| event.time() == at(next)));
        }
    }

    /// The minutes are not those of a clock that somebody sets.
    #[test]
    fn a_clock_that_jumps_ends_no_session() {
        let mut watch = Watch::new();
        let now = Moment { time: at(9_000), at: watch.begun.at };
        assert!(watch.memory.events(vec![(id(900), KeyState::Missing)], now).is_empty());
    }
}
