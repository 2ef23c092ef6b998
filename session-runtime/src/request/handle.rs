//! The handle on a request's session, shared by all holders.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use smallvec::SmallVec;

use super::cookies;
use super::end_wait::EndWaitSlot;
use super::lifecycle_guard::LifecycleGuard;
use super::manager::Manager;
use super::outer::Outer;
use super::shared::{Link, Shared};
use crate::clock::ClockMoment;
#[cfg(feature = "admin")]
use crate::config::TrustedOrigins;
use crate::config::{Lifetime, TokenHeader};
use crate::error::Error;
#[cfg(any(feature = "actix", feature = "tower"))]
use crate::error::Kind;
use crate::http::cookie_header::CookieHeaders;
use crate::http::credentials::Credentials;
use crate::http::fetch_metadata::{SEC_FETCH_SITE, leaves_cookie_out};
use crate::http::plain_http::came_by_plain_http;
use crate::http::response::SessionHeaders;
use crate::http::same_origin;
use crate::id::SessionId;
use crate::lifecycle::{Beginning, Candidate, Lifecycle, RequestAge};
use crate::store::AnyStore;
use crate::telemetry::{EventQueue, LastId};

/// A request's session, before a schema gives the fields their types. Cheap to clone.
///
/// The adapters put a handle into the extensions of each request. With a web framework that has no
/// adapter here, you make three calls:
///
/// - [`Sessions::open`](crate::Sessions::open) returns the handle. Then pass the other request
///   headers to [`note_request`](Self::note_request).
/// - [`session`](Self::session) returns the typed session for your handler.
/// - [`finish`](Self::finish) returns the headers for the response.
///
/// [`check_same_origin`](Self::check_same_origin) refuses forged requests. [The guide] has a
/// complete program.
///
/// # Examples
///
/// ```
/// # session_runtime::__example!({
/// use session_runtime::{Session, SessionConfig, Sessions};
///
/// #[derive(Session)]
/// struct Visitor {
///     count: u64,
/// }
///
/// let sessions = Sessions::new(SessionConfig::new().store("memory:")).await?;
/// let handle = sessions.open([b"theme=dark".as_slice()]);
/// let session: Session<Visitor> = handle.session();
/// session.set_count(1).await?;
/// for (name, value) in handle.finish().pairs([]) {
///     println!("{name}: {value}"); // Set-Cookie, Vary, Cache-Control
/// }
/// # });
/// ```
#[cfg_attr(feature = "derive", doc = "\n\n[the guide]: crate::guide::frameworks\n")]
#[cfg_attr(not(feature = "derive"), doc = "\n\n[the guide]: crate#features\n")]
#[derive(Clone)]
pub struct SessionHandle {
    request: Shared<Request>,
    /// The sessions of other managers, opened by outer layers.
    #[cfg_attr(
        not(any(feature = "actix", feature = "tower")),
        allow(dead_code, reason = "adapters have layers")
    )]
    outer: Outer<Request>,
}

pub(super) struct Request {
    manager: Arc<Manager>,
    /// Taken by the first access to the session.
    credentials: Mutex<Credentials>,
    lifecycle: Mutex<Lifecycle>,
    end_wait: EndWaitSlot,
    origin: Origin,
    arrival: ClockMoment,
}

/// The part of a program that uses a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// A request, with the cookies of a client.
    Request,
    /// A job, an administrator, or another part of the application that knows the id.
    Application,
}

impl SessionHandle {
    #[inline]
    pub(crate) fn new(manager: Arc<Manager>, cookies: CookieHeaders) -> Self {
        let handle = Self::with_origin(manager, Credentials::Cookies(cookies), Origin::Request);
        if handle.manager().tokens_replace_cookies() {
            handle.replace_cookies(Credentials::Token(None));
        }
        handle
    }

