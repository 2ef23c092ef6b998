//! The checker itself, with histories that are legal and histories that are not.

use std::time::{Duration, Instant};

use session_tests::near_history::{History, Kind, Operation, Version, Violation};

const STALENESS: Duration = Duration::from_millis(100);
const OWN: usize = 0;
const OTHER: usize = 1;

/// Builds a history. Times are in milliseconds.
#[derive(Clone)]
struct Story {
    start: Instant,
    history: History,
}

impl Story {
    fn new() -> Self {
        Self { start: Instant::now() + Duration::from_secs(60), history: History::default() }
    }

    fn at(&self, millis: u64) -> Instant {
        self.start + Duration::from_millis(millis)
    }

    fn wrote(self, store: usize, begun: u64, ended: u64, version: u64) -> Self {
        let kind = Kind::Written { on_server: self.at(ended) };
        self.add(store, begun, ended, kind, Version(version))
    }

    fn ended(self, store: usize, begun: u64, ended: u64) -> Self {
        let kind = Kind::Written { on_server: self.at(ended) };
        self.add(store, begun, ended, kind, Version::GONE)
    }

    fn expires(self, store: usize, begun: u64, ended: u64, gone: u64) -> Self {
        let kind = Kind::Written { on_server: self.at(gone) };
        self.add(store, begun, ended, kind, Version::GONE)
    }

    fn read(self, store: usize, begun: u64, ended: u64, version: u64) -> Self {
        let kind = Kind::Read { staleness: STALENESS };
        self.add(store, begun, ended, kind, Version::of_counter(version))
    }

    fn fresh(self, store: usize, begun: u64, ended: u64, version: u64) -> Self {
        let kind = Kind::Read { staleness: Duration::ZERO };
        self.add(store, begun, ended, kind, Version::of_counter(version))
    }

    fn add(mut self, store: usize, begun: u64, ended: u64, kind: Kind, version: Version) -> Self {
        let (begun, ended) = (self.at(begun), self.at(ended));
        let place = (0, "count");
        self.history.add(Operation { store, task: store, begun, ended, kind, place, version });
        self
    }

    fn violations(&self) -> Vec<Violation> {
        self.history.violations()
    }

    fn assert_legal(self) {
        assert_eq!(self.violations(), []);
    }

    fn assert_not_monotonic(self) {
        let violations = self.violations();
        assert!(matches!(violations[..], [Violation::NotMonotonic { .. }]), "{violations:?}");
    }

    fn assert_too_old(self) {
        let violations = self.violations();
        assert!(matches!(violations[..], [Violation::TooOld { .. }]), "{violations:?}");
    }
}

/// A history with the versions 1 and 2, the latter written by a store at 10 to 20 ms.
fn second_written_by(store: usize) -> Story {
    Story::new().wrote(OTHER, 0, 1, 1).wrote(store, 10, 20, 2)
}

#[test]
fn an_own_write_is_seen_at_once() {
    second_written_by(OWN).read(OWN, 21, 22, 2).assert_legal();
    second_written_by(OWN).read(OWN, 21, 22, 1).assert_not_monotonic();
}

#[test]
fn a_read_beside_a_write_may_return_both() {
    for version in [1, 2] {
        second_written_by(OWN).read(OWN, 20, 30, version).assert_legal();
        second_written_by(OWN).read(OWN, 5, 15, version).assert_legal();
    }
}

#[test]
fn reads_of_one_store_never_go_back() {
    second_written_by(OTHER).read(OWN, 12, 14, 2).read(OWN, 14, 15, 1).assert_legal();
    second_written_by(OTHER).read(OWN, 12, 14, 2).read(OWN, 15, 16, 1).assert_not_monotonic();
    second_written_by(OTHER).fresh(OWN, 12, 14, 2).read(OWN, 15, 16, 1).assert_not_monotonic();
}

