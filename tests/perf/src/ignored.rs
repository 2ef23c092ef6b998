//! Requests to a handler that ignores its session, with the session's layer and without.

use actix_web::middleware::Condition;
use actix_web::test::{TestRequest, call_service, init_service};
use actix_web::web;
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::routing::get;
use pollster::block_on;
use session_runtime::{MemoryStore, Sessions};
use tower::Service;
use tower::layer::layer_fn;

use crate::operation::{OTHER_COOKIE, Repeat, Visit, config, repeat, runtime};

/// The layer around the handler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Around {
    /// A layer with some state, like most layers, which does nothing.
    Nothing,
    /// The session's layer.
    Sessions,
}

/// The cookies of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cookies {
    /// The session's cookie and another cookie.
    Session,
    /// Only another cookie.
    Other,
}

/// Prepares requests to a handler on axum.
pub fn ignored_on_axum(around: Around, cookies: Cookies) -> Repeat {
    let app = Router::new().route("/", get(async || "ok"));
    let held = sessions();
    let nothing = layer_fn(move |inner| {
        let _ = &held;
        inner
    });
    let mut app = match around {
        Around::Nothing => app.layer(nothing),
        Around::Sessions => app.layer(sessions().layer()),
    };
    let cookie = cookies.header();
    repeat(move || {
        let request =
            Request::builder().uri("/").header("cookie", &cookie).body(Body::empty()).unwrap();
        // A router is always ready.
        block_on(app.call(request)).unwrap()
    })
}

/// Prepares requests to a handler on actix-web.
pub fn ignored_on_actix(around: Around, cookies: Cookies) -> Repeat {
    let middleware = Condition::new(around == Around::Sessions, sessions().middleware());
    let app = actix_web::App::new().route("/", web::get().to(async || "ok")).wrap(middleware);
    let system = actix_web::rt::System::new();
    let app = system.block_on(init_service(app));
    let cookie = cookies.header();
    repeat(move || {
        let request =
            TestRequest::get().uri("/").insert_header(("cookie", cookie.as_str())).to_request();
        system.block_on(call_service(&app, request))
    })
}

impl Cookies {
    fn header(self) -> String {
        match self {
            Self::Session => Visit::begin(&runtime(), config().store("memory:")).header,
            Self::Other => OTHER_COOKIE.to_owned(),
        }
    }
}

fn sessions() -> Sessions {
    Sessions::with_store(config(), MemoryStore::new()).unwrap()
}
