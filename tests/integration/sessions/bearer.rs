//! Bearer tokens of sessions, through the API without a web framework.

use session_runtime::testing::ManualClock;
use session_runtime::{
    Lifetime, MemoryStore, Session, SessionConfig, SessionHandle, SessionToken, Sessions, Transport,
};
use session_tests::cookies::SECRET;

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
    let other_secret = "hex:00112233445566778899aabbccddeeff0f1e2d3c4b5a69788796a5b4c3d2e1f0";
    for other in [config().cookie_name("admin"), config().secret(other_secret)] {
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
