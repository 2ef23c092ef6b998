//! The middleware, the extractor and the error response for actix-web 4.
//!
//! Put [`Sessions::middleware`] around your routes with `App::wrap`. Handlers then take a
//! [`Session`](struct@crate::Session) as an extractor, and an [`Error`] converts into a response.
//!
//! # Examples
//!
//! ```no_run
//! # #[cfg(feature = "derive")] {
//! use actix_web::{App, HttpServer, web};
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
//! #[actix_web::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let sessions = Sessions::from_env().await?; // SESSION_REDIS, SESSION_SECRET, …
//!     let app = move || {
//!         App::new().wrap(sessions.middleware()).route("/", web::get().to(index))
//!     };
//!     HttpServer::new(app).bind("127.0.0.1:3000")?.run().await?;
//!     Ok(())
//! }
//! # }
//! ```
//!
//! Handlers can also take the application's manager, [`Sessions`], as an extractor. Taking the
//! manager does not access the session:
//!
//! ```
//! use session_runtime::{Error, Sessions};
//!
//! async fn health(sessions: Sessions) -> Result<&'static str, Error> {
//!     sessions.ping().await?;
//!     Ok("ready")
//! }
//! # actix_web::web::get().to(health);
//! ```

// actix-web has an older version of the `http` types than axum.

use std::fmt;
use std::future::{Future, Ready, ready};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use actix_web::dev::{Payload, Service, ServiceRequest, ServiceResponse, Transform};
use actix_web::http::StatusCode;
use actix_web::http::header::{COOKIE, ContentType, HeaderValue, RETRY_AFTER};
use actix_web::{FromRequest, HttpMessage, HttpRequest, HttpResponse, ResponseError};
use pin_project_lite::pin_project;

use super::headers::for_types_of;
use super::session_opener::SessionOpener;
use crate::error::{Error, Kind};
use crate::http::response::SessionHeaders;
use crate::request::handle::SessionHandle;
use crate::session::Session;
use crate::session::schema::Schema;
use crate::session::sessions::Sessions;

/// The actix-web middleware that gives each request a session. Created by [`Sessions::middleware`].
/// The middleware puts a [`SessionHandle`] into the request's extensions. Every response gets the
/// session's headers, whatever the status, and so does the response of an inner middleware's error.
/// A request with a handler that ignores the session costs no round trip and no signature check.
///
/// You may apply the middleware of a manager twice, even with the middleware of another manager in
/// between. The request then still has a single session. With two managers, handlers get the
/// session of the inner middleware.
///
/// Like actix-web's own routing, the middleware needs exclusive access to the request. An outer
/// middleware must not hold a clone of the `HttpRequest`.
///
/// The connections to Redis are separate for each worker. See [`Sessions::for_current_runtime`].
///
/// # Examples
///
/// ```no_run
/// # #[cfg(feature = "derive")] {
/// use actix_web::{App, HttpServer, web};
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
/// #[actix_web::main]
/// async fn main() -> Result<(), Box<dyn std::error::Error>> {
///     let sessions = Sessions::new(SessionConfig::new().store("memory:")).await?;
///     let app = move || {
///         App::new().wrap(sessions.middleware()).route("/", web::get().to(index))
///     };
///     HttpServer::new(app).bind("127.0.0.1:3000")?.run().await?;
///     Ok(())
/// }
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct SessionMiddleware {
    opener: SessionOpener,
}

impl Sessions {
    /// Creates the actix-web middleware that gives each request a session.
    pub fn middleware(&self) -> SessionMiddleware {
        SessionMiddleware { opener: SessionOpener::new(self.clone()) }
    }
}

impl SessionMiddleware {
    /// Lets requests to these routes continue without a session if the store is unavailable. By
    /// default, they fail with a 503. [`SessionHandle::allow_degraded`] describes the consequences.
    ///
    /// Put this around a scope or a resource, inside the middleware for all routes.
    ///
    /// # Examples
    ///
    /// ```
    /// use actix_web::{App, web};
    ///
    /// async fn front_page() -> &'static str {
    ///     "welcome"
    /// }
    ///
    /// # fn example(sessions: session_runtime::Sessions) {
    /// let front_page = web::resource("/")
    ///     .wrap(sessions.middleware().allow_degraded())
    ///     .get(front_page);
    /// let app = App::new().service(front_page).wrap(sessions.middleware());
    /// # }
    /// ```
    pub fn allow_degraded(self) -> Self {
        Self { opener: self.opener.allow_degraded() }
    }