#[test]
fn another_store_may_be_behind_for_the_staleness() {
    second_written_by(OTHER).read(OWN, 120, 121, 1).assert_legal();
    second_written_by(OTHER).read(OWN, 121, 122, 1).assert_too_old();
    second_written_by(OTHER).read(OWN, 121, 122, 2).assert_legal();
}

/// A write without an acknowledgement.
#[test]
fn what_a_read_of_another_store_returned_counts_as_written() {
    let seen = Story::new().wrote(OTHER, 0, 1, 1).read(OTHER, 10, 20, 2);
    seen.clone().read(OWN, 120, 121, 1).assert_legal();
    seen.read(OWN, 121, 122, 1).assert_too_old();
}

#[test]
fn a_fresh_read_is_never_behind() {
    second_written_by(OTHER).fresh(OWN, 21, 22, 1).assert_too_old();
    second_written_by(OTHER).fresh(OWN, 20, 22, 1).assert_legal();
    second_written_by(OTHER).fresh(OWN, 15, 22, 2).assert_legal();
}

#[test]
fn an_end_is_the_last_version() {
    let ended = |store| Story::new().wrote(OTHER, 0, 1, 1).ended(store, 10, 20);
    ended(OWN).read(OWN, 21, 22, 1).assert_not_monotonic();
    ended(OWN).read(OWN, 21, 22, 0).assert_legal();
    ended(OTHER).read(OWN, 120, 121, 1).assert_legal();
    ended(OTHER).read(OWN, 121, 122, 1).assert_too_old();
    ended(OTHER).read(OWN, 15, 16, 0).read(OWN, 17, 18, 1).assert_not_monotonic();
}

#[test]
fn an_expiry_is_known_when_it_was_told_and_has_come() {
    let soon = |store| Story::new().wrote(OTHER, 0, 1, 1).expires(store, 10, 20, 50);
    soon(OTHER).read(OWN, 120, 121, 1).assert_legal();
    soon(OTHER).read(OWN, 121, 122, 1).assert_too_old();
    soon(OTHER).fresh(OWN, 50, 51, 1).assert_legal();
    soon(OTHER).fresh(OWN, 51, 52, 1).assert_too_old();
    soon(OWN).read(OWN, 50, 51, 1).assert_legal();
    soon(OWN).read(OWN, 51, 52, 1).assert_not_monotonic();
    let late = Story::new().wrote(OTHER, 0, 1, 1).expires(OTHER, 10, 20, 500);
    late.clone().read(OWN, 500, 501, 1).assert_legal();
    late.read(OWN, 501, 502, 1).assert_too_old();
}

#[test]
fn a_value_is_not_read_before_its_write() {
    let story = second_written_by(OTHER).read(OWN, 5, 9, 2);
    assert!(matches!(story.violations()[..], [Violation::OfTheFuture { .. }]));
}

#[test]
fn no_increment_is_lost() {
    let story = second_written_by(OTHER).wrote(OWN, 30, 40, 2);
    assert!(matches!(story.violations()[..], [Violation::WrittenTwice { .. }]));
}

#[test]
fn a_batch_is_one_moment() {
    let mut history = History::default();
    history.add_pair(0, [1, 1]);
    history.assert_legal("whole");
    history.add_pair(0, [1, 2]);
    assert_eq!(history.violations(), [Violation::Torn { session: 0, values: [1, 2] }]);
}

#[test]
fn places_are_apart() {
    let mut story = second_written_by(OWN);
    for place in [(1, "count"), (0, "left")] {
        let (begun, ended) = (story.at(300), story.at(301));
        let kind = Kind::Read { staleness: STALENESS };
        story.history.add(Operation {
            store: OWN,
            task: 0,
            begun,
            ended,
            kind,
            place,
            version: Version(1),
        });
    }
    story.assert_legal();
}

#[test]
#[should_panic(expected = "with a seed: 1 of 3 operations are illegal")]
fn a_failure_tells_the_context() {
    second_written_by(OWN).read(OWN, 21, 22, 1).history.assert_legal("with a seed");
}