    /// Returns a session outside a request: the session with this id, or a new session.
    pub(crate) fn outside(manager: Arc<Manager>, id: Option<SessionId>) -> Self {
        let handle = Self::with_origin(manager, Credentials::default(), Origin::Application);
        let manager = handle.manager();
        let candidate = |id| Candidate { session: manager.metadata(id), cookie_due: false };
        let candidates = id.map(candidate).into_iter().collect();
        let resolved = cookies::select(manager, candidates, false, &mut EventQueue::default());
        handle.lifecycle().resolve_cookies(|| resolved);
        handle
    }

    #[inline]
    fn with_origin(manager: Arc<Manager>, credentials: Credentials, origin: Origin) -> Self {
        let arrival = manager.moment();
        let (credentials, lifecycle) = (Mutex::new(credentials), Mutex::default());
        let end_wait = EndWaitSlot::default();
        let request =
            Shared::new(Request { manager, credentials, lifecycle, end_wait, origin, arrival });
        Self { request, outer: Outer::default() }
    }

    /// Seals the session cookie and returns the headers that the response must carry. Call this
    /// once, just before the response headers are sent.
    ///
    /// Later operations that would change the cookie fail with
    /// [`Error::is_headers_sent`](crate::Error::is_headers_sent). These are `rotate`, `renew`,
    /// `destroy` and a write that would create a session. Reads and writes of a live session still
    /// work.
    ///
    /// If you still hold a clone of this handle, or a [`Session`](struct@crate::Session) from this
    /// handle, the response body may depend on the session. The headers then include `private`,
    /// even if the request has not accessed the session yet. A first access after `finish` is
    /// logged as a warning.
    pub fn finish(&self) -> SessionHeaders {
        let is_held = self.request.holders() > 1;
        let mut lifecycle = self.lifecycle();
        if is_held {
            lifecycle.note_shared();
        }
        let outcome = lifecycle.send_headers();
        drop(lifecycle);
        self.manager().headers(&outcome)
    }

    /// Lets this request continue without its session if the store is unavailable, for pages that
    /// are useful to anonymous visitors too. Call this before you access the session. The adapters
    /// call this for routes whose layer allows it.
    ///
    /// If the store is unavailable, reads return defaults and
    /// [`Session::exists`](struct@crate::Session#method.exists) returns `false`. A
    /// [`touch`](struct@crate::Session#method.touch) and operations that would write fail with
    /// [`Error::is_unavailable`](crate::Error::is_unavailable). This lasts until the end of the
    /// request, even if the store recovers, because data derived from defaults must not be stored
    /// in a session.
    ///
    /// The response is marked `no-store`, a warning is logged, and
    /// [`is_degraded`](Self::is_degraded) returns `true`. A request that has already seen a part of
    /// the session gets the error instead. So no page mixes stored values and defaults.
    ///
    /// # Examples
    ///
    /// ```
    /// # session_runtime::__example!(struct Visitor { name: String } |_session, sessions| {
    /// let handle = sessions.open([b"theme=dark".as_slice()]);
    /// handle.allow_degraded();
    /// let name = handle.session::<Visitor>().name().await?; // "" while the store is away
    /// let page = if handle.is_degraded() { "hello".into() } else { format!("hello {name}") };
    /// # });
    /// ```
    pub fn allow_degraded(&self) {
        self.lifecycle().allow_degraded();
    }

