//! Counts the visits of each visitor, on hyper without a web framework.
//!
//! ```sh
//! cargo run --example hyper_tower
//! ```
//!
//! The tower layer wraps a plain function.

use std::convert::Infallible;
use std::error::Error as StdError;

use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use session_runtime::{Error, Session, SessionHandle, Sessions};
use tower::{ServiceBuilder, service_fn};

#[derive(Session)]
struct Visitor {
    count: u64,
}

async fn index(request: Request<Incoming>) -> Result<String, Error> {
    let session: Session<Visitor> = SessionHandle::from_extensions(request.extensions())?.session();
    let count = session.count().incr(1).await?;
    Ok(format!("count: {count}\n"))
}

async fn serve(request: Request<Incoming>) -> Result<Response<String>, Infallible> {
    Ok(index(request).await.map_or_else(|error| failure(&error), Response::new))
}

/// The error's text goes to the log, not to the client.
fn failure(error: &Error) -> Response<String> {
    tracing::error!(error = error as &dyn StdError, "a session error was sent as the response");
    let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = Response::new(status.to_string());
    *response.status_mut() = status;
    response
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn StdError>> {
    tracing_subscriber::fmt().init();
    let sessions = Sessions::new(session_examples::config()?).await?;
    let service = ServiceBuilder::new().layer(sessions.layer()).service(service_fn(serve));
    let listener = session_examples::listener().await?;
    loop {
        let (connection, _) = listener.accept().await?;
        let service = TowerToHyperService::new(service.clone());
        tokio::spawn(async move {
            if let Err(error) =
                http1::Builder::new().serve_connection(TokioIo::new(connection), service).await
            {
                tracing::debug!(%error, "a connection failed");
            }
        });
    }
}
