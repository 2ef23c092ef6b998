//! axum, and requirements of tower around routes.

use std::convert::Infallible;
use std::future::pending;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Body;
use axum::extract::{FromRequestParts, Request};
use axum::http::header::CACHE_CONTROL;
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::{self, Next};
use axum::routing::{any, get, post};
use axum::{Json, Router};
use session_runtime::{
    Error, MemoryStore, Session, SessionConfig, SessionHandle, Sessions, Transport,
};
use session_tests::cookies::SECRET;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::timeout::TimeoutLayer;

use super::{
    Reply, Visitor, begins_no_session_for_another_site, count, count_by_id, counts_by_two_managers,
    get as ask, gives_the_manager_of_the_innermost_layer, look, manage, reply, sessions,
    sessions_named,
};

/// Serves the routes and returns the base URL.
pub(crate) async fn serve(app: Router) -> String {
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await });
    base
}

#[tokio::test]
async fn without_the_layer_the_error_says_what_to_add() {
    let base = serve(Router::new().route("/", get(count)).route("/manage", get(manage))).await;
    for path in ["", "/manage"] {
        let reply = ask(&format!("{base}{path}"), "").await;
        assert_eq!((reply.status, reply.body.as_str()), (500, "Internal Server Error"), "{path}");
    }
    let (mut parts, ()) = axum::http::Request::new(()).into_parts();
    let error = SessionHandle::from_extensions(&parts.extensions).unwrap_err();
    let for_manager = Sessions::from_request_parts(&mut parts, &()).await.unwrap_err();
    for error in [error, for_manager] {
        assert!(error.is_missing_layer());
        assert!(error.to_string().contains(".layer(sessions.layer())"), "{error}");
    }
}

#[tokio::test]
async fn two_managers_on_one_router_have_a_session_each() {
    let (user, admin) = (sessions_named("user"), sessions_named("admin"));
    let inner = Router::new().route("/", get(count)).layer(admin.layer());
    let app = Router::new().route("/", get(count)).nest("/admin", inner).layer(user.layer());
    let base = serve(app).await;
    let of_user = ask(&base, "").await.cookies().remove(0);
    let of_admin = ask(&format!("{base}/admin"), &of_user).await.cookies().remove(0);
    assert!(of_user.starts_with("user=") && of_admin.starts_with("admin="));
    let both = format!("{of_user}; {of_admin}");
    for (path, expected) in [("", "2"), ("", "3"), ("/admin", "2")] {
        let reply = ask(&format!("{base}{path}"), &both).await;
        assert_eq!((reply.body.as_str(), reply.cookies().len()), (expected, 0), "{path}");
    }
}

/// The same as [`count_by_id`], without extractors.
async fn count_by_hand(request: Request) -> Result<String, Error> {
    let handle = SessionHandle::from_extensions(request.extensions())?;
    count_by_id(handle.session(), handle.sessions()).await
}

/// A handler that takes the manager alone, without an extractor.
async fn manage_by_hand(request: Request) -> Result<String, Error> {
    Ok(manage(SessionHandle::from_extensions(request.extensions())?.sessions()).await)
}

#[tokio::test]
async fn a_handler_takes_the_manager_of_the_innermost_layer() {
    for is_by_hand in [false, true] {
        let (counts, manages) = if is_by_hand {
            (get(count_by_hand), get(manage_by_hand))
        } else {
            (get(count_by_id), get(manage))
        };
        let (user, admin) = (sessions_named("user"), sessions_named("admin"));
        let both = Router::new().route("/both", counts.clone()).layer(user.layer());
        let inner = Router::new().route("/admin", counts.clone()).merge(both).layer(admin.layer());
        let app = Router::new().route("/", counts).route("/manage", manages).merge(inner);
        gives_the_manager_of_the_innermost_layer(&serve(app.layer(user.layer())).await).await;
    }
}

