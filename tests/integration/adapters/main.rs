//! Details of a single web framework, or of two that share a session. The acceptance suite covers
//! the behaviour common to all adapters.

#![allow(clippy::unwrap_used, reason = "a failure is a failed test")]

mod across;
mod actix;
mod admin;
mod axum;
mod bearer;
mod blocking;
mod live_connections;
mod plain_http;
mod poem;
mod same_origin;
mod tower_sessions;
mod unavailability;
mod websocket;

use std::time::Duration;

use reqwest::header::{COOKIE, HeaderMap, SET_COOKIE};
use session_runtime::{MemoryStore, Session, SessionConfig, Sessions};
use session_tests::cookies::{self, SECRET};
use session_tests::server::RedisServer;

#[derive(Debug, Session)]
struct Visitor {
    count: u64,
}

/// Returns a manager on memory.
fn sessions() -> Sessions {
    sessions_named("__Host-session-id")
}

/// Returns a manager on a separate memory store, with this cookie name.
fn sessions_named(cookie: &str) -> Sessions {
    let config = SessionConfig::new().secret(SECRET).cookie_name(cookie);
    Sessions::with_store(config, MemoryStore::new()).unwrap()
}

/// Returns a manager on a server that the test may kill.
async fn sessions_on_a_server() -> (RedisServer, Sessions) {
    let server = RedisServer::start();
    let config =
        SessionConfig::new().secret(SECRET).store(server.url()).timeout(Duration::from_millis(500));
    let sessions = Sessions::new(config).await.unwrap();
    (server, sessions)
}

/// A handler that only reads.
async fn look(session: Session<Visitor>) -> Result<String, session_runtime::Error> {
    Ok(session.count().await?.to_string())
}

/// `/tolerant` and `/strict` read, `/` counts.
async fn goes_on_without_a_session_where_it_may(mut server: RedisServer, base: &str) {
    let ask = async |path: &str, cookie: &str| get(&format!("{base}{path}"), cookie).await;
    let cookie = ask("/", "").await.cookies().remove(0);
    for path in ["/tolerant", "/strict"] {
        assert_eq!(ask(path, &cookie).await.body, "1");
    }
    server.kill();
    let strict = ask("/strict", &cookie).await;
    assert_eq!((strict.status, strict.body.as_str()), (503, "Service Unavailable"));
    let tolerant = ask("/tolerant", &cookie).await;
    assert_eq!((tolerant.status, tolerant.body.as_str()), (200, "0"));
    assert_eq!(tolerant.headers["cache-control"], "no-store");
}

/// A handler that counts the visits and returns the number.
async fn count(session: Session<Visitor>) -> Result<String, session_runtime::Error> {
    Ok(session.count().incr(1).await?.to_string())
}

/// A middleware counts in the session of the manager `user`, an inner middleware in the session of
/// `admin`, and the handler again in the session of `user`. Each manager has a single session,
/// whatever the number of layers.
async fn counts_by_two_managers(url: &str) {
    let first = get(url, "").await;
    let mut names: Vec<_> = first.cookies().iter().map(|cookie| cookie[..5].to_owned()).collect();
    names.sort_unstable();
    assert_eq!((names, first.body.as_str()), (vec!["admin".to_owned(), "user=".to_owned()], "2"));
    let second = get(url, &first.cookies().join("; ")).await;
    assert_eq!((second.cookies().len(), second.body.as_str()), (0, "4"));
}

/// A handler that takes the manager alone.
async fn manage(sessions: Sessions) -> String {
    sessions.connection_state().to_string()
}

/// A handler that counts the visits and returns the number that the manager finds under the id.
async fn count_by_id(
    session: Session<Visitor>,
    sessions: Sessions,
) -> Result<String, session_runtime::Error> {
    session.count().incr(1).await?;
    let id = session.session_id().unwrap();
    Ok(sessions.open_id::<Visitor>(&id).count().await?.to_string())
}

