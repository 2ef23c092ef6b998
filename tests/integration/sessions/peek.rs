//! Inspecting a session by id, and other questions that do not use the session.

use std::time::Duration;

use session_runtime::{Lifetime, Session, SessionId, Sessions};
use session_tests::acceptance::World;

const HOUR: Duration = Duration::from_secs(3600);

#[derive(Debug, Default, PartialEq, Session)]
struct Visitor {
    count: u64,
    #[session(alias = "label")]
    name: Option<String>,
}

async fn begin(world: &World) -> (Sessions, Session<Visitor>, SessionId) {
    let sessions = world.sessions(|config| config);
    let session: Session<Visitor> = sessions.create().await.unwrap();
    session.set_count(7).await.unwrap();
    let id = session.session_id().unwrap();
    (sessions, session, id)
}

async fn a_peek_returns_the_stored_values_in_one_round_trip(world: World) {
    let (sessions, session, id) = begin(&world).await;
    session.set_name("Ada").await.unwrap();
    let sent = world.commands(async || {
        let seen = sessions.peek::<Visitor>(&id).await.unwrap();
        assert_eq!(seen, Some(Visitor { count: 7, name: Some("Ada".to_owned()) }));
    });
    world.assert_commands(sent.await, &["hmget"]);
    session.clear().await.unwrap();
    assert_eq!(sessions.peek::<Visitor>(&id).await.unwrap(), Some(Visitor::default()));
}

async fn peeks_do_not_keep_a_session_alive(world: World) {
    let (sessions, _, id) = begin(&world).await;
    for _ in 0..3 {
        world.elapse(7 * HOUR);
        assert!(sessions.peek::<Visitor>(&id).await.unwrap().is_some());
    }
    world.elapse(4 * HOUR);
    assert_eq!(sessions.peek::<Visitor>(&id).await.unwrap(), None);
    assert!(!sessions.open_id::<Visitor>(&id).exists().await.unwrap());

    // A read by `open_id` is a use.
    let (sessions, _, id) = begin(&world).await;
    for _ in 0..3 {
        world.elapse(20 * HOUR);
        assert_eq!(sessions.open_id::<Visitor>(&id).count().await.unwrap(), 7);
    }
}

async fn an_ended_or_unknown_session_is_none(world: World) {
    let (sessions, session, id) = begin(&world).await;
    session.rotate().await.unwrap();
    let successor = session.session_id().unwrap();
    assert_eq!(sessions.peek::<Visitor>(&id).await.unwrap(), None);
    assert_eq!(sessions.peek::<Visitor>(&successor).await.unwrap().unwrap().count, 7);
    session.destroy().await.unwrap();
    assert_eq!(sessions.peek::<Visitor>(&successor).await.unwrap(), None);
    let elsewhere = world.sessions(|config| config.prefix("elsewhere"));
    let unknown = elsewhere.create::<Visitor>().await.unwrap().session_id().unwrap();
    let sent = world
        .commands(async || assert_eq!(sessions.peek::<Visitor>(&unknown).await.unwrap(), None));
    world.assert_commands(sent.await, &["hmget", "hexists", "pttl"]);
}

/// A session created by another program has no permanent field.
async fn a_session_of_another_program_is_seen(world: World) {
    let (sessions, _, id) = begin(&world).await;
    let Some(servers) = world.server() else { return };
    let (tag, rest) = id.expose_secret().split_at(8);
    let key = format!("app:sessions:{{{tag}}}{rest}");
    let _: i64 = servers.cli(&["HSET", &key, "theirs", "1"]);
    let _: i64 = servers.cli(&["HDEL", &key, ""]);
    assert_eq!(sessions.peek::<Visitor>(&id).await.unwrap().unwrap().count, 7);
    let _: i64 = servers.cli(&["HDEL", &key, "count"]);
    assert_eq!(sessions.peek::<Visitor>(&id).await.unwrap(), Some(Visitor::default()));
}

async fn a_lifetime_is_known_without_asking(world: World) {
    let (sessions, session, id) = begin(&world).await;
    assert_eq!(session.lifetime(), Some(Lifetime::normal()));
    session.renew(Lifetime::remembered()).await.unwrap();
    assert_eq!(session.lifetime().unwrap().class(), 1);
    let id = session.session_id().unwrap_or(id);
    let sent = world.commands(async || {
        assert_eq!(sessions.open_id::<Visitor>(&id).lifetime(), Some(Lifetime::remembered()));
        assert_eq!(sessions.open([]).session::<Visitor>().lifetime(), None);
    });
    assert_eq!(sent.await, Vec::<String>::new());
    session.destroy().await.unwrap();
    assert_eq!(session.lifetime(), None);
}

async fn now_follows_the_clock_of_the_test(world: World) {
    let sessions = world.sessions(|config| config);
    let before = sessions.now();
    world.elapse(HOUR);
    assert_eq!((sessions.now(), sessions.now()), (before + HOUR, world.now()));
}

macro_rules! over_every_store {
    ($($behaviour:ident)+) => {
        over_every_store!(@store memory $($behaviour)+);
        over_every_store!(@store redis $($behaviour)+);
        over_every_store!(@store redis_8 $($behaviour)+);
        over_every_store!(@store valkey_9 $($behaviour)+);
        over_every_store!(@store cluster $($behaviour)+);
    };
    (@store $store:ident $($behaviour:ident)+) => {
        mod $store {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $behaviour() {
                // Some stores need a server that may be missing.
                let world = session_tests::acceptance::World::$store().await;
                let Some(world) = Option::from(world) else { return };
                super::$behaviour(world).await;
            })+
        }
    };
}

over_every_store! {
    a_peek_returns_the_stored_values_in_one_round_trip
    peeks_do_not_keep_a_session_alive
    an_ended_or_unknown_session_is_none
    a_session_of_another_program_is_seen
    a_lifetime_is_known_without_asking
    now_follows_the_clock_of_the_test
}