async fn count_and_panic(session: Session<Visitor>) -> Result<String, Error> {
    session.count().incr(1).await?;
    panic!("a handler that panics, for a test");
}

#[tokio::test]
async fn a_panic_that_is_caught_inside_keeps_the_cookie_and_outside_loses_it() {
    let sessions = sessions();
    let inside = Router::new()
        .route("/inside", get(count_and_panic))
        .layer(CatchPanicLayer::new())
        .layer(sessions.layer());
    let outside = Router::new()
        .route("/outside", get(count_and_panic))
        .route("/", get(count))
        .layer(sessions.layer())
        .layer(CatchPanicLayer::new());
    let base = serve(inside.merge(outside)).await;
    let reply = ask(&format!("{base}/inside"), "").await;
    assert_eq!(
        (reply.status, reply.cookies().len()),
        (500, 1),
        "the cookie follows what the store did"
    );
    let cookie = reply.cookies().remove(0);
    let reply = ask(&format!("{base}/outside"), &cookie).await;
    assert_eq!((reply.status, reply.cookies().len()), (500, 0));
    assert_eq!(ask(&base, &cookie).await.body, "3", "both were counted, and nothing is locked");
    assert_eq!(
        ask(&format!("{base}/outside"), "").await.cookies().len(),
        0,
        "nobody learns of that session"
    );
}

async fn count_and_hang(session: Session<Visitor>) -> Result<String, Error> {
    session.count().incr(1).await?;
    pending().await
}

#[tokio::test]
async fn a_timeout_inside_keeps_the_cookie_and_outside_loses_it() {
    let sessions = sessions();
    let timeout =
        TimeoutLayer::with_status_code(StatusCode::GATEWAY_TIMEOUT, Duration::from_millis(100));
    let inside =
        Router::new().route("/inside", get(count_and_hang)).layer(timeout).layer(sessions.layer());
    let outside =
        Router::new().route("/outside", get(count_and_hang)).layer(sessions.layer()).layer(timeout);
    let served = Router::new().route("/", get(count)).layer(sessions.layer());
    let base = serve(inside.merge(outside).merge(served)).await;
    let reply = ask(&format!("{base}/inside"), "").await;
    assert_eq!((reply.status, reply.cookies().len()), (504, 1));
    let cookie = reply.cookies().remove(0);
    let reply = ask(&format!("{base}/outside"), &cookie).await;
    assert_eq!((reply.status, reply.cookies().len()), (504, 0));
    assert_eq!(ask(&base, &cookie).await.body, "3");
}

async fn count_first(
    session: Session<Visitor>,
    request: Request,
    next: Next,
) -> Result<axum::response::Response, Error> {
    session.count().incr(1).await?;
    Ok(next.run(request).await)
}

/// Sends the request out with the response, as salvo's bridge for tower layers does.
async fn keep_request(request: Request) -> axum::response::Response {
    let mut response = axum::response::Response::default();
    response.extensions_mut().insert(Arc::new(Mutex::new(request)));
    response
}

/// Streams a body that accesses the session and the manager only while streaming.
async fn ask_late(request: Request) -> impl axum::response::IntoResponse {
    let late = async move {
        let (mut parts, _) = request.into_parts();
        let manager = Sessions::from_request_parts(&mut parts, &()).await.unwrap();
        let told = match SessionHandle::from_extensions(&parts.extensions) {
            Ok(handle) => handle.session::<Visitor>().count().await.map(|count| count.to_string()),
            Err(error) => Err(error),
        };
        let told = told.unwrap_or_else(|error| format!("committed: {}", error.is_headers_sent()));
        Ok::<_, Infallible>(format!("{}, {told}", manage(manager).await))
    };
    ([(CACHE_CONTROL, "public")], Body::from_stream(futures::stream::once(late)))
}

