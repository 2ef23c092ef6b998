//! The same-origin check of every adapter, against forged requests.

use std::convert::Infallible;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};

use actix_web::dev::ServiceResponse;
use actix_web::middleware::{Next, from_fn};
use actix_web::test::{TestRequest, init_service, try_call_service};
use actix_web::web;
use axum::Router;
use axum::body::Body;
use axum::routing::any;
use hyper::body::Incoming;
use hyper::header::HeaderName;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use poem::{Endpoint, EndpointExt, Route};
use reqwest::{Client, Method};
use session_runtime::testing::{FailingStore, Failure};
use session_runtime::{Error, MemoryStore, SessionConfig, SessionHandle, Sessions, Transport};
use session_tests::cookies::SECRET;
use session_tests::log::logged;
use tower::{Service, ServiceBuilder, ServiceExt, service_fn};

use super::{Reply, actix, axum as on_axum, count, poem as on_poem, reply};

const TRUSTED: &str = "https://login.example";
const CROSS: (&str, &str) = ("sec-fetch-site", "cross-site");
const CROSS_BUT_TRUSTED: [(&str, &str); 2] = [CROSS, ("origin", TRUSTED)];

fn config() -> SessionConfig {
    let transport = Transport::CookieOrBearer;
    SessionConfig::new().secret(SECRET).trusted_origins([TRUSTED]).transport(transport)
}

fn sessions() -> Sessions {
    Sessions::with_store(config(), MemoryStore::new()).unwrap()
}

fn http1() -> Client {
    Client::new()
}

/// The client of HTTP/2 sends no `Host`, as browsers do.
fn http2() -> Client {
    Client::builder().http2_prior_knowledge().build().unwrap()
}

async fn send(client: &Client, method: &str, url: &str, headers: &[(&str, &str)]) -> Reply {
    let request = client.request(Method::from_bytes(method.as_bytes()).unwrap(), url);
    reply(headers.iter().fold(request, |request, (name, value)| request.header(*name, *value)))
        .await
}

/// Behaviour: requests of other origins. `/` counts inside the check, for every method.
/// `refusal` is the body of a refusal.
async fn refuses_other_origins(client: &Client, base: &str, refusal: &str) {
    let cookie = send(client, "GET", base, &[]).await.cookies().remove(0);
    let port = base.rsplit_once(':').unwrap().1;
    let own = ("origin", base);
    let (of_name, https) = (format!("http://localhost:{port}"), base.replace("http", "https"));
    let other_port = format!("{base}0");
    let on_shop = ("origin", "https://shop.example");
    let behind_proxy = ("x-forwarded-host", "shop.example");
    let websocket = ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
    let mut visits = 1;
    for (method, headers, passes) in [
        ("POST", &[][..], true),
        ("POST", &[("sec-fetch-site", "same-origin"), own], true),
        ("POST", &[("sec-fetch-site", "none")], true),
        ("POST", &[("sec-fetch-site", "same-site"), ("origin", &other_port)], false),
        ("POST", &[("sec-fetch-site", "same-site")], false),
        ("PUT", &[CROSS, ("origin", "https://evil.example")], false),
        ("DELETE", &[CROSS], false),
        ("POST", &[CROSS, own], false),
        ("POST", &CROSS_BUT_TRUSTED, true),
        ("GET", &[CROSS, ("origin", "https://evil.example")], true),
        ("GET", &[CROSS, websocket], false),
        ("GET", &[("origin", &other_port), websocket], false),
        ("GET", &[own, websocket], true),
        // Browsers without `Sec-Fetch-Site`.
        ("POST", &[own], true),
        ("PATCH", &[("origin", &https)], true),
        ("POST", &[("origin", TRUSTED)], true),
        ("POST", &[("origin", &other_port)], false),
        ("POST", &[("origin", &of_name)], false),
        ("POST", &[("origin", "https://evil.example")], false),
        ("POST", &[("origin", "null")], false),
        ("POST", &[("origin", "garbage")], false),
        ("POST", &[behind_proxy, on_shop], true),
        ("POST", &[behind_proxy, own], false),
        ("POST", &[on_shop], false),
        ("GET", &[], true),
    ] {
        let headers = [headers, &[("cookie", &cookie)]].concat();
        let reply = send(client, method, base, &headers).await;
        let told = (reply.status, reply.body.as_str());
        if passes {
            visits += 1;
            assert_eq!(told, (200, visits.to_string().as_str()), "{method} {headers:?}");
        } else {
            assert_eq!(told, (403, refusal), "{method} {headers:?}");
            for name in ["vary", "cache-control", "set-cookie"] {
                assert!(!reply.headers.contains_key(name), "{name}: the session was not accessed");
            }
        }
    }
    accepts_tokens_without_the_cookie(client, base, &cookie).await;
}

