//! The suite's program on poem.

use std::io;
use std::net::TcpListener;

use poem::http::{HeaderName, HeaderValue, StatusCode};
use poem::listener::{AcceptorExt, TcpAcceptor};
use poem::web::{Data, Json};
use poem::{Body as PoemBody, EndpointExt, IntoResponse, Response, Route, Server, handler, post};
use serde_json::Value;
use session_runtime::{Error, Session, Sessions};

use super::adapter::Layers;
use super::gates::Gates;
use super::script::{Body, Script};
use super::visitor::{self, Visitor};

/// Serves the suite's program behind these session layers.
pub(crate) async fn serve(listener: TcpListener, sessions: Sessions, gates: Gates, layers: Layers) {
    listener.set_nonblocking(true).unwrap();
    let acceptor = TcpAcceptor::from_std(listener).unwrap().boxed();
    let routes = Route::new().at("/ignore", post(ignore)).at("/do", post(act)).data(gates);
    let layer = sessions.layer();
    let layer = if layers.has_bearer { layer.bearer() } else { layer };
    let app = (0..layers.number)
        .fold(routes.map_to_response().boxed(), |app, _| app.with(layer.clone()).boxed());
    Server::new_with_acceptor(acceptor).run(app).await.unwrap();
}

#[handler]
async fn ignore(Json(script): Json<Script>) -> Response {
    respond(&script, Vec::new())
}

#[handler]
async fn act(
    Data(gates): Data<&Gates>,
    session: Session<Visitor>,
    Json(script): Json<Script>,
) -> Result<Response, Error> {
    let results = visitor::run(&session, &script, gates).await?;
    let mut response = respond(&script, results);
    if !script.late.is_empty() {
        let gates = gates.clone();
        let late = async move {
            let results = visitor::run_late(&session, &script, &gates).await;
            Ok::<_, io::Error>(serde_json::to_vec(&results).unwrap())
        };
        response.set_body(PoemBody::from_bytes_stream(futures::stream::once(late)));
    }
    Ok(response)
}

fn respond(script: &Script, results: Vec<Value>) -> Response {
    let mut response = match script.body {
        Body::Results => Json(results).into_response(),
        Body::Empty => ().into_response(),
        Body::Streamed => {
            let text = serde_json::to_vec(&results).unwrap();
            let pieces: Vec<_> =
                text.chunks(3).map(|piece| Ok::<_, io::Error>(piece.to_vec())).collect();
            PoemBody::from_bytes_stream(futures::stream::iter(pieces)).into_response()
        }
    };
    if let Some(status) = script.status {
        response.set_status(StatusCode::from_u16(status).unwrap());
    }
    for (name, value) in &script.headers {
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
        response.headers_mut().append(name, HeaderValue::from_str(value).unwrap());
    }
    response
}
