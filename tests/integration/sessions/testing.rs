//! The feature `testing` for applications: every state of a session, and a failing store.

use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request};
use axum::routing::get;
use session_runtime::find::Surplus;
use session_runtime::store::ConnectionState;
use session_runtime::testing::{self, Browser, FailingStore, Failure, ManualClock};
use session_runtime::{Error, Lifetime, MemoryStore, Session, SessionConfig, Sessions, Transport};
use session_tests::cookies::SECRET;

const DAY: Duration = Duration::from_secs(24 * 3600);
const OLDER: &str = "hex:1e0c9d8b7a6958473625140312f1e0dfcebdac9b8a79685746352413021f0eed";

#[derive(Session)]
struct Visitor {
    count: u64,
}

#[tokio::test]
async fn a_visit_creates_a_session_and_the_next_visit_keeps_it() {
    let (mut browser, _) = newcomer();
    assert_eq!((count(&mut browser).await.unwrap(), browser.cookie()), (0, None));
    set(&mut browser, 7).await.unwrap();
    assert!(browser.cookie().unwrap().starts_with("__Host-session-id="));
    assert_eq!(count(&mut browser).await.unwrap(), 7);
}

#[tokio::test]
async fn time_passes_by_the_clock_alone() {
    let (mut browser, clock) = visitor().await;
    clock.advance(DAY - Duration::from_secs(1));
    assert_eq!(count(&mut browser).await.unwrap(), 7);
    clock.advance(DAY);
    assert_eq!(count(&mut browser).await.unwrap(), 0);
}

#[tokio::test]
async fn a_destroyed_session_removes_the_cookie_and_the_clone_has_a_dead_cookie() {
    let (mut browser, _) = visitor().await;
    let mut other_tab = browser.clone();
    browser.visit(async |session: Session<Visitor>| session.destroy().await).await.unwrap();
    assert_eq!(browser.cookie(), None);
    assert!(set(&mut other_tab, 1).await.unwrap_err().is_gone());
}

#[tokio::test]
async fn a_rotated_session_leaves_the_clone_with_a_dead_cookie() {
    let (mut browser, _) = visitor().await;
    let mut thief = browser.clone();
    browser.visit(async |session: Session<Visitor>| session.rotate().await).await.unwrap();
    assert_ne!(browser.cookie(), thief.cookie());
    assert_eq!(count(&mut browser).await.unwrap(), 7);
    assert!(set(&mut thief, 1).await.unwrap_err().is_gone());
}

#[tokio::test]
async fn a_forged_cookie_is_no_cookie() {
    let (browser, _) = visitor().await;
    let mut forger = browser.forge();
    assert_ne!(forger.cookie(), browser.cookie());
    assert_eq!(count(&mut forger).await.unwrap(), 0);
    set(&mut forger, 1).await.unwrap();
    assert_eq!(count(&mut browser.clone()).await.unwrap(), 7);
}

#[tokio::test]
async fn a_cookie_signed_by_an_older_secret_is_signed_again() {
    let store = MemoryStore::new();
    let [before, after] = [OLDER.to_owned(), format!("{SECRET},{OLDER}")].map(|secret| {
        Sessions::with_store(SessionConfig::new().secret(secret), store.clone()).unwrap()
    });
    let mut browser = Browser::new(&before);
    set(&mut browser, 7).await.unwrap();
    let mut browser = browser.with_sessions(&after);
    let older = browser.cookie().unwrap().to_owned();
    assert_eq!(count(&mut browser).await.unwrap(), 7);
    assert_ne!(browser.cookie(), Some(older.as_str()));
}

#[tokio::test]
async fn a_cookie_of_another_store_has_no_session() {
    let [here, there] = [(), ()].map(|()| {
        Sessions::with_store(SessionConfig::new().secret(SECRET), MemoryStore::new()).unwrap()
    });
    let mut browser = Browser::new(&here);
    set(&mut browser, 7).await.unwrap();
    assert_eq!(count(&mut browser.with_sessions(&there)).await.unwrap(), 0);
}

