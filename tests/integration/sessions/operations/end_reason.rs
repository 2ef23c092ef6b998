//! The reason why the session of a request's cookie is over.

use std::time::Duration;

use session_runtime::find::Surplus;
use session_runtime::testing::{FailingStore, Failure};
use session_runtime::{EndReason, Lifetime, MemoryStore, Session, SessionConfig, Sessions};
use session_tests::acceptance::World;
use session_tests::cookies::{self, SECRET};

use super::visitor::{Auth, Visitor, open, open_id, set_cookie, visitor};

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

async fn reason(sessions: &Sessions, cookie: &str) -> Option<EndReason> {
    open(sessions, cookie).end_reason().await.unwrap()
}

/// Returns a cookie with a valid signature whose id was never in the store.
fn unknown(world: &World) -> String {
    cookies::cookie(&cookies::id(world.now(), 0))
}

pub(crate) async fn each_end_has_its_reason(world: World) {
    let sessions = world.sessions(|config| config);
    let mut cookies = Vec::new();
    for _ in 0..5 {
        cookies.push(visitor(&sessions).await);
    }
    open(&sessions, &cookies[0]).destroy().await.unwrap();
    open(&sessions, &cookies[1]).rotate().await.unwrap();
    open(&sessions, &cookies[2]).renew(Lifetime::remembered()).await.unwrap();
    open_id(&sessions, &cookies[3]).destroy().await.unwrap();
    let reasons = [
        Some(EndReason::LoggedOut),
        Some(EndReason::Moved),
        Some(EndReason::Moved),
        Some(EndReason::EndedElsewhere),
        None,
    ];
    // During the grace and after it.
    for _ in 0..2 {
        for (cookie, expected) in cookies.iter().zip(reasons) {
            assert_eq!(reason(&sessions, cookie).await, expected);
            assert_eq!(open_id(&sessions, cookie).end_reason().await.unwrap(), expected);
        }
        world.elapse(MINUTE);
    }
    // The store has forgotten the ends.
    world.elapse(10 * MINUTE);
    for cookie in &cookies[..4] {
        assert_eq!(reason(&sessions, cookie).await, Some(EndReason::Expired));
    }
    assert_eq!(reason(&sessions, &cookies[4]).await, None);
}

pub(crate) async fn ends_through_the_index_have_reasons(world: World) {
    let sessions = world.sessions(|config| config);
    let mut cookies = Vec::new();
    for _ in 0..2 {
        let handle = sessions.open([]);
        let auth: Session<Auth> = handle.session();
        let login = auth.write().set(auth.user(), 7).renew(Lifetime::normal());
        login.at_most(1, Surplus::EndOldest).commit().await.unwrap();
        cookies.push(set_cookie(&handle));
        world.elapse(MINUTE);
    }
    assert_eq!(sessions.find(Auth::by_user(7)).end_all().await.unwrap(), 1);
    assert_eq!(reason(&sessions, &cookies[0]).await, Some(EndReason::TooMany));
    assert_eq!(reason(&sessions, &cookies[1]).await, Some(EndReason::EndedElsewhere));
}

pub(crate) async fn an_expired_session_is_not_found_or_past_its_deadline(world: World) {
    let sessions = world.sessions(|config| config);
    let cookie = visitor(&sessions).await;
    let kept = open_id(&sessions, &visitor(&sessions).await);
    kept.count().await.unwrap();
    world.elapse(2 * DAY);
    assert_eq!(reason(&sessions, &cookie).await, Some(EndReason::Expired));
    assert_eq!(reason(&sessions, &unknown(&world)).await, Some(EndReason::Expired));
    // The request has seen the session live.
    assert_eq!((kept.exists().await.unwrap(), kept.end_reason().await.unwrap()), (false, EXPIRED));
    world.elapse(40 * DAY);
    let past_deadline = world.commands(async || {
        assert_eq!(reason(&sessions, &cookie).await, Some(EndReason::Expired));
    });
    world.assert_commands(past_deadline.await, &[]);
}

