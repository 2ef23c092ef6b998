use super::*;
use crate::id::SessionId;
use crate::store::Source;

const NAMES: &[&str] = &["a", "b"];
const ALWAYS: [Duration; 2] = [Duration::MAX; 2];
const RULES: NearRules =
    NearRules { max_staleness: Duration::from_secs(1), max_age: Duration::from_secs(30) };

/// A near cache, and a connection that has given a sign of life.
struct Test {
    near: Near,
    lease: Arc<Lease>,
    key: SessionKey,
}

impl Test {
    fn new() -> Self {
        let test = Self { near: near(1 << 20), lease: living_lease(), key: key_of('A') };
        test.near.doorkeeper.admits(test.near.tag(&test.key).hash);
        test
    }

    fn ask(&self) -> Option<Question> {
        self.ask_over(&self.lease)
    }

    fn ask_over(&self, lease: &Arc<Lease>) -> Option<Question> {
        self.near.ask(&self.key, Arc::clone(lease), &RULES)
    }

    /// Gives the same value to all fields.
    fn answer(&self, question: &Question, value: &'static str) {
        let values = [Some(value.into()), Some(value.into())];
        self.near.keep(&self.key, question, &answer(&values));
    }

    /// Has a value of the field `a` read over a connection, without keeping it.
    fn see(&self, lease: &Lease, value: &'static str) {
        self.near.replied(&self.key, lease, |name, kept| {
            values_differ(&["a"], &[Some(value.into())], name, kept)
        });
    }

    fn fill(&self, value: &'static str) {
        self.answer(&self.ask().unwrap(), value);
    }

    fn read(&self, names: &[&'static str]) -> Option<Vec<Option<Bytes>>> {
        Some(self.near.get(&self.key, names, Refresh::No, &RULES)?.values.into_vec())
    }

    fn has(&self, value: &'static str) -> bool {
        self.read(&["a"]) == Some(vec![Some(value.into())])
    }

    fn is_empty(&self) -> bool {
        self.read(&["a"]).is_none()
    }
}

/// Returns a near cache of this size.
fn near(max_bytes: usize) -> Near {
    let near = Near::new();
    near.raise_limit(max_bytes);
    near
}

fn answer(values: &[Option<Bytes>]) -> Answer<'_> {
    let session_lasts = Duration::from_secs(3600);
    Answer { fields: &NAMES[..values.len()], values, session_lasts, fields_last: &ALWAYS }
}

fn living_lease() -> Arc<Lease> {
    let lease = Arc::new(Lease::new(Source::default()));
    lease.answered(Moment::now());
    lease
}

fn key_of(letter: char) -> SessionKey {
    let id = SessionId::parse(&format!("{letter}{:A<39}", "")).unwrap();
    SessionKey::new("app", &id)
}

#[test]
fn a_reply_is_kept_until_the_server_tells_of_a_change() {
    let test = Test::new();
    assert!(test.is_empty());
    test.fill("1");
    let one = || Some(Bytes::from("1"));
    assert_eq!(test.read(&["b", "a"]), Some(vec![one(), one()]));
    assert_eq!(test.read(&["a", "c"]), None);
    test.near.void("app:sessions:of:another");
    assert!(test.has("1"));
    test.near.void(test.key.expose_secret());
    assert!(test.is_empty());
}

#[test]
fn the_first_read_of_a_session_is_not_kept() {
    let test = Test::new();
    let key = key_of('B');
    assert!(test.near.ask(&key, Arc::clone(&test.lease), &RULES).is_none());
    assert!(test.near.ask(&key, Arc::clone(&test.lease), &RULES).is_some());
}

#[test]
fn a_reply_is_not_kept_if_something_happened_since_the_question() {
    type Happen = fn(&Test);
    let events: [Happen; 6] = [
        |test| test.near.void(test.key.expose_secret()),
        |test| drop(test.near.write([&test.key])),
        |test| test.lease.void(),
        |test| test.see(&living_lease(), "1"),
        |test| test.near.void_slots(|_| false),
        |test| drop(test.near.write([&key_of('B')]).of_all()),
    ];
    for (number, happen) in events.iter().enumerate() {
        let test = Test::new();
        let question = test.ask().unwrap();
        happen(&test);
        test.answer(&question, "1");
        assert!(test.is_empty(), "{number}");
        test.fill("2");
        assert!(test.has("2"), "{number}");
    }
}