#[tokio::test]
async fn only_the_session_cookie_of_a_response_is_kept() {
    let (mut browser, _) = newcomer();
    browser.receive("theme=dark; Path=/");
    assert_eq!(browser.cookie(), None);
    browser.receive("__Host-session-id=VALUE; HttpOnly; Max-Age=60");
    browser.receive("__Host-session-id2=OTHER");
    assert_eq!(browser.cookie(), Some("__Host-session-id=VALUE"));
    browser.receive("__Host-session-id=; Path=/; max-age=0");
    assert_eq!(browser.cookie(), None);
}

#[derive(Session)]
struct Auth {
    #[session(index)]
    user: Option<u64>,
    admin: bool,
}

const ADA: Auth = Auth { user: Some(42), admin: true };

#[tokio::test]
async fn a_browser_is_signed_in_without_a_login_page() {
    let sessions = testing::sessions(SessionConfig::new(), &ManualClock::default()).unwrap();
    let mut ada = Browser::signed_in(&sessions, &ADA).await.unwrap();
    let phone = Browser::signed_in(&sessions, &ADA).await.unwrap();
    assert_ne!(ada.cookie().unwrap(), phone.cookie().unwrap());
    let loaded = ada.visit(async |auth: Session<Auth>| auth.load().await).await.unwrap();
    assert!(loaded.user == Some(42) && loaded.admin);
    assert_eq!(sessions.find(Auth::by_user(42)).count().await.unwrap(), 2);
    assert_eq!(sessions.find(Auth::by_user(42)).end_all().await.unwrap(), 2);
    assert_eq!(ada.visit(async |auth: Session<Auth>| auth.user().await).await.unwrap(), None);
}

#[tokio::test]
async fn a_browser_cannot_be_signed_in_while_the_store_is_away() {
    let (store, sessions) = failing_sessions();
    store.fail(Failure::Unavailable);
    assert!(Browser::signed_in(&sessions, &ADA).await.unwrap_err().is_unavailable());
}

#[tokio::test]
async fn debug_of_a_browser_shows_no_cookie() {
    let (browser, _) = visitor().await;
    let value = browser.cookie().unwrap().split_once('=').unwrap().1;
    assert!(!format!("{browser:?}").contains(&value[10..]));
}

#[test]
#[should_panic(expected = "before the manager is cloned")]
fn a_shared_manager_takes_no_clock() {
    let sessions = testing::sessions(SessionConfig::new(), &ManualClock::default()).unwrap();
    let _shared = sessions.clone();
    let _ = sessions.with_clock(&ManualClock::default());
}

#[tokio::test]
async fn an_unavailable_store_carries_nothing_out() {
    let (store, mut browser) = failing().await;
    store.fail(Failure::Unavailable);
    for error in [count(&mut browser).await.unwrap_err(), set(&mut browser, 8).await.unwrap_err()] {
        assert!(error.is_unavailable() && !error.is_outcome_unknown());
    }
    store.recover();
    assert_eq!(count(&mut browser).await.unwrap(), 7);
}

#[tokio::test]
async fn a_write_without_a_reply_was_carried_out_or_not_as_the_test_says() {
    for (carried_out, expected) in [(true, 8), (false, 7)] {
        let (store, mut browser) = failing().await;
        store.fail(Failure::OutcomeUnknown { carried_out });
        let error = count(&mut browser).await.unwrap_err();
        assert!(error.is_unavailable() && !error.is_outcome_unknown());
        assert!(set(&mut browser, 8).await.unwrap_err().is_outcome_unknown());
        store.recover();
        assert_eq!(count(&mut browser).await.unwrap(), expected);
    }
}

#[tokio::test]
async fn a_store_that_refuses_is_read_and_not_changed() {
    let (store, mut browser) = failing().await;
    store.fail(Failure::Refused);
    let error = set(&mut browser, 8).await.unwrap_err();
    assert!(!error.is_unavailable() && !error.is_gone() && error.status() == 500, "{error}");
    assert_eq!(count(&mut browser).await.unwrap(), 7);
    browser.visit(async |session: Session<Visitor>| session.destroy().await.unwrap_err()).await;
    store.recover();
    assert_eq!(count(&mut browser).await.unwrap(), 7);
}

