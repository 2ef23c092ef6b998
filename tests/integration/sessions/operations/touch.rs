//! Heartbeats, which keep a session alive in a request that lasts for hours.

use std::time::Duration;

use session_runtime::testing::{FailingStore, Failure};
use session_runtime::{EndReason, Lifetime, MemoryStore, Session, SessionConfig, Sessions};
use session_tests::acceptance::World;
use session_tests::cookies::{self, SECRET};
use session_tests::until;

use super::visitor::{Visitor, open, visitor};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(60 * 60);

/// Returns the time left, by the look of another request.
async fn left(sessions: &Sessions, cookie: &str) -> Duration {
    open(sessions, cookie).expires_in().await.unwrap().expect("a live session")
}

async fn until_left(sessions: &Sessions, cookie: &str, least: Duration) {
    until("the new expiry", async || left(sessions, cookie).await > least).await;
}

/// Asserts the answer of a heartbeat, and the commands that it waits for.
async fn assert_touch(world: &World, session: &Session<Visitor>, live: bool, commands: &[&str]) {
    let sent = world.commands(async || assert_eq!(session.touch().await.unwrap(), live)).await;
    world.assert_commands(sent, commands);
}

const LOOK: &[&str] = &["hexists", "pttl"];

pub(crate) async fn every_heartbeat_prolongs_if_due(world: World) {
    let sessions = world.sessions(|config| config);
    let cookie = visitor(&sessions).await;
    let session = open(&sessions, &cookie);
    for _ in 0..5 {
        world.elapse(6 * HOUR);
        assert!(left(&sessions, &cookie).await <= 18 * HOUR);
        assert!(session.touch().await.unwrap());
        until_left(&sessions, &cookie, 23 * HOUR).await;
    }
}

pub(crate) async fn a_heartbeat_that_is_not_due_changes_nothing(world: World) {
    for (share, not_due, due) in
        [(None, 2 * HOUR, HOUR), (Some(0.5), 11 * HOUR, 2 * HOUR), (Some(0.99), HOUR / 8, HOUR)]
    {
        let sessions = world.sessions(|config| match share {
            Some(share) => config.refresh_below(share),
            None => config,
        });
        let cookie = visitor(&sessions).await;
        let session = open(&sessions, &cookie);
        world.elapse(not_due);
        for _ in 0..3 {
            assert_touch(&world, &session, true, LOOK).await;
        }
        assert!(left(&sessions, &cookie).await <= 24 * HOUR - not_due);
        world.elapse(due);
        assert!(session.touch().await.unwrap());
        until_left(&sessions, &cookie, 24 * HOUR - due / 2).await;
    }
}

/// A read is a use at any time, and a heartbeat may leave the expiry as it is.
pub(crate) async fn the_first_read_after_a_heartbeat_refreshes(world: World) {
    let sessions = world.sessions(|config| config);
    let cookie = visitor(&sessions).await;
    let session = open(&sessions, &cookie);
    world.elapse(HOUR);
    assert_touch(&world, &session, true, LOOK).await;
    let read = world.commands(async || assert_eq!(session.count().await.unwrap(), 1)).await;
    world.assert_commands(read, &["hget", "pexpire"]);
    assert!(left(&sessions, &cookie).await > 23 * HOUR);
    assert_touch(&world, &session, true, LOOK).await;
}

pub(crate) async fn no_heartbeat_passes_the_absolute_deadline(world: World) {
    let lifetime = Lifetime::normal().idle(24 * HOUR).max(36 * HOUR);
    let sessions = world.sessions(|config| config.lifetime(lifetime));
    let cookie = visitor(&sessions).await;
    let session = open(&sessions, &cookie);
    world.elapse(18 * HOUR);
    assert!(session.touch().await.unwrap());
    until_left(&sessions, &cookie, 17 * HOUR).await;
    let most = i64::try_from((18 * HOUR).as_millis()).unwrap();
    assert!(world.times_to_live().iter().all(|left| *left <= most));
    world.elapse(6 * HOUR);
    assert_touch(&world, &session, true, LOOK).await;
    world.elapse(12 * HOUR);
    assert_touch(&world, &session, false, &[]).await;
}

