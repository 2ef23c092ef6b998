//! Requests at once, on a Redis server. The issue trackers of tower-sessions and axum-login tell of
//! sessions that were lost, overwritten or brought back in these ways.

use std::collections::BTreeSet;
use std::sync::Arc;

use ::tower_sessions::Session;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::get;
use futures::future::join_all;
use reqwest::header::SET_COOKIE;
use session_runtime::testing::{Browser, Failure};
use session_runtime::{SessionConfig, Sessions};
use session_tests::cookies::SECRET;
use session_tests::server::RedisServer;
use tokio::sync::{Barrier, Notify};

use super::super::axum::serve;
use super::super::{Reply, get as ask};
use super::axum_login::{AuthSession, Backend, User, whoami};
use super::{Typed, on_a_failing_store, send, typed};

const AT_ONCE: usize = 16;

/// Places where handlers wait.
#[derive(Clone)]
struct Gates {
    /// For all requests at once.
    barrier: Arc<Barrier>,
    /// Tells that a slow request has read its session.
    reached: Arc<Notify>,
    /// Lets that request go on.
    released: Arc<Notify>,
}

impl Gates {
    fn new(at_once: usize) -> Self {
        let barrier = Arc::new(Barrier::new(at_once));
        Self { barrier, reached: Arc::default(), released: Arc::default() }
    }

    async fn wait(&self) {
        self.reached.notify_one();
        self.released.notified().await;
    }
}

/// Serves an application on a server of its own.
async fn start(at_once: usize) -> (RedisServer, Gates, String) {
    let server = RedisServer::start();
    let config = SessionConfig::new().secret(SECRET).store(server.url());
    let sessions = Sessions::new(config).await.unwrap();
    let gates = Gates::new(at_once);
    let app = Router::new()
        .route("/", get(whoami))
        .route("/insert/{key}", get(insert))
        .route("/insert_at_once/{key}", get(insert_at_once))
        .route("/insert_slowly/{key}", get(insert_slowly))
        .route("/keys", get(keys))
        .route("/cycle_at_once", get(cycle_at_once))
        .route("/login/{name}", get(login))
        .route("/login_at_once/{name}", get(login_at_once))
        .route("/login_slowly/{name}", get(login_slowly))
        .route("/logout", get(logout))
        .layer(sessions.auth_layer(Backend { version: 1 }))
        .with_state(gates.clone());
    (server, gates, serve(app).await)
}

async fn insert(session: Session, Path(key): Path<String>) {
    session.insert(&key, true).await.unwrap();
}

async fn insert_at_once(State(gates): State<Gates>, session: Session, Path(key): Path<String>) {
    session.insert(&key, true).await.unwrap();
    gates.barrier.wait().await;
}

async fn insert_slowly(State(gates): State<Gates>, session: Session, Path(key): Path<String>) {
    session.insert(&key, true).await.unwrap();
    gates.wait().await;
}

/// Returns all keys of a test, in order.
async fn keys(session: Session) -> String {
    session.load().await.unwrap();
    let mut found = Vec::new();
    for key in (0..AT_ONCE).map(|key| key.to_string()) {
        if session.get::<bool>(&key).await.unwrap().is_some() {
            found.push(key);
        }
    }
    found.join(" ")
}

async fn cycle_at_once(State(gates): State<Gates>, session: Session) {
    session.cycle_id().await.unwrap();
    gates.barrier.wait().await;
}

async fn login(mut auth: AuthSession, Path(name): Path<String>) {
    auth.login(&User::of_version(1, name)).await.unwrap();
}

async fn login_at_once(
    State(gates): State<Gates>,
    mut auth: AuthSession,
    Path(name): Path<String>,
) {
    auth.login(&User::of_version(1, name)).await.unwrap();
    gates.barrier.wait().await;
}

async fn login_slowly(State(gates): State<Gates>, mut auth: AuthSession, Path(name): Path<String>) {
    auth.login(&User::of_version(1, name)).await.unwrap();
    gates.wait().await;
}

async fn logout(mut auth: AuthSession) -> StatusCode {
    let ended = auth.logout().await;
    if ended.is_ok() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }
}

/// Sends a request that must succeed, and returns its session cookie.
async fn cookie_of(url: &str, cookie: &str) -> String {
    let reply = ask(url, cookie).await;
    assert_eq!(reply.status, 200, "{url}: {reply:?}");
    reply.cookies().remove(0)
}

