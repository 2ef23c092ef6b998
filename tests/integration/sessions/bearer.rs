//! Bearer tokens of sessions, through the API without a web framework.

use std::time::Duration;

use session_runtime::testing::{FailingStore, Failure, ManualClock};
use session_runtime::{
    Lifetime, MemoryStore, Session, SessionConfig, SessionHandle, SessionToken, Sessions, Transport,
};
use session_tests::cookies::{OTHER_SECRET, SECRET};

#[derive(Debug, Session)]
struct Visitor {
    count: u64,
}

fn config() -> SessionConfig {
    SessionConfig::new().secret(SECRET).transport(Transport::CookieOrBearer)
}

fn sessions(config: SessionConfig) -> Sessions {
    Sessions::with_store(config, MemoryStore::with_clock(&ManualClock::default())).unwrap()
}

fn request(sessions: &Sessions, token: &str) -> SessionHandle {
    with_headers(sessions, &[("authorization", &format!("Bearer {token}"))])
}

fn with_headers(sessions: &Sessions, headers: &[(&str, &str)]) -> SessionHandle {
    let handle = sessions.open([]);
    handle.note_request("POST", |name| {
        let found = headers.iter().filter(move |(other, _)| *other == name);
        found.map(|(_, value)| value.as_bytes()).collect::<Vec<_>>()
    });
    handle
}

/// Begins a session with a token.
async fn begin(sessions: &Sessions) -> String {
    let handle = sessions.open([]);
    handle.bearer();
    handle.session::<Visitor>().set_count(7).await.unwrap();
    handle.finish().session_token().unwrap().to_owned()
}

async fn token(handle: &SessionHandle) -> Option<String> {
    let token = handle.session::<Visitor>().token().await.unwrap();
    token.map(|token| token.expose_secret().to_owned())
}

#[tokio::test]
async fn a_token_from_the_handler_or_the_header_names_the_session() {
    let sessions = sessions(config());
    let handle = sessions.open([]);
    let visitor = handle.session::<Visitor>();
    visitor.set_count(7).await.unwrap();
    let given = token(&handle).await.unwrap();
    assert_eq!(handle.finish().session_token(), Some(&*given));
    let next = request(&sessions, &given);
    assert_eq!(next.session::<Visitor>().count().await.unwrap(), 7);
    assert_eq!(next.session::<Visitor>().session_id(), visitor.session_id());
    assert_eq!(token(&next).await, Some(given));
}

#[tokio::test]
async fn a_new_id_after_the_token_was_taken_gives_the_newer_token() {
    let sessions = sessions(config());
    let handle = request(&sessions, &begin(&sessions).await);
    let before = token(&handle).await.unwrap();
    handle.session::<Visitor>().rotate().await.unwrap();
    let headers = handle.finish();
    let after = headers.session_token().unwrap();
    assert_ne!(after, before);
    let count = async |token: &str| request(&sessions, token).session::<Visitor>().count().await;
    assert_eq!((count(after).await.unwrap(), count(&before).await.unwrap()), (7, 0));
}

#[tokio::test]
async fn without_a_session_there_is_no_token() {
    let sessions = sessions(config());
    let handle = sessions.open([]);
    assert_eq!(token(&handle).await, None);
    // The session that begins later travels as if nobody had asked.
    handle.session::<Visitor>().set_count(1).await.unwrap();
    assert!(handle.finish().set_cookie().is_some());

    let ended = begin(&sessions).await;
    request(&sessions, &ended).session::<Visitor>().destroy().await.unwrap();
    assert_eq!(token(&request(&sessions, &ended)).await, None);
}

#[tokio::test]
async fn a_session_from_outside_a_request_has_a_token() {
    let sessions = sessions(config());
    let job = sessions.create::<Visitor>().await.unwrap();
    job.set_count(3).await.unwrap();
    let token = job.token().await.unwrap().unwrap();
    let handle = request(&sessions, token.expose_secret());
    assert_eq!(handle.session::<Visitor>().count().await.unwrap(), 3);
}

#[tokio::test]
async fn after_the_headers_only_a_session_with_a_token_has_a_token() {
    let sessions = sessions(config());
    let by_cookie = sessions.open([]);
    by_cookie.session::<Visitor>().set_count(1).await.unwrap();
    assert!(by_cookie.finish().set_cookie().is_some());
    let late = by_cookie.session::<Visitor>().token().await;
    assert!(late.is_err_and(|error| error.is_headers_sent()));

    let given = begin(&sessions).await;
    let by_token = request(&sessions, &given);
    let _ = by_token.finish();
    assert_eq!(token(&by_token).await, Some(given));
}