pub(crate) async fn a_heartbeat_after_the_end_leaves_the_tombstone(world: World) {
    let sessions = world.sessions(|config| config);
    let cookie = visitor(&sessions).await;
    let session = open(&sessions, &cookie);
    assert!(session.touch().await.unwrap());
    open(&sessions, &cookie).destroy().await.unwrap();
    assert_touch(&world, &session, false, LOOK).await;
    assert_touch(&world, &session, false, &[]).await;
    for _ in 0..2 {
        let later = open(&sessions, &cookie);
        assert_touch(&world, &later, false, &["hexists", "pttl", "get", "time"]).await;
        assert_eq!(later.end_reason().await.unwrap(), Some(EndReason::LoggedOut));
        world.elapse(2 * MINUTE);
    }
    // The store keeps the tombstone for five minutes.
    world.elapse(2 * MINUTE);
    assert_eq!(open(&sessions, &cookie).end_reason().await.unwrap(), Some(EndReason::Expired));
}

pub(crate) async fn heartbeats_end_with_the_id_of_the_request(world: World) {
    let sessions = world.sessions(|config| config);
    let cookie = visitor(&sessions).await;
    let session = open(&sessions, &cookie);
    assert!(session.touch().await.unwrap());
    open(&sessions, &cookie).rotate().await.unwrap();
    assert_touch(&world, &session, false, LOOK).await;
    // The request's own rotation goes on under the new id.
    let cookie = visitor(&sessions).await;
    let session = open(&sessions, &cookie);
    session.rotate().await.unwrap();
    assert_touch(&world, &session, true, LOOK).await;
}

pub(crate) async fn a_heartbeat_without_a_session_asks_nothing(world: World) {
    let sessions = world.sessions(|config| config);
    let unsigned = format!("{}x", cookies::cookie(&cookies::id(world.now(), 0)));
    for cookies in [&[][..], &[unsigned.as_bytes()]] {
        let handle = sessions.open(cookies.iter().copied());
        assert_touch(&world, &handle.session(), false, &[]).await;
        assert!(handle.finish().set_cookie().is_none());
    }
}

#[tokio::test]
async fn a_heartbeat_without_a_store_is_an_error() {
    let store = FailingStore::new(MemoryStore::new());
    let config = SessionConfig::new().secret(SECRET);
    let sessions = Sessions::with_store(config, store.clone()).unwrap();
    let cookie = visitor(&sessions).await;
    let live = sessions.open([cookie.as_bytes()]);
    live.allow_degraded();
    assert!(live.session::<Visitor>().touch().await.unwrap());
    store.fail(Failure::Unavailable);
    let seen = live.session::<Visitor>().touch().await;
    assert!(seen.is_err_and(|error| error.is_unavailable()) && !live.is_degraded());
    assert!(open(&sessions, &cookie).touch().await.is_err_and(|error| error.is_unavailable()));
    // A heartbeat alone does not go on without the session, and `false` would be an end.
    let [unseen, degraded] = [(); 2].map(|()| sessions.open([cookie.as_bytes()]));
    for handle in [&unseen, &degraded] {
        handle.allow_degraded();
        let beat = handle.session::<Visitor>().touch().await;
        assert!(beat.is_err_and(|error| error.is_unavailable()) && !handle.is_degraded());
    }
    assert_eq!(degraded.session::<Visitor>().count().await.unwrap(), 0);
    store.recover();
    let beat = degraded.session::<Visitor>().touch().await;
    assert!(beat.is_err_and(|error| error.is_unavailable()) && degraded.is_degraded());
    assert!(unseen.session::<Visitor>().touch().await.unwrap());
    assert!(live.session::<Visitor>().touch().await.unwrap());
}
