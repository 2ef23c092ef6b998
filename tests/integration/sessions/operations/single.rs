//! Operations on a single field.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use futures::future::join_all;
use session_runtime::{Error, Session, SessionId, Sessions};
use session_tests::acceptance::World;

#[derive(Debug, Session)]
struct Counters {
    count: u64,
    tiny: u8,
    signed: i64,
    small: i8,
    ratio: f64,
    single: f32,
    name: String,
    nickname: Option<String>,
    #[session(default = 100)]
    credit: u32,
}

/// Returns a manager, and the session of a new visitor.
async fn begin(world: &World) -> (Sessions, Session<Counters>, SessionId) {
    let sessions = world.sessions(|config| config);
    let session = sessions.create().await.unwrap();
    let id = Session::session_id(&session).unwrap();
    (sessions, session, id)
}

/// Sends this many concurrent requests with the same session.
async fn at_once<T: Send + 'static, F: Future<Output = T> + Send + 'static>(
    sessions: &Sessions,
    id: SessionId,
    clients: u64,
    act: impl Fn(Session<Counters>, u64) -> F,
) -> Vec<T> {
    let tasks = (0..clients).map(|client| tokio::spawn(act(sessions.open_id(&id), client)));
    join_all(tasks).await.into_iter().map(Result::unwrap).collect()
}

pub(crate) async fn take_gives_the_value_and_removes_it(world: World) {
    let (_, session, _) = begin(&world).await;
    session.set_name("x").await.unwrap();
    assert_eq!(session.name().take().await.unwrap(), "x");
    assert_eq!(session.name().take().await.unwrap(), "");
    assert!(!session.name().exists().await.unwrap());
    assert!(session.exists().await.unwrap());
}

pub(crate) async fn replace_returns_the_former_value(world: World) {
    let (_, session, _) = begin(&world).await;
    assert_eq!(session.credit().replace(5).await.unwrap(), 100);
    assert_eq!(session.credit().replace(6).await.unwrap(), 5);
    assert_eq!(session.nickname().replace("x").await.unwrap(), None);
    assert_eq!(session.nickname().replace(None).await.unwrap(), Some("x".to_owned()));
    assert!(!session.nickname().exists().await.unwrap());
}

pub(crate) async fn get_or_set_sets_once(world: World) {
    let (_, session, _) = begin(&world).await;
    assert_eq!(session.name().get_or_set("first").await.unwrap(), "first");
    assert_eq!(session.name().get_or_set("second").await.unwrap(), "first");
    assert_eq!(session.nickname().get_or_set(None).await.unwrap(), None);
    assert!(!session.nickname().exists().await.unwrap());
}

pub(crate) async fn incr_and_decr_count_exactly(world: World) {
    let (_, session, _) = begin(&world).await;
    assert_eq!(session.count().incr(1).await.unwrap(), 1);
    assert_eq!(session.count().incr(41).await.unwrap(), 42);
    assert_eq!(session.count().decr(2).await.unwrap(), 40);
    assert_eq!(session.signed().incr(-5).await.unwrap(), -5);
    assert_eq!(session.count().await.unwrap(), 40);
    // Beyond the exact range of a double.
    session.set_count((1 << 53) + 1).await.unwrap();
    assert_eq!(session.count().incr(2).await.unwrap(), (1 << 53) + 3);
    session.set_count(u64::MAX - 1).await.unwrap();
    assert_eq!(session.count().incr(1).await.unwrap(), u64::MAX);
    assert_eq!(session.count().decr(u64::MAX).await.unwrap(), 0);
    session.set_signed(i64::MIN + 1).await.unwrap();
    assert_eq!(session.signed().decr(1).await.unwrap(), i64::MIN);
}

pub(crate) async fn incr_respects_the_default(world: World) {
    let (_, session, _) = begin(&world).await;
    assert_eq!(session.credit().incr(1).await.unwrap(), 101);
    session.credit().remove().await.unwrap();
    assert_eq!(session.credit().decr(1).await.unwrap(), 99);
}

