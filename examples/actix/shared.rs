//! Shares a session between two web frameworks: axum serves `/`, actix-web serves `/api`.
//!
//! ```sh
//! cargo run --example shared
//! ```
//!
//! This helps you to move a program from axum to actix-web, or back, route by route. Here each
//! framework listens on a separate port. In production, a proxy puts both behind the same host.
//! Cookies ignore ports, so a browser and curl's jar send them to both.
//!
//! Both see the same session because they share the secret, the prefix, the cookie name and the
//! store. Two processes can do the same with a Redis or Valkey server.

use std::error::Error as StdError;
use std::thread;

use actix_web::{App, HttpServer, web};
use axum::{Router, routing::get};
use session_runtime::{Error, Session, Sessions};

#[derive(Session)]
struct Visitor {
    count: u64,
}

// Both frameworks use this handler.
async fn count(session: Session<Visitor>) -> Result<String, Error> {
    let count = session.count().incr(1).await?;
    Ok(format!("count: {count}\n"))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn StdError>> {
    tracing_subscriber::fmt().init();
    let sessions = Sessions::new(session_examples::config()?).await?;
    let listener = session_examples::listener().await?;

    let api = std::net::TcpListener::bind("127.0.0.1:0")?;
    println!("actix-web at http://{}/api", api.local_addr()?);
    let for_actix = sessions.clone();
    let app = move || App::new().route("/api", web::get().to(count)).wrap(for_actix.middleware());
    let server = HttpServer::new(app).listen(api)?.run();
    thread::spawn(|| actix_web::rt::System::new().block_on(server));

    let app = Router::new().route("/", get(count)).layer(sessions.layer());
    axum::serve(listener, app).await?;
    Ok(())
}
