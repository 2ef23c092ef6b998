//! The metrics of `session_runtime::guide::observability`, as exported to Prometheus.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use axum::Router;
use axum::routing::get;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusRecorder};
use reqwest::Client;
use reqwest::header::{COOKIE, SET_COOKIE};
use session_runtime::{Error, RedisStore, Session, SessionConfig, Sessions};
use session_tests::cookies::{self, SECRET, key_of};
use session_tests::server::RedisServer;

const VALUE: &str = "a-value-that-nobody-else-may-see";

#[derive(Session)]
struct Visitor {
    name: String,
}

#[derive(Session)]
struct Misread {
    name: u64,
}

fn app(sessions: &Sessions) -> Router {
    Router::new()
        .route("/ignored", get(async || ()))
        .route("/read", get(async |session: Session<Visitor>| session.name().await))
        .route(
            "/misread",
            get(async |session: Session<Misread>| {
                Ok::<_, Error>(session.name().await?.to_string())
            }),
        )
        .route("/write", get(async |session: Session<Visitor>| session.set_name(VALUE).await))
        .route("/rotate", get(async |session: Session<Visitor>| session.rotate().await))
        .route("/destroy", get(async |session: Session<Visitor>| session.destroy().await))
        .layer(sessions.layer())
}

/// Serves HTTP on this thread, so that this thread's recorder gets the metrics.
async fn serve(redis: &RedisServer) -> String {
    let timeout = Duration::from_millis(300);
    let store = RedisStore::builder(&redis.url()).timeout(timeout).connect().await.unwrap();
    let sessions = Sessions::with_store(SessionConfig::new().secret(SECRET), store).unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let app = app(&sessions);
    tokio::spawn(async move { axum::serve(listener, app).await });
    url
}

/// Returns the values by name and labels.
pub(crate) fn metrics(recorder: &PrometheusRecorder) -> BTreeMap<String, f64> {
    let page = recorder.handle().render();
    let samples =
        page.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.rsplit_once(' '));
    samples.map(|(name, value)| (name.to_owned(), value.parse().unwrap())).collect()
}

/// Returns the status and the new cookie.
async fn request(url: &str, path: &str, cookie: &str) -> (u16, Option<String>) {
    let request = Client::new().get(format!("{url}{path}")).header(COOKIE, cookie);
    let response = request.send().await.unwrap();
    let set = response.headers().get(SET_COOKIE).map(|set| set.to_str().unwrap());
    (response.status().as_u16(), set.and_then(|set| set.split(';').next()).map(str::to_owned))
}

#[tokio::test]
async fn requests_are_counted_by_outcome() {
    let (recorder, redis) = (PrometheusBuilder::new().build_recorder(), RedisServer::start());
    let _guard = metrics::set_default_local_recorder(&recorder);
    let url = serve(&redis).await;
    let visit = async |path: &str, cookie: &str| request(&url, path, cookie).await;

    let first = visit("/write", "").await.1.unwrap();
    assert_eq!(visit("/write", &first).await, (200, None));
    assert_eq!(visit("/misread", &first).await.0, 500);
    let second = visit("/rotate", &first).await.1.unwrap();
    assert_eq!(visit("/read", &first).await.0, 200);
    assert_eq!(visit("/destroy", &second).await.0, 200);
    assert_eq!(visit("/write", &second).await.0, 409);
    let third = visit("/write", "").await.1.unwrap();
    let _: u32 = redis.cli(&["DEL", &key_of(&third)]);
    assert_eq!(visit("/read", &third).await.0, 200);
    let forged = format!("{}x", cookies::cookie(&cookies::id(SystemTime::now(), 0)));
    for _ in 0..3 {
        visit("/ignored", &forged).await;
    }
    visit("/read", &forged).await;
    visit("/write", &forged).await;

    let metrics = metrics(&recorder);
    for (name, count) in [
        ("session_created_total", 3.),
        ("session_rotated_total", 1.),
        ("session_destroyed_total", 1.),
        ("session_expired_total", 1.),
        ("session_forged_total", 2.),
        (r#"session_operations_total{operation="set",outcome="ok"}"#, 4.),
        (r#"session_operations_total{operation="set",outcome="gone"}"#, 1.),
        (r#"session_operations_total{operation="get",outcome="ok"}"#, 3.),
        (r#"session_operations_total{operation="get",outcome="decode"}"#, 1.),
        (r#"session_operations_total{operation="rotate",outcome="ok"}"#, 1.),
        (r#"session_operations_total{operation="destroy",outcome="ok"}"#, 1.),
        (r#"session_operation_duration_seconds_count{operation="set"}"#, 5.),
        (r#"session_operation_duration_seconds_count{operation="get"}"#, 4.),
    ] {
        assert_eq!(metrics.get(name), Some(&count), "{name}: {metrics:#?}");
    }
    let took = metrics[r#"session_operation_duration_seconds_sum{operation="set"}"#];
    assert!(took > 0. && took < 5., "in seconds: {took}");

    let page = recorder.handle().render();
    for name in ["session_operations_total", "session_created_total", "session_store_connections"] {
        assert!(page.contains(&format!("# HELP {name} ")), "{page}");
    }
    assert!(!page.contains(VALUE));
    for cookie in [first, second, third, forged] {
        let id = cookies::id_of(&cookie);
        assert!(!page.contains(&id[..8]) && !page.contains(&id[16..]), "{page}");
    }
}

#[tokio::test]
async fn connections_are_counted_while_they_last() {
    let (recorder, mut redis) = (PrometheusBuilder::new().build_recorder(), RedisServer::start());
    let _guard = metrics::set_default_local_recorder(&recorder);
    let url = serve(&redis).await;
    let cookie = request(&url, "/write", "").await.1.unwrap();
    let address = format!("{{address=\"127.0.0.1:{}\"}}", redis.port());
    let [open, failing] = ["session_store_connections", "session_store_connections_failing"]
        .map(|name| name.to_owned() + &address);
    let gauges = || {
        let metrics = metrics(&recorder);
        [&open, &failing].map(|name| metrics.get(name).copied())
    };
    let until = async |expected: [f64; 2]| {
        let seen = async {
            while gauges() != expected.map(Some) {
                request(&url, "/read", &cookie).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), seen)
            .await
            .unwrap_or_else(|_| panic!("{:?}", gauges()));
    };

    assert_eq!(gauges(), [Some(1.), None]);
    redis.kill();
    until([0., 1.]).await;
    redis.restart();
    until([1., 0.]).await;
    redis.pause();
    until([0., 1.]).await;
    redis.resume();
    until([1., 0.]).await;
}
