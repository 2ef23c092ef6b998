//! One request's session, shared by all that hold it: plans by the life cycle, carried out on the store.

use std::fmt;
use std::ops::{ControlFlow, Deref, DerefMut};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use smallvec::SmallVec;

use crate::clock::ClockMoment;
use crate::config::Lifetime;
use crate::error::{Error, Kind};
use crate::http::cookie_header::CookieHeaders;
use crate::http::fetch_metadata::{SEC_FETCH_SITE, leaves_cookie_out};
use crate::http::plain_http::came_by_plain_http;
use crate::http::response::SessionHeaders;
use crate::id::SessionId;
use crate::lifecycle::{
    Candidate, KnownFields, Lifecycle, MAX_CLOCK_SKEW, Next, PlannedDestruction, PlannedRead,
    PlannedRotation, PlannedWrite, RequestAge, ResolvedCookies, RotationReason, RotationStep,
    SessionMetadata, TOMBSTONE_FOR,
};
use crate::request::manager::Manager;
use crate::request::shared::{Link, Shared};
use crate::store::{
    Action, AnyStore, BoxFuture, Change, DestroyReason, Destruction, Lookup, Modified, Modify,
    PERMANENT_FIELD, Refresh, Rotation, StoreError, TombstoneKind, Write, WriteMode,
};
use crate::telemetry::{EventFlush, EventQueue, LastId, LifecycleEvent};

/// The most cookies of our name that verify and are asked for, one after another, before the request counts as having no session.
const MAX_CANDIDATES: usize = 4;

/// The most sessions that a request's cookies may name; of more, the youngest count. Browsers keep
/// fewer cookies of one site than twice this, and of one name very few.
const MAX_PRESENTED: usize = 100;

/// One for each session that the request's cookies name, in their order: one, most of the time.
type Candidates = SmallVec<[Candidate; 1]>;

/// One request's session, before a schema gives it types; cheap to clone.
///
/// The adapters put one into the extensions of every request. A server that has no adapter here gets one from [`Sessions::open`](crate::Sessions::open), and says
/// [`finish`](Self::finish) when it sends the response's head: [the guide](crate::guide::servers) has a whole program.
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
pub struct SessionHandle(
    Shared<Request>,
    #[cfg_attr(
        not(any(feature = "actix", feature = "tower")),
        allow(dead_code, reason = "adapters have layers")
    )]
    Around,
);

/// The sessions that layers further out have opened, of other managers.
type Around = Option<Arc<Outer>>;

/// A session that a layer further out has opened, of another manager.
#[cfg_attr(not(any(feature = "actix", feature = "tower")), allow(dead_code, reason = "adapters have layers"))]
struct Outer {
    /// Its layer holds it. Nothing can be asked of it by way of this link.
    request: Link<Request>,
    outer: Around,
}

struct Request {
    manager: Arc<Manager>,
    /// Taken by whoever asks for the session first.
    cookies: Mutex<CookieHeaders>,
    lifecycle: Mutex<Lifecycle>,
    origin: Origin,
    arrival: ClockMoment,
}