/// The request and the extensions live on in the body.
#[tokio::test]
async fn a_manager_but_no_session_can_be_taken_after_public_headers_were_sent() {
    let app = Router::new()
        .route("/late", get(ask_late))
        .route("/", get(count))
        .layer(sessions().layer());
    let base = serve(app).await;
    let cookie = ask(&base, "").await.cookies().remove(0);
    let reply = ask(&format!("{base}/late"), &cookie).await;
    assert_eq!(
        (reply.headers["cache-control"].to_str().unwrap(), &*reply.body),
        ("public", "connected, committed: true")
    );
}

#[tokio::test]
async fn a_kept_request_sends_no_command() {
    let base = serve(Router::new().route("/", get(keep_request)).layer(sessions().layer())).await;
    let reply = ask(&base, "").await;
    assert!(!reply.headers.contains_key("vary") && !reply.headers.contains_key("cache-control"));
}

#[tokio::test]
async fn a_cross_site_request_creates_no_session_unless_the_route_allows_it() {
    let sessions = sessions();
    let allowed =
        Router::new().route("/allowed", any(count)).layer(sessions.layer().allow_cross_site());
    let app = Router::new().route("/", any(count)).route("/look", any(look)).merge(allowed);
    begins_no_session_for_another_site(&serve(app.layer(sessions.layer())).await).await;
}

#[tokio::test]
async fn a_layer_on_both_sides_of_another_managers_is_one_session() {
    let (user, admin) = (sessions_named("user"), sessions_named("admin"));
    for layers in [1, 2] {
        let mut app = Router::new().route("/", get(count));
        for _ in 0..layers {
            app = app.layer(user.layer()).layer(admin.layer());
        }
        let app = app.layer(middleware::from_fn(count_first)).layer(admin.layer());
        let app = app.layer(middleware::from_fn(count_first)).layer(user.layer());
        counts_by_two_managers(&serve(app).await).await;
    }
}

#[tokio::test]
async fn two_managers_with_tokens_have_separate_headers() {
    let sessions = |name: &str| {
        let config = SessionConfig::new().secret(SECRET).cookie_name(name);
        let config = config.transport(Transport::Bearer).token_header(format!("{name}-token"));
        let config = config.token_response_header(format!("new-{name}-token"));
        Sessions::with_store(config, MemoryStore::new()).unwrap()
    };
    let (user, admin) = (sessions("user"), sessions("admin"));
    let app = Router::new().route("/", get(count)).layer(admin.layer());
    let app = app.layer(middleware::from_fn(count_first)).layer(user.layer());
    let base = serve(app).await;
    let first = reply(reqwest::Client::new().get(&base)).await;
    let tokens = ["user", "admin"].map(|name| first.headers[&format!("new-{name}-token")].clone());
    let [user_token, admin_token] = &tokens;
    let with = async |user: &HeaderValue, admin: &HeaderValue| {
        let request = reqwest::Client::new().get(&base);
        reply(request.header("user-token", user).header("admin-token", admin)).await
    };
    let second = with(user_token, admin_token).await;
    assert_eq!((first.body.as_str(), second.body.as_str()), ("1", "2"));
    assert!(!second.headers.contains_key("new-user-token"));
    // Each token is for its own manager.
    let swapped = with(admin_token, user_token).await;
    assert_eq!(swapped.body, "1");
    for name in ["new-user-token", "new-admin-token"] {
        assert!(swapped.headers.contains_key(name), "{name}");
    }
}

async fn never_called(_: Session<Visitor>, _: Json<u8>) {}

#[tokio::test]
async fn a_rejected_body_keeps_the_cookie_of_a_middleware() {
    let routes =
        Router::new().route("/", post(never_called)).layer(middleware::from_fn(count_first));
    let base = serve(routes.layer(sessions().layer())).await;
    let response = reqwest::Client::new().post(&base).body("no JSON").send().await.unwrap();
    let reply = Reply {
        status: response.status().as_u16(),
        headers: response.headers().clone(),
        body: String::new(),
    };
    assert_eq!((reply.status, reply.cookies().len()), (415, 1));
}
