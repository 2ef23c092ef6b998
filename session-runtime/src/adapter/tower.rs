//! The layer for axum and for any other tower service, such as hyper, tonic, warp or salvo.
//!
//! Put [`Sessions::layer`] around your service. With the feature `axum`, handlers take a
//! [`Session`](struct@crate::Session) as an extractor, and an [`Error`] converts into a response.
//! Other services get the [`SessionHandle`] from the request's extensions, with
//! [`SessionHandle::from_extensions`]. Then call [`SessionHandle::session`] for the typed session,
//! or [`SessionHandle::sessions`] for the application's manager.
//!
//! # Examples
//!
//! With axum:
//!
//! ```no_run
//! # #[cfg(all(feature = "axum", feature = "derive"))] {
//! use axum::{Router, routing::get};
//! use session_runtime::{Error, Session, Sessions};
//!
//! #[derive(Session)]
//! struct Visitor {
//!     count: u64,
//! }
//!
//! async fn index(session: Session<Visitor>) -> Result<String, Error> {
//!     let count = session.count().incr(1).await?;
//!     Ok(format!("visit {count}\n"))
//! }
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let sessions = Sessions::from_env().await?; // SESSION_REDIS, SESSION_SECRET, …
//!     let app = Router::new().route("/", get(index)).layer(sessions.layer());
//!     let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
//!     axum::serve(listener, app).await?;
//!     Ok(())
//! }
//! # }
//! ```
//!
//! With axum, handlers can also take the application's manager, [`Sessions`], as an extractor.
//! Taking the manager does not access the session:
//!
//! ```
//! # #[cfg(feature = "axum")] {
//! use session_runtime::{Error, Sessions};
//!
//! async fn health(sessions: Sessions) -> Result<&'static str, Error> {
//!     sessions.ping().await?;
//!     Ok("ready")
//! }
//! # let _: axum::routing::MethodRouter = axum::routing::get(health); }
//! ```
//!
//! With the request alone, in any tower service:
//!
//! ```
//! # #[cfg(feature = "derive")] {
//! use session_runtime::{Error, Session, SessionHandle};
//!
//! #[derive(Session)]
//! struct Visitor {
//!     count: u64,
//! }
//!
//! async fn serve<B>(request: http::Request<B>) -> Result<http::Response<String>, Error> {
//!     let handle = SessionHandle::from_extensions(request.extensions())?;
//!     let session: Session<Visitor> = handle.session();
//!     let count = session.count().incr(1).await?;
//!     Ok(http::Response::new(format!("visit {count}\n")))
//! }
//! # }
//! ```