/// The part of a program that uses a session.
#[derive(Debug, Clone, Copy)]
enum Origin {
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
        let candidate = |id| Candidate { session: handle.manager().metadata(id), cookie_due: false };
        let resolved =
            handle.sorted_out(id.map(candidate).into_iter().collect(), false, &mut EventQueue::default());
        handle.lifecycle().resolve_cookies(|| resolved);
        handle
    }

    fn with_origin(manager: Arc<Manager>, cookies: CookieHeaders, origin: Origin) -> Self {
        let arrival = manager.moment();
        let (cookies, lifecycle) = (Mutex::new(cookies), Mutex::default());
        Self(Shared::new(Request { manager, cookies, lifecycle, origin, arrival }), None)
    }

    /// Ends what can change the session's cookie, and says what the response has to carry. To be called once, when the response's head is
    /// about to be sent.
    ///
    /// Afterwards, whatever would change the cookie (beginning a session, `rotate`, `renew`, `destroy`) is [`Error::is_headers_sent`]; reading and
    /// writing a live session goes on.
    ///
    /// If something else still holds this handle, or a [`Session`](struct@Session) of it, the body
    /// may depend on the session. Then the headers say `private`, also for a request that has not
    /// asked for its session yet. A first question after this is told to `tracing` as a warning.
    pub fn finish(&self) -> SessionHeaders {
        let is_held = self.0.holders() > 1;
        let mut lifecycle = self.lifecycle();
        if is_held {
            lifecycle.note_shared();
        }
        let outcome = lifecycle.send_headers();
        drop(lifecycle);
        self.manager().headers(&outcome)
    }

    /// Lets this request go on without its session if the store is unavailable: for pages that are worth showing to somebody unknown. To be
    /// called before anything of the session is read; the adapters do it for routes whose layer says so.
    ///
    /// Then reads give the defaults, [`Session::exists`](struct@crate::Session#method.exists) says no, and everything that would write is
    /// [`Error::is_unavailable`], to the request's end, also if the store comes back: what was made of defaults must not get into a session. The
    /// response is marked `no-store`, a warning is told to `tracing`, and [`is_without_session`](Self::is_without_session) says so. Whoever has
    /// seen a part of the session already gets the error: nothing is made of one half and the defaults of the other.
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
    /// handle.tolerate_unavailability();
    /// let name = handle.session::<Visitor>().name().await?; // "" while the store is away
    /// if handle.is_without_session() {
    ///     println!("a page without a name");
    /// }
    /// # let _ = name;
    /// # Ok::<(), session_runtime::Error>(())
    /// # }).unwrap();
    /// # }
    /// ```
    pub fn tolerate_unavailability(&self) {
        self.lifecycle().allow_degraded();
    }

    /// Tells of the request's method and headers, other than its cookies. To be called once, after
    /// [`Sessions::open`](crate::Sessions::open) and before the handler; the adapters do it by themselves. `header` gives
    /// the value of a header by its name in lower case.
    ///
    /// A request that another site caused (`Sec-Fetch-Site: cross-site`) may come without the
    /// session's cookie although the browser has it: always under
    /// [`SameSite::Strict`](crate::SameSite), and unless it opens a page by a link under `Lax`. A
    /// session that began then would take the place of the browser's own. So it does not begin: the
    /// write is [`Error::is_cross_site`]. See [`allow_cross_site`](Self::allow_cross_site) and [the
    /// guide](crate::guide::cross_site).
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
    pub fn note_request<'a>(&self, method: &str, header: impl Fn(&'static str) -> Option<&'a [u8]>) {
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

    /// Whether the request went on without its session, which may be there: see [`tolerate_unavailability`](Self::tolerate_unavailability).
    pub fn is_without_session(&self) -> bool {
        self.lifecycle().is_degraded()
    }

    /// This session, or one that a layer further out has opened: the one of this manager.
    #[cfg(any(feature = "actix", feature = "tower"))]
    pub(crate) fn find(&self, manager: &Manager) -> Option<Self> {
        if self.manager().is_same(manager) {
            return Some(self.clone());
        }
        let links = std::iter::successors(self.1.as_deref(), |link| link.outer.as_deref());
        let mut requests = links.filter_map(|link| link.request.follow());
        let request = requests.find(|request| request.manager.is_same(manager))?;
        Some(Self(request, None).nested_in(self))
    }

    /// The same, knowing the session that a layer further out has opened.
    #[cfg(any(feature = "actix", feature = "tower"))]
    pub(crate) fn nested_in(self, outer: &Self) -> Self {
        let link = Outer { request: outer.0.link(), outer: outer.1.clone() };
        Self(self.0, Some(Arc::new(link)))
    }

    /// The same for a request's extensions, where it only waits for somebody to take it.
    #[cfg(any(feature = "actix", feature = "tower"))]
    pub(crate) fn dormant(&self) -> Self {
        Self(self.0.dormant(), self.1.clone())
    }

    /// # Errors
    ///
    /// `is_headers_sent` if the response was sent as one that does not depend on the session.
    #[cfg(any(feature = "actix", feature = "tower"))]
    pub(crate) fn check_is_in_time(&self) -> Result<(), Error> {
        if self.lifecycle().is_too_late() { Err(Error::new(Kind::TooLate)) } else { Ok(()) }
    }

    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.0.is_same(&other.0)
    }

    pub(crate) fn manager(&self) -> &Arc<Manager> {
        &self.0.manager
    }

    pub(crate) fn id(&self) -> Option<SessionId> {
        self.accessed().session().map(|session| session.id)
    }

    pub(crate) fn lifetime(&self) -> Option<Lifetime> {
        self.accessed().session().map(|session| session.lifetime)
    }

    // One loop five times: written once, over an async closure, rustc 1.95 cannot show that its future is `Send`.

    pub(crate) async fn get(&self, field: &'static str) -> Result<Option<Bytes>, Error> {
        while let Some(read) = self.plan_read() {
            let reply = self.store().get(&read.session.key, field, self.refresh(&read)).await;
            let Some(reply) = self.served(reply)? else { break };
            let record =
                |value: &Option<Bytes>, known: &mut KnownFields| known.record(field, value.is_some());
            match self.report_read(&read, reply, record) {
                ControlFlow::Break(answer) => return Ok(answer.flatten()),
                ControlFlow::Continue(dead) => self.examine(dead).await?,
            }
        }
        Ok(None)
    }

    pub(crate) async fn get_many(&self, fields: &[&'static str]) -> Result<Vec<Option<Bytes>>, Error> {
        while let Some(read) = self.plan_read() {
            let reply = self.store().get_many(&read.session.key, fields, self.refresh(&read)).await;
            let Some(reply) = self.served(reply)? else { break };
            let record = |values: &Vec<Option<Bytes>>, known: &mut KnownFields| {
                fields.iter().zip(values).for_each(|(field, value)| known.record(field, value.is_some()));
            };
            match self.report_read(&read, reply, record) {
                ControlFlow::Break(answer) => return Ok(answer.unwrap_or_else(|| vec![None; fields.len()])),
                ControlFlow::Continue(dead) => self.examine(dead).await?,
            }
        }
        Ok(vec![None; fields.len()])
    }

    pub(crate) async fn contains(&self, field: &str) -> Result<bool, Error> {
        while let Some(read) = self.plan_read() {
            let reply = self.store().contains(&read.session.key, field, self.refresh(&read)).await;
            let Some(reply) = self.served(reply)? else { break };
            match self.report_read(&read, reply, record_nothing) {
                ControlFlow::Break(answer) => return Ok(answer.unwrap_or(false)),
                ControlFlow::Continue(dead) => self.examine(dead).await?,
            }
        }
        Ok(false)
    }

    pub(crate) async fn exists(&self) -> Result<bool, Error> {
        while let Some(read) = self.plan_read() {
            let key = &read.session.key;
            let reply = match self.refresh(&read) {
                // Without a refresh, a key that is missing would look like one that lacks the field.
                Refresh::No => self.store().time_left(key).await.map(|left| left.map(|_| ())),
                refresh => {
                    self.store().contains(key, PERMANENT_FIELD, refresh).await.map(|found| found.map(|_| ()))
                }
            };
            let Some(reply) = self.served(reply)? else { break };
            match self.report_read(&read, reply, record_nothing) {
                ControlFlow::Break(answer) => return Ok(answer.is_some()),
                ControlFlow::Continue(dead) => self.examine(dead).await?,
            }
        }
        Ok(false)
    }

    /// Of a key without an expiry, which another program began, the time to the absolute deadline.
    pub(crate) async fn expires_in(&self) -> Result<Option<Duration>, Error> {
        while let Some(read) = self.plan_read() {
            let reply = self.store().time_left(&read.session.key).await;
            let Some(reply) = self.served(reply)? else { break };
            match self.report_reading(&read, false, reply, record_nothing) {
                ControlFlow::Break(left) => {
                    let most = read.session.deadline_in(self.manager().now()).unwrap_or_default();
                    return Ok(left.map(|left| left.min(most)));
                }
                ControlFlow::Continue(dead) => self.examine(dead).await?,
            }
        }
        self.check_undisputed().await.map(|()| None)
    }

    /// # Errors
    ///
    /// `is_config` if the store has a session that this process holds to be over, and not only by the delays and the clocks' differences
    /// that are tolerated. A client is told of no session: for it there is none.
    async fn check_undisputed(&self) -> Result<(), Error> {
        let (now, unusable) = (self.manager().now(), self.lifecycle().unusable().to_vec());
        for session in unusable {
            if self.has_client() || session.is_plausible(now) {
                continue;
            }
            match self.store().time_left(&session.key).await? {
                Lookup::Found(left) if left > MAX_CLOCK_SKEW => return Err(Error::new(Kind::Disputed)),
                _ => {}
            }
        }
        Ok(())
    }

    /// Says how many of the fields that the changes remove were there.
    pub(crate) async fn write(&self, changes: &[Change<'static>]) -> Result<u64, Error> {
        self.manager().size_limits().check_changes(changes)?;
        if changes.is_empty() {
            return Ok(0);
        }
        let ttl = changes.iter().find_map(ttl_of);
        let only_removes = changes.iter().all(|change| matches!(change, Change::Remove { .. }));
        while let Some((plan, overwrites)) = self.plan_changes(changes, only_removes)? {
            let write = Write { mode: plan.mode, changes, expires_in: plan.expires_in };
            let written = self.store().write(&plan.session.key, write, overwrites).await;
            let reply = written.map_err(|error| self.failed(error, ttl))?;
            let record = |_: &u64, known: &mut KnownFields| known.record_changes(changes);
            match self.report_write(&plan, reply, record)? {
                ControlFlow::Break(removed) => return Ok(removed.unwrap_or(0)),
                ControlFlow::Continue(dead) => self.examine(dead).await?,
            }
        }
        Ok(0)
    }

    /// `None`: there is no session, and the action begins none.
    pub(crate) async fn modify(
        &self,
        field: &'static str,
        alias: Option<&'static str>,
        ttl: Option<Duration>,
        action: Action,
    ) -> Result<Option<Modified>, Error> {
        self.manager().size_limits().check_action(field, &action)?;
        while let Some(plan) = self.plan_write(!begins_a_session(&action))? {
            let (mode, expires_in) = (plan.mode, plan.expires_in);
            let modify = Modify { mode, field, alias, action: action.clone(), ttl, expires_in };
            let modified = self.store().modify(&plan.session.key, modify).await;
            let reply = modified.map_err(|error| self.failed(error, ttl))?;
            let record = |modified: &Modified, known: &mut KnownFields| {
                known.record_action(field, ttl, &action, modified);
            };
            match self.report_write(&plan, reply, record)? {
                ControlFlow::Break(None) if mode == WriteMode::Create => return Ok(unbegun(&action)),
                ControlFlow::Break(modified) => return Ok(modified),
                ControlFlow::Continue(dead) => self.examine(dead).await?,
            }
        }
        Ok(without_a_session(&action))
    }

    /// Whether the field is there, which expires `ttl` from now then.
    pub(crate) async fn expire_field(&self, field: &str, ttl: Duration) -> Result<bool, Error> {
        while let Some(plan) = self.plan_write(true)? {
            let (key, expires_in) = (&plan.session.key, plan.expires_in);
            let expired = self.store().expire_field(key, field, ttl, expires_in).await;
            let reply = expired.map_err(|error| self.failed(error, Some(ttl)))?;
            match self.report_write(&plan, reply, record_nothing)? {
                ControlFlow::Break(is_there) => return Ok(is_there.unwrap_or(false)),
                ControlFlow::Continue(dead) => self.examine(dead).await?,
            }
        }
        Ok(false)
    }

    pub(crate) async fn field_expires_in(&self, field: &str) -> Result<Option<Duration>, Error> {
        while let Some(read) = self.plan_read() {
            let reply = self.store().field_time_left(&read.session.key, field).await;
            let Some(reply) = self.served(reply)? else { break };
            match self.report_reading(&read, false, reply, record_nothing) {
                ControlFlow::Break(left) => return Ok(left.flatten()),
                ControlFlow::Continue(dead) => self.examine(dead).await?,
            }
        }
        Ok(None)
    }

    /// Begins the session if there is none, and writes nothing else.
    pub(crate) async fn begin(&self) -> Result<(), Error> {
        while let Some(plan) = self.plan_write(false)? {
            let write = Write { mode: plan.mode, changes: &[], expires_in: plan.expires_in };
            let reply = self.store().write(&plan.session.key, write, false).await?;
            match self.report_write(&plan, reply, record_nothing)? {
                ControlFlow::Break(_) => return Ok(()),
                ControlFlow::Continue(dead) => self.examine(dead).await?,
            }
        }
        Ok(())
    }

    pub(crate) async fn change_id(&self, reason: RotationReason) -> Result<(), Error> {
        loop {
            match self.plan_rotation(reason)? {
                RotationStep::Nothing => return Ok(()),
                RotationStep::ReadTombstone(session) => self.examine(Some(session)).await?,
                RotationStep::Destroy(_) if reason == RotationReason::Rotate && !self.has_client() => {
                    return self.check_undisputed().await;
                }
                RotationStep::Destroy(session) => {
                    let ended = self.store().destroy(&session.key, self.destruction()).await?;
                    self.lifecycle().unusable_destroyed(&session.id, ended);
                }
                RotationStep::Rotate(planned) => {
                    if self.carry_out_rotation(&planned).await? == Next::Done {
                        return Ok(());
                    }
                }
            }
        }
    }

    async fn carry_out_rotation(&self, planned: &PlannedRotation) -> Result<Next, Error> {
        let Some(expires_in) = planned.to.expires_in(self.manager().now()) else {
            return Err(Error::new(Kind::Expired));
        };
        let rotation = Rotation {
            successor_key: &planned.to.key,
            successor: &planned.to.id,
            expires_in,
            tombstone_for: TOMBSTONE_FOR,
            renews: planned.renews(),
        };
        let reply = self.store().rotate(&planned.from.key, rotation).await;
        match reply.inspect_err(|error| self.note_refusal(error, &planned.from))? {
            Lookup::Found(()) => self.lifecycle().rotated(planned).map(|()| Next::Done),
            Lookup::Missing => Ok(self.lifecycle().not_rotated(planned)),
            Lookup::Dead => {
                let dead = self.lifecycle().rotation_lost(planned);
                self.examine(dead).await?;
                Ok(Next::Replan)
            }
        }
    }

    pub(crate) async fn destroy(&self) -> Result<(), Error> {
        let destroyed = self.destroy_all().await;
        self.lifecycle().destruction_finished();
        destroyed
    }

    /// Ends what can be ended, and gives the first error.
    async fn destroy_all(&self) -> Result<(), Error> {
        let mut destroyed = Ok(());
        while let Some(plan) = self.plan_destroy()? {
            match self.store().destroy(&plan.session.key, self.destruction()).await {
                Ok(found) => {
                    let follow = |kind| self.followed(kind);
                    if self.lifecycle().destroyed(&plan, found, follow) == Next::Done {
                        break;
                    }
                }
                Err(error) => {
                    self.note_refusal(&error, &plan.session);
                    let goes_on = self.lifecycle().not_destroyed(&plan.session.id);
                    destroyed = destroyed.and(Err(error.into()));
                    if !goes_on {
                        break;
                    }
                }
            }
        }
        destroyed
    }

    /// Returns whether a client is on the other side, which gets the cookies.
    fn has_client(&self) -> bool {
        matches!(self.0.origin, Origin::Request)
    }

    fn destruction(&self) -> Destruction {
        let reason = match self.0.origin {
            Origin::Request => DestroyReason::LoggedOut,
            Origin::Application => DestroyReason::EndedElsewhere,
        };
        Destruction { reason, tombstone_for: TOMBSTONE_FOR }
    }

    /// The session that a destruction ends in place of one that was moved. A client that knows an id from before a login must not end
    /// the session after it.
    fn followed(&self, kind: TombstoneKind) -> Option<SessionMetadata> {
        match (kind, self.0.origin) {
            (TombstoneKind::Rotated(successor), _)
            | (TombstoneKind::Renewed(successor), Origin::Application) => {
                Some(self.manager().metadata(successor))
            }
            (TombstoneKind::Renewed(_), Origin::Request) | (TombstoneKind::Destroyed(_), _) => None,
        }
    }

    /// Reads the tombstone of a session, if one is given: it decides how the request goes on. Boxed, since most requests never need
    /// it.
    fn examine(&self, dead: Option<SessionMetadata>) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(async move {
            let Some(session) = dead else { return Ok(()) };
            let reply = self.store().tombstone(&session.key).await;
            let Some(tombstone) = self.served(reply)? else { return Ok(()) };
            let age = self.age();
            self.lifecycle().tombstone_read(&session.id, tombstone, age);
            Ok(())
        })
    }

    fn age(&self) -> RequestAge {
        let (since_arrival, grace) = (self.0.arrival.elapsed(), self.manager().end_grace());
        RequestAge { since_arrival, grace, has_client: self.has_client() }
    }

    fn plan_read(&self) -> Option<PlannedRead> {
        self.accessed().plan_read(self.manager().now())
    }

    fn plan_write(&self, only_removes: bool) -> Result<Option<PlannedWrite>, Error> {
        self.plan_write_in(&mut self.accessed(), only_removes)
    }

    /// And whether it gives new values to fields that the request has seen, and does nothing else.
    fn plan_changes(
        &self,
        changes: &[Change<'_>],
        only_removes: bool,
    ) -> Result<Option<(PlannedWrite, bool)>, Error> {
        let mut lifecycle = self.accessed();
        let Some(plan) = self.plan_write_in(&mut lifecycle, only_removes)? else { return Ok(None) };
        let overwrites =
            lifecycle.known_fields(&plan.session.id).is_some_and(|known| known.contains_all(changes));
        Ok(Some((plan, overwrites)))
    }

    fn plan_write_in(
        &self,
        lifecycle: &mut Lifecycle,
        only_removes: bool,
    ) -> Result<Option<PlannedWrite>, Error> {
        let manager = self.manager();
        let now = manager.now();
        lifecycle.plan_write(now, only_removes, |class| manager.generate(class, now))
    }

    fn plan_rotation(&self, reason: RotationReason) -> Result<RotationStep, Error> {
        let manager = self.manager();
        let now = manager.now();
        self.accessed()
            .plan_rotation(now, reason, self.age(), |from| manager.generate_successor(from, reason, now))
    }

    fn plan_destroy(&self) -> Result<Option<PlannedDestruction>, Error> {
        self.accessed().plan_destroy(self.manager().now())
    }

    /// `None`: the store cannot be asked, and the request goes on without its session.
    fn served<T>(&self, reply: Result<T, StoreError>) -> Result<Option<T>, Error> {
        match reply {
            Ok(reply) => Ok(Some(reply)),
            Err(error) if error.is_unavailable() && self.lifecycle().degrade() => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "a request goes on without its session");
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }

    fn refresh(&self, read: &PlannedRead) -> Refresh {
        read.refresh.map_or(Refresh::No, |expires_in| self.manager().refresh(expires_in))
    }

    /// `Break` with what was found, or with nothing if there is nothing to find. `Continue` if another plan is needed, once the
    /// tombstone was [examined](Self::examine) of the session that comes with it.
    fn report<T>(
        &self,
        session: &SessionMetadata,
        resolves_pending: bool,
        refreshed: bool,
        reply: Lookup<T>,
        record: impl FnOnce(&T, &mut KnownFields),
    ) -> ControlFlow<Option<T>, Option<SessionMetadata>> {
        let mut lifecycle = self.lifecycle();
        match reply {
            Lookup::Found(answer) => {
                lifecycle.found(&session.id, refreshed);
                if self.store().may_overwrite()
                    && let Some(known) = lifecycle.known_fields(&session.id)
                {
                    record(&answer, known);
                }
                ControlFlow::Break(Some(answer))
            }
            Lookup::Missing => match lifecycle.missing(&session.id, resolves_pending) {
                Next::Done => ControlFlow::Break(None),
                Next::Replan => ControlFlow::Continue(None),
            },
            Lookup::Dead => ControlFlow::Continue(lifecycle.dead(&session.id)),
        }
    }

    fn report_read<T>(
        &self,
        read: &PlannedRead,
        reply: Lookup<T>,
        record: impl FnOnce(&T, &mut KnownFields),
    ) -> ControlFlow<Option<T>, Option<SessionMetadata>> {
        self.report_reading(read, read.refresh.is_some(), reply, record)
    }

    fn report_reading<T>(
        &self,
        read: &PlannedRead,
        refreshed: bool,
        reply: Lookup<T>,
        record: impl FnOnce(&T, &mut KnownFields),
    ) -> ControlFlow<Option<T>, Option<SessionMetadata>> {
        if self.is_without_session() {
            // Another read of the request was answered with a default meanwhile: this one must not tell of the session.
            return ControlFlow::Break(None);
        }
        self.report(&read.session, read.resolves_pending, refreshed, reply, record)
    }

    fn report_write<T>(
        &self,
        plan: &PlannedWrite,
        reply: Lookup<T>,
        record: impl FnOnce(&T, &mut KnownFields),
    ) -> Result<ControlFlow<Option<T>, Option<SessionMetadata>>, Error> {
        let creates = plan.mode == WriteMode::Create;
        if creates
            && matches!(reply, Lookup::Found(_))
            && self.lifecycle().created(&plan.session.id)? == Next::Replan
        {
            return Ok(ControlFlow::Continue(None));
        }
        // Where a creation began nothing, another one may have happened since.
        Ok(self.report(&plan.session, plan.resolves_pending || creates, true, reply, record))
    }

    fn note_refusal(&self, error: &StoreError, session: &SessionMetadata) {
        if !error.is_outcome_unknown() {
            self.lifecycle().refused(&session.id);
        }
    }

    /// What became of a write that would have given a field an expiry of its own.
    fn failed(&self, error: StoreError, ttl: Option<Duration>) -> Error {
        if ttl.is_some() && error.is_refused() && !self.store().supports_field_expiry() {
            return Error::new(Kind::NoFieldExpiry(error));
        }
        error.into()
    }

    fn store(&self) -> &AnyStore {
        self.manager().store()
    }

    /// The life cycle, with the request's cookies looked at.
    fn accessed(&self) -> Held<'_> {
        let (mut lifecycle, mut events) = (self.lifecycle(), EventQueue::default());
        if lifecycle.is_late() {
            events.push_late_access();
        }
        lifecycle.resolve_cookies(|| {
            let cookies = std::mem::take(&mut *self.0.cookies.lock().unwrap_or_else(PoisonError::into_inner));
            let values: SmallVec<[&[u8]; 1]> = cookies.values(self.manager().cookie_name()).collect();
            self.resolved(&values, &mut events)
        });
        lifecycle.append_events(events);
        lifecycle
    }

    fn lifecycle(&self) -> Held<'_> {
        let lifecycle = self.0.lifecycle.lock().unwrap_or_else(PoisonError::into_inner);
        Held { lifecycle, flush: None }
    }

    fn resolved(&self, values: &[&[u8]], events: &mut EventQueue) -> ResolvedCookies<Candidates> {
        let read = self.verified(values, |manager, value| manager.candidate(value, events));
        let resolved = self.sorted_out(read, !values.is_empty(), events);
        #[cfg(feature = "redis-session-compat")]
        if resolved.candidates.is_empty() {
            let read = self.verified(values, |manager, value| manager.forgeable_candidate(value));
            let mut forgeable = self.sorted_out(read, !values.is_empty(), events);
            forgeable.unusable.extend(resolved.unusable);
            return forgeable;
        }
        resolved
    }

    /// One candidate for each session.
    fn verified(
        &self,
        values: &[&[u8]],
        mut read: impl FnMut(&Manager, &[u8]) -> Option<Candidate>,
    ) -> Candidates {
        let mut candidates = Candidates::new();
        for candidate in values.iter().filter_map(|value| read(self.manager(), value)) {
            match candidates.iter_mut().find(|other| other.session.id == candidate.session.id) {
                Some(same) => same.merge(candidate),
                None => candidates.push(candidate),
            }
            if candidates.len() > MAX_PRESENTED {
                remove_oldest(&mut candidates);
            }
        }
        candidates
    }

    /// Leaves the sessions to try: those that can be alive, and of many the youngest, so that cookies that somebody planted do not
    /// stand before the one of a login.
    fn sorted_out(
        &self,
        mut read: Candidates,
        has_cookie: bool,
        events: &mut EventQueue,
    ) -> ResolvedCookies<Candidates> {
        let (now, mut unusable) = (self.manager().now(), Vec::new());
        read.retain(|candidate| {
            let is_plausible = candidate.session.is_plausible(now);
            if !is_plausible {
                if unusable.len() < MAX_CANDIDATES {
                    events.push(LifecycleEvent::Expired, Some(&candidate.session.id));
                }
                unusable.push(candidate.session.clone());
            }
            is_plausible
        });
        while read.len() > MAX_CANDIDATES {
            unusable.push(remove_oldest(&mut read).session);
        }
        ResolvedCookies { has_cookie, candidates: read, unusable }
    }
}

