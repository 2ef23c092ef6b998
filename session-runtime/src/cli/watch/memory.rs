//! The sessions that a watch has seen, which tell events from mere reads and writes.

use std::hash::{BuildHasher as _, RandomState};
use std::time::SystemTime;

use hashlink::LinkedHashMap;

use super::event::{Event, What};
use crate::id::SessionId;
use crate::lifecycle::TOMBSTONE_FOR;
use crate::store::TombstoneKind;
use crate::store::redis::commands::key_state::KeyState;
use crate::store::redis::commands::tombstone::StoredTombstone;

/// The largest number of sessions that are remembered. Those without a change for the longest are
/// forgotten.
const LIMIT: usize = 500_000;

/// The known sessions, each under a hash of its id.
pub(super) struct Memory {
    seen: LinkedHashMap<u64, Seen>,
    hasher: RandomState,
    begun: SystemTime,
    limit: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Seen {
    Live,
    /// The end was seen, and there is a tombstone.
    Over,
}

impl Memory {
    /// Creates an empty memory. Earlier ends are no events, nor are sessions that were created
    /// earlier.
    pub(super) fn new(begun: SystemTime) -> Self {
        Self { seen: LinkedHashMap::new(), hasher: RandomState::new(), begun, limit: LIMIT }
    }

    /// Returns the events that explain why these sessions have changed, ordered by time. All keys
    /// that a script changes have to be together.
    pub(super) fn events(
        &mut self,
        changed: Vec<(SessionId, KeyState)>,
        now: SystemTime,
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
                true => self.live(id, &mut events),
                false => self.missing(id, now, &mut events),
            }
        }
        events.sort_by_key(Event::time);
        events
    }

    /// Forgets everything, because the store was emptied.
    pub(super) fn clear(&mut self) {
        self.seen.clear();
    }

    fn ended(
        &mut self,
        id: SessionId,
        stored: &StoredTombstone,
        now: SystemTime,
        events: &mut Vec<Event>,
    ) {
        let before = self.remember(&id, Seen::Over);
        let is_new = stored.created_at.is_some_and(|at| at >= self.begun);
        if before == Some(Seen::Over) || (before.is_none() && !is_new) {
            return;
        }
        if before.is_none() {
            self.created(&id, events);
        }
        if let TombstoneKind::Rotated(successor) | TombstoneKind::Renewed(successor) = &stored.kind
            && self.recall(successor).is_none()
        {
            self.remember(successor, Seen::Live);
        }
        events.push(Event::of_end(&id, &stored.kind, stored.created_at.unwrap_or(now)));
    }

    fn live(&mut self, id: SessionId, events: &mut Vec<Event>) {
        if self.remember(&id, Seen::Live).is_none() {
            self.created(&id, events);
        }
    }

    fn missing(&mut self, id: SessionId, now: SystemTime, events: &mut Vec<Event>) {
        let before = self.seen.remove(&self.hash(&id));
        // The tombstones of earlier ends expire as well.
        let earlier_are_gone =
            now.duration_since(self.begun).is_ok_and(|since| since > TOMBSTONE_FOR);
        let is_new = self.is_new(&id);
        match before {
            Some(Seen::Over) => return,
            None if !is_new && !earlier_are_gone => return,
            None => self.created(&id, events),
            Some(Seen::Live) => {}
        }
        events.push(Event::new(&id, What::Expired, now));
    }

    /// Adds the creation of a session that was never seen, if it was after the beginning.
    fn created(&self, id: &SessionId, events: &mut Vec<Event>) {
        if self.is_new(id) {
            events.push(Event::new(id, What::Created, id.created_at()));
        }
    }

    /// Returns whether the session was created after the beginning. The key of an id from Python
    /// does not tell.
    fn is_new(&self, id: &SessionId) -> bool {
        id.created_at() >= self.begun
    }

    fn recall(&self, id: &SessionId) -> Option<Seen> {
        self.seen.get(&self.hash(id)).copied()
    }

    /// Remembers the session as the latest. Returns what was known before.
    fn remember(&mut self, id: &SessionId, seen: Seen) -> Option<Seen> {
        let hash = self.hash(id);
        let before = self.seen.remove(&hash);
        self.seen.insert(hash, seen);
        if self.seen.len() > self.limit {
            self.seen.pop_front();
        }
        before
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
    struct Watch(Memory);

    impl Watch {
        fn new() -> Self {
            Self(Memory::new(at(1_000)))
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
            let told = self.0.events(changed.to_vec(), at(now));
            let told: Vec<_> = told.iter().map(Event::tag_and_name).collect();
            let expected: Vec<_> = expected.iter().map(|(id, name)| (id.tag(), *name)).collect();
            assert_eq!(told, expected);
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
        let expired = id(900);
        watch.tells_at(1_301, &[(expired, KeyState::Missing)], &[(expired, "expired")]);
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
        watch.0.limit = 2;
        let sessions = [id(1_001), id(1_002), id(1_003)];
        for at in [0, 1, 0, 2] {
            watch.0.events(vec![(sessions[at], KeyState::Live)], self::at(1_010));
        }
        assert_eq!(watch.0.seen.len(), 2);
        watch.tells(&[(sessions[0], KeyState::Live), (sessions[2], KeyState::Live)], &[]);
        watch.tells(&[(sessions[1], KeyState::Live)], &[(sessions[1], "created")]);
        watch.0.clear();
        assert!(watch.0.seen.is_empty());
    }
}