/// A request with a token passes, and its cookie does not count.
async fn accepts_tokens_without_the_cookie(client: &Client, base: &str, cookie: &str) {
    for (authorization, told) in [
        ("Bearer forged", Some("1")),
        ("bearer", Some("1")),
        ("Basic dXNlcjpwYXNz", None),
        ("Bearerforged", None),
        ("", None),
    ] {
        let headers = [CROSS, ("authorization", authorization), ("cookie", cookie)];
        let reply = send(client, "POST", base, &headers).await;
        assert_eq!(reply.status, if told.is_some() { 200 } else { 403 }, "{authorization}");
        assert!(reply.cookies().is_empty(), "{authorization}");
        assert_eq!(reply.headers.contains_key("session-token"), told.is_some(), "{authorization}");
        if let Some(told) = told {
            assert_eq!(reply.body, told, "{authorization}");
        }
    }
}

/// `/open` counts outside the check, and inside the layer of all routes.
async fn leaves_other_routes_alone(base: &str) {
    let reply = send(&http1(), "POST", &format!("{base}/open"), &[("origin", "null")]).await;
    assert_eq!((reply.status, reply.body.as_str()), (200, "1"));
}

/// `/first` and `/last` have both permission and check, in both orders, and `/` the check alone.
async fn begins_sessions_for_a_trusted_origin_where_allowed(base: &str) {
    for (path, status) in [("/first", 200), ("/last", 200), ("/", 403)] {
        let url = format!("{base}{path}");
        assert_eq!(send(&http1(), "POST", &url, &CROSS_BUT_TRUSTED).await.status, status, "{path}");
        let reply = send(&http1(), "POST", &url, &[CROSS]).await;
        assert_eq!((reply.status, reply.cookies().len()), (403, 0), "{path}");
    }
}

#[tokio::test]
async fn axum_refuses_requests_of_other_origins() {
    let sessions = sessions();
    let app = Router::new()
        .route("/", any(count))
        .route_layer(sessions.layer().same_origin())
        .route("/open", any(count))
        .layer(sessions.layer());
    let base = on_axum::serve(app).await;
    refuses_other_origins(&http1(), &base, "Forbidden").await;
    refuses_other_origins(&http2(), &base, "Forbidden").await;
    leaves_other_routes_alone(&base).await;
}

#[tokio::test]
async fn axum_has_the_check_before_or_after_other_options() {
    let sessions = sessions();
    let route = |path| Router::new().route(path, any(count));
    let app = route("/first")
        .layer(sessions.layer().allow_cross_site().same_origin())
        .merge(route("/last").layer(sessions.layer().same_origin().allow_cross_site()))
        .merge(route("/").layer(sessions.layer().same_origin()));
    begins_sessions_for_a_trusted_origin_where_allowed(&on_axum::serve(app).await).await;
}

/// The text of a refusal is the same as of every error.
#[tokio::test]
async fn axum_answers_with_the_response_of_the_error() {
    let app = Router::new().route("/", any(count)).layer(sessions().layer().same_origin());
    let base = on_axum::serve(app).await;
    let refused = send(&http1(), "POST", &base, &[("origin", "null")]).await;
    // The check lets this pass, and the session is not created.
    let not_created = send(&http1(), "POST", &base, &CROSS_BUT_TRUSTED).await;
    for reply in [&refused, &not_created] {
        assert_eq!((reply.status, reply.body.as_str()), (403, "Forbidden"));
        assert_eq!(reply.headers["content-type"], "text/plain; charset=utf-8");
    }
}