#[test]
fn nothing_is_kept_during_a_write() {
    let test = Test::new();
    test.fill("1");
    assert!(test.has("1"));
    let question = test.ask().unwrap();
    let writing = test.near.write([&test.key]);
    assert!(test.is_empty() && test.ask().is_none());
    let another = key_of('B');
    let other = test.near.write([&another, &test.key]);
    test.answer(&question, "1");
    drop(writing);
    assert!(test.is_empty() && test.ask().is_none());
    drop(other);
    test.answer(&question, "1");
    assert!(test.is_empty());
    test.fill("2");
    assert!(test.has("2"));
}

#[test]
fn a_reply_voids_what_differs() {
    let other = living_lease();
    for lease in [|test: &Test| Arc::clone(&test.lease), |_: &Test| living_lease()] {
        let test = Test::new();
        test.fill("1");
        test.see(&lease(&test), "1");
        test.near.replied(&test.key, &other, |name, _| name == "c");
        assert!(test.has("1"));
        test.see(&lease(&test), "2");
        assert!(test.is_empty());
    }
}

/// The reply is about all fields under a prefix.
#[test]
fn a_reply_without_a_kept_field_voids_it() {
    let test = Test::new();
    let is_gone = |prefix: &'static str| {
        let differs = |name: &str, kept: Option<&Bytes>| name.starts_with(prefix) && kept.is_some();
        test.near.replied(&test.key, &test.lease, differs);
    };
    test.near.keep(&test.key, &test.ask().unwrap(), &answer(&[Some("1".into()), None]));
    is_gone("c");
    is_gone("b");
    assert!(test.has("1"));
    is_gone("");
    assert!(test.is_empty());
}

#[test]
fn of_several_questions_at_once_the_first_reply_is_kept() {
    let test = Test::new();
    let other = living_lease();
    for _ in 0..3 {
        let (one, another) = (test.ask().unwrap(), test.ask_over(&other).unwrap());
        test.answer(&one, "1");
        assert!(test.has("1"));
        test.answer(&another, "1");
        assert!(test.has("1"));
        test.near.void(test.key.expose_secret());
    }
}

/// The reply is of a question over the connection whose reply was seen before.
#[test]
fn an_older_reply_over_another_connection_is_not_kept() {
    let test = Test::new();
    let other = living_lease();
    for _ in 0..3 {
        let (older, newer) = (test.ask().unwrap(), test.ask_over(&other).unwrap());
        test.answer(&newer, "2");
        assert!(test.has("2"));
        test.answer(&older, "1");
        assert!(test.is_empty());
        let older = test.ask().unwrap();
        test.see(&other, "2");
        test.answer(&older, "1");
        assert!(test.is_empty());
    }
}

#[test]
fn a_newer_reply_counts_whatever_connection_replied_before_or_after() {
    let other = living_lease();
    type See = fn(&Test, &Lease);
    let seen_before: [See; 2] = [|test, other| test.see(other, "1"), |test, _| test.fill("1")];
    let seen_after: [See; 2] = [|_, _| {}, |test, _| test.see(&test.lease, "2")];
    for before in seen_before {
        for after in seen_after {
            let test = Test::new();
            before(&test, &other);
            let older = test.ask().unwrap();
            test.see(&other, "2");
            after(&test, &other);
            test.answer(&older, "1");
            assert!(test.is_empty());
        }
    }
}

#[test]
fn values_count_while_their_connection_is_alive() {
    let source = Source::default();
    let mut test = Test::new();
    test.lease = Arc::new(Lease::new(source.clone()));
    test.fill("1");
    assert!(test.is_empty(), "no sign of life came yet");
    test.lease.answered(Moment::now());
    assert!(test.has("1"));
    test.lease.void();
    assert!(test.is_empty(), "all earlier values have ended");
    test.fill("2");
    assert!(test.has("2"));
    source.end();
    assert!(test.is_empty());
}

#[test]
fn a_batch_is_of_one_snapshot() {
    let test = Test::new();
    test.fill("1");
    test.near.keep(&test.key, &test.ask().unwrap(), &answer(&[Some("1".into())]));
    assert!(test.has("1") && test.read(&["b"]).is_some());
    assert_eq!(test.read(&["a", "b"]), None);
    test.fill("1");
    assert!(test.read(&["a", "b"]).is_some());
}

#[test]
fn fields_and_sessions_expire() {
    let test = Test::new();
    let values = [Some("1".into()), Some("1".into())];
    let keep = |session_lasts, fields_last: &[Duration]| {
        let question = test.ask().unwrap();
        let answer = Answer { fields: NAMES, values: &values, session_lasts, fields_last };
        test.near.keep(&test.key, &question, &answer);
    };
    keep(Duration::MAX, &[Duration::ZERO, Duration::MAX]);
    assert!(test.is_empty() && test.read(&["b"]).is_some());
    keep(Duration::ZERO, &ALWAYS);
    assert!(test.is_empty() && test.read(&["b"]).is_none());
}

