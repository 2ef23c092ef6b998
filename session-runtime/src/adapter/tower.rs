//! The tower layer, for every server that speaks `http` types.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::header::{CACHE_CONTROL, COOKIE, SET_COOKIE, VARY};
use http::{Extensions, HeaderMap, HeaderValue, Request, Response};
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use crate::error::{Error, Kind};
use crate::handle::SessionHandle;
use crate::response::SessionHeaders;
use crate::sessions::Sessions;

/// The tower layer that gives every request its session, from [`Sessions::layer`].
///
/// It puts a [`SessionHandle`] into the request's extensions, and the session's headers onto the response, whatever its status. A request
/// whose handler ignores the session costs no round trip and no signature check. Applied twice with one manager, the inner one does nothing;
/// with two managers, handlers get the session of the inner one.
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
    sessions: Sessions,
    tolerates_unavailability: bool,
}

impl SessionLayer {
    pub(crate) fn new(sessions: Sessions) -> Self {
        Self { sessions, tolerates_unavailability: false }
    }

    /// Lets the requests of these routes go on without a session if the store is unavailable:
    /// [`SessionHandle::tolerate_unavailability`] says what that means. Default: they get the error, which is a 503.
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
    ///     .route_layer(sessions.layer().tolerate_unavailability())
    ///     .route("/account", get(account))
    ///     .layer(sessions.layer())
    /// # }
    /// # let _ = example;
    /// # }
    /// ```
    pub fn tolerate_unavailability(self) -> Self {
        Self { tolerates_unavailability: true, ..self }
    }

    /// `None` if an outer layer of the same manager opened the request's session already.
    fn open<Body>(&self, request: &mut Request<Body>) -> Option<SessionHandle> {
        let outer = request.extensions().get::<SessionHandle>();
        if let Some(outer) = outer.filter(|outer| outer.belongs_to(&self.sessions)) {
            self.apply_to(outer);
            return None;
        }
        mark_sensitive(request.headers_mut());
        let cookies = request.headers().get_all(COOKIE);
        let handle = self.sessions.open(cookies.iter().map(HeaderValue::as_bytes));
        self.apply_to(&handle);
        request.extensions_mut().insert(handle.clone());
        Some(handle)
    }

    fn apply_to(&self, handle: &SessionHandle) {
        if self.tolerates_unavailability {
            handle.tolerate_unavailability();
        }
    }
}

impl<S> Layer<S> for SessionLayer {
    type Service = SessionService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        SessionService { inner, layer: self.clone() }
    }
}

/// A service whose requests have a session, made by [`SessionLayer`].
#[derive(Clone, Debug)]
pub struct SessionService<S> {
    inner: S,
    layer: SessionLayer,
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
        let opened = self.layer.open(&mut request);
        ResponseFuture { response: self.inner.call(request), opened }
    }
}

impl SessionHandle {
    /// The session of a request that passed through a [`SessionLayer`], from its extensions: for services that have no extractor.
    ///
    /// # Errors
    ///
    /// [`Error::is_missing_layer`] if it did not.
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
        extensions.get().ok_or_else(|| Error::new(Kind::MissingLayer))
    }
}

/// Keeps cookies out of logs that print headers.
fn mark_sensitive(headers: &mut HeaderMap) {
    if let http::header::Entry::Occupied(mut cookies) = headers.entry(COOKIE) {
        cookies.iter_mut().for_each(|cookie| cookie.set_sensitive(true));
    }
}

pin_project! {
    /// The response of a [`SessionService`].
    #[derive(Debug)]
    pub struct ResponseFuture<F> {
        #[pin]
        response: F,
        opened: Option<SessionHandle>,
    }
}

impl<F, Body, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<Body>, E>>,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let mut response = ready!(this.response.poll(cx))?;
        if let Some(handle) = this.opened.take() {
            apply(&handle.finish(), response.headers_mut());
        }
        Poll::Ready(Ok(response))
    }
}

fn apply(session: &SessionHeaders, headers: &mut HeaderMap) {
    if let Some(mut set_cookie) = session.set_cookie().and_then(|value| HeaderValue::from_str(value).ok()) {
        set_cookie.set_sensitive(true);
        headers.append(SET_COOKIE, set_cookie);
    }
    if let Some(name) = session.vary()
        && !varies_on(headers, name)
    {
        headers.append(VARY, HeaderValue::from_static(name));
    }
    if let Some(value) =
        session.cache_control(&joined(headers)).and_then(|value| HeaderValue::from_str(&value).ok())
    {
        headers.insert(CACHE_CONTROL, value);
    }
}

fn varies_on(headers: &HeaderMap, name: &str) -> bool {
    let given = headers.get_all(VARY).iter().filter_map(|value| value.to_str().ok());
    given
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .any(|given| given == "*" || given.eq_ignore_ascii_case(name))
}

/// The handler's `Cache-Control` headers as one ([RFC 9110 §5.3]).
///
/// [RFC 9110 §5.3]: https://www.rfc-editor.org/rfc/rfc9110#section-5.3
fn joined(headers: &HeaderMap) -> String {
    let given = headers.get_all(CACHE_CONTROL).iter().filter_map(|value| value.to_str().ok());
    given.collect::<Vec<_>>().join(", ")
}