#[tokio::test]
async fn a_session_ended_during_the_request_is_gone() {
    let (store, mut browser) = failing().await;
    store.fail(Failure::Gone);
    let written = browser.visit(async |session: Session<Visitor>| {
        assert_eq!(session.count().await.unwrap(), 0);
        session.set_count(8).await
    });
    assert!(written.await.unwrap_err().is_gone());
    store.recover();
    assert_eq!(count(&mut browser).await.unwrap(), 0);
    // A new session is not ended. Only the following operations fail.
    let (store, _) = failing().await;
    let sessions =
        Sessions::with_store(SessionConfig::new().secret(SECRET), store.clone()).unwrap();
    store.fail(Failure::Gone);
    let mut newcomer = Browser::new(&sessions);
    set(&mut newcomer, 1).await.unwrap();
    let renamed = newcomer.visit(async |session: Session<Visitor>| session.rotate().await);
    assert!(renamed.await.unwrap_err().is_gone());
}

#[tokio::test]
async fn a_field_changed_by_another_request_is_contended() {
    let (store, mut browser) = failing().await;
    store.fail(Failure::Contended);
    let updated =
        browser.visit(async |session: Session<Visitor>| session.count().update(|n| n + 1).await);
    assert!(updated.await.unwrap_err().is_contended());
    let swapped = browser
        .visit(async |session: Session<Visitor>| session.count().compare_and_set(7, 8).await);
    assert!(!swapped.await.unwrap());
    let sessions =
        Sessions::with_store(SessionConfig::new().secret(SECRET), store.clone()).unwrap();
    let mut newcomer = Browser::new(&sessions);
    let updated =
        newcomer.visit(async |session: Session<Visitor>| session.count().update(|n| n + 1).await);
    assert!(updated.await.unwrap_err().is_contended(), "also without a session");
    // Operations without a comparison still work.
    let counted = browser.visit(async |session: Session<Visitor>| session.count().incr(1).await);
    assert_eq!(counted.await.unwrap(), 8);
    store.recover();
    let updated =
        browser.visit(async |session: Session<Visitor>| session.count().update(|n| n + 1).await);
    assert_eq!(updated.await.unwrap(), 9);
}

#[tokio::test]
async fn operations_before_the_failure_succeed() {
    let (store, mut browser) = failing().await;
    store.fail_after(2, Failure::Unavailable);
    set(&mut browser, 8).await.unwrap();
    assert_eq!(count(&mut browser).await.unwrap(), 8);
    assert!(set(&mut browser, 9).await.unwrap_err().is_unavailable());
    assert!(count(&mut browser).await.unwrap_err().is_unavailable());
    store.fail_after(1, Failure::Gone);
    assert_eq!(count(&mut browser).await.unwrap(), 8);
    assert!(set(&mut browser, 9).await.unwrap_err().is_gone());
}

/// Some of the sessions end, and a repetition ends the others.
#[tokio::test]
async fn an_end_of_all_sessions_fails_at_each_step_in_turn() {
    let (store, sessions) = failing_sessions();
    let found = sessions.find(Auth::by_user(42));
    let mut left = Vec::new();
    for step in 0..20 {
        found.end_all().await.unwrap();
        for _ in 0..3 {
            Browser::signed_in(&sessions, &ADA).await.unwrap();
        }
        store.fail_after(step, Failure::Unavailable);
        let ended = found.end_all().await;
        store.recover();
        left.push(found.count().await.unwrap());
        if ended.is_ok() {
            break;
        }
    }
    assert_eq!(left, [3, 3, 2, 1, 0]);
}

/// The oldest session has ended, and the login has not happened.
#[tokio::test]
async fn a_login_fails_after_it_has_made_room() {
    let (store, sessions) = failing_sessions();
    let mut outcomes = Vec::new();
    for step in 0..20 {
        sessions.find(Auth::by_user(42)).end_all().await.unwrap();
        let mut oldest = Browser::signed_in(&sessions, &ADA).await.unwrap();
        store.fail_after(step, Failure::Unavailable);
        let login = async |auth: Session<Auth>| {
            let login = auth.write().set(auth.user(), 42).renew(Lifetime::normal());
            login.at_most(1, Surplus::EndOldest).commit().await
        };
        let mut newest = Browser::new(&sessions);
        let logged_in = newest.visit(login).await.is_ok();
        store.recover();
        let user = async |auth: Session<Auth>| auth.user().await.unwrap();
        outcomes.push((oldest.visit(user).await, newest.visit(user).await));
        if logged_in {
            break;
        }
    }
    assert_eq!(outcomes.first(), Some(&(Some(42), None)));
    assert!(outcomes.contains(&(None, None)), "{outcomes:?}");
    assert_eq!(outcomes.last(), Some(&(None, Some(42))));
}