    /// Lets cross-site requests to these routes create a session even if they come without the
    /// session's cookie. By default, such a write fails with [`Error::is_cross_site`], a 403.
    /// [`SessionHandle::allow_cross_site`] describes the consequences.
    ///
    /// Put this around a scope or a resource, inside the middleware for all routes.
    ///
    /// # Examples
    ///
    /// ```
    /// use actix_web::{App, web};
    ///
    /// async fn order() -> &'static str {
    ///     "ordered"
    /// }
    ///
    /// # fn example(sessions: session_runtime::Sessions) {
    /// let orders = web::resource("/order")
    ///     .wrap(sessions.middleware().allow_cross_site())
    ///     .post(order);
    /// let app = App::new().service(orders).wrap(sessions.middleware());
    /// # }
    /// ```
    pub fn allow_cross_site(self) -> Self {
        Self { opener: self.opener.allow_cross_site() }
    }

    /// Refuses requests to these routes that a page of another origin caused and that may change
    /// something, as protection against forged requests (CSRF). By default, they pass.
    ///
    /// The headers `Sec-Fetch-Site` and `Origin` decide, see
    /// [`SessionHandle::check_same_origin`]. `GET`, `HEAD` and `OPTIONS` pass, except for the
    /// handshake of a WebSocket. [`trusted_origins`](crate::SessionConfig::trusted_origins) are
    /// other origins that pass. [The guide] says what the check leaves open.
    ///
    /// A refused request does not reach the inner service. The middleware returns an [`Error`] for
    /// which [`Error::is_cross_origin`] is `true`, and which becomes a 403.
    ///
    /// Put this around all routes that other sites do not have to reach. Callbacks of a payment or
    /// a login that another site sends by `POST` belong outside, or their origin in
    /// `trusted_origins`.
    ///
    /// # Examples
    ///
    /// ```
    /// use actix_web::{App, web};
    ///
    /// async fn transfer() -> &'static str {
    ///     "transferred"
    /// }
    ///
    /// # fn example(sessions: session_runtime::Sessions) {
    /// let account = web::scope("/account")
    ///     .wrap(sessions.middleware().same_origin())
    ///     .route("/transfer", web::post().to(transfer));
    /// let app = App::new().service(account).wrap(sessions.middleware());
    /// # }
    /// ```
    #[cfg_attr(
        feature = "derive",
        doc = "\n\n[the guide]: crate::guide::forged_requests#the-same-origin-check\n"
    )]
    #[cfg_attr(not(feature = "derive"), doc = "\n\n[the guide]: crate#features\n")]
    #[doc(alias = "csrf")]
    pub fn same_origin(self) -> Self {
        Self { opener: self.opener.require_same_origin() }
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
    /// use actix_web::{App, web};
    ///
    /// async fn login() -> &'static str {
    ///     "signed in"
    /// }
    ///
    /// # fn example(sessions: session_runtime::Sessions) {
    /// let api = web::scope("/api")
    ///     .wrap(sessions.middleware().bearer())
    ///     .route("/login", web::post().to(login));
    /// let app = App::new().service(api).wrap(sessions.middleware());
    /// # }
    /// ```
    #[doc(alias = "token")]
    pub fn bearer(self) -> Self {
        Self { opener: self.opener.bearer() }
    }
}

impl<S, Body> Transform<S, ServiceRequest> for SessionMiddleware
where
    S: Service<ServiceRequest, Response = ServiceResponse<Body>, Error = actix_web::Error>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Transform = MiddlewareService<S>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, inner: S) -> Self::Future {
        ready(Ok(MiddlewareService { inner, opener: self.opener.for_current_runtime() }))
    }
}

/// A service that gives each request a session. Created by [`SessionMiddleware`].
#[derive(Debug)]
pub struct MiddlewareService<S> {
    inner: S,
    opener: SessionOpener,
}

impl<S, Body> Service<ServiceRequest> for MiddlewareService<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<Body>, Error = actix_web::Error>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = MiddlewareFuture<S::Future>;

    fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&self, mut request: ServiceRequest) -> Self::Future {
        let outer = request.extensions().get().cloned();
        let entered = self.opener.enter(outer, |sessions| open(sessions, &mut request));
        request.extensions_mut().insert(entered.handle.dormant());
        let checked = self.opener.check(|| {
            let (method, uri, headers) = (request.method(), request.uri(), request.headers());
            check_same_origin(&entered.handle, method, uri, headers)
        });
        let refusal = checked.err();
        let response = refusal.is_none().then(|| self.inner.call(request));
        let opened = entered.is_opened.then_some(entered.handle);
        MiddlewareFuture { response, refusal, opened }
    }
}

