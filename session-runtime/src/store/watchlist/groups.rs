//! Changes that may concern all watched sessions of a server.

use std::hash::BuildHasher;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::keys::{Keys, TOGETHER, Watched};
use super::source::Source;

/// The time between groups of looks.
const BETWEEN_GROUPS: Duration = Duration::from_millis(50);
/// The most by which a look is delayed at random, since all processes lose a server at once.
const JITTER: Duration = Duration::from_millis(100);

impl Keys {
    /// Records that any session may have changed.
    pub(super) fn all_changed(&mut self, now: Instant) {
        self.look_at_each(|_| true, now);
    }

    /// Records that no more news comes from this source.
    pub(super) fn lost(&mut self, lost: &Source, now: Instant) {
        let is_lost =
            |watched: &Watched| watched.source.as_ref().is_some_and(|source| source.is_same(lost));
        self.look_at_each(is_lost, now);
    }

    /// Records that the store answers again. A look that is under way may still fail.
    pub(super) fn back(&mut self, now: Instant) {
        self.look_at_each(|watched| watched.failures > 0, now);
        self.watched.values_mut().for_each(|watched| watched.failures = 0);
    }

    /// Schedules looks at many sessions, in groups. The server may have just come back.
    fn look_at_each(&mut self, is_meant: impl Fn(&Watched) -> bool, now: Instant) {
        let meant = self.watched.iter().filter(|(_, watched)| is_meant(watched));
        let names: Vec<_> = meant.map(|(name, _)| Arc::clone(name)).collect();
        let hasher = self.watched.hasher().clone();
        for (at, name) in names.iter().enumerate() {
            let group = u32::try_from(at / TOGETHER).unwrap_or(u32::MAX);
            let jitter = hasher.hash_one(name) % 1000;
            let delay = BETWEEN_GROUPS * group + JITTER.mul_f64(jitter as f64 / 1000.0);
            self.changed(name, now + delay);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::SessionId;
    use crate::store::SessionKey;
    use crate::store::watchlist::keys::{LookResult, Pace, Step};

    const PACE: Pace = Pace { interval: Duration::from_secs(60), timeout: Duration::from_secs(1) };

    fn keys(number: u64) -> Vec<SessionKey> {
        let ids = (0..number).map(|number| SessionId::parse(&format!("{number:A>40}")).unwrap());
        ids.map(|id| SessionKey::new("app", &id)).collect()
    }

    /// Looks at all sessions, half of them over each source.
    fn look(list: &mut Keys, keys: &[SessionKey], sources: [&Source; 2], now: Instant) {
        for (at, key) in keys.iter().enumerate() {
            let Step::Look(looks) = list.step(key, now) else { continue };
            for look in looks {
                let source = Some(sources[at % 2].clone());
                list.looked(&look, LookResult::Live { expires_in: Duration::MAX, source }, now);
            }
        }
    }

    fn waits(list: &Keys, key: &SessionKey, now: Instant) -> Duration {
        list.watched[key.expose_secret()].due.saturating_duration_since(now)
    }

    #[test]
    fn all_sessions_are_looked_at_in_groups() {
        let (mut list, keys, start) = (Keys::default(), keys(1200), Instant::now());
        for key in &keys {
            list.add(key, PACE, start);
        }
        let source = Source::default();
        look(&mut list, &keys, [&source; 2], start);
        let now = start + Duration::from_secs(10);
        list.all_changed(now);
        let waits = keys.iter().map(|key| waits(&list, key, now)).max().unwrap();
        assert!(waits >= 2 * BETWEEN_GROUPS && waits <= 2 * BETWEEN_GROUPS + JITTER, "{waits:?}");
    }

    #[test]
    fn news_of_all_sessions_again_and_again_delays_no_look() {
        let (mut list, keys, start) = (Keys::default(), keys(1200), Instant::now());
        for key in &keys {
            list.add(key, PACE, start);
        }
        let source = Source::default();
        look(&mut list, &keys, [&source; 2], start);
        let now = start + Duration::from_secs(10);
        for round in 0..10 {
            list.all_changed(now + Duration::from_millis(50) * round);
        }
        let last = now + 2 * BETWEEN_GROUPS + JITTER;
        assert!(keys.iter().all(|key| waits(&list, key, last).is_zero()));
    }

    #[test]
    fn sessions_without_an_answer_are_looked_at_when_the_store_is_back() {
        let (mut list, keys, start) = (Keys::default(), keys(1), Instant::now());
        list.add(&keys[0], PACE, start);
        let mut now = start;
        for _ in 0..5 {
            let Step::Look(looks) = list.step(&keys[0], now) else { panic!("not due") };
            list.looked(&looks[0], LookResult::Failed, now);
            now += waits(&list, &keys[0], now);
        }
        let now = now - Duration::from_secs(3);
        assert_eq!(waits(&list, &keys[0], now), Duration::from_secs(3));
        list.back(now);
        assert!(waits(&list, &keys[0], now) <= JITTER);
    }

    #[test]
    fn only_sessions_of_the_lost_connection_are_looked_at() {
        let (mut list, keys, start) = (Keys::default(), keys(2), Instant::now());
        let [kept, lost] = [Source::default(), Source::default()];
        for (key, source) in keys.iter().zip([&kept, &lost]) {
            list.add(key, PACE, start);
            look(&mut list, std::slice::from_ref(key), [source; 2], start);
        }
        let now = start + Duration::from_secs(10);
        lost.end();
        list.lost(&lost, now);
        assert_eq!(waits(&list, &keys[0], now), Duration::from_secs(50));
        assert!(waits(&list, &keys[1], now) <= JITTER);
    }
}
