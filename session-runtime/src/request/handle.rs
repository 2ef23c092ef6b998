//! The handle on one request's session, shared by all that hold it.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use smallvec::SmallVec;

use super::cookies;
use super::lifecycle_guard::LifecycleGuard;
use super::manager::Manager;
use super::outer::Outer;
use super::shared::Shared;
use crate::clock::ClockMoment;
use crate::config::Lifetime;
#[cfg(any(feature = "actix", feature = "tower"))]
use crate::error::{Error, Kind};
use crate::http::cookie_header::CookieHeaders;
use crate::http::fetch_metadata::{SEC_FETCH_SITE, leaves_cookie_out};
use crate::http::plain_http::came_by_plain_http;
use crate::http::response::SessionHeaders;
use crate::id::SessionId;
use crate::lifecycle::{Candidate, Lifecycle, RequestAge};
use crate::store::AnyStore;
use crate::telemetry::{EventQueue, LastId};

/// One request's session, before a schema gives it types; cheap to clone.
///
/// The adapters put one into the extensions of every request. A server that has no adapter here
/// gets one from [`Sessions::open`](crate::Sessions::open), and says [`finish`](Self::finish) when
/// it sends the response's head: [the guide](crate::guide::frameworks) has a whole program.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "derive")] {
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
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
/// # Ok::<(), session_runtime::Error>(())
/// # }).unwrap();
/// # }
/// ```
#[derive(Clone)]
pub struct SessionHandle {
    request: Shared<Request>,
    /// The sessions that layers further out have opened, of other managers.
    #[cfg_attr(
        not(any(feature = "actix", feature = "tower")),
        allow(dead_code, reason = "adapters have layers")
    )]
    outer: Outer<Request>,
}

pub(super) struct Request {
    manager: Arc<Manager>,
    /// Taken by the first access to the session.
    cookies: Mutex<CookieHeaders>,
    lifecycle: Mutex<Lifecycle>,
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
    pub(crate) fn new(manager: Arc<Manager>, cookies: CookieHeaders) -> Self {
        Self::with_origin(manager, cookies, Origin::Request)
    }

    /// A session outside a request: one that has this id, or a new one.
    pub(crate) fn outside(manager: Arc<Manager>, id: Option<SessionId>) -> Self {
        let handle = Self::with_origin(manager, CookieHeaders::default(), Origin::Application);
        let manager = handle.manager();
        let candidate = |id| Candidate { session: manager.metadata(id), cookie_due: false };
        let candidates = id.map(candidate).into_iter().collect();
        let resolved = cookies::select(manager, candidates, false, &mut EventQueue::default());
        handle.lifecycle().resolve_cookies(|| resolved);
        handle
    }

    fn with_origin(manager: Arc<Manager>, cookies: CookieHeaders, origin: Origin) -> Self {
        let arrival = manager.moment();
        let (cookies, lifecycle) = (Mutex::new(cookies), Mutex::default());
        let request = Shared::new(Request { manager, cookies, lifecycle, origin, arrival });
        Self { request, outer: Outer::default() }
    }

    /// Ends what can change the session's cookie, and says what the response has to carry. To be
    /// called once, when the response's head is about to be sent.
    ///
    /// Afterwards, whatever would change the cookie (beginning a session, `rotate`, `renew`,
    /// `destroy`) is [`Error::is_headers_sent`](crate::Error::is_headers_sent); reading and
    /// writing a live session goes on.
    ///
    /// If something else still holds this handle, or a [`Session`](struct@crate::Session) of it,
    /// the body may depend on the session. Then the headers say `private`, also for a request
    /// that has not asked for its session yet. A first question after this is told to `tracing`
    /// as a warning.
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

    /// Lets this request go on without its session if the store is unavailable: for pages that are
    /// worth showing to somebody unknown. To be called before anything of the session is read;
    /// the adapters do it for routes whose layer says so.
    ///
    /// Then reads give the defaults, [`Session::exists`](struct@crate::Session#method.exists) says
    /// no, and everything that would write is
    /// [`Error::is_unavailable`](crate::Error::is_unavailable), to the request's end, also if the
    /// store comes back: what was made of defaults must not get into a session. The response is
    /// marked `no-store`, a warning is told to `tracing`, and [`is_degraded`](Self::is_degraded)
    /// says so. Whoever has seen a part of the session already gets the error: nothing is made of
    /// one half and the defaults of the other.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "derive")] {
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// # use session_runtime::{Session, SessionConfig, Sessions};
    /// # #[derive(Session)]
    /// # struct Visitor { name: String }
    /// # let sessions = Sessions::new(SessionConfig::new().store("memory:")).await?;
    /// let handle = sessions.open([b"theme=dark".as_slice()]);
    /// handle.allow_degraded();
    /// let name = handle.session::<Visitor>().name().await?; // "" while the store is away
    /// if handle.is_degraded() {
    ///     println!("a page without a name");
    /// }
    /// # let _ = name;
    /// # Ok::<(), session_runtime::Error>(())
    /// # }).unwrap();
    /// # }
    /// ```
    pub fn allow_degraded(&self) {
        self.lifecycle().allow_degraded();
    }