/// Sends a request for each path at once.
async fn ask_all(base: &str, paths: &[String], cookie: &str) -> Vec<Reply> {
    let urls: Vec<_> = paths.iter().map(|path| format!("{base}{path}")).collect();
    join_all(urls.iter().map(|url| ask(url, cookie))).await
}

/// Lets a slow request read its session, then sends another, and then lets the slow request go on.
async fn overtake(base: &str, gates: &Gates, slow: &str, fast: &str, cookie: &str) -> [Reply; 2] {
    let slow = format!("{base}{slow}");
    let overtaken = async {
        gates.reached.notified().await;
        let fast = ask(&format!("{base}{fast}"), cookie).await;
        gates.released.notify_one();
        fast
    };
    let (slow, fast) = tokio::join!(ask(&slow, cookie), overtaken);
    [slow, fast]
}

#[tokio::test]
async fn requests_at_once_with_different_keys_lose_none() {
    let (_server, _, base) = start(AT_ONCE).await;
    let cookie = cookie_of(&format!("{base}/login/ada"), "").await;
    let paths: Vec<_> = (0..AT_ONCE).map(|key| format!("/insert_at_once/{key}")).collect();
    for reply in ask_all(&base, &paths, &cookie).await {
        assert_eq!((reply.status, reply.cookies()), (200, vec![]));
    }
    let all: Vec<_> = (0..AT_ONCE).map(|key| key.to_string()).collect();
    assert_eq!(ask(&format!("{base}/keys"), &cookie).await.body, all.join(" "));
    assert_eq!(ask(&base, &cookie).await.body, "ada");
}

#[tokio::test]
async fn a_save_after_a_logout_brings_nothing_back() {
    let (server, gates, base) = start(1).await;
    let cookie = cookie_of(&format!("{base}/login/ada"), "").await;
    let [slow, fast] = overtake(&base, &gates, "/insert_slowly/0", "/logout", &cookie).await;
    assert_eq!((fast.status, slow.status, slow.cookies()), (200, 409, vec![]));
    assert_eq!(ask(&base, &cookie).await.body, "nobody");
    assert_eq!(live_sessions(&server), 0);
}

#[tokio::test]
async fn a_login_after_a_logout_begins_a_session_with_the_user_alone() {
    for signed_in_before in [false, true] {
        let (server, gates, base) = start(1).await;
        let first = if signed_in_before { "/login/ada" } else { "/insert/0" };
        let cookie = cookie_of(&format!("{base}{first}"), "").await;
        assert_eq!(ask(&format!("{base}/insert/1"), &cookie).await.status, 200);
        let [slow, fast] = overtake(&base, &gates, "/login_slowly/eve", "/logout", &cookie).await;
        assert_eq!((fast.status, slow.status), (200, 200));
        let new = &slow.cookies()[0];
        assert_eq!(ask(&base, new).await.body, "eve");
        assert_eq!(ask(&format!("{base}/keys"), new).await.body, "");
        assert_eq!(ask(&base, &cookie).await.body, "nobody");
        assert_eq!(live_sessions(&server), 1);
    }
}

#[tokio::test]
async fn a_save_after_a_login_does_not_change_the_session_of_the_user() {
    let (server, gates, base) = start(1).await;
    let cookie = cookie_of(&format!("{base}/insert/1"), "").await;
    let [slow, fast] = overtake(&base, &gates, "/insert_slowly/0", "/login/ada", &cookie).await;
    assert_eq!((fast.status, slow.status, slow.cookies()), (200, 409, vec![]));
    let signed_in = &fast.cookies()[0];
    assert_ne!(*signed_in, cookie);
    assert_eq!(ask(&format!("{base}/keys"), signed_in).await.body, "1");
    assert_eq!(ask(&base, signed_in).await.body, "ada");
    assert_eq!(ask(&base, &cookie).await.body, "nobody");
    assert_eq!(live_sessions(&server), 1);
}

#[tokio::test]
async fn logins_at_once_mix_no_values() {
    let (server, _, base) = start(AT_ONCE).await;
    let planted = cookie_of(&format!("{base}/insert/0"), "").await;
    let paths: Vec<_> = (0..AT_ONCE).map(|user| format!("/login_at_once/user{user}")).collect();
    let mut with_former_values = 0;
    for (user, reply) in ask_all(&base, &paths, &planted).await.iter().enumerate() {
        let cookie = &reply.cookies()[0];
        assert_eq!(ask(&base, cookie).await.body, format!("user{user}"));
        with_former_values += ask(&format!("{base}/keys"), cookie).await.body.len();
    }
    assert_eq!(with_former_values, 1, "a single login has moved the session");
    assert_eq!(ask(&base, &planted).await.body, "nobody");
    assert_eq!(live_sessions(&server), AT_ONCE);
}