use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::header::{COOKIE, Entry};
use http::{Extensions, HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use super::headers::for_types_of;
use super::session_opener::{Entered, SessionOpener};
use crate::error::{Error, Kind};
use crate::request::handle::SessionHandle;
use crate::session::sessions::Sessions;

/// The tower layer that gives each request a session. Created by [`Sessions::layer`].
///
/// The layer puts a [`SessionHandle`] into the request's extensions. It adds the session's headers
/// to every response, whatever the status. A request whose handler ignores the session costs no
/// round trip and no signature check.
///
/// You may apply the layer of a manager twice, even with the layer of another manager in between.
/// The request then still has a single session. With two managers, handlers get the session of the
/// inner layer.
///
/// [`same_origin`](Self::same_origin) adds a check against forged requests. The parameter `O` says
/// whether the layer has the check: [`AnyOrigin`] or [`SameOrigin`].
///
/// # Examples
///
/// ```
/// # #[cfg(all(feature = "axum", feature = "derive"))] {
/// use axum::{Router, routing::get};
/// use session_runtime::{Error, Session, Sessions};
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
/// fn app(sessions: &Sessions) -> Router {
///     Router::new().route("/", get(index)).layer(sessions.layer())
/// }
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct SessionLayer<O = AnyOrigin> {
    pub(super) opener: SessionOpener,
    origin: PhantomData<O>,
}

/// Marks a [`SessionLayer`] without the same-origin check.
#[derive(Clone, Copy, Debug)]
pub enum AnyOrigin {}

/// Marks a [`SessionLayer`] with the same-origin check. See [`SessionLayer::same_origin`].
#[derive(Clone, Copy, Debug)]
pub enum SameOrigin {}

impl Sessions {
    /// Creates the tower layer that gives each request a session.
    pub fn layer(&self) -> SessionLayer {
        SessionLayer { opener: SessionOpener::new(self.clone()), origin: PhantomData }
    }
}

impl<O> SessionLayer<O> {
    /// Lets requests to these routes continue without a session if the store is unavailable. By
    /// default, they fail with a 503. [`SessionHandle::allow_degraded`] describes the consequences.
    ///
    /// Put this around some of the routes, inside the layer for all routes.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "axum")] {
    /// use axum::{Router, routing::get};
    /// use session_runtime::Sessions;
    ///
    /// fn app(sessions: &Sessions) -> Router {
    ///     Router::new()
    ///         .route("/", get(|| async { "welcome" }))
    ///         .route_layer(sessions.layer().allow_degraded())
    ///         .route("/account", get(|| async { "your account" }))
    ///         .layer(sessions.layer())
    /// }
    /// # }
    /// ```
    pub fn allow_degraded(self) -> Self {
        Self { opener: self.opener.allow_degraded(), ..self }
    }

    /// Lets cross-site requests to these routes create a session even if they come without the
    /// session's cookie. By default, such a write fails with [`Error::is_cross_site`], a 403.
    /// [`SessionHandle::allow_cross_site`] describes the consequences.
    ///
    /// Put this around some of the routes, inside the layer for all routes.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "axum")] {
    /// use axum::{Router, routing::{get, post}};
    /// use session_runtime::Sessions;
    ///
    /// fn app(sessions: &Sessions) -> Router {
    ///     Router::new()
    ///         .route("/order", post(|| async { "ordered" }))
    ///         .route_layer(sessions.layer().allow_cross_site())
    ///         .route("/account", get(|| async { "your account" }))
    ///         .layer(sessions.layer())
    /// }
    /// # }
    /// ```
    pub fn allow_cross_site(self) -> Self {
        Self { opener: self.opener.allow_cross_site(), ..self }
    }

    /// Refuses requests to these routes that a page of another origin caused and that may change
    /// something, as protection against forged requests (CSRF). By default, they pass.
    ///
    /// The headers `Sec-Fetch-Site` and `Origin` decide, see
    /// [`SessionHandle::check_same_origin`]. `GET`, `HEAD` and `OPTIONS` pass, except for the
    /// handshake of a WebSocket. [`trusted_origins`](crate::SessionConfig::trusted_origins) are
    /// other origins that pass. [The guide] says what the check leaves open.
    ///
    /// A refused request gets a 403 and does not reach the inner service. With poem, the refusal is
    /// an [`Error`]. With axum, the body is "Forbidden". With other bodies, it is the default,
    /// which the inner service's body has to have.
    ///
    /// Put this around all routes that other sites do not have to reach. Callbacks of a payment or
    /// a login that another site sends by `POST` belong outside, or their origin in
    /// `trusted_origins`.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "axum")] {
    /// use axum::{Router, routing::post};
    /// use session_runtime::Sessions;
    ///
    /// fn app(sessions: &Sessions) -> Router {
    ///     Router::new()
    ///         .route("/transfer", post(|| async { "transferred" }))
    ///         .route_layer(sessions.layer().same_origin())
    ///         .route("/payment/callback", post(|| async { "thank you" }))
    ///         .layer(sessions.layer())
    /// }
    /// # }
    /// ```
    #[cfg_attr(
        feature = "derive",
        doc = "\n\n[the guide]: crate::guide::forged_requests#the-same-origin-check\n"
    )]
    #[cfg_attr(not(feature = "derive"), doc = "\n\n[the guide]: crate#features\n")]
    #[doc(alias = "csrf")]
    pub fn same_origin(self) -> SessionLayer<SameOrigin> {
        SessionLayer { opener: self.opener.require_same_origin(), origin: PhantomData }
    }

    /// Lets the sessions that these routes create travel as bearer tokens, for clients without
    /// cookies. The first response of a session has its token in the header `Session-Token`.
    ///
    /// The [transport](crate::SessionConfig::transport) has to be
    /// [`CookieOrBearer`](crate::Transport::CookieOrBearer). With `Bearer`, all sessions travel as
    /// tokens anyway. With `Cookie`, a write that would create a session fails with
    /// [`Error::is_config`]. A session that came with a cookie keeps its cookie.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "axum")] {
    /// use axum::{Router, routing::{get, post}};
    /// use session_runtime::Sessions;
    ///
    /// fn app(sessions: &Sessions) -> Router {
    ///     Router::new()
    ///         .route("/api/login", post(|| async { "signed in" }))
    ///         .route_layer(sessions.layer().bearer())
    ///         .route("/account", get(|| async { "your account" }))
    ///         .layer(sessions.layer())
    /// }
    /// # }
    /// ```
    #[doc(alias = "token")]
    pub fn bearer(self) -> Self {
        Self { opener: self.opener.bearer(), ..self }
    }
}

impl<S, O> Layer<S> for SessionLayer<O> {
    type Service = SessionService<S, O>;

    fn layer(&self, inner: S) -> Self::Service {
        SessionService { inner, opener: self.opener.clone(), origin: PhantomData }
    }
}

/// A service that gives each request a session. Created by [`SessionLayer`].
#[derive(Clone, Debug)]
pub struct SessionService<S, O = AnyOrigin> {
    inner: S,
    opener: SessionOpener,
    origin: PhantomData<O>,
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
        let entered = enter(&self.opener, &mut request);
        request.extensions_mut().insert(entered.handle.dormant());
        let opened = entered.is_opened.then_some(entered.handle);
        ResponseFuture { response: Some(self.inner.call(request)), opened }
    }
}

