//! Counts the visits of each visitor, on hyper without a web framework and without an adapter.
//!
//! ```sh
//! cargo run --example hyper_by_hand
//! ```
//!
//! The three steps in `serve` are an adapter for any web framework.

use std::convert::Infallible;
use std::error::Error as StdError;

use hyper::body::Incoming;
use hyper::header::{COOKIE, HeaderName, HeaderValue, SET_COOKIE, VARY};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use session_runtime::{Error, Session, SessionHeaders, Sessions};

#[derive(Session)]
struct Visitor {
    count: u64,
}

async fn index(session: Session<Visitor>) -> Result<String, Error> {
    let count = session.count().incr(1).await?;
    Ok(format!("count: {count}\n"))
}

async fn serve(
    sessions: Sessions,
    request: Request<Incoming>,
) -> Result<Response<String>, Infallible> {
    // 1. Open the session with the request's `Cookie` headers, unchanged.
    let headers = request.headers();
    let handle = sessions.open(headers.get_all(COOKIE).iter().map(HeaderValue::as_bytes));
    // Record the method and the headers that show whether another site caused the request.
    handle.note_request(request.method().as_str(), |name| {
        headers.get(name).map(HeaderValue::as_bytes)
    });
    // 2. Run the handler, and turn an error into a response.
    let mut response = match index(handle.session()).await {
        Ok(page) => Response::new(page),
        Err(error) => failure(&error),
    };
    // 3. Add the session's headers to every response, after the last change to the session.
    apply(&handle.finish(), &mut response);
    Ok(response)
}

/// The error's text goes to the log, not to the client.
fn failure(error: &Error) -> Response<String> {
    tracing::error!(error = error as &dyn StdError, "a session error was sent as the response");
    let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = Response::new(status.to_string());
    *response.status_mut() = status;
    response
}

fn apply(session: &SessionHeaders, response: &mut Response<String>) {
    let headers = response.headers_mut();
    let pairs =
        session.pairs(headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())));
    for (name, value) in pairs {
        let (Ok(name), Ok(value)) =
            (HeaderName::from_bytes(name.as_bytes()), HeaderValue::try_from(value))
        else {
            continue;
        };
        if name == SET_COOKIE || name == VARY {
            headers.append(name, value);
        } else {
            headers.insert(name, value);
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn StdError>> {
    tracing_subscriber::fmt().init();
    let sessions = Sessions::new(session_examples::config()?).await?;
    let listener = session_examples::listener().await?;
    loop {
        let (connection, _) = listener.accept().await?;
        let sessions = sessions.clone();
        let service = service_fn(move |request| serve(sessions.clone(), request));
        tokio::spawn(async move {
            if let Err(error) =
                http1::Builder::new().serve_connection(TokioIo::new(connection), service).await
            {
                tracing::debug!(%error, "a connection failed");
            }
        });
    }
}
