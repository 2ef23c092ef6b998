//! actix-web.

use std::convert::Infallible;
use std::fmt;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::mpsc;
use std::thread;

use actix_cors::Cors;
use actix_web::body::{BodyStream, MessageBody};
use actix_web::dev::{ServerHandle, ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::middleware::{Condition, Next, from_fn};
use actix_web::rt::System;
use actix_web::test::{TestRequest, call_and_read_body, call_service, init_service};
use actix_web::web::{self, ServiceConfig};
use actix_web::{
    App, FromRequest, HttpRequest, HttpResponse, HttpServer, Responder, ResponseError,
};
use session_runtime::{Session, Sessions};

use super::{
    Visitor, begins_no_session_for_another_site, count, count_by_id, counts_by_two_managers, get,
    gives_the_manager_of_the_innermost_layer, goes_on_without_a_session_where_it_may, look, manage,
    sessions, sessions_named, sessions_on_a_server,
};

/// A server that stops when this value is dropped.
pub(super) struct Served {
    pub(super) base: String,
    server: ServerHandle,
}

impl Drop for Served {
    fn drop(&mut self) {
        drop(self.server.stop(false));
    }
}

pub(super) fn serve(routes: impl Fn(&mut ServiceConfig) + Clone + Send + 'static) -> Served {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        System::new().block_on(async move {
            let app = move || App::new().configure(routes.clone());
            let server =
                HttpServer::new(app).workers(1).disable_signals().listen(listener).unwrap().run();
            tell.send(server.handle()).unwrap();
            server.await.unwrap();
        });
    });
    Served { base, server: told.recv().unwrap() }
}

#[tokio::test]
async fn without_the_middleware_the_error_says_what_to_add() {
    let served = serve(|app| {
        app.route("/", web::get().to(count)).route("/manage", web::get().to(manage));
    });
    for path in ["", "/manage"] {
        let reply = get(&format!("{}{path}", served.base), "").await;
        assert_eq!((reply.status, reply.body.as_str()), (500, "Internal Server Error"), "{path}");
    }
    let request = TestRequest::default().to_http_request();
    for error in [
        Session::<Visitor>::extract(&request).await.unwrap_err(),
        Sessions::extract(&request).await.unwrap_err(),
    ] {
        assert!(error.is_missing_layer());
        assert!(error.to_string().contains(".wrap(sessions.middleware())"), "{error}");
    }
}

#[tokio::test]
async fn two_managers_on_one_app_have_a_session_each() {
    let (user, admin) = (sessions_named("user"), sessions_named("admin"));
    let served = serve(move |app| {
        let inner =
            web::scope("/admin").route("/{page}", web::get().to(count)).wrap(admin.middleware());
        let outer =
            web::scope("").service(inner).route("/", web::get().to(count)).wrap(user.middleware());
        app.service(outer);
    });
    let (root, page) = (format!("{}/", served.base), format!("{}/admin/page", served.base));
    let of_user = get(&root, "").await.cookies().remove(0);
    let of_admin = get(&page, &of_user).await.cookies().remove(0);
    assert!(of_user.starts_with("user=") && of_admin.starts_with("admin="));
    let both = format!("{of_user}; {of_admin}");
    for (url, expected) in [(&root, "2"), (&root, "3"), (&page, "2")] {
        let reply = get(url, &both).await;
        assert_eq!((reply.body.as_str(), reply.cookies().len()), (expected, 0), "{url}");
    }
}

#[tokio::test]
async fn a_handler_takes_the_manager_of_the_innermost_middleware() {
    let (user, admin) = (sessions_named("user"), sessions_named("admin"));
    let served = serve(move |app| {
        let inner = web::resource("/admin").route(web::get().to(count_by_id));
        let both = web::resource("/both").route(web::get().to(count_by_id));
        let both = both.wrap(user.middleware()).wrap(admin.middleware());
        let routes = web::scope("").service(inner.wrap(admin.middleware())).service(both);
        let routes = routes.route("/manage", web::get().to(manage));
        app.service(routes.route("/", web::get().to(count_by_id)).wrap(user.middleware()));
    });
    gives_the_manager_of_the_innermost_layer(&served.base).await;
}

/// An application error that an outer middleware of the application handles.
#[derive(Debug)]
struct Teapot;

impl fmt::Display for Teapot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no coffee")
    }
}

impl ResponseError for Teapot {
    fn status_code(&self) -> StatusCode {
        StatusCode::IM_A_TEAPOT
    }
}