#[tokio::test]
async fn a_transport_without_tokens_gives_none() {
    let sessions = sessions(SessionConfig::new().secret(SECRET));
    let handle = sessions.open([]);
    let visitor = handle.session::<Visitor>();
    assert!(visitor.token().await.is_err_and(|error| error.is_config()));
    visitor.set_count(1).await.unwrap();
    let error = visitor.token().await.err().unwrap();
    assert!(error.is_config() && error.to_string().contains("SESSION_TRANSPORT"), "{error}");
    assert!(handle.finish().set_cookie().is_some());

    let handle = sessions.open([]);
    handle.bearer();
    assert!(handle.session::<Visitor>().set_count(1).await.is_err_and(|error| error.is_config()));
    assert_eq!(handle.session::<Visitor>().count().await.unwrap(), 0);
}

#[tokio::test]
async fn another_site_may_begin_a_session_with_a_token() {
    let sessions = sessions(config());
    let cross_site = [("sec-fetch-site", "cross-site")];
    let refused = with_headers(&sessions, &cross_site);
    let error = refused.session::<Visitor>().set_count(1).await.unwrap_err();
    assert!(error.is_cross_site());

    let begun = with_headers(&sessions, &cross_site);
    begun.bearer();
    begun.session::<Visitor>().set_count(1).await.unwrap();
    assert!(begun.finish().session_token().is_some());

    let forged = [cross_site[0], ("authorization", "Bearer forged")];
    let replaced = with_headers(&sessions, &forged);
    replaced.session::<Visitor>().set_count(1).await.unwrap();
    assert!(replaced.finish().session_token().is_some());
}

#[tokio::test]
async fn a_token_for_another_cookie_name_or_secret_is_no_session() {
    let store = MemoryStore::with_clock(&ManualClock::default());
    let manager = |config| Sessions::with_store(config, store.clone()).unwrap();
    let token = begin(&manager(config())).await;
    for other in [config().cookie_name("admin"), config().secret(OTHER_SECRET)] {
        let handle = request(&manager(other), &token);
        assert!(!handle.session::<Visitor>().exists().await.unwrap());
    }
    assert!(request(&manager(config()), &token).session::<Visitor>().exists().await.unwrap());
}

#[tokio::test]
async fn a_header_of_its_own_leaves_authorization_to_others() {
    let sessions = sessions(
        config().token_header("X-Session-Token").token_response_header("X-New-Session-Token"),
    );
    let handle = sessions.open([]);
    handle.bearer();
    let visitor = handle.session::<Visitor>();
    visitor.write().set(visitor.count(), 7).renew(Lifetime::remembered()).commit().await.unwrap();
    let headers = handle.finish();
    let pairs = headers.pairs([]);
    let names: Vec<_> = pairs.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, ["x-new-session-token", "vary", "cache-control"]);
    assert_eq!(pairs[1].1, "Cookie, x-session-token");
    let token = &pairs[0].1;
    let jwt = ("authorization", "Bearer eyJhbGciOiJub25lIn0.e30.");
    let named = with_headers(&sessions, &[("x-session-token", token), jwt]);
    assert_eq!(named.session::<Visitor>().count().await.unwrap(), 7);
    let unnamed = with_headers(&sessions, &[("authorization", &format!("Bearer {token}"))]);
    assert!(!unnamed.session::<Visitor>().exists().await.unwrap());
}

const LOST: Failure = Failure::OutcomeUnknown { carried_out: true };
const CROSS_SITE: [(&str, &str); 2] =
    [("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")];

/// Sessions in memory, whose store and clock the test controls.
fn failing_sessions() -> (FailingStore, ManualClock, Sessions) {
    let clock = ManualClock::default();
    let store = FailingStore::new(MemoryStore::with_clock(&clock));
    let sessions = Sessions::with_store(config(), store.clone()).unwrap().with_clock(&clock);
    (store, clock, sessions)
}

/// Opens a request with the cookie of a new session.
async fn with_cookie(sessions: &Sessions) -> SessionHandle {
    let handle = sessions.open([]);
    handle.session::<Visitor>().set_count(1).await.unwrap();
    let set_cookie = handle.finish().set_cookie().unwrap().to_owned();
    sessions.open([set_cookie.split(';').next().unwrap().as_bytes()])
}

