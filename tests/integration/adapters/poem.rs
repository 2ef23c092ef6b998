//! poem.

use std::net::Ipv4Addr;

use poem::endpoint::{BoxEndpoint, make};
use poem::error::NotFoundError;
use poem::listener::TcpAcceptor;
use poem::middleware::Cors;
use poem::web::Json;
use poem::{Endpoint, EndpointExt, FromRequest, Request, Response, Route, Server, handler};
use session_runtime::{Error, Session, Sessions};
use tokio::net::TcpListener;

use super::{
    Visitor, begins_no_session_for_another_site, counts_by_two_managers, get,
    gives_the_manager_of_the_innermost_layer, goes_on_without_a_session_where_it_may, sessions,
    sessions_named, sessions_on_a_server,
};

#[handler]
pub(super) async fn count(session: Session<Visitor>) -> Result<String, Error> {
    super::count(session).await
}

#[handler]
async fn look(session: Session<Visitor>) -> Result<String, Error> {
    super::look(session).await
}

#[handler]
async fn manage(sessions: Sessions) -> String {
    super::manage(sessions).await
}

#[handler]
async fn count_by_id(session: Session<Visitor>, sessions: Sessions) -> Result<String, Error> {
    super::count_by_id(session, sessions).await
}

/// Serves the routes and returns the base URL.
pub(super) async fn serve(app: impl Endpoint + 'static) -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let acceptor = TcpAcceptor::from_tokio(listener).unwrap();
    tokio::spawn(Server::new_with_acceptor(acceptor).run(app));
    base
}

#[tokio::test]
async fn without_the_layer_the_error_says_what_to_add() {
    let base = serve(Route::new().at("/", count).at("/manage", manage)).await;
    for path in ["", "/manage"] {
        let reply = get(&format!("{base}{path}"), "").await;
        assert_eq!((reply.status, reply.body.as_str()), (500, "Internal Server Error"), "{path}");
    }
    let request = Request::default();
    for rejection in [
        Session::<Visitor>::from_request_without_body(&request).await.unwrap_err(),
        Sessions::from_request_without_body(&request).await.unwrap_err(),
    ] {
        let error = rejection.downcast_ref::<Error>().unwrap();
        assert!(error.is_missing_layer(), "{error}");
        assert!(error.to_string().contains("sessions.layer()"), "{error}");
    }
}

/// This crate adds no method to every type that would conflict with poem's `with`.
mod with_everything_imported {
    use poem::{Endpoint, EndpointExt, Route};
    use session_runtime::*;

    pub(super) fn app(sessions: &Sessions) -> impl Endpoint + use<> {
        Route::new().at("/", super::count).with(sessions.layer())
    }
}

#[tokio::test]
async fn a_layer_is_put_on_with_everything_imported() {
    let base = serve(with_everything_imported::app(&sessions())).await;
    assert_eq!(get(&base, "").await.body, "1");
}

#[tokio::test]
async fn two_managers_on_one_app_have_a_session_each() {
    let (user, admin) = (sessions_named("user"), sessions_named("admin"));
    let app =
        Route::new().at("/admin", count.with(admin.layer())).at("/", count).with(user.layer());
    let base = serve(app).await;
    let of_user = get(&base, "").await.cookies().remove(0);
    let of_admin = get(&format!("{base}/admin"), &of_user).await.cookies().remove(0);
    assert!(of_user.starts_with("user=") && of_admin.starts_with("admin="));
    let both = format!("{of_user}; {of_admin}");
    for (path, expected) in [("", "2"), ("", "3"), ("/admin", "2")] {
        let reply = get(&format!("{base}{path}"), &both).await;
        assert_eq!((reply.body.as_str(), reply.cookies().len()), (expected, 0), "{path}");
    }
}

