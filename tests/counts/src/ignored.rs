//! Requests whose handler ignores its session, to be counted: with the session's layer around it, and with none.

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

use crate::work::{Repeat, config, repeat};

/// What is around the handler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Around {
    /// A layer that holds something, as most do, and does nothing.
    Nothing,
    /// The session's.
    Sessions,
}

/// What to send to axum again and again.
pub(crate) fn on_axum(around: Around, cookie: &str) -> Repeat {
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
    let cookie = cookie.to_owned();
    repeat(move || {
        let request = Request::builder().uri("/").header("cookie", &cookie).body(Body::empty()).unwrap();
        // A router is always ready.
        block_on(app.call(request)).unwrap()
    })
}

/// What to send to actix-web again and again.
pub(crate) fn on_actix(around: Around, cookie: &str) -> Repeat {
    let middleware = Condition::new(around == Around::Sessions, sessions().middleware());
    let app = actix_web::App::new().route("/", web::get().to(async || "ok")).wrap(middleware);
    let system = actix_web::rt::System::new();
    let app = system.block_on(init_service(app));
    let cookie = cookie.to_owned();
    repeat(move || {
        let request = TestRequest::get().uri("/").insert_header(("cookie", cookie.as_str())).to_request();
        system.block_on(call_service(&app, request))
    })
}

fn sessions() -> Sessions {
    Sessions::with_store(config(), MemoryStore::new()).unwrap()
}
