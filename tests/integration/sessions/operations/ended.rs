//! Live connections that wait for the end of their session.

use std::time::Duration;

use futures::FutureExt as _;
use session_runtime::find::Surplus;
use session_runtime::{EndReason, Lifetime, Session, Sessions};
use session_tests::acceptance::World;
use tokio::time::timeout;

use super::visitor::{Auth, Visitor, open, open_id, set_cookie, visitor};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Opens the session in a live connection that has asked for the session once.
async fn connect(sessions: &Sessions, cookie: &str) -> Session<Visitor> {
    let session = open(sessions, cookie);
    assert!(session.exists().await.unwrap());
    session
}

/// Waits for the end in a task, like a live connection.
fn watch(session: &Session<Visitor>) -> tokio::task::JoinHandle<EndReason> {
    tokio::spawn(session.ended())
}

async fn reason(waiting: tokio::task::JoinHandle<EndReason>) -> EndReason {
    timeout(Duration::from_secs(20), waiting).await.expect("the end is noticed").unwrap()
}

/// Behaviour: end of a live connection.
pub(crate) async fn each_end_is_noticed_with_its_reason(world: World) {
    let sessions = world.sessions(|config| config);
    let mut waiting = Vec::new();
    let mut cookies = Vec::new();
    for _ in 0..6 {
        let cookie = visitor(&sessions).await;
        waiting.push((watch(&connect(&sessions, &cookie).await), watch(&open(&sessions, &cookie))));
        cookies.push(cookie);
    }
    open(&sessions, &cookies[0]).destroy().await.unwrap();
    open(&sessions, &cookies[1]).rotate().await.unwrap();
    open(&sessions, &cookies[2]).renew(Lifetime::remembered()).await.unwrap();
    open_id(&sessions, &cookies[3]).destroy().await.unwrap();
    let expected =
        [EndReason::LoggedOut, EndReason::Moved, EndReason::Moved, EndReason::EndedElsewhere];
    let live: Vec<_> = waiting.drain(4..).collect();
    for ((asked, unasked), expected) in waiting.into_iter().zip(expected) {
        assert_eq!(reason(asked).await, expected);
        assert_eq!(reason(unasked).await, expected);
    }
    world.elapse(2 * DAY);
    for (asked, unasked) in live {
        assert_eq!(reason(asked).await, EndReason::Expired);
        assert_eq!(reason(unasked).await, EndReason::Expired);
    }
}

pub(crate) async fn ends_by_a_search_are_noticed(world: World) {
    let sessions = world.sessions(|config| config);
    let mut waiting = Vec::new();
    for _ in 0..2 {
        let handle = sessions.open([]);
        let auth: Session<Auth> = handle.session();
        let login = auth.write().set(auth.user(), 7).renew(Lifetime::normal());
        login.at_most(1, Surplus::EndOldest).commit().await.unwrap();
        waiting.push(watch(&handle.session()));
        world.elapse(MINUTE);
    }
    let newest = waiting.pop().unwrap();
    assert_eq!(reason(waiting.pop().unwrap()).await, EndReason::TooMany);
    assert_eq!(sessions.find(Auth::by_user(7)).end_all().await.unwrap(), 1);
    assert_eq!(reason(newest).await, EndReason::EndedElsewhere);
}

/// A loop around `select!` drops the future after each message.
pub(crate) async fn a_dropped_future_loses_nothing(world: World) {
    let sessions = world.sessions(|config| config);
    let cookie = visitor(&sessions).await;
    let session = connect(&sessions, &cookie).await;
    for _ in 0..1000 {
        assert_eq!(session.ended().now_or_never(), None);
    }
    let ending = tokio::spawn({
        let session = open(&sessions, &cookie);
        async move { session.destroy().await }
    });
    let ended = async {
        loop {
            if let Some(reason) = session.ended().now_or_never() {
                return reason;
            }
            tokio::task::yield_now().await;
        }
    };
    let reason = timeout(Duration::from_secs(20), ended).await.expect("the end is noticed");
    assert_eq!(reason, EndReason::LoggedOut);
    ending.await.unwrap().unwrap();
    assert_eq!(session.ended().now_or_never(), Some(EndReason::LoggedOut));
}

