//! Requests while the store is unavailable, route by route.

use std::net::Ipv4Addr;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use session_runtime::{Error, Session, SessionConfig, Sessions};
use session_tests::cookies::SECRET;
use session_tests::server::RedisServer;
use tokio::net::TcpListener;

const DEADLINE: Duration = Duration::from_millis(500);

#[derive(Debug, Session)]
struct Visitor {
    name: String,
    count: u64,
}

async fn read(session: Session<Visitor>) -> Result<String, Error> {
    let (name, count) = (session.name().await?, session.count().await?);
    Ok(format!("{name} {count} {}", session.exists().await?))
}

async fn write(session: Session<Visitor>) -> Result<String, Error> {
    let _ = session.name().await;
    session.count().incr(1).await.map(|count| count.to_string())
}

async fn destroy(session: Session<Visitor>) -> Result<(), Error> {
    let _ = session.name().await;
    session.destroy().await
}

#[tokio::test]
async fn a_request_fails_unless_its_route_allows_degraded_requests() {
    let (mut server, _, base) = serve().await;
    let cookie = begin(&base).await;
    for route in ["/strict/read", "/tolerant/read"] {
        let reply = ask(&base, route, &cookie).await;
        assert_eq!(
            (reply.status, reply.body.as_str(), reply.cache.as_str()),
            (200, " 1 true", "private"),
            "{route}"
        );
    }
    server.kill();
    let reply = ask(&base, "/strict/read", &cookie).await;
    assert_eq!((reply.status, reply.body.as_str()), (503, "Service Unavailable"));
    let reply = ask(&base, "/tolerant/read", &cookie).await;
    assert_eq!(
        (reply.status, reply.body.as_str(), reply.cache.as_str()),
        (200, " 0 false", "no-store")
    );
    assert!(!reply.sets_cookie);
    for route in ["/tolerant/write", "/tolerant/destroy"] {
        let reply = ask(&base, route, &cookie).await;
        assert_eq!((reply.status, reply.body.as_str()), (503, "Service Unavailable"), "{route}");
        assert!(!reply.sets_cookie);
    }
}

#[tokio::test]
async fn values_based_on_defaults_are_not_written_when_the_store_recovers() {
    let (mut server, sessions, base) = serve().await;
    let cookie = begin(&base).await;
    let handle = sessions.open([cookie.as_bytes()]);
    handle.allow_degraded();
    let session: Session<Visitor> = handle.session();
    server.kill();
    assert_eq!(session.count().await.unwrap(), 0);
    assert!(handle.is_degraded());
    server.restart();
    while sessions.ping().await.is_err() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(session.set_count(1).await.unwrap_err().is_unavailable());
    assert_eq!(session.count().await.unwrap(), 0, "to the request's end");
    assert!(handle.finish().set_cookie().is_none());
    assert_eq!(server.cli::<i64>(&["DBSIZE"]), 0);
}

#[tokio::test]
async fn a_request_that_saw_part_of_its_session_gets_the_error() {
    let (mut server, sessions, base) = serve().await;
    let cookie = begin(&base).await;
    let handle = sessions.open([cookie.as_bytes()]);
    handle.allow_degraded();
    let session: Session<Visitor> = handle.session();
    assert_eq!(session.count().await.unwrap(), 1);
    server.kill();
    assert!(session.name().await.unwrap_err().is_unavailable());
    assert!(!handle.is_degraded());
}

/// The first read times out, and a later read gets a reply. For both, the request has no session.
#[tokio::test]
async fn concurrent_reads_agree_on_degradation() {
    let (server, sessions, base) = serve().await;
    let cookie = begin(&base).await;
    let handle = sessions.open([cookie.as_bytes()]);
    handle.allow_degraded();
    let read = || {
        let session: Session<Visitor> = handle.session();
        tokio::spawn(async move { session.count().await.unwrap() })
    };
    server.pause();
    let first = read();
    tokio::time::sleep(DEADLINE / 2).await;
    let second = read();
    assert_eq!(first.await.unwrap(), 0);
    server.resume();
    assert_eq!(second.await.unwrap(), 0);
    assert!(handle.is_degraded());
}

async fn serve() -> (RedisServer, Sessions, String) {
    let server = RedisServer::start();
    let config = SessionConfig::new().store(server.url()).secret(SECRET).timeout(DEADLINE);
    let sessions = Sessions::new(config).await.unwrap();
    let routes = || {
        Router::new()
            .route("/read", get(read))
            .route("/write", get(write))
            .route("/destroy", get(destroy))
    };
    let app = Router::new()
        .nest("/tolerant", routes().route_layer(sessions.layer().allow_degraded()))
        .nest("/strict", routes())
        .layer(sessions.layer());
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    (server, sessions, base)
}

/// Creates a session and returns the cookie as a browser sends it.
async fn begin(base: &str) -> String {
    let reply = reqwest::get(format!("{base}/strict/write")).await.unwrap();
    let cookie = reply.headers()["set-cookie"].to_str().unwrap();
    cookie.split(';').next().unwrap().to_owned()
}

struct Reply {
    status: u16,
    body: String,
    cache: String,
    sets_cookie: bool,
}

async fn ask(base: &str, route: &str, cookie: &str) -> Reply {
    let request = reqwest::Client::new().get(format!("{base}{route}")).header("cookie", cookie);
    let reply = request.send().await.unwrap();
    Reply {
        status: reply.status().as_u16(),
        cache: reply
            .headers()
            .get("cache-control")
            .map_or("", |value| value.to_str().unwrap())
            .to_owned(),
        sets_cookie: reply.headers().contains_key("set-cookie"),
        body: reply.text().await.unwrap(),
    }
}