impl<S, Body, ResponseBody> Service<Request<Body>> for SessionService<S, SameOrigin>
where
    S: Service<Request<Body>, Response = Response<ResponseBody>>,
    ResponseBody: Default + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = SameOriginFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let entered = enter(&self.opener, &mut request);
        let (method, uri, headers) = (request.method(), request.uri(), request.headers());
        let checked =
            self.opener.check(|| check_same_origin(&entered.handle, method, uri, headers));
        let refusal = checked.err();
        request.extensions_mut().insert(entered.handle.dormant());
        let response = refusal.is_none().then(|| self.inner.call(request));
        let opened = entered.is_opened.then_some(entered.handle);
        SameOriginFuture { response: ResponseFuture { response, opened }, refusal }
    }
}

/// Enters the layer with a request.
#[inline]
fn enter<Body>(opener: &SessionOpener, request: &mut Request<Body>) -> Entered {
    let outer = request.extensions().get().cloned();
    opener.enter(outer, |sessions| {
        let method = request.method().clone();
        open(sessions, &method, request.headers_mut())
    })
}

impl SessionHandle {
    /// Returns the session of a request that passed through a [`SessionLayer`], from the request's
    /// extensions. For services without an extractor.
    ///
    /// # Errors
    ///
    /// Fails with [`Error::is_missing_layer`] if the request did not pass through a layer. Fails
    /// with [`Error::is_headers_sent`] if the response headers were sent before the session was
    /// accessed.
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
    ///     let handle = SessionHandle::from_extensions(request.extensions())?;
    ///     let session: Session<Visitor> = handle.session();
    ///     Ok(http::Response::new(session.count().await?.to_string()))
    /// }
    /// # }
    /// ```
    pub fn from_extensions(extensions: &Extensions) -> Result<&Self, Error> {
        let handle = handle(extensions)?;
        handle.check_is_in_time().map(|()| handle)
    }
}

/// Returns the handle of the innermost layer, even after the response headers were sent.
pub(super) fn handle(extensions: &Extensions) -> Result<&SessionHandle, Error> {
    extensions.get().ok_or_else(|| Error::new(Kind::MissingLayer))
}

/// Opens a request's session, and marks the request's cookies and tokens as sensitive for logs.
pub(super) fn open(sessions: &Sessions, method: &Method, headers: &mut HeaderMap) -> SessionHandle {
    let handle = match headers.entry(COOKIE) {
        Entry::Occupied(mut cookies) => {
            cookies.iter_mut().for_each(|cookie| cookie.set_sensitive(true));
            sessions.open(cookies.iter().map(HeaderValue::as_bytes))
        }
        Entry::Vacant(_) => sessions.open([]),
    };
    if let Some(name) = handle.token_header() {
        note_tokens(&handle, name, headers);
    }
    handle.note_origin(method.as_str(), |name| value(headers, name));
    handle
}

/// Passes on the values of the header with the bearer token, and marks them as sensitive for logs.
fn note_tokens(handle: &SessionHandle, name: &str, headers: &mut HeaderMap) {
    let tokens = headers.iter_mut().filter(|(other, _)| *other == name);
    tokens.for_each(|(_, token)| token.set_sensitive(true));
    handle.note_tokens(headers.get_all(name).iter().map(HeaderValue::as_bytes));
}

pin_project! {
    /// The response future of a [`SessionService`].
    #[derive(Debug)]
    pub struct ResponseFuture<F> {
        // Dropped when ready, because the future may hold the request and with the request a
        // session handle.
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
        finish(this.opened, response.headers_mut());
        Poll::Ready(Ok(response))
    }
}

pin_project! {
    /// The response future of a [`SessionService`] with the same-origin check.
    #[derive(Debug)]
    pub struct SameOriginFuture<F> {
        #[pin]
        response: ResponseFuture<F>,
        refusal: Option<Error>,
    }
}

impl<F, Body, E> Future for SameOriginFuture<F>
where
    F: Future<Output = Result<Response<Body>, E>>,
    Body: Default + 'static,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let Some(error) = this.refusal.take() else { return this.response.poll(cx) };
        let mut response = error_response(&error);
        finish(this.response.project().opened, response.headers_mut());
        Poll::Ready(Ok(response))
    }
}

/// Adds the headers of the session, if this layer has opened it.
fn finish(opened: &mut Option<SessionHandle>, headers: &mut HeaderMap) {
    if let Some(handle) = opened.take() {
        apply(&handle.finish(), headers);
    }
}

/// Returns the response of an error. The body is axum's, or else the default.
pub(super) fn error_response<Body: Default + 'static>(error: &Error) -> Response<Body> {
    super::report(error);
    let mut response = Response::new(Body::default());
    let status = StatusCode::from_u16(error.status());
    *response.status_mut() = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    #[cfg(feature = "axum")]
    super::axum_error::fill(&mut response, error);
    response
}

for_types_of!(http);
