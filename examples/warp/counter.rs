//! Counts the visits of each visitor, on warp with the tower layer.
//!
//! ```sh
//! cargo run --example warp_counter
//! ```
//!
//! `warp::serve` only takes filters. Therefore the layer wraps `warp::service`, and hyper serves
//! the result.

use std::error::Error as StdError;

use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use session_runtime::{Error, Session, SessionHandle, Sessions};
use tower::ServiceBuilder;
use warp::http::StatusCode;
use warp::reply::Response;
use warp::{Filter, Reply};

#[derive(Session)]
struct Visitor {
    count: u64,
}

async fn index(session: Session<Visitor>) -> Result<String, Error> {
    let count = session.count().incr(1).await?;
    Ok(format!("count: {count}\n"))
}

/// The error's text goes to the log, not to the client.
fn failure(error: &Error) -> Response {
    tracing::error!(error = error as &dyn StdError, "a session error was sent as the response");
    StatusCode::from_u16(error.status())
        .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
        .into_response()
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn StdError>> {
    tracing_subscriber::fmt().init();
    let sessions = Sessions::new(session_examples::config()?).await?;
    let session =
        warp::ext::get::<SessionHandle>().map(|handle: SessionHandle| handle.session::<Visitor>());
    let page = warp::path::end().and(session).then(async |session| match index(session).await {
        Ok(page) => page.into_response(),
        Err(error) => failure(&error),
    });
    let service = ServiceBuilder::new().layer(sessions.layer()).service(warp::service(page));
    let listener = session_examples::listener().await?;
    loop {
        let (connection, _) = listener.accept().await?;
        let service = TowerToHyperService::new(service.clone());
        tokio::spawn(async move {
            let server = auto::Builder::new(TokioExecutor::new());
            if let Err(error) = server.serve_connection(TokioIo::new(connection), service).await {
                tracing::debug!(error, "a connection failed");
            }
        });
    }
}
