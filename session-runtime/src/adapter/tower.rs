//! The layer for axum and for every other server of tower services.
//!
//! `Sessions::layer` makes one, and `Router::layer` puts it around your routes. With the feature
//! `axum`, handlers take a [`Session`](struct@crate::Session) as an extractor, and an `Error` is a
//! response. On other servers they take the [`SessionHandle`] out of the request's extensions.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::header::{COOKIE, Entry};
use http::{Extensions, HeaderMap, HeaderValue, Method, Request, Response};
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use super::headers::for_headers_of;
use super::session_opener::SessionOpener;
use crate::error::{Error, Kind};
use crate::request::handle::SessionHandle;
use crate::session::sessions::Sessions;

/// The tower layer that gives every request its session, from [`Sessions::layer`].
///
/// It puts a [`SessionHandle`] into the request's extensions, and the session's headers onto the
/// response, whatever its status. A request whose handler ignores the session costs no round trip
/// and no signature check. Applied twice with one manager, also with another manager's between, it
/// is one session; with two managers, handlers get the session of the inner layer.
///
/// # Examples
///
/// ```
/// # #[cfg(all(feature = "axum", feature = "derive"))] {
/// # async fn example() -> Result<(), session_runtime::Error> {
/// use axum::{Router, routing::get};
/// use session_runtime::{Error, Session, SessionConfig, Sessions};
///
/// #[derive(Session)]
/// struct Visitor {
///     count: u64,
/// }
///
/// async fn index(session: Session<Visitor>) -> Result<String, Error> {
///     Ok(session.count().await?.to_string())
/// }
///
/// let sessions = Sessions::new(SessionConfig::new().store("memory:")).await?;
/// let app: Router = Router::new().route("/", get(index)).layer(sessions.layer());
/// # let _ = app;
/// # Ok(())
/// # }
/// # let _ = example;
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct SessionLayer {
    pub(super) opener: SessionOpener,
}

impl Sessions {
    /// The tower layer that gives every request its session.
    pub fn layer(&self) -> SessionLayer {
        SessionLayer { opener: SessionOpener::new(self.clone()) }
    }
}

impl SessionLayer {
    /// Lets the requests of these routes go on without a session if the store is unavailable:
    /// [`SessionHandle::allow_degraded`] says what that means. Default: they get the error, which
    /// is a 503.
    ///
    /// On a part of the routes it goes around those, within the layer of all.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(all(feature = "axum", feature = "derive"))] {
    /// # use axum::{Router, routing::get};
    /// # use session_runtime::Sessions;
    /// # async fn front_page() {}
    /// # async fn account() {}
    /// # fn example(sessions: Sessions) -> Router {
    /// Router::new()
    ///     .route("/", get(front_page))
    ///     .route_layer(sessions.layer().allow_degraded())
    ///     .route("/account", get(account))
    ///     .layer(sessions.layer())
    /// # }
    /// # let _ = example;
    /// # }
    /// ```
    pub fn allow_degraded(self) -> Self {
        Self { opener: self.opener.allow_degraded() }
    }

    /// Lets requests to these routes begin a session even if another site caused them and they came
    /// without the session's cookie: [`SessionHandle::allow_cross_site`] says what that means.
    /// Default: such a write is [`Error::is_cross_site`], a 403.
    ///
    /// On a part of the routes it goes around those, within the layer of all.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(all(feature = "axum", feature = "derive"))] {
    /// # use axum::{Router, routing::{get, post}};
    /// # use session_runtime::Sessions;
    /// # async fn order() {}
    /// # async fn account() {}
    /// # fn example(sessions: Sessions) -> Router {
    /// Router::new()
    ///     .route("/order", post(order))
    ///     .route_layer(sessions.layer().allow_cross_site())
    ///     .route("/account", get(account))
    ///     .layer(sessions.layer())
    /// # }
    /// # let _ = example;
    /// # }
    /// ```
    pub fn allow_cross_site(self) -> Self {
        Self { opener: self.opener.allow_cross_site() }
    }
}

impl<S> Layer<S> for SessionLayer {
    type Service = SessionService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        SessionService { inner, opener: self.opener.clone() }
    }
}

/// A service whose requests have a session, made by [`SessionLayer`].
#[derive(Clone, Debug)]
pub struct SessionService<S> {
    inner: S,
    opener: SessionOpener,
}

impl<S, Body, ResponseBody> Service<Request<Body>> for SessionService<S>
where
    S: Service<Request<Body>, Response = Response<ResponseBody>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let outer = request.extensions().get().cloned();
        let entered = self.opener.enter(outer, |sessions| {
            let method = request.method().clone();
            open(sessions, &method, request.headers_mut())
        });
        request.extensions_mut().insert(entered.handle.dormant());
        let opened = entered.is_opened.then_some(entered.handle);
        ResponseFuture { response: Some(self.inner.call(request)), opened }
    }
}

impl SessionHandle {
    /// The session of a request that passed through a [`SessionLayer`], from its extensions: for
    /// services that have no extractor.
    ///
    /// # Errors
    ///
    /// [`Error::is_missing_layer`] if it did not. [`Error::is_headers_sent`] if the response's head
    /// was sent before anything took the session.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "derive")] {
    /// use session_runtime::{Error, Session, SessionHandle};
    ///
    /// #[derive(Session)]
    /// struct Visitor {
    ///     count: u64,
    /// }
    ///
    /// async fn serve<B>(request: http::Request<B>) -> Result<http::Response<String>, Error> {
    ///     let session: Session<Visitor> = SessionHandle::from_extensions(request.extensions())?.session();
    ///     Ok(http::Response::new(session.count().await?.to_string()))
    /// }
    /// # let _ = serve::<()>;
    /// # }
    /// ```
    pub fn from_extensions(extensions: &Extensions) -> Result<&Self, Error> {
        let handle: &Self = extensions.get().ok_or_else(|| Error::new(Kind::MissingLayer))?;
        handle.check_is_in_time().map(|()| handle)
    }
}

/// Opens the session of a request, and keeps its cookies out of logs that print headers.
pub(super) fn open(sessions: &Sessions, method: &Method, headers: &mut HeaderMap) -> SessionHandle {
    let handle = match headers.entry(COOKIE) {
        Entry::Occupied(mut cookies) => {
            cookies.iter_mut().for_each(|cookie| cookie.set_sensitive(true));
            sessions.open(cookies.iter().map(HeaderValue::as_bytes))
        }
        Entry::Vacant(_) => sessions.open([]),
    };
    handle.note_request(method.as_str(), |name| value(headers, name));
    handle
}

pin_project! {
    /// The response of a [`SessionService`].
    #[derive(Debug)]
    pub struct ResponseFuture<F> {
        // Nothing once it was ready: it may have a request, with a handle of its own.
        #[pin]
        response: Option<F>,
        opened: Option<SessionHandle>,
    }
}

impl<F, Body, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<Body>, E>>,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let Some(response) = this.response.as_mut().as_pin_mut() else { return Poll::Pending };
        let mut response = ready!(response.poll(cx))?;
        this.response.set(None);
        if let Some(handle) = this.opened.take() {
            apply(&handle.finish(), response.headers_mut());
        }
        Poll::Ready(Ok(response))
    }
}

for_headers_of!(http::header);