#[tokio::test]
async fn actix_refuses_requests_of_other_origins() {
    let sessions = sessions();
    let served = actix::serve(move |app| {
        let checked = web::resource("/").wrap(sessions.middleware().same_origin());
        let routes = web::scope("").service(checked.to(count));
        app.service(routes.route("/open", web::to(count)).wrap(sessions.middleware()));
    });
    refuses_other_origins(&http1(), &served.base, "Forbidden").await;
    leaves_other_routes_alone(&served.base).await;
}

#[tokio::test]
async fn actix_has_the_check_before_or_after_other_options() {
    let sessions = sessions();
    let served = actix::serve(move |app| {
        let (first, last) = (sessions.middleware(), sessions.middleware());
        let (first, last) =
            (first.allow_cross_site().same_origin(), last.same_origin().allow_cross_site());
        app.service(web::resource("/first").wrap(first).to(count))
            .service(web::resource("/last").wrap(last).to(count))
            .service(web::resource("/").wrap(sessions.middleware().same_origin()).to(count));
    });
    begins_sessions_for_a_trusted_origin_where_allowed(&served.base).await;
}

/// With HTTP/2, the URI has the host.
#[actix_web::test]
async fn actix_returns_an_error_to_outer_middleware_and_takes_the_host_of_the_uri() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&seen);
    let look = from_fn(move |request, next: Next<_>| {
        let told = Arc::clone(&told);
        async move {
            let response: Result<ServiceResponse<_>, _> = next.call(request).await;
            let error = response.as_ref().err().and_then(actix_web::Error::as_error::<Error>);
            told.lock().unwrap().push(error.map(Error::is_cross_origin));
            response
        }
    });
    let app = actix_web::App::new()
        .route("/", web::to(count))
        .wrap(sessions().middleware().same_origin())
        .wrap(look);
    let app = init_service(app).await;
    for origin in ["https://shop.example", "https://evil.example"] {
        let request = TestRequest::post().uri("https://shop.example/");
        let request = request.insert_header(("origin", origin)).to_request();
        let _ = try_call_service(&app, request).await;
    }
    assert_eq!(*seen.lock().unwrap(), [None, Some(true)]);
}

#[tokio::test]
async fn poem_refuses_requests_of_other_origins() {
    let sessions = sessions();
    let app = Route::new()
        .at("/", on_poem::count.with(sessions.layer().same_origin()))
        .at("/open", on_poem::count)
        .with(sessions.layer());
    let base = on_poem::serve(app).await;
    refuses_other_origins(&http1(), &base, "Forbidden").await;
    refuses_other_origins(&http2(), &base, "Forbidden").await;
    leaves_other_routes_alone(&base).await;
}

#[tokio::test]
async fn poem_has_the_check_before_or_after_other_options() {
    let sessions = sessions();
    let app = Route::new()
        .at("/first", on_poem::count.with(sessions.layer().allow_cross_site().same_origin()))
        .at("/last", on_poem::count.with(sessions.layer().same_origin().allow_cross_site()))
        .at("/", on_poem::count.with(sessions.layer().same_origin()));
    begins_sessions_for_a_trusted_origin_where_allowed(&on_poem::serve(app).await).await;
}

#[tokio::test]
async fn poem_returns_an_error_to_outer_handlers() {
    let app = on_poem::count.with(sessions().layer().same_origin());
    let request = poem::Request::builder().method(Method::POST);
    let error = app.call(request.header("origin", "null").finish()).await.unwrap_err();
    assert!(error.downcast_ref::<Error>().unwrap().is_cross_origin(), "{error}");
}

/// Serves HTTP/1 and HTTP/2 without a web framework, and returns the base URL.
async fn serve<S>(service: S) -> String
where
    S: Service<Request<Incoming>, Response = Response<String>, Error = Infallible>,
    S: Clone + Send + 'static,
    S::Future: Send,
{
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let service = TowerToHyperService::new(service.clone());
            tokio::spawn(async move {
                let builder = Builder::new(TokioExecutor::new());
                let _ = builder.serve_connection(TokioIo::new(stream), service).await;
            });
        }
    });
    base
}

