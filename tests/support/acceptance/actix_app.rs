//! The suite's program on actix-web.

use std::convert::Infallible;
use std::net::TcpListener;
use std::sync::mpsc;
use std::thread;

use actix_web::body::BodyStream;
use actix_web::dev::ServerHandle;
use actix_web::http::StatusCode;
use actix_web::middleware::Condition;
use actix_web::rt::System;
use actix_web::web::{self, Bytes, Data, Json};
use actix_web::{App, HttpResponse, HttpServer};
use serde_json::Value;
use session_runtime::{Error, Session, Sessions};

use super::adapter::Layers;
use super::gates::Gates;
use super::script::{Body, Script};
use super::visitor::{self, Visitor};

/// Serves the suite's program behind these session middlewares, on a separate thread.
pub(crate) fn serve(
    listener: TcpListener,
    sessions: Sessions,
    gates: Gates,
    layers: Layers,
) -> ServerHandle {
    let app = move || {
        let middleware = sessions.middleware();
        let middleware = if layers.has_bearer { middleware.bearer() } else { middleware };
        App::new()
            .app_data(Data::new(gates.clone()))
            .app_data(web::JsonConfig::default().limit(usize::MAX))
            .route("/ignore", web::post().to(ignore))
            .route("/do", web::post().to(act))
            .wrap(Condition::new(layers.number > 1, middleware.clone()))
            .wrap(middleware)
    };
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        System::new().block_on(async move {
            let server =
                HttpServer::new(app).workers(1).disable_signals().listen(listener).unwrap().run();
            tell.send(server.handle()).unwrap();
            server.await.unwrap();
        });
    });
    told.recv().unwrap()
}

async fn ignore(Json(script): Json<Script>) -> HttpResponse {
    respond(&script, Vec::new())
}

async fn act(
    gates: Data<Gates>,
    session: Session<Visitor>,
    Json(script): Json<Script>,
) -> Result<HttpResponse, Error> {
    let results = visitor::run(&session, &script, &gates).await?;
    let response = respond(&script, results);
    if script.late.is_empty() {
        return Ok(response);
    }
    let late = async move {
        let results = visitor::run_late(&session, &script, &gates).await;
        Ok::<_, Infallible>(Bytes::from(serde_json::to_vec(&results).unwrap()))
    };
    Ok(response
        .set_body(BodyStream::new(Box::pin(futures::stream::once(late))))
        .map_into_boxed_body())
}

fn respond(script: &Script, results: Vec<Value>) -> HttpResponse {
    let status = StatusCode::from_u16(script.status.unwrap_or(200)).unwrap();
    let mut response = HttpResponse::build(status);
    for (name, value) in &script.headers {
        response.append_header((name.as_str(), value.as_str()));
    }
    match script.body {
        Body::Results => response.json(results),
        Body::Empty => response.finish(),
        Body::Streamed => {
            let text = serde_json::to_vec(&results).unwrap();
            let pieces: Vec<_> = text
                .chunks(3)
                .map(|piece| Ok::<_, Infallible>(Bytes::copy_from_slice(piece)))
                .collect();
            response.streaming(futures::stream::iter(pieces))
        }
    }
}