#[test]
fn one_read_refreshes_a_session_that_expires_soon() {
    let test = Test::new();
    test.fill("1");
    let hour = Duration::from_secs(3600);
    let is_due = |below| {
        let refresh = Refresh::Below { below, expires_in: hour };
        test.near.get(&test.key, &["a"], refresh, &RULES).unwrap().is_refresh_due
    };
    assert!(!is_due(hour / 2) && is_due(2 * hour) && !is_due(2 * hour));
    // The refresh may have failed, and the next reply shows no effect.
    test.fill("1");
    assert!(is_due(2 * hour));
}

#[test]
fn large_values_are_not_kept() {
    let test = Test::new();
    let values = [Some(vec![0; LARGEST + 1].into())];
    test.near.keep(&test.key, &test.ask().unwrap(), &answer(&values));
    assert!(test.is_empty());
}

#[test]
fn the_least_recently_used_sessions_go() {
    let near = near(SHARDS * 16 * 1024);
    let lease = living_lease();
    let values = [Some(Bytes::from(vec![7; 1000]))];
    let id = |n: usize| SessionId::parse(&format!("{n:A>8}{:A<32}", "")).unwrap();
    let keys: Vec<_> = (0..400).map(|n| SessionKey::new("app", &id(n))).collect();
    let is_kept = |key| near.get(key, &["a"], Refresh::No, &RULES).is_some();
    for key in &keys {
        near.doorkeeper.admits(near.tag(key).hash);
        let question = near.ask(key, Arc::clone(&lease), &RULES).unwrap();
        near.keep(key, &question, &answer(&values));
        assert!(is_kept(key));
    }
    let kept = keys.iter().filter(|key| is_kept(key)).count();
    assert!((SHARDS..=SHARDS * 16).contains(&kept), "{kept}");
    assert!(is_kept(&keys[399]));
    let bytes: usize = near.shards.iter().map(|shard| lock(shard).bytes()).sum();
    assert!(bytes <= SHARDS * 16 * 1024);
    keys.iter().for_each(|key| near.void(key.expose_secret()));
    assert!(near.shards.iter().all(|shard| lock(shard).bytes() == 0));
}

#[test]
fn sessions_of_a_moved_slot_go() {
    let test = Test::new();
    test.fill("1");
    let slot = slot_of_tag(test.key.hash_tag().as_bytes());
    test.near.void_slots(|moved| moved != slot);
    assert!(test.has("1"));
    test.near.void_slots(|moved| moved == slot);
    assert!(test.is_empty());
}

#[test]
fn the_end_of_a_session_by_a_former_id_voids_it() {
    let test = Test::new();
    test.fill("1");
    let former = SessionId::parse(&format!("{}{:B<32}", "AAAAAAAA", "")).unwrap();
    let former = SessionKey::new("app", &former);
    assert!(former.hash_tag() == test.key.hash_tag() && former != test.key);
    assert!(test.near.get(&former, &["a"], Refresh::No, &RULES).is_none());
    assert!(test.has("1"));
    drop(test.near.write([&former]));
    assert!(test.is_empty());
}

#[test]
fn a_session_without_room_evicts_no_other() {
    let near = near(SHARDS * 16 * 1024);
    let lease = living_lease();
    let keep = |key: &SessionKey, value: Vec<u8>| {
        near.doorkeeper.admits(near.tag(key).hash);
        let question = near.ask(key, Arc::clone(&lease), &RULES).unwrap();
        near.keep(key, &question, &answer(&[Some(value.into())]));
    };
    let is_kept = |key: &_| near.get(key, &["a"], Refresh::No, &RULES).is_some();
    let keys: Vec<_> = ('B'..'Z').map(key_of).collect();
    keys.iter().for_each(|key| keep(key, vec![7; 10]));
    keep(&key_of('A'), vec![7; 4096]);
    assert!(!is_kept(&key_of('A')) && keys.iter().all(is_kept));
}

#[test]
fn a_session_that_every_request_writes_is_not_kept() {
    let test = Test::new();
    let write = || drop(test.near.write([&test.key]));
    test.fill("1");
    write();
    for _ in 0..3 {
        assert!(test.ask().is_none());
        write();
    }
    // The second read without a change in between.
    assert!(test.ask().is_none());
    test.fill("2");
    assert!(test.has("2"));
    // The values were of use.
    write();
    assert!(test.ask().is_some());
}