fn response(result: Result<String, Error>) -> Response<String> {
    let (status, body) = match result {
        Ok(body) => (200, body),
        Err(error) => (error.status(), "refused by hand".to_owned()),
    };
    Response::builder().status(status).body(body).unwrap()
}

#[tokio::test]
async fn a_tower_service_refuses_requests_of_other_origins() {
    let serve_count = async |request: Request<Incoming>| {
        let handle = SessionHandle::from_extensions(request.extensions()).unwrap();
        Ok(response(count(handle.session()).await))
    };
    let layer = sessions().layer().same_origin();
    let base = serve(ServiceBuilder::new().layer(layer).service_fn(serve_count)).await;
    refuses_other_origins(&http1(), &base, "").await;
    refuses_other_origins(&http2(), &base, "").await;
}

#[tokio::test]
async fn a_program_by_hand_refuses_requests_of_other_origins() {
    let sessions = sessions();
    let by_hand = move |request: Request<Incoming>| {
        let sessions = sessions.clone();
        async move {
            let (method, headers) = (request.method().as_str(), request.headers());
            let authority = request.uri().authority().map(|authority| authority.as_str());
            let header = |name: &str| match (name, authority) {
                ("host", Some(authority)) => Some(authority.as_bytes()),
                _ => headers.get(name).map(|value| value.as_bytes()),
            };
            let handle = sessions.open(headers.get("cookie").map(|cookie| cookie.as_bytes()));
            handle.note_request(method, header);
            let result = match handle.check_same_origin(method, header) {
                Ok(()) => count(handle.session()).await,
                Err(error) => Err(error),
            };
            let mut response = response(result);
            let session = handle.finish();
            for (name, value) in session.pairs([]) {
                let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
                response.headers_mut().append(name, value.parse().unwrap());
            }
            Ok::<_, Infallible>(response)
        }
    };
    let base = serve(service_fn(by_hand)).await;
    refuses_other_origins(&http1(), &base, "refused by hand").await;
    refuses_other_origins(&http2(), &base, "refused by hand").await;
}

/// A body as of a framework without an empty body.
struct Opaque;

#[tokio::test]
async fn a_layer_without_the_check_serves_bodies_without_a_default() {
    let service = service_fn(async |_: Request<()>| Ok::<_, Infallible>(Response::new(Opaque)));
    let layers = ServiceBuilder::new().layer(sessions().layer().allow_degraded());
    let Response { .. } = layers.service(service).oneshot(Request::new(())).await.unwrap();
}

#[tokio::test]
async fn a_request_goes_on_without_its_session_inside_the_check() {
    for is_first in [true, false] {
        let store = FailingStore::new(MemoryStore::new());
        let sessions = Sessions::with_store(config(), store.clone()).unwrap();
        let layer = match is_first {
            true => sessions.layer().allow_degraded().same_origin(),
            false => sessions.layer().same_origin().allow_degraded(),
        };
        let app = Router::new().route("/", any(super::look)).layer(layer);
        let base = on_axum::serve(app).await;
        let id = session_tests::cookies::id(std::time::SystemTime::now(), 0);
        let cookie = session_tests::cookies::cookie(&id);
        store.fail(Failure::Unavailable);
        let reply = send(&http1(), "POST", &base, &[("cookie", &cookie)]).await;
        assert_eq!((reply.status, reply.body.as_str()), (200, "0"), "first: {is_first}");
    }
}

#[tokio::test]
async fn a_refusal_is_logged_as_information_without_what_the_client_sent() {
    let app = Router::new().route("/", any(count)).layer(sessions().layer().same_origin());
    let (log, _guard) = logged();
    for (name, value) in [("origin", "https://hunter2.example"), ("sec-fetch-site", "hunter2")] {
        let request = Request::post("/").header(name, value);
        let request = request.header("cookie", "__Host-session-id=hunter2");
        let response = app.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(response.status(), 403);
    }
    let text = log.text();
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), 2, "{text}");
    for (line, header) in lines.iter().zip(["`Origin`", "`Sec-Fetch-Site`"]) {
        assert!(line.contains("INFO") && line.contains(header), "{line}");
        assert!(line.contains("a request from another origin was refused"), "{line}");
    }
    assert!(!text.contains("hunter2"), "{text}");
}