pub(crate) async fn uses_of_a_session_are_no_end(world: World) {
    let sessions = world.sessions(|config| config);
    let cookie = visitor(&sessions).await;
    let waiting = watch(&connect(&sessions, &cookie).await);
    for count in 0..20 {
        let session = open(&sessions, &cookie);
        session.set_count(count).await.unwrap();
        session.count().await.unwrap();
    }
    assert!(!waiting.is_finished());
    open(&sessions, &cookie).destroy().await.unwrap();
    assert_eq!(reason(waiting).await, EndReason::LoggedOut);
}

pub(crate) async fn an_own_new_id_is_followed(world: World) {
    let sessions = world.sessions(|config| config);
    let handle = sessions.open([]);
    let session: Session<Visitor> = handle.session();
    session.set_count(1).await.unwrap();
    let waiting = watch(&session);
    session.rotate().await.unwrap();
    session.renew(Lifetime::remembered()).await.unwrap();
    let cookie = set_cookie(&handle);
    assert!(!waiting.is_finished());
    open_id(&sessions, &cookie).destroy().await.unwrap();
    assert_eq!(reason(waiting).await, EndReason::EndedElsewhere);
}

pub(crate) async fn a_session_that_is_over_is_told_at_once(world: World) {
    let sessions = world.sessions(|config| config);
    let cookie = visitor(&sessions).await;
    open(&sessions, &cookie).destroy().await.unwrap();
    assert_eq!(reason(watch(&open(&sessions, &cookie))).await, EndReason::LoggedOut);
    // After an own end, the request may begin another session.
    let handle = sessions.open([]);
    let session: Session<Visitor> = handle.session();
    session.set_count(1).await.unwrap();
    session.destroy().await.unwrap();
    assert_eq!(reason(watch(&session)).await, EndReason::LoggedOut);
    session.set_count(2).await.unwrap();
    let waiting = watch(&session);
    open_id(&sessions, &set_cookie(&handle)).destroy().await.unwrap();
    assert_eq!(reason(waiting).await, EndReason::EndedElsewhere);
}

pub(crate) async fn without_a_session_nothing_is_sent(world: World) {
    let sessions = world.sessions(|config| config);
    let forged = format!("{}x", visitor(&sessions).await);
    let sent = world.commands(async || {
        assert_eq!(sessions.open([]).session::<Visitor>().ended().now_or_never(), None);
        assert_eq!(open(&sessions, &forged).ended().now_or_never(), None);
    });
    world.assert_commands(sent.await, &[]);
}

/// Another task of the request may begin the session later.
pub(crate) async fn a_wait_may_begin_before_the_session(world: World) {
    let sessions = world.sessions(|config| config.end_check_interval(HOUR));
    let handle = sessions.open([]);
    let session: Session<Visitor> = handle.session();
    let waiting = watch(&session);
    tokio::task::yield_now().await;
    session.set_count(1).await.unwrap();
    open_id(&sessions, &set_cookie(&handle)).destroy().await.unwrap();
    assert_eq!(reason(waiting).await, EndReason::EndedElsewhere);
}

pub(crate) async fn the_end_of_the_latest_session_counts(world: World) {
    let sessions = world.sessions(|config| config);
    let handle = sessions.open([]);
    let session: Session<Visitor> = handle.session();
    session.set_count(1).await.unwrap();
    session.destroy().await.unwrap();
    assert_eq!(reason(watch(&session)).await, EndReason::LoggedOut);
    session.set_count(2).await.unwrap();
    open_id(&sessions, &set_cookie(&handle)).destroy().await.unwrap();
    // The request has noticed the end before the wait.
    assert!(!session.exists().await.unwrap());
    assert_eq!(session.end_reason().await.unwrap(), Some(EndReason::EndedElsewhere));
    assert_eq!(reason(watch(&session)).await, EndReason::EndedElsewhere);
}

pub(crate) async fn a_future_may_be_polled_after_the_end(world: World) {
    let sessions = world.sessions(|config| config);
    let cookie = visitor(&sessions).await;
    let mut ended = connect(&sessions, &cookie).await.ended();
    open(&sessions, &cookie).destroy().await.unwrap();
    let first = timeout(Duration::from_secs(20), &mut ended).await.expect("the end is noticed");
    assert_eq!((first, (&mut ended).now_or_never()), (EndReason::LoggedOut, Some(first)));
}
