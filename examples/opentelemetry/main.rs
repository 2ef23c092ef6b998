//! Sends spans and metrics of sessions to a collector, with OpenTelemetry.
//!
//! ```sh
//! cargo run --example opentelemetry
//! OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318 cargo run --example opentelemetry
//! ```
//!
//! The first command needs no collector. The example starts a collector inside the program, sends
//! a few requests to the application, and prints the spans and metrics that the collector received.
//! `telemetry.rs` is the part for your program.

mod collector;
mod telemetry;

use std::env;
use std::error::Error as StdError;
use std::net::SocketAddr;

use axum::Router;
use axum::extract::{MatchedPath, Request};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::{get, post};
use reqwest::Client;
use reqwest::header::{COOKIE, SET_COOKIE};
use session_runtime::{Error, Session, Sessions};
use tokio::net::TcpListener;
use tracing::Instrument;
use tracing::field::Empty;

use crate::collector::Collector;
use crate::telemetry::Telemetry;

#[derive(Session)]
struct Visitor {
    count: u64,
    name: Option<String>,
}

async fn index(session: Session<Visitor>) -> Result<String, Error> {
    let count = session.count().incr(1).await?;
    Ok(format!("count: {count}"))
}

async fn rename(session: Session<Visitor>, name: String) -> Result<String, Error> {
    session.set_name(Some(name)).await?;
    Ok("renamed".to_owned())
}

async fn leave(session: Session<Visitor>) -> Result<String, Error> {
    session.destroy().await?;
    Ok("goodbye".to_owned())
}

/// Gives each request a span, which becomes the parent of the spans of the session's operations.
///
/// The span has the route. The whole path could contain secrets.
async fn traced(request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str);
    let span = tracing::info_span!(
        target: telemetry::REQUESTS,
        "request",
        otel.name = format!("{} {route}", request.method()),
        otel.kind = "server",
        otel.status_code = Empty,
        http.request.method = %request.method(),
        http.route = route,
        http.response.status_code = Empty,
    );
    let response = next.run(request).instrument(span.clone()).await;
    span.record("http.response.status_code", response.status().as_u16());
    if response.status().is_server_error() {
        span.record("otel.status_code", "ERROR");
    }
    response
}

/// Starts the application on a free port.
async fn serve() -> Result<SocketAddr, Box<dyn StdError>> {
    let sessions = Sessions::new(session_examples::config()?).await?;
    let app = Router::new()
        .route("/", get(index))
        .route("/name", post(rename))
        .route("/leave", post(leave))
        .layer(sessions.layer())
        // The last layer is the outermost, so that the span includes the work of the sessions.
        .layer(middleware::from_fn(traced));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(axum::serve(listener, app).into_future());
    Ok(address)
}

/// Visits the application, leaves it, and comes back with the cookie of the ended session.
async fn visit(address: SocketAddr) -> Result<(), Box<dyn StdError>> {
    let client = Client::new();
    let url = |path| format!("http://{address}{path}");
    let first = client.get(url("/")).send().await?;
    let cookie = first.headers().get(SET_COOKIE).ok_or("no cookie was set")?.clone();
    print(first).await?;
    let visits = [
        client.post(url("/name")).body("Ada Lovelace"),
        client.get(url("/")),
        client.post(url("/leave")),
        client.get(url("/")),
    ];
    for visit in visits {
        print(visit.header(COOKIE, cookie.clone()).send().await?).await?;
    }
    Ok(())
}

async fn print(response: reqwest::Response) -> Result<(), reqwest::Error> {
    let (status, path) = (response.status(), response.url().path().to_owned());
    println!("{path}: {status}, {}", response.text().await?);
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn StdError>> {
    let (collector, url) = match env::var("OTEL_EXPORTER_OTLP_ENDPOINT") {
        Ok(url) => (None, url),
        Err(_) => Collector::start().await.map(|(collector, url)| (Some(collector), url))?,
    };
    let telemetry = Telemetry::start(&url)?;
    visit(serve().await?).await?;

    // The last export blocks a thread, while the tasks of the program go on.
    let sent = tokio::task::spawn_blocking(|| telemetry.shutdown()).await?;
    match (sent, collector) {
        (Err(error), _) => {
            tracing::error!(error = &*error as &dyn StdError, "telemetry was lost");
        }
        (Ok(()), Some(collector)) => println!("\n{collector}"),
        (Ok(()), None) => println!("\nthe spans and metrics are at {url}"),
    }
    Ok(())
}