/// Opens a request's session, and marks the request's cookies and tokens as sensitive for logs.
fn open(sessions: &Sessions, request: &mut ServiceRequest) -> SessionHandle {
    let (headers, method) = (request.headers(), request.method().as_str());
    let cookies = headers.get_all(COOKIE);
    let count = cookies.len();
    let handle = sessions.open(cookies.map(HeaderValue::as_bytes));
    handle.note_origin(method, |name| value(headers, name));
    if let Some(name) = handle.token_header() {
        handle.note_tokens(headers.get_all(name).map(HeaderValue::as_bytes));
        mark_sensitive(request, name);
    }
    match count {
        0 => {}
        1 => request
            .headers_mut()
            .get_mut(COOKIE)
            .into_iter()
            .for_each(|cookie| cookie.set_sensitive(true)),
        _ => mark_sensitive(request, COOKIE.as_str()),
    }
    handle
}

fn mark_sensitive(request: &mut ServiceRequest, header: &str) {
    request.headers_mut().retain(|name, value| {
        value.set_sensitive(value.is_sensitive() || *name == header);
        true
    });
}

pin_project! {
    /// The response future of a [`MiddlewareService`].
    #[derive(Debug)]
    pub struct MiddlewareFuture<F> {
        // Dropped when ready, because the future may hold the request and with the request a
        // session handle.
        #[pin]
        response: Option<F>,
        refusal: Option<Error>,
        opened: Option<SessionHandle>,
    }
}

impl<F, Body> Future for MiddlewareFuture<F>
where
    F: Future<Output = Result<ServiceResponse<Body>, actix_web::Error>>,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let response = match this.response.as_mut().as_pin_mut() {
            Some(response) => ready!(response.poll(cx)),
            None => match this.refusal.take() {
                Some(error) => Err(error.into()),
                None => return Poll::Pending,
            },
        };
        this.response.set(None);
        let Some(handle) = this.opened.take() else { return Poll::Ready(response) };
        let session = handle.finish();
        // Outer middleware may ask for the type of an error, so an error stays unchanged if
        // possible.
        Poll::Ready(if session.is_empty() { response } else { with_headers(response, session) })
    }
}

fn with_headers<Body>(
    response: Result<ServiceResponse<Body>, actix_web::Error>,
    session: SessionHeaders,
) -> Result<ServiceResponse<Body>, actix_web::Error> {
    match response {
        Ok(mut response) => {
            apply(&session, response.headers_mut());
            Ok(response)
        }
        Err(error) => Err(WithHeaders { error, session }.into()),
    }
}

for_types_of!(actix_web::http);

/// An error of an inner middleware, whose response gets the session's headers. A complete response
/// in its place would need the request, and no clone of the request may exist during routing.
struct WithHeaders {
    error: actix_web::Error,
    session: SessionHeaders,
}

impl ResponseError for WithHeaders {
    fn status_code(&self) -> StatusCode {
        self.error.as_response_error().status_code()
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = self.error.error_response();
        apply(&self.session, response.headers_mut());
        response
    }
}

impl fmt::Debug for WithHeaders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.error, f)
    }
}

impl fmt::Display for WithHeaders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.error, f)
    }
}

impl<S: Schema> FromRequest for Session<S> {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let handle = request.extensions().get::<SessionHandle>().cloned();
        let handle = handle.ok_or_else(|| Error::new(Kind::MissingLayer));
        ready(handle.and_then(|handle| handle.check_is_in_time().map(|()| handle.session())))
    }
}

/// The manager of the innermost middleware. Taking the manager does not access the session.
impl FromRequest for Sessions {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let sessions = request.extensions().get().map(SessionHandle::sessions);
        ready(sessions.ok_or_else(|| Error::new(Kind::MissingLayer)))
    }
}

impl ResponseError for Error {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse {
        super::report(self);
        let status = self.status_code();
        let body = status.canonical_reason().unwrap_or_default();
        let mut response = HttpResponse::build(status);
        if let Some(seconds) = super::retry_after(self) {
            response.insert_header((RETRY_AFTER, seconds));
        }
        response.content_type(ContentType::plaintext()).body(body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::response::Issued;
    use crate::http::vary::VaryNames;
    use crate::lifecycle::Outcome;

    #[test]
    fn an_error_with_session_headers_is_otherwise_unchanged() {
        let conflict = || actix_web::error::ErrorConflict("taken");
        let outcome = Outcome { accessed: true, ..Outcome::default() };
        let vary = VaryNames { cookies: true, tokens: None };
        let session = SessionHeaders::new(&outcome, Issued::Nothing, &vary);
        let error = WithHeaders { error: conflict(), session };
        assert_eq!(error.status_code(), StatusCode::CONFLICT);
        assert_eq!(
            (error.to_string(), format!("{error:?}")),
            ("taken".to_owned(), format!("{:?}", conflict()))
        );
        let response = error.error_response();
        assert_eq!(response.status(), StatusCode::CONFLICT);
        assert_eq!(response.headers().get("vary").unwrap(), "Cookie");
    }
}