async fn count_and_fail<B>(
    session: Session<Visitor>,
    _request: ServiceRequest,
    _next: Next<B>,
) -> Result<ServiceResponse<B>, actix_web::Error> {
    session.count().incr(1).await?;
    Err(Teapot.into())
}

async fn fail<B>(
    _request: ServiceRequest,
    _next: Next<B>,
) -> Result<ServiceResponse<B>, actix_web::Error> {
    Err(Teapot.into())
}

/// In actix-session, the middleware returns an error at once, and the cookie for the store's
/// changes is lost.
#[tokio::test]
async fn an_error_of_an_inner_middleware_keeps_its_cookie_and_its_response() {
    let sessions = sessions();
    let served = serve(move |app| {
        let fails = web::scope("/fails").wrap(from_fn(count_and_fail)).wrap(sessions.middleware());
        app.service(fails)
            .service(web::scope("").route("/", web::get().to(count)).wrap(sessions.middleware()));
    });
    let reply = get(&format!("{}/fails", served.base), "").await;
    assert_eq!((reply.status, reply.body.as_str(), reply.cookies().len()), (418, "no coffee", 1));
    assert_eq!(reply.headers["cache-control"], "no-store");
    assert_eq!(get(&format!("{}/", served.base), &reply.cookies()[0]).await.body, "2");
}

/// Responds with the kind of error that reached this middleware.
async fn tell_kind<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, actix_web::Error> {
    let error = next.call(request).await.err().unwrap();
    let is_teapot = error.as_error::<Teapot>().is_some();
    Err(actix_web::error::ErrorImATeapot(format!("a teapot: {is_teapot}")))
}

#[tokio::test]
async fn an_error_is_unchanged_if_the_session_was_ignored() {
    let sessions = sessions();
    let served = serve(move |app| {
        let fails =
            web::scope("").wrap(from_fn(fail)).wrap(sessions.middleware()).wrap(from_fn(tell_kind));
        app.service(fails);
    });
    assert_eq!(get(&served.base, "").await.body, "a teapot: true");
}