    /// Records the request's method and its headers other than cookies. Call this once, after
    /// [`Sessions::open`](crate::Sessions::open) and before the handler. The adapters call this for
    /// you. `header` returns the values of a header by its lower-case name, as an `Option` or
    /// another collection.
    ///
    /// If the [transport](crate::SessionConfig::transport) has bearer tokens and the request has a
    /// token, the token counts and the cookies are ignored.
    ///
    /// A cross-site request (`Sec-Fetch-Site: cross-site`) may come without the session's cookie
    /// although the browser has that cookie. Under [`SameSite::Strict`](crate::SameSite), this is
    /// always so. Under `Lax`, the exception is a link that opens a page.
    ///
    /// A new session's cookie would then replace the browser's cookie. So no session is created,
    /// and the write fails with [`Error::is_cross_site`](crate::Error::is_cross_site). See
    /// [`allow_cross_site`](Self::allow_cross_site) and [the guide].
    ///
    /// A `Secure` cookie in a response over plain http is logged as a warning, once, because
    /// browsers do not keep such a cookie. The scheme comes from `X-Forwarded-Proto` or
    /// `Forwarded`, or else from an `Origin` or `Referer` on the same host.
    ///
    /// # Examples
    ///
    /// ```
    /// # session_runtime::__example!(struct Visitor { count: u64 } |_session, sessions| {
    /// use std::collections::HashMap;
    ///
    /// let headers = HashMap::from([("sec-fetch-site", b"cross-site".as_slice())]);
    /// let handle = sessions.open([]);
    /// handle.note_request("POST", |name| headers.get(name).copied());
    /// let begun = handle.session::<Visitor>().set_count(1).await;
    /// assert!(begun.is_err_and(|error| error.is_cross_site()));
    /// # });
    /// ```
    #[cfg_attr(feature = "derive", doc = "\n\n[the guide]: crate::guide::cross_site\n")]
    #[cfg_attr(not(feature = "derive"), doc = "\n\n[the guide]: crate#features\n")]
    #[doc(alias = "csrf")]
    pub fn note_request<'a, Values>(&self, method: &str, header: impl Fn(&str) -> Values)
    where
        Values: IntoIterator<Item = &'a [u8]>,
    {
        if let Some(name) = self.token_header() {
            self.note_tokens(header(name));
        }
        self.note_origin(method, |name| header(name).into_iter().next());
    }

    /// Returns the request header with the bearer token, if the transport has any.
    #[inline]
    pub(crate) fn token_header(&self) -> Option<&str> {
        self.manager().token_header().map(TokenHeader::name)
    }