#[tokio::test]
async fn of_new_ids_at_once_a_single_one_lives() {
    let (server, _, base) = start(AT_ONCE).await;
    let first = cookie_of(&format!("{base}/login/ada"), "").await;
    let paths = vec!["/cycle_at_once".to_owned(); AT_ONCE];
    let replies = ask_all(&base, &paths, &first).await;
    let cookies: Vec<_> = replies.iter().flat_map(Reply::cookies).collect();
    assert_eq!(cookies.len(), 1, "{replies:?}");
    assert_eq!(ask(&base, &cookies[0]).await.body, "ada");
    assert_eq!(ask(&base, &first).await.body, "nobody");
    assert_eq!(live_sessions(&server), 1);
}

/// A planted cookie opens no session of a user, whether the attacker is signed in or not.
#[tokio::test]
async fn every_login_of_another_user_leaves_a_planted_cookie_behind() {
    let (_server, _, base) = start(1).await;
    for planted_at in ["/insert/0", "/login/eve"] {
        let planted = cookie_of(&format!("{base}{planted_at}"), "").await;
        let cookie = cookie_of(&format!("{base}/login/ada"), &planted).await;
        assert_ne!(cookie, planted);
        assert_eq!(ask(&base, &cookie).await.body, "ada");
        assert_eq!(ask(&base, &planted).await.body, "nobody");
    }
}

/// Whichever step of the store fails, the browser's cookie still opens the session.
#[tokio::test]
async fn a_new_id_that_fails_at_any_step_keeps_the_session() {
    let lost = Failure::OutcomeUnknown { carried_out: false };
    for failure in [Failure::Unavailable, Failure::Refused, lost] {
        for step in 0.. {
            let (sessions, store) = on_a_failing_store();
            let mut browser = Browser::new(&sessions);
            let begin = async |session: session_runtime::Session<Typed>| session.set_count(7).await;
            browser.visit(begin).await.unwrap();
            store.fail_after(step, failure);
            let succeeded = gets_a_new_id(&mut browser, &sessions).await;
            store.recover();
            let user = succeeded.then(|| "ada".to_owned());
            assert_eq!(typed(&mut browser).await, (Some(7), user, String::new()), "{failure:?}");
            if succeeded {
                assert!(step > 0, "the store was asked");
                break;
            }
        }
    }
}

/// Returns whether the session has a new id, with a user.
async fn gets_a_new_id(browser: &mut Browser, sessions: &Sessions) -> bool {
    let layer = sessions.tower_sessions_layer();
    let (changed, response) = send(browser, &layer, |request| async move {
        let session = request.extensions().get::<Session>().unwrap().clone();
        session.cycle_id().await?;
        session.insert("user", "ada").await
    })
    .await;
    changed.is_ok() && response.status() == 200
}

/// Browsers ignore a removal of a `__Host-` cookie without `Secure`, and the user would stay signed
/// in with the cookie.
#[tokio::test]
async fn the_removal_of_a_cookie_has_the_attributes_of_the_cookie() {
    let (_server, _, base) = start(1).await;
    let set = ask(&format!("{base}/login/ada"), "").await;
    let removed = ask(&format!("{base}/logout"), &set.cookies()[0]).await;
    let attributes = |reply: &Reply| {
        let set = reply.headers[SET_COOKIE].to_str().unwrap().to_owned();
        let attributes = set.split("; ").skip(1).map(str::to_owned);
        let is_time = |text: &String| text.starts_with("Max-Age") || text.starts_with("Expires");
        attributes.filter(|text| !is_time(text)).collect::<BTreeSet<_>>()
    };
    assert!(removed.cookies()[0].ends_with('='));
    assert!(attributes(&set).contains("Secure"));
    assert_eq!(attributes(&removed), attributes(&set));
}

/// Returns the number of sessions on the server. Other keys are marks of ended sessions.
fn live_sessions(server: &RedisServer) -> usize {
    let keys: Vec<String> = server.cli(&["KEYS", "*"]);
    keys.iter().filter(|key| server.cli::<String>(&["TYPE", key]) == "hash").count()
}