async fn count_first<B: MessageBody>(
    session: Session<Visitor>,
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, actix_web::Error> {
    session.count().incr(1).await?;
    next.call(request).await
}

#[tokio::test]
async fn a_cross_site_request_creates_no_session_unless_the_route_allows_it() {
    let sessions = sessions();
    let served = serve(move |app| {
        let allowed = web::resource("/allowed").route(web::to(count));
        let routes = web::scope("")
            .service(allowed.wrap(sessions.middleware().allow_cross_site()))
            .route("/look", web::to(look))
            .route("/", web::to(count));
        app.service(routes.wrap(sessions.middleware()));
    });
    begins_no_session_for_another_site(&served.base).await;
}

#[tokio::test]
async fn a_middleware_on_both_sides_of_another_managers_is_one_session() {
    let (user, admin) = (sessions_named("user"), sessions_named("admin"));
    let served = serve(move |app| {
        let once = web::resource("/once").route(web::get().to(count)).wrap(user.middleware());
        let twice = web::resource("/twice").route(web::get().to(count)).wrap(user.middleware());
        let twice = web::scope("").service(twice.wrap(admin.middleware())).wrap(user.middleware());
        let routes = web::scope("").service(once).service(twice).wrap(from_fn(count_first));
        let routes = routes.wrap(admin.middleware()).wrap(from_fn(count_first));
        app.service(routes.wrap(user.middleware()));
    });
    for path in ["/once", "/twice"] {
        counts_by_two_managers(&format!("{}{path}", served.base)).await;
    }
}

/// Responds with the `Debug` output of the request's cookies, which could end up in a log.
async fn show_cookies(
    request: HttpRequest,
    session: Session<Visitor>,
) -> Result<String, session_runtime::Error> {
    session.count().await?;
    Ok(format!("{:?}", request.headers().get_all("cookie").collect::<Vec<_>>()))
}

#[actix_web::test]
async fn cookies_are_marked_as_sensitive_and_nothing_else_is() {
    let app = App::new().route("/", web::get().to(show_cookies)).wrap(sessions().middleware());
    let app = init_service(app).await;
    for cookies in [&["a=1"][..], &["a=1", "b=2", "c=3"], &[]] {
        let request = TestRequest::get().insert_header(("x-other", "1"));
        let request = cookies
            .iter()
            .fold(request, |request, cookie| request.append_header(("cookie", *cookie)));
        let shown = call_and_read_body(&app, request.to_request()).await;
        assert_eq!(shown, format!("{:?}", vec![format_args!("Sensitive"); cookies.len()]));
    }
}

/// Streams a body that accesses the session and the manager only while streaming.
async fn ask_late(request: HttpRequest) -> HttpResponse {
    let late = async move {
        let manager = Sessions::extract(&request).await.unwrap();
        let told = match Session::<Visitor>::extract(&request).await {
            Ok(session) => session.count().await.map(|count| count.to_string()),
            Err(error) => Err(error),
        };
        let told = told.unwrap_or_else(|error| format!("committed: {}", error.is_headers_sent()));
        let told = format!("{}, {told}", manage(manager).await);
        Ok::<_, Infallible>(web::Bytes::from(told))
    };
    let mut response = HttpResponse::Ok();
    response.append_header(("cache-control", "public, max-age=60"));
    response.body(BodyStream::new(Box::pin(futures::stream::once(late))))
}

/// The request and the extensions live on in the body.
#[tokio::test]
async fn a_manager_but_no_session_can_be_taken_after_public_headers_were_sent() {
    let sessions = sessions();
    let served = serve(move |app| {
        let routes = web::scope("").route("/late", web::get().to(ask_late));
        app.service(routes.route("/", web::get().to(count)).wrap(sessions.middleware()));
    });
    let cookie = get(&format!("{}/", served.base), "").await.cookies().remove(0);
    let reply = get(&format!("{}/late", served.base), &cookie).await;
    assert_eq!(
        (&reply.headers["cache-control"], &*reply.body),
        (&"public, max-age=60".parse().unwrap(), "connected, committed: true")
    );
}

async fn look_with_vary(
    session: Session<Visitor>,
) -> Result<impl Responder, session_runtime::Error> {
    let vary = ("vary", "Accept");
    Ok(look(session)
        .await?
        .customize()
        .append_header(vary)
        .append_header(("vary", "Accept-Language")))
}

/// actix-cors keeps only the first of several `Vary` lines.
#[actix_web::test]
async fn cors_further_out_or_further_in_keeps_the_cookie_in_vary() {
    let cors = || Cors::default().allowed_origin("https://shop.example");
    for is_outside in [true, false] {
        let app = App::new()
            .route("/", web::get().to(look))
            .route("/varies", web::get().to(look_with_vary))
            .wrap(Condition::new(!is_outside, cors()))
            .wrap(sessions().middleware())
            .wrap(Condition::new(is_outside, cors()));
        let app = init_service(app).await;
        for path in ["/", "/varies"] {
            let request =
                TestRequest::get().uri(path).insert_header(("origin", "https://shop.example"));
            let response = call_service(&app, request.to_request()).await;
            let vary = response.headers().get_all("vary").map(|line| line.to_str().unwrap());
            let vary = vary.collect::<Vec<_>>().join(", ");
            assert!(
                vary.contains("Cookie") && vary.contains("Origin"),
                "{is_outside} {path}: {vary}"
            );
        }
    }
}

async fn never_called(_: Session<Visitor>, _: web::Json<u8>) -> &'static str {
    ""
}

#[tokio::test]
async fn a_rejected_body_keeps_the_cookie_of_a_middleware() {
    let sessions = sessions();
    let served = serve(move |app| {
        let routes = web::scope("").route("/", web::get().to(never_called));
        app.service(routes.wrap(from_fn(count_first)).wrap(sessions.middleware()));
    });
    let reply = get(&format!("{}/", served.base), "").await;
    assert_eq!((reply.status, reply.cookies().len()), (400, 1));
}

/// Behaviour: store down.
#[tokio::test]
async fn a_scope_may_continue_without_a_session() {
    let (server, sessions) = sessions_on_a_server().await;
    let served = serve(move |app| {
        let tolerant = web::resource("/tolerant").route(web::get().to(look));
        let routes = web::scope("")
            .service(tolerant.wrap(sessions.middleware().allow_degraded()))
            .route("/strict", web::get().to(look))
            .route("/", web::get().to(count));
        app.service(routes.wrap(sessions.middleware()));
    });
    goes_on_without_a_session_where_it_may(server, &served.base).await;
}

#[tokio::test]
async fn a_worker_has_one_connection_of_its_own_however_often_it_is_wrapped() {
    let (server, sessions) = sessions_on_a_server().await;
    let served = serve(move |app| {
        let inner =
            web::scope("/inner").route("/{page}", web::get().to(count)).wrap(sessions.middleware());
        let outer = web::scope("").service(inner).route("/", web::get().to(count));
        app.service(outer.wrap(sessions.middleware()));
    });
    let cookie = get(&format!("{}/", served.base), "").await.cookies().remove(0);
    assert_eq!(get(&format!("{}/inner/page", served.base), &cookie).await.body, "2");
    assert_eq!(server.clients(), 2);
}