pub(crate) async fn incr_respects_the_range_of_every_type(world: World) {
    let (_, session, _) = begin(&world).await;
    let out_of_range = |error: Error| assert!(error.is_out_of_range(), "{error:?}");
    session.set_tiny(250).await.unwrap();
    out_of_range(session.tiny().incr(6).await.unwrap_err());
    out_of_range(session.tiny().decr(251).await.unwrap_err());
    assert_eq!(session.tiny().await.unwrap(), 250, "nothing was written");
    out_of_range(session.count().decr(1).await.unwrap_err());
    assert!(!session.count().exists().await.unwrap());
    session.set_count(u64::MAX).await.unwrap();
    out_of_range(session.count().incr(1).await.unwrap_err());
    session.set_signed(i64::MAX).await.unwrap();
    out_of_range(session.signed().incr(1).await.unwrap_err());
    session.set_small(i8::MIN).await.unwrap();
    out_of_range(session.small().decr(1).await.unwrap_err());
    session.set_ratio(f64::MAX).await.unwrap();
    out_of_range(session.ratio().incr(f64::MAX).await.unwrap_err());
    session.set_single(f32::MAX).await.unwrap();
    out_of_range(session.single().incr(f32::MAX).await.unwrap_err());
}

pub(crate) async fn incr_adds_floats_as_rust_does(world: World) {
    let (_, session, _) = begin(&world).await;
    let (mut ratio, mut single) = (0.0_f64, 0.0_f32);
    for by in [0.1, 0.2, 1e16, -1e16, 1e-300, 123_456_789.125, -0.3, 1.5e300] {
        ratio += by;
        assert_eq!(session.ratio().incr(by).await.unwrap(), ratio);
        assert_eq!(session.ratio().await.unwrap(), ratio);
    }
    for by in [0.1, 0.2, 16_777_216.0, 1.0, -0.3, 1e-30] {
        single += by;
        assert_eq!(session.single().incr(by).await.unwrap(), single);
    }
    assert!(session.ratio().compare_and_set(ratio, 1.0).await.unwrap(), "written as it is encoded");
}

pub(crate) async fn incr_of_a_value_that_is_no_number_is_a_decode_error(world: World) {
    #[derive(Debug, Session)]
    struct Text {
        count: String,
        ratio: String,
    }
    let (sessions, session, id) = begin(&world).await;
    let text: Session<Text> = sessions.open_id(&id);
    for (integer, float) in
        [("abc", "abc"), ("", ""), ("1.5", "1.2.3"), ("007", "0x10"), (" 1", " 1")]
    {
        text.set_count(integer).await.unwrap();
        text.set_ratio(float).await.unwrap();
        assert!(session.count().incr(1).await.unwrap_err().is_decode(), "{integer:?}");
        assert!(session.ratio().incr(1.0).await.unwrap_err().is_decode(), "{float:?}");
        assert_eq!(text.count().await.unwrap(), integer);
    }
}

pub(crate) async fn compare_and_set_compares_with_the_stored_form(world: World) {
    let (_, session, _) = begin(&world).await;
    assert!(!session.count().compare_and_set(1, 5).await.unwrap());
    assert!(session.count().compare_and_set(0, 5).await.unwrap(), "missing is the default");
    assert!(session.count().compare_and_set(5, 6).await.unwrap());
    assert!(!session.count().compare_and_set(5, 7).await.unwrap());
    assert!(session.credit().compare_and_set(100, 7).await.unwrap());
    assert!(session.nickname().compare_and_set(None, "x").await.unwrap());
    assert!(!session.nickname().compare_and_set(None, "y").await.unwrap());
    assert!(session.nickname().compare_and_set("x", None).await.unwrap());
    assert!(!session.nickname().exists().await.unwrap());
}

pub(crate) async fn update_applies_a_function(world: World) {
    let (_, session, _) = begin(&world).await;
    assert_eq!(session.credit().update(|credit| credit * 2).await.unwrap(), 200);
    assert_eq!(session.name().update(|name| name + "!").await.unwrap(), "!");
    assert_eq!(session.nickname().update(|_| None).await.unwrap(), None);
    assert_eq!(session.name().await.unwrap(), "!");
}

/// The update gives up at the timeout. In this test, another request wins every time.
pub(crate) async fn update_gives_up_when_contended(world: World) {
    let sessions = world.sessions(|config| config.timeout(Duration::from_millis(100)));
    let session: Session<Counters> = sessions.create().await.unwrap();
    let other: Session<Counters> = sessions.open_id(&session.session_id().unwrap());
    let calls = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&calls);
    let runtime = tokio::runtime::Handle::current();
    let interfering = session.count().update(move |count| {
        counted.fetch_add(1, Ordering::Relaxed);
        let other = other.clone();
        let interference = async move { other.count().incr(1).await.unwrap() };
        tokio::task::block_in_place(|| runtime.block_on(interference));
        count + 1_000_000
    });
    let error = interfering.await.unwrap_err();
    assert!(error.is_contended());
    assert_eq!((error.status(), error.retry_after()), (503, Some(Duration::from_secs(1))));
    let calls = calls.load(Ordering::Relaxed);
    assert!(calls >= 2);
    assert_eq!(session.count().await.unwrap(), u64::from(calls), "nothing of it was written");
}

