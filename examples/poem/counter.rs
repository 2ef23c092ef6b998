//! Counts the visits of each visitor, on poem.
//!
//! ```sh
//! cargo run --example poem_counter
//! ```

use std::error::Error as StdError;

use poem::listener::TcpAcceptor;
use poem::{EndpointExt, Route, Server, get, handler};
use session_runtime::{Error, Session, Sessions};

#[derive(Session)]
struct Visitor {
    count: u64,
}

#[handler]
async fn index(session: Session<Visitor>) -> Result<String, Error> {
    let count = session.count().incr(1).await?;
    Ok(format!("count: {count}\n"))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn StdError>> {
    tracing_subscriber::fmt().init();
    let sessions = Sessions::new(session_examples::config()?).await?;
    let app = Route::new().at("/", get(index)).with(sessions.layer());
    let acceptor = TcpAcceptor::from_tokio(session_examples::listener().await?)?;
    Server::new_with_acceptor(acceptor).run(app).await?;
    Ok(())
}
