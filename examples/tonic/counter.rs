//! Counts the calls of each client of a gRPC method, on tonic with the tower layer.
//!
//! ```sh
//! cargo run --example tonic_counter
//! ```
//!
//! Cookies are metadata: the client must keep the value of `set-cookie` and return this value as
//! `cookie`.
//!
//! This example needs no `protoc`, because the service is written by hand. `tonic-prost-build`
//! would generate the same code for `rpc Count(google.protobuf.Empty) returns
//! (google.protobuf.UInt64Value)`.

use std::convert::Infallible;
use std::error::Error as StdError;
use std::task::{Context, Poll};

use session_runtime::{Error, Session, SessionHandle, Sessions};
use tonic::body::Body;
use tonic::codegen::{BoxFuture, Service, http};
use tonic::server::{Grpc, NamedService, UnaryService};
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};
use tonic_prost::ProstCodec;

#[derive(Session)]
struct Client {
    count: u64,
}

async fn count(request: Request<()>) -> Result<Response<u64>, Status> {
    let handle =
        SessionHandle::from_extensions(request.extensions()).map_err(|error| failure(&error))?;
    let session: Session<Client> = handle.session();
    let count = session.count().incr(1).await.map_err(|error| failure(&error))?;
    Ok(Response::new(count))
}

/// The error's text goes to the log, not to the client.
fn failure(error: &Error) -> Status {
    tracing::error!(error = error as &dyn StdError, "a session error was sent as the response");
    match error.status() {
        409 => Status::aborted("the session has ended"),
        503 => Status::unavailable("try again in a moment"),
        _ => Status::internal("something went wrong"),
    }
}

#[derive(Clone, Copy)]
struct Counter;

impl NamedService for Counter {
    const NAME: &'static str = "session.Counter";
}

impl Service<http::Request<Body>> for Counter {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<Self::Response, Infallible>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        Box::pin(async move {
            match request.uri().path() {
                "/session.Counter/Count" => {
                    let codec = ProstCodec::<u64, ()>::default();
                    Ok(Grpc::new(codec).unary(CountMethod, request).await)
                }
                _ => Ok(Status::unimplemented("no such method").into_http()),
            }
        })
    }
}

struct CountMethod;

impl UnaryService<()> for CountMethod {
    type Response = u64;
    type Future = BoxFuture<Response<u64>, Status>;

    fn call(&mut self, request: Request<()>) -> Self::Future {
        Box::pin(count(request))
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn StdError>> {
    tracing_subscriber::fmt().init();
    let sessions = Sessions::new(session_examples::config()?).await?;
    let connections = TcpIncoming::from(session_examples::listener().await?);
    Server::builder()
        .layer(sessions.layer())
        .add_service(Counter)
        .serve_with_incoming(connections)
        .await?;
    Ok(())
}