/// The life cycle, for as long as nobody else may have it. Its events are reported when it is free again.
struct Held<'a> {
    lifecycle: MutexGuard<'a, Lifecycle>,
    // Fields are dropped in order: the events are reported after the lock is free.
    flush: Option<EventFlush>,
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.flush = self.lifecycle.take_events();
    }
}

impl Deref for Held<'_> {
    type Target = Lifecycle;

    fn deref(&self) -> &Lifecycle {
        &self.lifecycle
    }
}

impl DerefMut for Held<'_> {
    fn deref_mut(&mut self) -> &mut Lifecycle {
        &mut self.lifecycle
    }
}

fn remove_oldest(candidates: &mut Candidates) -> Candidate {
    let times = candidates.iter().map(|candidate| candidate.session.created_at).enumerate();
    let oldest = times.min_by_key(|(_, created_at)| *created_at).map_or(0, |(at, _)| at);
    candidates.remove(oldest)
}

/// What tells nothing of fields.
fn record_nothing<T>(_: &T, _: &mut KnownFields) {}

fn ttl_of(change: &Change<'_>) -> Option<Duration> {
    match change {
        Change::Set { ttl, .. } => *ttl,
        Change::Remove { .. } => None,
    }
}

/// What only removes, or would compare and fail, begins nothing.
fn begins_a_session(action: &Action) -> bool {
    match action {
        Action::Replace(value) => value.is_some(),
        Action::CompareAndSet { or_missing, value, .. } => *or_missing && value.is_some(),
        Action::GetOrSet(_) | Action::AddInteger { .. } | Action::AddFloat { .. } => true,
    }
}

fn without_a_session(action: &Action) -> Option<Modified> {
    match action {
        Action::CompareAndSet { or_missing, .. } => Some(Modified::Swapped(*or_missing)),
        _ => None,
    }
}

/// What an action came to that could have begun a session, and did not: it has failed on nothing.
fn unbegun(action: &Action) -> Option<Modified> {
    match action {
        Action::CompareAndSet { .. } => Some(Modified::Swapped(false)),
        Action::AddInteger { .. } | Action::AddFloat { .. } => Some(Modified::OutOfRange),
        Action::Replace(_) | Action::GetOrSet(_) => None,
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