/// Each update applies to the result of the previous update.
pub(crate) async fn a_hundred_concurrent_updates_are_all_kept(world: World) {
    let sessions = world.sessions(|config| config.timeout(Duration::from_secs(60)));
    let session: Session<Counters> = sessions.create().await.unwrap();
    let id = session.session_id().unwrap();
    let counted = at_once(&sessions, id, 100, |session, _| async move {
        session.count().update(|count| count + 1).await.unwrap()
    });
    let mut counted = counted.await;
    counted.sort_unstable();
    assert!(counted.into_iter().eq(1..=100));
    at_once(&sessions, id, 100, |session, client| async move {
        let letter = char::from(b'a' + u8::try_from(client % 26).unwrap());
        session.name().update(|name| name + letter.encode_utf8(&mut [0; 4])).await.unwrap()
    })
    .await;
    assert_eq!(session.name().await.unwrap().len(), 100);
}

pub(crate) async fn an_addition_out_of_range_creates_no_session(world: World) {
    let sessions = world.sessions(|config| config);
    let handle = sessions.open([]);
    let session: Session<Counters> = handle.session();
    for _ in 0..2 {
        assert!(session.count().decr(1).await.unwrap_err().is_out_of_range());
        assert!(session.ratio().incr(f64::INFINITY).await.unwrap_err().is_out_of_range());
        assert!(!session.exists().await.unwrap());
    }
    assert!(handle.finish().set_cookie().is_none());
    // The request can still create a session.
    let handle = sessions.open([]);
    let session: Session<Counters> = handle.session();
    assert!(session.count().decr(1).await.unwrap_err().is_out_of_range());
    assert_eq!(session.count().incr(1).await.unwrap(), 1);
    assert!(session.count().decr(2).await.unwrap_err().is_out_of_range());
    assert!(handle.finish().set_cookie().is_some());
    // Concurrent with a write that creates the session.
    let handle = sessions.open([]);
    let session: Session<Counters> = handle.session();
    let additions = async { (session.count().decr(1).await, session.count().decr(1).await) };
    let ((first, second), begun) = futures::join!(additions, session.set_tiny(1));
    begun.unwrap();
    assert!(first.unwrap_err().is_out_of_range() && second.unwrap_err().is_out_of_range());
    assert_eq!(session.tiny().await.unwrap(), 1);
    assert!(handle.finish().set_cookie().is_some());
}

pub(crate) async fn removals_create_no_session(world: World) {
    let sessions = world.sessions(|config| config);
    let handle = sessions.open([]);
    let session: Session<Counters> = handle.session();
    let sent = world.commands(async || {
        assert_eq!(session.name().take().await.unwrap(), "");
        assert_eq!(session.nickname().replace(None).await.unwrap(), None);
        assert_eq!(session.nickname().get_or_set(None).await.unwrap(), None);
        assert!(!session.count().compare_and_set(1, 2).await.unwrap());
        assert!(session.nickname().compare_and_set(None, None).await.unwrap());
        session.clear().await.unwrap();
        session
            .write()
            .remove(session.name())
            .set(session.nickname(), None)
            .commit()
            .await
            .unwrap();
    });
    assert_eq!(sent.await, Vec::<String>::new());
    assert!(handle.finish().set_cookie().is_none());
    for begins in [0, 1, 2, 3, 4] {
        let handle = sessions.open([]);
        let session: Session<Counters> = handle.session();
        match begins {
            0 => assert_eq!(session.name().replace("x").await.unwrap(), ""),
            1 => assert_eq!(session.count().incr(1).await.unwrap(), 1),
            2 => assert_eq!(session.name().get_or_set("x").await.unwrap(), "x"),
            3 => assert!(session.count().compare_and_set(0, 1).await.unwrap()),
            _ => assert_eq!(session.count().update(|count| count + 1).await.unwrap(), 1),
        }
        assert!(handle.finish().set_cookie().is_some(), "{begins}");
    }
}