#[tokio::test]
async fn a_handler_takes_the_manager_of_the_innermost_layer() {
    let (user, admin) = (sessions_named("user"), sessions_named("admin"));
    let app = Route::new()
        .at("/", count_by_id)
        .at("/manage", manage)
        .at("/admin", count_by_id.with(admin.layer()))
        .at("/both", count_by_id.with(user.layer()).with(admin.layer()));
    gives_the_manager_of_the_innermost_layer(&serve(app.with(user.layer())).await).await;
}

/// Counts, and then fails or continues.
fn count_first(inner: impl Endpoint + 'static, fails: bool) -> BoxEndpoint<'static> {
    let inner = std::sync::Arc::new(inner);
    let counts = make(move |request: Request| {
        let inner = inner.clone();
        async move {
            let session = Session::<Visitor>::from_request_without_body(&request).await?;
            session.count().incr(1).await?;
            if fails {
                Err(poem::Error::from(NotFoundError))
            } else {
                Ok(inner.get_response(request).await)
            }
        }
    });
    counts.boxed()
}

#[tokio::test]
async fn a_cross_site_request_creates_no_session_unless_the_route_allows_it() {
    let sessions = sessions();
    let allowed = count.with(sessions.layer().allow_cross_site());
    let app = Route::new().at("/allowed", allowed).at("/look", look).at("/", count);
    begins_no_session_for_another_site(&serve(app.with(sessions.layer())).await).await;
}

#[tokio::test]
async fn a_layer_on_both_sides_of_another_managers_is_one_session() {
    let (user, admin) = (sessions_named("user"), sessions_named("admin"));
    for layers in [1, 2] {
        let mut app = count.map_to_response().boxed();
        for _ in 0..layers {
            app = app.with(user.layer()).with(admin.layer()).boxed();
        }
        let app = count_first(app, false).with(admin.layer());
        let app = count_first(app, false).with(user.layer());
        counts_by_two_managers(&serve(app).await).await;
    }
}

/// poem's CORS middleware replaces any other `Vary`, so it must be the inner layer.
#[tokio::test]
async fn cors_further_in_keeps_the_cookie_in_vary() {
    let cors = Cors::new().allow_origins_fn(|_| true);
    let base = serve(look.with(cors).with(sessions().layer())).await;
    let request = reqwest::Client::new().get(&base).header("origin", "https://shop.example");
    let reply = super::reply(request).await;
    assert_eq!(reply.headers["vary"], "Origin, Cookie");
}

#[handler]
async fn never_called(_: Session<Visitor>, _: Json<u8>) {}

#[tokio::test]
async fn an_error_and_a_rejection_inside_keep_their_cookie_and_their_response() {
    let sessions = sessions();
    let app = Route::new()
        .at("/fails", count_first(never_called, true))
        .at("/rejects", count_first(never_called, false))
        .at("/", count);
    let base = serve(app.with(sessions.layer())).await;
    for (path, status) in [("/fails", 404), ("/rejects", 415)] {
        let reply = get(&format!("{base}{path}"), "").await;
        assert_eq!((reply.status, reply.cookies().len()), (status, 1), "{path}");
        assert_eq!(reply.headers["cache-control"], "no-store");
        assert_eq!(get(&base, &reply.cookies()[0]).await.body, "2");
    }
}

#[tokio::test]
async fn an_error_is_unchanged_if_the_session_was_ignored() {
    let fails = make(|_| async { Err::<Response, _>(poem::Error::from(NotFoundError)) });
    let app = fails.with(sessions().layer()).catch_error(|_: NotFoundError| async { "caught" });
    assert_eq!(get(&serve(app).await, "").await.body, "caught");
}

/// Behaviour: store down.
#[tokio::test]
async fn an_endpoint_may_continue_without_a_session() {
    let (server, sessions) = sessions_on_a_server().await;
    let tolerant = look.with(sessions.layer().allow_degraded());
    let app = Route::new().at("/tolerant", tolerant).at("/strict", look).at("/", count);
    let base = serve(app.with(sessions.layer())).await;
    goes_on_without_a_session_where_it_may(server, &base).await;
}
