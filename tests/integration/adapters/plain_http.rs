//! A `Secure` cookie for visitors on plain HTTP. Their browsers reject the cookie, and the log
//! explains this.

use actix_web::test::{TestRequest, call_service, init_service};
use axum::Router;
use axum::body::Body;
use axum::http::Request;
use axum::routing::get;
use poem::{Endpoint, EndpointExt, Route, handler};
use session_runtime::testing::Browser;
use session_runtime::{Error, MemoryStore, Session, SessionConfig, Sessions};
use session_tests::cookies::SECRET;
use session_tests::log::logged;

const HOST: (&str, &str) = ("host", "shop.example");
const PLAIN: [(&str, &str); 2] = [HOST, ("x-forwarded-proto", "http")];

#[derive(Session)]
struct Visitor {
    count: u64,
}

async fn count(session: Session<Visitor>) -> Result<String, Error> {
    Ok(session.count().incr(1).await?.to_string())
}

fn sessions(secure: bool) -> Sessions {
    let config = SessionConfig::new().secret(SECRET).cookie_secure(secure);
    Sessions::with_store(config, MemoryStore::new()).unwrap()
}

/// Counts the log lines that name the setting, after these requests.
async fn warnings(serve: impl AsyncFnOnce()) -> usize {
    let (log, _guard) = logged();
    serve().await;
    log.text().matches("SESSION_COOKIE_SECURE").count()
}

async fn visit(sessions: &Sessions, headers: &[(&str, &str)]) {
    let handle = sessions.open([]);
    handle.note_request("GET", |name| {
        headers.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_bytes())
    });
    count(handle.session()).await.unwrap();
    let _ = handle.finish();
}

#[tokio::test]
async fn warns_once_for_any_header_that_names_the_scheme() {
    for headers in [
        &PLAIN[..],
        &[HOST, ("forwarded", "for=192.0.2.1;proto=http")],
        &[HOST, ("origin", "http://shop.example")],
        &[HOST, ("referer", "http://shop.example/cart")],
        &[
            ("host", "10.0.0.1:3000"),
            ("x-forwarded-host", "shop.example"),
            ("x-forwarded-proto", "http"),
        ],
    ] {
        let sessions = sessions(true);
        let told = async || {
            visit(&sessions, headers).await;
            visit(&sessions, headers).await;
        };
        assert_eq!(warnings(told).await, 1, "{headers:?}");
    }
}

#[tokio::test]
async fn does_not_warn_if_browsers_keep_the_cookie_or_the_scheme_is_unknown() {
    for (secure, headers) in [
        (true, &[HOST][..]),
        (true, &[HOST, ("x-forwarded-proto", "https"), ("origin", "http://shop.example")]),
        (true, &[HOST, ("referer", "http://other.example/")]),
        (true, &[("host", "localhost:3000"), ("origin", "http://localhost:3000")]),
        (true, &[("host", "127.0.0.1:3000"), ("referer", "http://127.0.0.1:3000/")]),
        (false, &PLAIN),
    ] {
        let sessions = sessions(secure);
        assert_eq!(warnings(async || visit(&sessions, headers).await).await, 0, "{headers:?}");
    }
    let sessions = sessions(true);
    let reads_only = async || {
        let handle = sessions.open([]);
        handle.note_request("GET", |name| {
            PLAIN.iter().find(|(known, _)| *known == name).map(|it| it.1.as_bytes())
        });
        handle.session::<Visitor>().count().await.unwrap();
        let _ = handle.finish();
    };
    assert_eq!(warnings(reads_only).await, 0, "no cookie is set");
}

#[tokio::test]
async fn axum_warns_of_plain_http() {
    let sessions = sessions(true);
    let router = Router::new().route("/", get(count)).layer(sessions.layer());
    let serve = async || {
        let request = PLAIN
            .iter()
            .fold(Request::get("/"), |request, (name, value)| request.header(*name, *value));
        Browser::new(&sessions).send(router, request.body(Body::empty()).unwrap()).await.unwrap();
    };
    assert_eq!(warnings(serve).await, 1);
}

#[handler]
async fn count_on_poem(session: Session<Visitor>) -> Result<String, Error> {
    count(session).await
}

#[tokio::test]
async fn poem_warns_of_plain_http() {
    let app = Route::new().at("/", count_on_poem).with(sessions(true).layer());
    let serve = async || {
        let request = poem::Request::builder();
        let request =
            PLAIN.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        app.get_response(request.finish()).await;
    };
    assert_eq!(warnings(serve).await, 1);
}

#[actix_web::test]
async fn actix_warns_of_plain_http() {
    let app = actix_web::App::new()
        .route("/", actix_web::web::get().to(count))
        .wrap(sessions(true).middleware());
    let app = init_service(app).await;
    let serve = async || {
        let request =
            PLAIN.iter().fold(TestRequest::get(), |request, header| request.insert_header(*header));
        call_service(&app, request.to_request()).await;
    };
    assert_eq!(warnings(serve).await, 1);
}