const EXPIRED: Option<EndReason> = Some(EndReason::Expired);

pub(crate) async fn the_store_is_asked_for_a_dead_id_only(world: World) {
    let sessions = world.sessions(|config| config);
    let cookie = visitor(&sessions).await;
    let unsigned = format!("{}x", unknown(&world));
    let session = open(&sessions, &cookie);
    let asked = async |session: &Session<Visitor>, expected, commands: &[&str]| {
        let sent = world.commands(async || {
            assert_eq!(session.end_reason().await.unwrap(), expected);
        });
        world.assert_commands(sent.await, commands);
    };
    asked(&sessions.open([]).session(), None, &[]).await;
    asked(&open(&sessions, &unsigned), None, &[]).await;
    asked(&session, None, &["hexists", "pttl"]).await;
    asked(&session, None, &[]).await;
    // A refresh of the tombstone would have an unawaited command follow.
    session.count().await.unwrap();
    asked(&open(&sessions, &unknown(&world)), EXPIRED, &["hexists", "pttl"]).await;

    open(&sessions, &cookie).destroy().await.unwrap();
    asked(&session, None, &[]).await;
    assert!(!session.exists().await.unwrap());
    let logged_out = Some(EndReason::LoggedOut);
    asked(&session, logged_out, &["get", "time"]).await;
    asked(&session, logged_out, &[]).await;
    let next = open(&sessions, &cookie);
    asked(&next, logged_out, &["hexists", "pttl", "get", "time"]).await;
    asked(&next, logged_out, &[]).await;
    let next = open(&sessions, &cookie);
    assert_eq!(next.expires_in().await.unwrap(), None);
    asked(&next, logged_out, &[]).await;
}

pub(crate) async fn a_question_is_no_use(world: World) {
    let sessions = world.sessions(|config| config);
    let cookie = visitor(&sessions).await;
    world.elapse(DAY / 2);
    assert_eq!(reason(&sessions, &cookie).await, None);
    let left = open(&sessions, &cookie).expires_in().await.unwrap();
    assert!(left.is_some_and(|left| left <= DAY / 2), "{left:?}");
}

pub(crate) async fn an_own_new_id_is_no_end(world: World) {
    let sessions = world.sessions(|config| config);
    let cookie = visitor(&sessions).await;
    let handle = sessions.open([cookie.as_bytes()]);
    let session: Session<Visitor> = handle.session();
    session.rotate().await.unwrap();
    session.renew(Lifetime::remembered()).await.unwrap();
    assert_eq!(session.end_reason().await.unwrap(), None);
    assert_eq!(reason(&sessions, &set_cookie(&handle)).await, None);
}

/// A page may ask before or after it begins a session for its form.
pub(crate) async fn a_new_session_leaves_the_reason(world: World) {
    let sessions = world.sessions(|config| config);
    for is_ended in [true, false] {
        let cookie = visitor(&sessions).await;
        let expected = if is_ended {
            open_id(&sessions, &cookie).destroy().await.unwrap();
            Some(EndReason::EndedElsewhere)
        } else {
            world.elapse(2 * DAY);
            EXPIRED
        };
        let handle = sessions.open([cookie.as_bytes()]);
        let session: Session<Visitor> = handle.session();
        if is_ended {
            assert!(session.set_count(2).await.unwrap_err().is_gone());
            session.destroy().await.unwrap();
        }
        assert_eq!(session.end_reason().await.unwrap(), expected);
        session.set_count(2).await.unwrap();
        assert_eq!(session.end_reason().await.unwrap(), expected);
        session.rotate().await.unwrap();
        assert_eq!(session.end_reason().await.unwrap(), expected);
        assert_eq!(reason(&sessions, &set_cookie(&handle)).await, None);
    }
}

