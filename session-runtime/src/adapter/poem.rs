//! The middleware for poem 3.
//!
//! A [`SessionLayer`] is a poem middleware too: put `Sessions::layer` around your routes with
//! `EndpointExt::with`. Then handlers take a [`Session`](struct@crate::Session) as an extractor,
//! and an [`Error`] is a response.

// poem's bridge for tower layers hands over its own request, which is not of `http`'s types.

use poem::http::StatusCode;
use poem::http::header::RETRY_AFTER;
use poem::{Endpoint, FromRequest, IntoResponse, Middleware, Request, RequestBody, Response};

use super::session_opener::SessionOpener;
use super::tower::{SessionLayer, apply, open};
use crate::error::Error;
use crate::http::response::SessionHeaders;
use crate::request::handle::SessionHandle;
use crate::session::Session;
use crate::session::schema::Schema;

impl<E: Endpoint> Middleware<E> for SessionLayer {
    type Output = SessionEndpoint<E>;

    fn transform(&self, inner: E) -> Self::Output {
        SessionEndpoint { inner, opener: self.opener.clone() }
    }
}

/// A poem endpoint whose requests have a session, made by [`SessionLayer`].
///
/// An error of the endpoint inside becomes a response here if the session was asked for, so that it
/// carries the session's headers: `catch_error` belongs inside.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "derive")] {
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
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
/// let sessions = Sessions::new(SessionConfig::new().store("memory:")).await?;
/// let app = Route::new().at("/", get(index)).with(sessions.layer());
/// Server::new(TcpListener::bind("127.0.0.1:3000")).run(app).await?;
/// # Ok(())
/// # }
/// # let _ = example;
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
        let response = self.inner.call(request).await.map(IntoResponse::into_response);
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
        // Whoever catches errors outside may ask what kind of error it is: it stays what it is
        // wherever that is possible.
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