/// A retry after a lost reply must not replace the cookie of a browser's own session.
#[tokio::test]
async fn a_lost_creation_with_a_token_gives_a_token_after_each_way_to_go_on() {
    for way in ["set", "rotate", "renew", "login", "lost rotate, get"] {
        let (store, _, sessions) = failing_sessions();
        let handle = with_headers(&sessions, &CROSS_SITE);
        handle.bearer();
        let visitor = handle.session::<Visitor>();
        store.fail(LOST);
        assert!(visitor.set_count(1).await.is_err_and(|error| error.is_outcome_unknown()));
        if way == "lost rotate, get" {
            assert!(visitor.rotate().await.is_err_and(|error| error.is_outcome_unknown()));
        }
        store.recover();
        match way {
            "set" => visitor.set_count(2).await.unwrap(),
            "rotate" => visitor.rotate().await.unwrap(),
            "renew" => visitor.renew(Lifetime::normal()).await.unwrap(),
            "login" => {
                let batch = visitor.write().set(visitor.count(), 2);
                batch.renew(Lifetime::normal()).commit().await.unwrap();
            }
            _ => assert_eq!(visitor.count().await.unwrap(), 1),
        }
        let headers = handle.finish();
        assert_eq!(headers.set_cookie(), None, "{way}");
        let token = headers.session_token().unwrap_or_else(|| panic!("no token: {way}"));
        assert!(request(&sessions, token).session::<Visitor>().exists().await.unwrap(), "{way}");
    }
}

#[tokio::test]
async fn a_token_is_never_of_a_session_that_may_be_over() {
    for doubt in ["rotate", "destroy"] {
        let (store, _, sessions) = failing_sessions();
        let handle = with_cookie(&sessions).await;
        let visitor = handle.session::<Visitor>();
        visitor.count().await.unwrap();
        store.fail(LOST);
        match doubt {
            "rotate" => drop(visitor.rotate().await.unwrap_err()),
            _ => drop(visitor.destroy().await.unwrap_err()),
        }
        store.recover();
        let given = token(&handle).await;
        let headers = handle.finish();
        assert_eq!(given.as_deref(), headers.session_token(), "{doubt}");
        assert_eq!(given.is_some(), doubt == "rotate");
        if let Some(token) = given {
            assert!(request(&sessions, &token).session::<Visitor>().exists().await.unwrap());
        }
    }
}

#[tokio::test]
async fn past_its_deadline_a_session_has_no_token() {
    let (_, clock, sessions) = failing_sessions();
    let handle = with_cookie(&sessions).await;
    assert_eq!(handle.session::<Visitor>().count().await.unwrap(), 1);
    clock.advance(Duration::from_secs(400 * 86_400));
    assert_eq!(token(&handle).await, None);
}

#[tokio::test]
async fn a_degraded_request_has_an_error_in_place_of_a_token() {
    let (store, _, sessions) = failing_sessions();
    let handle = with_cookie(&sessions).await;
    handle.allow_degraded();
    store.fail(Failure::Unavailable);
    let visitor = handle.session::<Visitor>();
    for _ in 0..2 {
        let error = visitor.token().await.err().expect("an error");
        assert!(error.is_unavailable(), "{error}");
        store.recover();
    }
    let headers = handle.finish();
    assert_eq!((headers.set_cookie(), headers.session_token()), (None, None));
}

/// The same-origin check exempts requests that came with a token, and no others.
#[tokio::test]
async fn a_token_taken_during_a_request_does_not_exempt_the_request() {
    let check = |handle: &SessionHandle| {
        let header = |name: &str| {
            CROSS_SITE.iter().find(|(other, _)| *other == name).map(|(_, value)| value.as_bytes())
        };
        handle.check_same_origin("POST", header).is_ok()
    };
    let (_, _, sessions) = failing_sessions();
    let by_cookie = with_cookie(&sessions).await;
    assert!(!check(&by_cookie));
    assert!(token(&by_cookie).await.is_some());
    assert!(!check(&by_cookie));

    let begun = with_headers(&sessions, &CROSS_SITE);
    begun.bearer();
    begun.session::<Visitor>().set_count(1).await.unwrap();
    assert!(!check(&begun));

    assert!(check(&request(&sessions, "forged")));
}

#[tokio::test]
async fn a_token_noted_after_the_first_access_does_not_count() {
    let (_, _, sessions) = failing_sessions();
    let handle = with_cookie(&sessions).await;
    let visitor = handle.session::<Visitor>();
    assert_eq!(visitor.count().await.unwrap(), 1);
    handle.note_request("POST", |name| (name == "authorization").then_some(b"Bearer x".as_slice()));
    visitor.rotate().await.unwrap();
    let headers = handle.finish();
    assert!(headers.set_cookie().is_some() && headers.session_token().is_none());
}

/// Does not compile if a token can be serialized, which would put it into an answer by accident.
#[test]
fn a_token_cannot_be_serialized() {
    trait Unserializable<Marker> {
        fn check() {}
    }
    struct Serializable;
    impl<T> Unserializable<()> for T {}
    impl<T: serde::Serialize> Unserializable<Serializable> for T {}
    <SessionToken as Unserializable<_>>::check();
}