#[tokio::test]
async fn a_browser_sends_its_cookie_beside_others_and_keeps_what_is_set() {
    async fn answer(session: Session<Visitor>, headers: HeaderMap) -> Result<String, Error> {
        let theme = headers.get_all("cookie").iter().any(|cookie| cookie == "theme=dark");
        Ok(format!("{} {theme}", session.count().incr(1).await?))
    }
    async fn leave(session: Session<Visitor>) -> Result<(), Error> {
        session.destroy().await
    }
    let sessions = testing::sessions(SessionConfig::new(), &ManualClock::default()).unwrap();
    let app =
        Router::new().route("/", get(answer)).route("/leave", get(leave)).layer(sessions.layer());
    let mut browser = Browser::new(&sessions);
    for expected in ["1 true", "2 true"] {
        let request = Request::get("/").header("cookie", "theme=dark").body(Body::empty()).unwrap();
        let response = browser.send(app.clone(), request).await.unwrap();
        assert_eq!(to_bytes(response.into_body(), 99).await.unwrap(), expected);
    }
    let mut other_tab = browser.clone();
    browser.send(app.clone(), Request::get("/leave").body(Body::empty()).unwrap()).await.unwrap();
    assert!(browser.cookie().is_none() && other_tab.cookie().is_some());
    assert_eq!(count(&mut other_tab).await.unwrap(), 0);
}

#[tokio::test]
async fn a_token_is_kept_rotated_forged_and_removed_like_a_cookie() {
    let sessions = token_sessions(|config| config);
    let mut client = Browser::new(&sessions);
    assert_eq!((count(&mut client).await.unwrap(), client.token()), (0, None));
    set(&mut client, 7).await.unwrap();
    assert!(client.token().is_some_and(|token| token.len() == 84) && client.cookie().is_none());
    assert_eq!(count(&mut client).await.unwrap(), 7);
    let mut forger = client.forge();
    assert_ne!(forger.token(), client.token());
    assert_eq!(count(&mut forger).await.unwrap(), 0);
    let mut thief = client.clone();
    client.visit(async |session: Session<Visitor>| session.rotate().await).await.unwrap();
    assert_ne!(client.token(), thief.token());
    assert!(set(&mut thief, 1).await.unwrap_err().is_gone());
    assert_eq!(count(&mut client).await.unwrap(), 7);
    assert!(!format!("{client:?}").contains(&client.token().unwrap()[10..]));
    client.visit(async |session: Session<Visitor>| session.destroy().await).await.unwrap();
    assert_eq!(client.token(), None);
}

#[tokio::test]
async fn a_session_changes_from_the_cookie_to_a_token() {
    let sessions = token_sessions(|config| config.transport(Transport::CookieOrBearer));
    let mut client = Browser::new(&sessions);
    set(&mut client, 7).await.unwrap();
    assert!(client.cookie().is_some() && client.token().is_none());
    let token = client.visit(async |session: Session<Visitor>| session.token().await);
    let token = token.await.unwrap().unwrap();
    assert_eq!((client.cookie(), client.token()), (None, Some(token.expose_secret())));
    assert_eq!(count(&mut client).await.unwrap(), 7);
    client.receive_token("");
    assert_eq!((client.cookie(), client.token()), (None, None));
}