    /// Records the values of the request header with the bearer token.
    pub(crate) fn note_tokens<'a>(&self, values: impl IntoIterator<Item = &'a [u8]>) {
        let header = self.manager().token_header();
        if let Some(token) = header.and_then(|header| header.credentials(values)) {
            self.replace_cookies(token);
        }
    }

    fn replace_cookies(&self, token: Credentials) {
        *self.credentials() = token;
        self.lifecycle().note_token();
    }

    /// Records the cause of the request and its scheme.
    #[inline]
    pub(crate) fn note_origin<'a>(
        &self,
        method: &str,
        header: impl Fn(&'static str) -> Option<&'a [u8]>,
    ) {
        let manager = self.manager();
        // Browsers send this header over https and to localhost only.
        if header(SEC_FETCH_SITE).is_some() {
            if leaves_cookie_out(manager.same_site(), method, header) {
                self.lifecycle().note_cookie_withheld();
            }
        } else if manager.searches_plain_http() && came_by_plain_http(header) {
            self.lifecycle().note_plain_http();
        }
    }

    /// Lets a session that this request creates travel as a bearer token. The adapters call this
    /// for routes whose layer has `bearer`.
    ///
    /// The [transport](crate::SessionConfig::transport) has to accept tokens. Otherwise, a write
    /// that would create a session fails with [`Error::is_config`](crate::Error::is_config).
    pub fn bearer(&self) {
        let accepted = self.manager().token_header().is_some();
        let beginning = if accepted { Beginning::Token } else { Beginning::UnacceptedToken };
        self.lifecycle().set_beginning(beginning);
    }

    /// Refuses a request that a page of another origin caused and that may change something, as
    /// protection against forged requests (CSRF). Call this before your handler, with the same
    /// arguments as [`note_request`](Self::note_request). The adapters call this for routes whose
    /// layer has `same_origin`.
    ///
    /// `GET`, `HEAD` and `OPTIONS` pass, except for the handshake of a WebSocket. The headers
    /// decide on all other requests:
    ///
    /// | `Sec-Fetch-Site` | `Origin` | |
    /// | --- | --- | --- |
    /// | `same-origin` or `none` | any | passes |
    /// | anything else | in [`trusted_origins`](crate::SessionConfig::trusted_origins) | passes |
    /// | anything else | anything else | refused |
    /// | missing | missing | passes |
    /// | missing | the request's host, or in `trusted_origins` | passes |
    /// | missing | anything else, also `null` | refused |
    ///
    /// The request's host is the first of `X-Forwarded-Host`, `Forwarded` and `Host`. A page of
    /// another site cannot set these headers, unless a CORS preflight of yours permits it. With
    /// HTTP/2, `header` has to return the authority of the URI for `host`, if there is no such
    /// header.
    ///
    /// A request with a bearer token passes, because its cookies do not count, and no other site
    /// knows a token. The session is neither read nor accessed. [The guide] says what the check
    /// leaves open.
    ///
    /// # Errors
    ///
    /// [`Error::is_cross_origin`](crate::Error::is_cross_origin), status 403. Do not carry out the
    /// request.
    ///
    /// # Examples
    ///
    /// ```
    /// # session_runtime::__example!(struct Visitor { count: u64 } |_session, sessions| {
    /// use std::collections::HashMap;
    ///
    /// let headers = HashMap::from([("sec-fetch-site", b"cross-site".as_slice())]);
    /// let header = |name: &str| headers.get(name).copied();
    /// let handle = sessions.open([]);
    /// handle.note_request("POST", header);
    /// let checked = handle.check_same_origin("POST", header);
    /// assert!(checked.is_err_and(|error| error.is_cross_origin()));
    /// # });
    /// ```
    #[cfg_attr(
        feature = "derive",
        doc = "\n\n[the guide]: crate::guide::forged_requests#the-same-origin-check\n"
    )]
    #[cfg_attr(not(feature = "derive"), doc = "\n\n[the guide]: crate#features\n")]
    #[doc(alias = "csrf")]
    pub fn check_same_origin<'a, Values>(
        &self,
        method: &str,
        header: impl Fn(&str) -> Values,
    ) -> Result<(), Error>
    where
        Values: IntoIterator<Item = &'a [u8]>,
    {
        self.check_origin(method, |name| header(name).into_iter().next())
    }

    pub(crate) fn check_origin<'a>(
        &self,
        method: &str,
        header: impl Fn(&'static str) -> Option<&'a [u8]>,
    ) -> Result<(), Error> {
        if self.lifecycle().came_with_token() {
            return Ok(());
        }
        same_origin::check(self.manager().trusted_origins(), method, &header)
    }

    /// Refuses a request that a page of another origin caused, also of a trusted one.
    #[cfg(feature = "admin")]
    pub(crate) fn check_own_origin<'a>(
        method: &str,
        header: impl Fn(&'static str) -> Option<&'a [u8]>,
    ) -> Result<(), Error> {
        same_origin::check(&TrustedOrigins::default(), method, &header)
    }

    /// Lets this request create a session even if the request is cross-site and came without the
    /// session's cookie. See [`note_request`](Self::note_request). The adapters call this for
    /// routes whose layer allows it.
    ///
    /// The new session's cookie may replace a cookie that the browser has, and so sign the user
    /// out. Use this only for routes that visitors without a session reach from other sites, such
    /// as a form on a partner's site. For frames and images on other sites, use `SameSite=None`,
    /// because browsers keep no other cookie there.
    #[doc(alias = "csrf")]
    pub fn allow_cross_site(&self) {
        self.lifecycle().allow_cross_site();
    }

    /// Returns whether the request continued without its session, which may still exist. See
    /// [`allow_degraded`](Self::allow_degraded).
    pub fn is_degraded(&self) -> bool {
        self.lifecycle().is_degraded()
    }

    /// Returns the session of this manager, which this layer or an outer layer has opened.
    #[cfg(any(feature = "actix", feature = "tower"))]
    pub(crate) fn find(&self, manager: &Manager) -> Option<Self> {
        if self.manager().is_same(manager) {
            return Some(self.clone());
        }
        let request = self.outer.find(|request| request.manager.is_same(manager))?;
        Some(Self { request, outer: Outer::default() }.nested_in(self))
    }

    /// Adds the session that an outer layer has opened.
    #[cfg(any(feature = "actix", feature = "tower"))]
    pub(crate) fn nested_in(self, outer: &Self) -> Self {
        Self { request: self.request, outer: Outer::new(outer.request.link(), outer.outer.clone()) }
    }

    /// Returns a handle for a request's extensions, which does not count as a holder.
    #[cfg(any(feature = "actix", feature = "tower"))]
    pub(crate) fn dormant(&self) -> Self {
        Self { request: self.request.dormant(), outer: self.outer.clone() }
    }

    /// # Errors
    ///
    /// `is_headers_sent` if the response was sent as independent of the session.
    #[cfg(any(feature = "actix", feature = "tower"))]
    pub(crate) fn check_is_in_time(&self) -> Result<(), Error> {
        if self.lifecycle().is_too_late() { Err(Error::new(Kind::TooLate)) } else { Ok(()) }
    }

    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.request.is_same(&other.request)
    }

    pub(crate) fn id(&self) -> Option<SessionId> {
        self.accessed().session().map(|session| session.id)
    }

    pub(crate) fn lifetime(&self) -> Option<Lifetime> {
        self.accessed().session().map(|session| session.lifetime)
    }

    pub(crate) fn manager(&self) -> &Arc<Manager> {
        &self.request.manager
    }

    pub(super) fn end_wait(&self) -> &EndWaitSlot {
        &self.request.end_wait
    }

    /// Returns a link that does not keep the session's state alive.
    pub(super) fn link(&self) -> Link<Request> {
        self.request.link()
    }

    pub(super) fn follow(link: &Link<Request>) -> Option<Self> {
        Some(Self { request: link.follow()?, outer: Outer::default() })
    }

    pub(super) fn store(&self) -> &AnyStore {
        self.manager().store()
    }

    pub(super) fn origin(&self) -> Origin {
        self.request.origin
    }

    /// Returns whether a client is on the other side and gets the cookies.
    pub(super) fn has_client(&self) -> bool {
        self.origin() == Origin::Request
    }

    pub(super) fn age(&self) -> RequestAge {
        let (since_arrival, grace) = (self.request.arrival.elapsed(), self.manager().end_grace());
        RequestAge { since_arrival, grace, has_client: self.has_client() }
    }

    /// Resolves the request's cookies and returns the life cycle.
    #[inline]
    pub(super) fn accessed(&self) -> LifecycleGuard<'_> {
        let mut lifecycle = self.lifecycle();
        if lifecycle.is_accessed() {
            return lifecycle;
        }
        let mut events = EventQueue::default();
        if lifecycle.is_late() {
            events.push_late_access();
        }
        lifecycle.resolve_cookies(|| {
            let (manager, credentials) = (self.manager(), std::mem::take(&mut *self.credentials()));
            match &credentials {
                Credentials::Cookies(cookies) => {
                    let values: SmallVec<[&[u8]; 1]> =
                        cookies.values(manager.cookie_name()).collect();
                    cookies::resolve(manager, &values, &mut events)
                }
                Credentials::Token(token) => {
                    cookies::resolve_token(manager, token.as_deref(), &mut events)
                }
            }
        });
        lifecycle.append_events(events);
        lifecycle
    }

    #[inline]
    fn credentials(&self) -> MutexGuard<'_, Credentials> {
        self.request.credentials.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[inline]
    pub(super) fn lifecycle(&self) -> LifecycleGuard<'_> {
        LifecycleGuard::lock(&self.request.lifecycle)
    }
}

impl LastId for SessionHandle {
    fn last_id(&self) -> Option<SessionId> {
        self.lifecycle().last_id()
    }
}

impl fmt::Debug for SessionHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SessionHandle").field(&*self.lifecycle()).finish()
    }
}
