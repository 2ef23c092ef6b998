//! The middleware, the extractor and the error response for poem 3.
//!
//! A [`SessionLayer`] is a poem middleware too. Put `Sessions::layer` around your routes with
//! `EndpointExt::with`. Handlers then take a [`Session`](struct@crate::Session) as an extractor,
//! and an [`Error`] converts into a response.
//!
//! # Examples
//!
//! ```no_run
//! # #[cfg(feature = "derive")] {
//! use poem::listener::TcpListener;
//! use poem::{EndpointExt, Route, Server, get, handler};
//! use session_runtime::{Error, Session, Sessions};
//!
//! #[derive(Session)]
//! struct Visitor {
//!     count: u64,
//! }
//!
//! #[handler]
//! async fn index(session: Session<Visitor>) -> Result<String, Error> {
//!     let count = session.count().incr(1).await?;
//!     Ok(format!("visit {count}\n"))
//! }
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let sessions = Sessions::from_env().await?; // SESSION_REDIS, SESSION_SECRET, …
//!     let app = Route::new().at("/", get(index)).with(sessions.layer());
//!     Server::new(TcpListener::bind("127.0.0.1:3000")).run(app).await?;
//!     Ok(())
//! }
//! # }
//! ```
//!
//! Handlers can also take the application's manager, [`Sessions`], as an extractor. Taking the
//! manager does not access the session:
//!
//! ```
//! use poem::handler;
//! use session_runtime::{Error, Sessions};
//!
//! #[handler]
//! async fn health(sessions: Sessions) -> Result<&'static str, Error> {
//!     sessions.ping().await?;
//!     Ok("ready")
//! }
//! ```

// poem's compatibility layer for tower passes on poem's own request type instead of `http`'s.

use poem::http::StatusCode;
use poem::http::header::RETRY_AFTER;
use poem::{Endpoint, FromRequest, IntoResponse, Middleware, Request, RequestBody, Response};

use super::session_opener::SessionOpener;
use super::tower::{SessionLayer, apply, check_same_origin, handle, open};
use crate::error::Error;
use crate::http::response::SessionHeaders;
use crate::request::handle::SessionHandle;
use crate::session::Session;
use crate::session::schema::Schema;
use crate::session::sessions::Sessions;

impl<E: Endpoint, O> Middleware<E> for SessionLayer<O> {
    type Output = SessionEndpoint<E>;

    fn transform(&self, inner: E) -> Self::Output {
        SessionEndpoint { inner, opener: self.opener.clone() }
    }
}

/// A poem endpoint that gives each request a session. Created by [`SessionLayer`].
///
/// If the session was accessed, an error of the inner endpoint becomes a response here, with the
/// session's headers. So `catch_error` belongs inside.
///
/// # Examples
///
/// ```no_run
/// # #[cfg(feature = "derive")] {
/// use poem::listener::TcpListener;
/// use poem::{EndpointExt, Route, Server, get, handler};
/// use session_runtime::{Error, Session, SessionConfig, Sessions};
///
/// #[derive(Session)]
/// struct Visitor {
///     count: u64,
/// }
///
/// #[handler]
/// async fn index(session: Session<Visitor>) -> Result<String, Error> {
///     Ok(session.count().await?.to_string())
/// }
///
/// #[tokio::main]
/// async fn main() -> Result<(), Box<dyn std::error::Error>> {
///     let sessions = Sessions::new(SessionConfig::new().store("memory:")).await?;
///     let app = Route::new().at("/", get(index)).with(sessions.layer());
///     Server::new(TcpListener::bind("127.0.0.1:3000")).run(app).await?;
///     Ok(())
/// }
/// # }
/// ```
#[derive(Debug)]
pub struct SessionEndpoint<E> {
    inner: E,
    opener: SessionOpener,
}

impl<E: Endpoint> Endpoint for SessionEndpoint<E> {
    type Output = Response;

    async fn call(&self, mut request: Request) -> poem::Result<Response> {
        let outer = request.extensions().get().cloned();
        let entered = self.opener.enter(outer, |sessions| {
            let method = request.method().clone();
            open(sessions, &method, request.headers_mut())
        });
        request.extensions_mut().insert(entered.handle.dormant());
        let (method, uri, headers) = (request.method(), request.uri(), request.headers());
        let checked =
            self.opener.check(|| check_same_origin(&entered.handle, method, uri, headers));
        let response = match checked {
            Ok(()) => self.inner.call(request).await.map(IntoResponse::into_response),
            Err(error) => Err(error.into()),
        };
        if entered.is_opened { with_headers(response, &entered.handle.finish()) } else { response }
    }
}

fn with_headers(
    response: poem::Result<Response>,
    session: &SessionHeaders,
) -> poem::Result<Response> {
    match response {
        Ok(mut response) => {
            apply(session, response.headers_mut());
            Ok(response)
        }
        // Outer error handlers may ask for the type of the error, so the error stays unchanged if
        // possible.
        Err(error) if session.is_empty() => Err(error),
        Err(error) => {
            let mut response = error.into_response();
            apply(session, response.headers_mut());
            Err(poem::Error::from_response(response))
        }
    }
}

impl<'a, S: Schema> FromRequest<'a> for Session<S> {
    async fn from_request(request: &'a Request, _: &mut RequestBody) -> poem::Result<Self> {
        Ok(SessionHandle::from_extensions(request.extensions()).map(SessionHandle::session)?)
    }
}

/// The manager of the innermost layer. Taking the manager does not access the session.
impl<'a> FromRequest<'a> for Sessions {
    async fn from_request(request: &'a Request, _: &mut RequestBody) -> poem::Result<Self> {
        Ok(handle(request.extensions()).map(SessionHandle::sessions)?)
    }
}

impl poem::error::ResponseError for Error {
    fn status(&self) -> StatusCode {
        StatusCode::from_u16(Self::status(self)).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn as_response(&self) -> Response {
        super::report(self);
        let status = poem::error::ResponseError::status(self);
        let mut response = (status, status.canonical_reason().unwrap_or_default()).into_response();
        if let Some(seconds) = super::retry_after(self) {
            response.headers_mut().insert(RETRY_AFTER, seconds.into());
        }
        response
    }
}