    /// Tells of the request's method and headers, other than its cookies. To be called once, after
    /// [`Sessions::open`](crate::Sessions::open) and before the handler; the adapters do it by
    /// themselves. `header` gives the value of a header by its name in lower case.
    ///
    /// A request that another site caused (`Sec-Fetch-Site: cross-site`) may come without the
    /// session's cookie although the browser has it: always under
    /// [`SameSite::Strict`](crate::SameSite), and unless it opens a page by a link under `Lax`. A
    /// session that began then would take the place of the browser's own. So it does not begin: the
    /// write is [`Error::is_cross_site`](crate::Error::is_cross_site). See
    /// [`allow_cross_site`](Self::allow_cross_site) and [the guide](crate::guide::cross_site).
    ///
    /// A response that sets a cookie with `Secure` to a request by plain http is told to `tracing`
    /// as a warning, once: browsers do not keep it. The scheme is that of `X-Forwarded-Proto` or
    /// `Forwarded`, else of an `Origin` or `Referer` on the same host.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "derive")] {
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// # use session_runtime::{Session, SessionConfig, Sessions};
    /// # #[derive(Session)]
    /// # struct Visitor { count: u64 }
    /// # let sessions = Sessions::new(SessionConfig::new().store("memory:")).await?;
    /// let headers = [("sec-fetch-site", b"cross-site".as_slice())];
    /// let handle = sessions.open([]);
    /// handle.note_request("POST", |name| headers.iter().find(|(known, _)| *known == name).map(|(_, value)| *value));
    /// let begun = handle.session::<Visitor>().set_count(1).await;
    /// assert!(begun.is_err_and(|error| error.is_cross_site()));
    /// # Ok::<(), session_runtime::Error>(())
    /// # }).unwrap();
    /// # }
    /// ```
    pub fn note_request<'a>(
        &self,
        method: &str,
        header: impl Fn(&'static str) -> Option<&'a [u8]>,
    ) {
        let manager = self.manager();
        // Browsers tell it over https and to this machine alone.
        if header(SEC_FETCH_SITE).is_some() {
            if leaves_cookie_out(manager.same_site(), method, header) {
                self.lifecycle().note_cookie_withheld();
            }
        } else if manager.searches_plain_http() && came_by_plain_http(header) {
            self.lifecycle().note_plain_http();
        }
    }

    /// Lets this request begin a session even if another site caused it and it came without the
    /// session's cookie: see [`note_request`](Self::note_request). The adapters do it for routes
    /// whose layer says so.
    ///
    /// The new session's cookie takes the place of the one that the browser may have: whoever was
    /// signed in is not any more. So it is for routes that visitors without a session come to from
    /// other sites, such as a form that a partner's site posts. For frames and images on other
    /// sites use `SameSite=None`: browsers keep no other cookie there.
    pub fn allow_cross_site(&self) {
        self.lifecycle().allow_cross_site();
    }

    /// Whether the request went on without its session, which may be there: see
    /// [`allow_degraded`](Self::allow_degraded).
    pub fn is_degraded(&self) -> bool {
        self.lifecycle().is_degraded()
    }

    /// This session, or one that a layer further out has opened: the one of this manager.
    #[cfg(any(feature = "actix", feature = "tower"))]
    pub(crate) fn find(&self, manager: &Manager) -> Option<Self> {
        if self.manager().is_same(manager) {
            return Some(self.clone());
        }
        let request = self.outer.find(|request| request.manager.is_same(manager))?;
        Some(Self { request, outer: Outer::default() }.nested_in(self))
    }

    /// The same, knowing the session that a layer further out has opened.
    #[cfg(any(feature = "actix", feature = "tower"))]
    pub(crate) fn nested_in(self, outer: &Self) -> Self {
        Self { request: self.request, outer: Outer::new(outer.request.link(), outer.outer.clone()) }
    }

    /// The same for a request's extensions, where it only waits for an access.
    #[cfg(any(feature = "actix", feature = "tower"))]
    pub(crate) fn dormant(&self) -> Self {
        Self { request: self.request.dormant(), outer: self.outer.clone() }
    }

    /// # Errors
    ///
    /// `is_headers_sent` if the response was sent as one that does not depend on the session.
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

    pub(super) fn store(&self) -> &AnyStore {
        self.manager().store()
    }

    pub(super) fn origin(&self) -> Origin {
        self.request.origin
    }

    /// Returns whether a client is on the other side, which gets the cookies.
    pub(super) fn has_client(&self) -> bool {
        self.origin() == Origin::Request
    }

    pub(super) fn age(&self) -> RequestAge {
        let (since_arrival, grace) = (self.request.arrival.elapsed(), self.manager().end_grace());
        RequestAge { since_arrival, grace, has_client: self.has_client() }
    }

    /// The life cycle, with the request's cookies resolved.
    pub(super) fn accessed(&self) -> LifecycleGuard<'_> {
        let (mut lifecycle, mut events) = (self.lifecycle(), EventQueue::default());
        if lifecycle.is_late() {
            events.push_late_access();
        }
        lifecycle.resolve_cookies(|| {
            let cookies = self.request.cookies.lock();
            let cookies = std::mem::take(&mut *cookies.unwrap_or_else(PoisonError::into_inner));
            let manager = self.manager();
            let values: SmallVec<[&[u8]; 1]> = cookies.values(manager.cookie_name()).collect();
            cookies::resolve(manager, &values, &mut events)
        });
        lifecycle.append_events(events);
        lifecycle
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
