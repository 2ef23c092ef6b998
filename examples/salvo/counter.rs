//! Counts the visits of each visitor, on salvo with the tower layer.
//!
//! ```sh
//! cargo run --example salvo_counter
//! ```

use std::error::Error as StdError;

use salvo::conn::tcp::TcpAcceptor;
use salvo::prelude::{Request, Router, Server, StatusCode, StatusError, TowerLayerCompat, handler};
use session_runtime::{Error, Session, SessionHandle, Sessions};

#[derive(Session)]
struct Visitor {
    count: u64,
}

#[handler]
async fn index(request: &mut Request) -> Result<String, StatusError> {
    count(request).await.map_err(|error| failure(&error))
}

async fn count(request: &Request) -> Result<String, Error> {
    let session: Session<Visitor> = SessionHandle::from_extensions(request.extensions())?.session();
    let count = session.count().incr(1).await?;
    Ok(format!("count: {count}\n"))
}

/// The error's text goes to the log, not to the client.
fn failure(error: &Error) -> StatusError {
    tracing::error!(error = error as &dyn StdError, "a session error was sent as the response");
    let status = StatusCode::from_u16(error.status()).ok();
    status.and_then(StatusError::from_code).unwrap_or_else(StatusError::internal_server_error)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn StdError>> {
    tracing_subscriber::fmt().init();
    let sessions = Sessions::new(session_examples::config()?).await?;
    let router = Router::new().hoop(sessions.layer().compat()).get(index);
    let acceptor = TcpAcceptor::try_from(session_examples::listener().await?)?;
    Server::new(acceptor).serve(router).await;
    Ok(())
}
