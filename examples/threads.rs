//! Counts the visits of each visitor, with a single-threaded runtime on each thread.
//!
//! ```sh
//! cargo run --example threads
//! ```
//!
//! actix-web works like this too. A request stays on the same thread, and each thread has a
//! connection to Redis.

use std::error::Error as StdError;
use std::io;
use std::net::TcpListener;
use std::thread;

use axum::{Router, routing::get};
use session_runtime::{Error, Session, Sessions};
use tokio::runtime::{Builder, Runtime};

#[derive(Session)]
struct Visitor {
    count: u64,
}

async fn index(session: Session<Visitor>) -> Result<String, Error> {
    let count = session.count().incr(1).await?;
    Ok(format!("count: {count}\n"))
}

/// Serves requests on this thread. All threads share the listener, and the first free thread
/// accepts the next connection.
async fn serve(listener: TcpListener, sessions: Sessions) -> io::Result<()> {
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let sessions = sessions.for_current_runtime();
    axum::serve(listener, Router::new().route("/", get(index)).layer(sessions.layer())).await
}

fn single_threaded() -> io::Result<Runtime> {
    Builder::new_current_thread().enable_all().build()
}

fn main() -> Result<(), Box<dyn StdError>> {
    tracing_subscriber::fmt().init();
    let runtime = single_threaded()?;
    let sessions = runtime.block_on(async { Sessions::new(session_examples::config()?).await })?;
    let listener = session_examples::std_listener()?;
    listener.set_nonblocking(true)?;
    for _ in 1..thread::available_parallelism()?.get() {
        let (runtime, listener, sessions) =
            (single_threaded()?, listener.try_clone()?, sessions.clone());
        thread::spawn(move || {
            let served = runtime.block_on(serve(listener, sessions));
            tracing::error!(?served, "a thread stopped serving");
        });
    }
    Ok(runtime.block_on(serve(listener, sessions))?)
}