#[tokio::test]
async fn a_client_sends_its_token_to_a_router_and_keeps_the_next_one() {
    async fn answer(session: Session<Visitor>) -> Result<String, Error> {
        Ok(session.count().incr(1).await?.to_string())
    }
    async fn leave(session: Session<Visitor>) -> Result<(), Error> {
        session.destroy().await
    }
    let named = |config: SessionConfig| {
        config.token_header("X-Session").token_response_header("X-New-Session")
    };
    for sessions in [token_sessions(|config| config), token_sessions(named)] {
        let routes = Router::new().route("/", get(answer)).route("/leave", get(leave));
        let app = routes.layer(sessions.layer());
        let mut client = Browser::new(&sessions);
        for expected in ["1", "2"] {
            let request = Request::get("/").body(Body::empty()).unwrap();
            let response = client.send(app.clone(), request).await.unwrap();
            let issued =
                ["session-token", "x-new-session"].map(|name| response.headers().get(name));
            assert!(issued.iter().flatten().all(|token| token.is_sensitive()), "{issued:?}");
            assert_eq!(to_bytes(response.into_body(), 99).await.unwrap(), expected);
        }
        let request = Request::get("/leave").body(Body::empty()).unwrap();
        client.send(app, request).await.unwrap();
        assert_eq!(client.token(), None);
    }
}

#[derive(Session)]
struct Basket {
    items: u64,
    #[session(ttl = "1h")]
    coupon: Option<String>,
}

#[tokio::test]
async fn every_operation_reaches_a_custom_store() {
    let store = FailingStore::new(MemoryStore::new());
    let sessions =
        Sessions::with_store(SessionConfig::new().secret(SECRET), store.clone()).unwrap();
    sessions.require::<Basket>().await.unwrap();
    sessions.ping().await.unwrap();
    assert_eq!(sessions.connection_state(), ConnectionState::Connected);
    let session = sessions.create::<Basket>().await.unwrap();
    assert_eq!(session.items().incr(2).await.unwrap(), 2);
    session.set_coupon("spring").await.unwrap();
    let both = session.read((session.items(), session.coupon()));
    assert_eq!(both.await.unwrap(), (2, Some("spring".to_owned())));
    assert!(session.coupon().expire_in(DAY).await.unwrap());
    assert!(session.coupon().expires_in().await.unwrap().unwrap() > DAY / 2);
    store.fail(Failure::Unavailable);
    for error in [
        sessions.ping().await.unwrap_err(),
        session.items().incr(2).await.unwrap_err(),
        session.load().await.err().unwrap(),
        session.coupon().expire_in(DAY).await.unwrap_err(),
        session.coupon().expires_in().await.unwrap_err(),
        session.expires_in().await.unwrap_err(),
        session.rotate().await.unwrap_err(),
        session.destroy().await.unwrap_err(),
    ] {
        assert!(error.is_unavailable(), "{error}");
    }
}

/// Returns a manager with bearer tokens, unless `configure` chooses another transport.
fn token_sessions(configure: impl FnOnce(SessionConfig) -> SessionConfig) -> Sessions {
    let config = configure(SessionConfig::new().transport(Transport::Bearer));
    testing::sessions(config.secret(SECRET), &ManualClock::default()).unwrap()
}

fn failing_sessions() -> (FailingStore, Sessions) {
    let store = FailingStore::new(MemoryStore::new());
    let sessions =
        Sessions::with_store(SessionConfig::new().secret(SECRET), store.clone()).unwrap();
    (store, sessions)
}

async fn failing() -> (FailingStore, Browser) {
    let (store, sessions) = failing_sessions();
    let mut browser = Browser::new(&sessions);
    set(&mut browser, 7).await.unwrap();
    (store, browser)
}

fn newcomer() -> (Browser, ManualClock) {
    let clock = ManualClock::default();
    (Browser::new(&testing::sessions(SessionConfig::new(), &clock).unwrap()), clock)
}

/// Returns a visitor with the value seven in the session.
async fn visitor() -> (Browser, ManualClock) {
    let (mut browser, clock) = newcomer();
    set(&mut browser, 7).await.unwrap();
    (browser, clock)
}

async fn count(browser: &mut Browser) -> Result<u64, Error> {
    browser.visit(async |session: Session<Visitor>| session.count().await).await
}

async fn set(browser: &mut Browser, count: u64) -> Result<(), Error> {
    browser.visit(async |session: Session<Visitor>| session.set_count(count).await).await
}
