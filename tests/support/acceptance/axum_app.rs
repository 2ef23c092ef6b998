//! The suite's program on axum.

use std::convert::Infallible;
use std::net::TcpListener;

use axum::body::{Body as AxumBody, Bytes};
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use serde_json::Value;
use session_runtime::{Error, Session, Sessions};

use super::adapter::Layers;
use super::gates::Gates;
use super::script::{Body, Script};
use super::visitor::{self, Visitor};

/// Serves the suite's program behind these session layers.
pub(crate) async fn serve(listener: TcpListener, sessions: Sessions, gates: Gates, layers: Layers) {
    let routes = Router::new().route("/ignore", post(ignore)).route("/do", post(act));
    let layer = sessions.layer();
    let layer = if layers.has_bearer { layer.bearer() } else { layer };
    let app = (0..layers.number).fold(routes, |app, _| app.layer(layer.clone()));
    listener.set_nonblocking(true).unwrap();
    let listener = tokio::net::TcpListener::from_std(listener).unwrap();
    axum::serve(listener, app.layer(DefaultBodyLimit::disable()).with_state(gates)).await.unwrap();
}

async fn ignore(Json(script): Json<Script>) -> Response {
    respond(&script, Vec::new())
}

async fn act(
    State(gates): State<Gates>,
    session: Session<Visitor>,
    Json(script): Json<Script>,
) -> Result<Response, Error> {
    let results = visitor::run(&session, &script, &gates).await?;
    let mut response = respond(&script, results);
    if !script.late.is_empty() {
        let late = async move {
            let results = visitor::run_late(&session, &script, &gates).await;
            Ok::<_, Infallible>(serde_json::to_vec(&results).unwrap())
        };
        *response.body_mut() = AxumBody::from_stream(futures::stream::once(late));
    }
    Ok(response)
}

fn respond(script: &Script, results: Vec<Value>) -> Response {
    let mut response = match script.body {
        Body::Results => Json(results).into_response(),
        Body::Empty => ().into_response(),
        Body::Streamed => {
            let text = serde_json::to_vec(&results).unwrap();
            let pieces: Vec<_> = text
                .chunks(3)
                .map(|piece| Ok::<_, Infallible>(Bytes::copy_from_slice(piece)))
                .collect();
            AxumBody::from_stream(futures::stream::iter(pieces)).into_response()
        }
    };
    if let Some(status) = script.status {
        *response.status_mut() = StatusCode::from_u16(status).unwrap();
    }
    for (name, value) in &script.headers {
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
        response.headers_mut().append(name, HeaderValue::from_str(value).unwrap());
    }
    response
}