pub(crate) async fn operations_on_a_dead_session_are_gone(world: World) {
    let (sessions, session, id) = begin(&world).await;
    let held: Session<Counters> = sessions.open_id(&id);
    held.count().await.unwrap();
    session.destroy().await.unwrap();
    assert!(held.count().incr(1).await.unwrap_err().is_gone());
    assert!(held.name().take().await.unwrap_err().is_gone());
    assert!(held.name().replace("x").await.unwrap_err().is_gone());
    assert!(held.name().get_or_set("x").await.unwrap_err().is_gone());
    assert!(held.count().compare_and_set(0, 1).await.unwrap_err().is_gone());
    assert!(held.count().update(|count| count).await.unwrap_err().is_gone());
    assert!(!sessions.open_id::<Counters>(&id).exists().await.unwrap());
}

/// Behaviour: parallel writes.
pub(crate) async fn ten_thousand_increments_from_64_clients_are_ten_thousand(world: World) {
    let (sessions, session, id) = begin(&world).await;
    at_once(&sessions, id, 64, |session, client| async move {
        for _ in 0..(10_000 / 64 + u64::from(client < 10_000 % 64)) {
            session.count().incr(1).await.unwrap();
        }
    })
    .await;
    assert_eq!(session.count().await.unwrap(), 10_000);
}

pub(crate) async fn one_of_64_clients_wins_compare_and_set(world: World) {
    let (sessions, session, id) = begin(&world).await;
    let won = at_once(&sessions, id, 64, |session, client| async move {
        session.count().compare_and_set(0, client + 1).await.unwrap().then_some(client + 1)
    });
    let won: Vec<_> = won.await.into_iter().flatten().collect();
    assert_eq!(won, [session.count().await.unwrap()]);
}

pub(crate) async fn one_of_64_clients_takes_the_value(world: World) {
    let (sessions, session, id) = begin(&world).await;
    session.set_name("flash").await.unwrap();
    let taken =
        at_once(
            &sessions,
            id,
            64,
            |session, _| async move { session.name().take().await.unwrap() },
        )
        .await;
    assert_eq!(taken.iter().filter(|taken| *taken == "flash").count(), 1);
}

pub(crate) async fn get_or_set_has_one_value_for_all(world: World) {
    let (sessions, _, id) = begin(&world).await;
    let values = at_once(&sessions, id, 64, |session, client| async move {
        session.name().get_or_set(client.to_string()).await.unwrap()
    });
    let values = values.await;
    assert!(values.iter().all(|value| *value == values[0]));
}

pub(crate) async fn values_over_the_limit_are_refused(world: World) {
    let sessions = world.sessions(|config| config.max_value_size(10).max_batch_size(15));
    let session: Session<Counters> = sessions.create().await.unwrap();
    let long = "x".repeat(11);
    let sent = world.commands(async || {
        assert!(session.name().replace(&long).await.unwrap_err().is_too_large());
        assert!(session.name().get_or_set(&long).await.unwrap_err().is_too_large());
        assert!(session.name().compare_and_set("", &long).await.unwrap_err().is_too_large());
    });
    assert_eq!(sent.await, Vec::<String>::new());
    assert!(session.name().update(|_| long.clone()).await.unwrap_err().is_too_large());
}

/// The value may come from an earlier limit, or from another program.
pub(crate) async fn a_value_over_the_limit_can_be_made_smaller(world: World) {
    #[derive(Debug, Session)]
    struct Lenient {
        #[session(on_decode_error = "default")]
        name: u64,
    }
    let generous = world.sessions(|config| config);
    let strict = world.sessions(|config| config.max_value_size(10).max_batch_size(15));
    let long = "x".repeat(100);
    let before: Session<Counters> = generous.create().await.unwrap();
    let id = before.session_id().unwrap();
    let session: Session<Counters> = strict.open_id(&id);

    before.set_name(&long).await.unwrap();
    let still_long = session.name().update(|name| name[..11].to_owned()).await;
    assert!(still_long.unwrap_err().is_too_large());
    assert_eq!(session.name().update(|name| name[..10].to_owned()).await.unwrap().len(), 10);

    before.set_name(&long).await.unwrap();
    assert!(session.name().compare_and_set(&long, "short").await.unwrap());
    before.set_nickname(long.as_str()).await.unwrap();
    assert!(session.nickname().compare_and_set(long.as_str(), None).await.unwrap(), "removed");

    before.set_name(&long).await.unwrap();
    let lenient: Session<Lenient> = strict.open_id(&id);
    assert_eq!(lenient.name().incr(1).await.unwrap(), 1);
}