/// `/` and `/manage` have the layer of the manager `user`. `/admin` also has the layer of `admin`
/// inside, and `/both` has the layer of `user` again inside of these two.
async fn gives_the_manager_of_the_innermost_layer(base: &str) {
    for (path, cookie) in [("/", "user="), ("/admin", "admin="), ("/both", "user=")] {
        let reply = get(&format!("{base}{path}"), "").await;
        assert_eq!((reply.status, reply.body.as_str()), (200, "1"), "{path}");
        assert!(reply.cookies()[0].starts_with(cookie), "{path}");
    }
    let cookie = get(base, "").await.cookies().remove(0);
    for cookie in ["", &cookie, &format!("{cookie}x")] {
        let reply = get(&format!("{base}/manage"), cookie).await;
        assert_eq!((reply.status, reply.body.as_str()), (200, "connected"));
        for name in ["vary", "cache-control", "set-cookie"] {
            assert!(!reply.headers.contains_key(name), "{name} with the cookie {cookie:?}");
        }
    }
}

/// `/look` reads, `/` counts, and `/allowed` counts with `allow_cross_site`.
async fn begins_no_session_for_another_site(base: &str) {
    const CROSS: (&str, &str) = ("sec-fetch-site", "cross-site");
    const LINK: [(&str, &str); 3] =
        [CROSS, ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")];
    let send = async |method: &str, path: &str, headers: &[(&str, &str)]| {
        let request =
            reqwest::Client::new().request(method.parse().unwrap(), format!("{base}{path}"));
        let request =
            headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        reply(request).await
    };
    let refused = [(403, "Forbidden".to_owned(), 0), (200, "1".to_owned(), 1)];
    let told = |reply: &Reply| (reply.status, reply.body.clone(), reply.cookies().len());
    let cookie = send("GET", "/", &[]).await.cookies().remove(0);
    let forged = format!("{cookie}x");
    let dead = cookies::cookie(&cookies::id(std::time::SystemTime::now(), 0));
    for (path, method, headers, begins) in [
        ("/", "GET", &[CROSS][..], 0),
        ("/", "POST", &[CROSS], 0),
        ("/", "POST", &LINK, 0),
        ("/", "GET", &[CROSS, ("cookie", "theme=dark")], 0),
        ("/", "GET", &LINK, 1),
        ("/", "POST", &[("sec-fetch-site", "same-site")], 1),
        ("/", "POST", &[("sec-fetch-site", "none")], 1),
        ("/", "POST", &[CROSS, ("cookie", &forged)], 0),
        ("/", "POST", &[CROSS, ("cookie", "__Host-session-id=x")], 0),
        ("/", "POST", &[CROSS, ("cookie", &dead)], 1),
        ("/allowed", "POST", &[CROSS], 1),
    ] {
        let reply = send(method, path, headers).await;
        assert_eq!(told(&reply), refused[begins], "{method} {path} {headers:?}");
        assert_eq!(reply.headers["cache-control"], "no-store");
    }
    let looked = send("POST", "/look", &[CROSS]).await;
    assert_eq!(told(&looked), (200, "0".to_owned(), 0));
    let counted = send("POST", "/", &[CROSS, ("cookie", &cookie)]).await;
    assert_eq!(told(&counted), (200, "2".to_owned(), 0));
}

/// Sends a `GET`. An empty `cookie` means no `Cookie` header.
async fn get(url: &str, cookie: &str) -> Reply {
    let mut request = reqwest::Client::new().get(url);
    if !cookie.is_empty() {
        request = request.header(COOKIE, cookie);
    }
    reply(request).await
}

async fn reply(request: reqwest::RequestBuilder) -> Reply {
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    Reply { status, headers, body: response.text().await.unwrap() }
}

#[derive(Debug)]
struct Reply {
    status: u16,
    headers: HeaderMap,
    body: String,
}

impl Reply {
    /// Returns the `NAME=VALUE` of every `Set-Cookie` header.
    fn cookies(&self) -> Vec<String> {
        let set = self.headers.get_all(SET_COOKIE).iter().map(|value| value.to_str().unwrap());
        set.map(|value| value.split(';').next().unwrap().to_owned()).collect()
    }
}