pub(crate) async fn an_own_end_has_a_reason(world: World) {
    let sessions = world.sessions(|config| config);
    let (cookie, other) = (visitor(&sessions).await, visitor(&sessions).await);
    let sent = world.commands(async || {
        let session = open(&sessions, &cookie);
        session.destroy().await.unwrap();
        assert_eq!(session.end_reason().await.unwrap(), Some(EndReason::LoggedOut));
        let other = open_id(&sessions, &other);
        other.destroy().await.unwrap();
        assert_eq!(other.end_reason().await.unwrap(), Some(EndReason::EndedElsewhere));
    });
    world.assert_commands(sent.await, &["evalsha", "evalsha"]);
    // A logout that comes too late does not hide the end.
    let late = open(&sessions, &other);
    late.destroy().await.unwrap();
    assert_eq!(late.end_reason().await.unwrap(), Some(EndReason::EndedElsewhere));
    // A logout follows a rotation.
    let cookie = visitor(&sessions).await;
    open(&sessions, &cookie).rotate().await.unwrap();
    let late = open(&sessions, &cookie);
    late.destroy().await.unwrap();
    assert_eq!(late.end_reason().await.unwrap(), Some(EndReason::LoggedOut));
    let nothing: Session<Visitor> = sessions.open([]).session();
    nothing.destroy().await.unwrap();
    assert_eq!(nothing.end_reason().await.unwrap(), None);
}

pub(crate) async fn of_several_cookies_the_end_that_matters_counts(world: World) {
    let sessions = world.sessions(|config| config);
    let mut ended = vec![(unknown(&world), EndReason::Expired)];
    for end in [EndReason::Moved, EndReason::LoggedOut, EndReason::EndedElsewhere] {
        let cookie = visitor(&sessions).await;
        match end {
            EndReason::Moved => open(&sessions, &cookie).rotate().await.unwrap(),
            EndReason::LoggedOut => open(&sessions, &cookie).destroy().await.unwrap(),
            _ => open_id(&sessions, &cookie).destroy().await.unwrap(),
        }
        ended.push((cookie, end));
    }
    let both = |one: &str, other: &str| format!("{one}; {other}");
    let live = visitor(&sessions).await;
    for (at, (matters, expected)) in ended.iter().enumerate() {
        assert_eq!(reason(&sessions, &both(matters, &live)).await, None);
        assert_eq!(reason(&sessions, &both(&live, matters)).await, None);
        for (other, _) in &ended[..at] {
            assert_eq!(reason(&sessions, &both(matters, other)).await, Some(*expected));
            assert_eq!(reason(&sessions, &both(other, matters)).await, Some(*expected));
        }
    }
    // The first operation of the request gives the live session another id.
    let session = open(&sessions, &both(&ended[3].0, &live));
    session.rotate().await.unwrap();
    assert_eq!(session.end_reason().await.unwrap(), None);
    // A logout by this request is the reason, whatever the other cookies.
    session.destroy().await.unwrap();
    assert_eq!(session.end_reason().await.unwrap(), Some(EndReason::LoggedOut));
}

/// Nobody was signed out while the store was away.
#[tokio::test]
async fn without_a_store_there_is_no_answer() {
    let store = FailingStore::new(MemoryStore::new());
    let config = SessionConfig::new().secret(SECRET);
    let sessions = Sessions::with_store(config, store.clone()).unwrap();
    let cookie = visitor(&sessions).await;
    let session = open(&sessions, &cookie);
    session.count().await.unwrap();
    open_id(&sessions, &cookie).destroy().await.unwrap();
    assert!(!session.exists().await.unwrap());
    store.fail(Failure::Unavailable);
    for session in [&session, &open(&sessions, &cookie)] {
        assert!(session.end_reason().await.unwrap_err().is_unavailable());
    }
    let degraded = sessions.open([cookie.as_bytes()]);
    degraded.allow_degraded();
    assert_eq!(degraded.session::<Visitor>().end_reason().await.unwrap(), None);
    assert!(degraded.is_degraded());
    store.recover();
    assert_eq!(session.end_reason().await.unwrap(), Some(EndReason::EndedElsewhere));
}
