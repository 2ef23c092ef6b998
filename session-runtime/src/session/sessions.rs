//! The application's session manager.

use std::any::type_name;
use std::fmt;
use std::sync::Arc;
#[cfg(feature = "redis")]
use std::sync::Weak;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use crate::clock::{Clock, ClockMoment};
use crate::config::{Lifetime, Lifetimes, SameSite, Secret, SessionConfig, Settings, StoreUrl};
use crate::error::{Error, Kind};
use crate::http::cookie_header::CookieHeaders;
use crate::http::cookie_value::Verified;
use crate::http::formats::CookieFormats;
use crate::http::response::SessionHeaders;
use crate::http::set_cookie::CookieTemplate;
use crate::id::SessionId;
use crate::lifecycle::metadata::Subject;
use crate::lifecycle::{Candidate, Outcome, Reason};
use crate::operation::Operation;
#[cfg(feature = "redis")]
use crate::request::contention::Turns;
use crate::request::handle::SessionHandle;
use crate::session::Session;
use crate::session::peek;
use crate::session::schema::Schema;
use crate::session::skew::Skew;
#[cfg(feature = "redis")]
use crate::store::RedisStore;
use crate::store::{Action, AnyStore, Change, ConnectionState, MemoryStore, Refresh, SessionStore};
use crate::telemetry::{self, EventQueue, LifecycleEvent, OperationName, OperationSpan};

/// The application's session manager: the store, the configuration and the keys. Built once when the application starts; cheap to clone.
///
/// # Examples
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// use session_runtime::{SessionConfig, Sessions};
///
/// let config = SessionConfig::new().store("memory:");
/// let sessions = Sessions::new(config).await?;
/// # let _ = sessions;
/// # Ok::<(), session_runtime::Error>(())
/// # }).unwrap();
/// ```
#[derive(Clone)]
pub struct Sessions(Arc<Manager>);

struct Manager {
    store: AnyStore,
    rules: Arc<Rules>,
}

/// What is configured, for all threads.
struct Rules {
    clock: Clock,
    skew: Skew,
    prefix: Box<str>,
    lifetimes: Lifetimes,
    formats: CookieFormats,
    cookie: CookieTemplate,
    refresh_below: Option<f64>,
    timeout: Duration,
    end_grace: Duration,
    max_value_size: usize,
    max_batch_size: usize,
    unknown_classes: UnknownClasses,
    plain_http: PlainHttp,
    /// Of updates that this process makes on Redis.
    #[cfg(feature = "redis")]
    turns: Turns,
}

impl Sessions {
    /// A manager with the configuration that the environment gives: see [`SessionConfig::from_env`].
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new), and [`Error::is_config`] naming the variable whose value cannot be used.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example() -> Result<(), session_runtime::Error> {
    /// # use session_runtime::Sessions;
    /// let sessions = Sessions::from_env().await?; // SESSION_REDIS, SESSION_SECRET, …
    /// # let _ = sessions;
    /// # Ok(())
    /// # }
    /// ```
    pub fn from_env() -> Operation<'static, Self> {
        Operation::new(async { Self::connect(SessionConfig::from_env()?).await })
    }

    /// A manager with this configuration, connected to the store that it names, which is [checked](Self::check).
    ///
    /// # Errors
    ///
    /// [`Error::is_config`] if a setting cannot be used, with what to change; [`Error::is_unavailable`] if the store cannot be reached.
    pub fn new(config: SessionConfig) -> Operation<'static, Self> {
        Operation::new(Self::connect(config))
    }

    async fn connect(config: SessionConfig) -> Result<Self, Error> {
        let mut settings = config.resolve()?;
        match settings.store.clone() {
            StoreUrl::Memory(bounds) => {
                make_up_secret(&mut settings)?;
                Self::build(settings, AnyStore::Memory(MemoryStore::builder().bounds(bounds).build()))
            }
            #[cfg(feature = "redis")]
            StoreUrl::Redis(url) => Self::on_redis(settings, &url).await,
        }
    }

    #[cfg(feature = "redis")]
    async fn on_redis(settings: Settings, url: &str) -> Result<Self, Error> {
        let (builder, lazily) = (RedisStore::builder(url).timeout(settings.timeout), settings.connect_lazily);
        let store = if lazily {
            builder.connect_lazily()?
        } else {
            builder.connect().await.map_err(|error| error.looked_for_by(settings.store_setting))?
        };
        let sessions = Self::build(settings, AnyStore::Redis(store))?;
        if lazily {
            sessions.check_later();
        } else {
            sessions.check().await?;
        }
        Ok(sessions)
    }

    /// A manager with this configuration, on a store that was made before. The store that the configuration names is not used, and this one is
    /// not [checked](Self::check).
    ///
    /// # Errors
    ///
    /// [`Error::is_config`] if a setting cannot be used, with what to change.
    ///
    /// # Examples
    ///
    /// ```
    /// use session_runtime::{MemoryStore, SessionConfig, Sessions};
    ///
    /// let store = MemoryStore::builder().max_entries(1_000).build();
    /// let sessions = Sessions::with_store(SessionConfig::new().store("memory:"), store)?;
    /// # let _ = sessions;
    /// # Ok::<(), session_runtime::Error>(())
    /// ```
    pub fn with_store(config: SessionConfig, store: impl SessionStore) -> Result<Self, Error> {
        let (mut settings, store) = (config.resolve()?, AnyStore::of(store));
        if matches!(store, AnyStore::Memory(_)) {
            make_up_secret(&mut settings)?;
        }
        Self::build(settings, store)
    }

    fn build(settings: Settings, store: AnyStore) -> Result<Self, Error> {
        let formats = CookieFormats::new(&settings)?;
        telemetry::describe_metrics();
        let rules = Arc::new(Rules {
            clock: Clock::system(),
            skew: Skew::default(),
            prefix: settings.prefix,
            lifetimes: settings.lifetimes,
            formats,
            cookie: CookieTemplate::new(settings.cookie),
            refresh_below: settings.refresh_below,
            timeout: settings.timeout,
            end_grace: settings.end_grace,
            max_value_size: settings.max_value_size,
            max_batch_size: settings.max_batch_size,
            unknown_classes: UnknownClasses::default(),
            plain_http: PlainHttp::default(),
            #[cfg(feature = "redis")]
            turns: Turns::default(),
        });
        Ok(Self(Arc::new(Manager { store, rules })))
    }

    /// The same manager, with connections to Redis that this single-threaded runtime has to itself: as many as are
    /// [configured](crate::RedisStoreBuilder::connections), shared by all that call this on the same runtime, and closed when the last of those managers
    /// and of what was made of them is gone. Within a runtime of several threads or without any, and on another store, it changes nothing.
    ///
    /// For servers that run one single-threaded runtime on each thread; to be called once on each. A connection that was made on another runtime is driven
    /// there: each command and each reply would wake a thread. The middleware for actix-web calls this by itself, on each worker.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "axum")] {
    /// use axum::Router;
    /// use session_runtime::Sessions;
    ///
    /// /// Called on each thread, within its runtime.
    /// fn app(sessions: &Sessions) -> Router {
    ///     Router::new().layer(sessions.for_current_runtime().layer())
    /// }
    /// # let _ = app;
    /// # }
    /// ```
    pub fn for_current_runtime(&self) -> Self {
        match self.0.store.for_current_runtime() {
            Some(store) => Self(Arc::new(Manager { store, rules: Arc::clone(&self.0.rules) })),
            None => self.clone(),
        }
    }

    /// Asks the store for a sign of life: for a health check. Every master of a cluster has to answer.
    ///
    /// A Redis server is asked too if it takes writes, by a script that writes nothing: a full memory, too few replicas
    /// (`min-replicas-to-write`) and a disk that fails are errors, and so is a pause of writes that lasts beyond the
    /// deadline. A memory store that is full is none. Two round trips, the second on the connection for what nobody
    /// waits for. Each has the deadline of an operation, so that a probe waits for two of them at most.
    ///
    /// Its answer tells the store's time. As soon as this machine's clock is more than 30 seconds from it, that is
    /// logged as a warning, and beyond the two and a half minutes of [`check`](Self::check) as an error: once each,
    /// until the clocks agree again. It is no error of this call. A store whose clock is wrong would turn every
    /// machine's health check red, and their sessions go on as long as their own clocks agree.
    ///
    /// # Errors
    ///
    /// [`Error::is_unavailable`] if the store cannot be reached, does not answer in time, or takes no writes for now.
    /// Otherwise the server refuses writes: its memory is full.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// # use session_runtime::{SessionConfig, Sessions};
    /// # let sessions = Sessions::new(SessionConfig::new().store("memory:")).await?;
    /// let status = if sessions.ping().await.is_ok() { 200 } else { 503 };
    /// # let _ = status;
    /// # Ok::<(), session_runtime::Error>(())
    /// # }).unwrap();
    /// ```
    #[doc(alias = "health")]
    pub fn ping(&self) -> Operation<'_, ()> {
        Operation::new(async {
            self.skew().note(self.apart_from_store().await?);
            Ok(self.store().takes_writes().await?)
        })
    }

    /// Whether the store can be reached, as far as is known without asking: a value to export. On memory it always can. Where
    /// [runtimes have connections of their own](Self::for_current_runtime), those that only wait to be used again do not count beside others.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// # use session_runtime::{SessionConfig, Sessions};
    /// # let sessions = Sessions::new(SessionConfig::new().store("memory:")).await?;
    /// println!("session store: {}", sessions.connection_state()); // connected
    /// # Ok::<(), session_runtime::Error>(())
    /// # }).unwrap();
    /// ```
    #[doc(alias = "health")]
    pub fn connection_state(&self) -> ConnectionState {
        self.0.store.connection_state()
    }

    /// The tower layer that gives every request its session.
    #[cfg(feature = "tower")]
    pub fn layer(&self) -> crate::SessionLayer {
        crate::SessionLayer::new(self.clone())
    }

    /// The actix-web middleware that gives every request its session.
    #[cfg(feature = "actix")]
    pub fn middleware(&self) -> crate::SessionMiddleware {
        crate::SessionMiddleware::new(self.clone())
    }

    /// The session of a request with these `Cookie` headers, for a framework that has no adapter
    /// here: see [`SessionHandle`], which is told of the other headers by
    /// [`note_request`](SessionHandle::note_request).
    pub fn open<'a>(&self, cookie_headers: impl IntoIterator<Item = &'a [u8]>) -> SessionHandle {
        SessionHandle::new(self.clone(), CookieHeaders::collect(cookie_headers))
    }

    /// Whether the store can keep sessions of this schema. To be called when the application starts, for each schema that has fields with a
    /// `ttl`: without it, a server that cannot expire single fields is found out by the first write of such a field.
    ///
    /// Asks nobody: what the server can was asked when it was connected to.
    ///
    /// # Errors
    ///
    /// [`Error::is_unsupported`] naming the schema, what its fields need and the servers that have it: Redis 7.4 or later, Valkey 9 or later;
    /// memory has it too.
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
    /// sessions.require::<Visitor>()?;
    /// # Ok::<(), session_runtime::Error>(())
    /// # }).unwrap();
    /// # }
    /// ```
    pub fn require<S: Schema>(&self) -> Result<(), Error> {
        if S::HAS_TTL && !self.0.store.supports_field_expiry() {
            return Err(Error::new(Kind::SchemaNeedsFieldExpiry { schema: type_name::<S>() }));
        }
        Ok(())
    }

    /// Begins a session outside a request: for a job, a WebSocket, a test. It has no cookie; [`Session::session_id`] tells its id, by which
    /// [`open_id`](Self::open_id) finds it again. Its lifetime is `normal`; [`Session::renew`] gives it another. Whether
    /// the store can keep what `S` declares, [`require`](Self::require) tells, once and for all.
    ///
    /// # Errors
    ///
    /// [`Error::is_unavailable`] if the store cannot be reached.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "derive")] {
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// use session_runtime::{Session, SessionConfig, Sessions};
    ///
    /// #[derive(Session)]
    /// struct Job {
    ///     done: u32,
    /// }
    ///
    /// let sessions = Sessions::new(SessionConfig::new().store("memory:")).await?;
    /// let session = sessions.create::<Job>().await?;
    /// session.set_done(10).await?;
    /// let id = session.session_id().expect("it was created");
    /// assert_eq!(sessions.open_id::<Job>(&id).done().await?, 10);
    /// # Ok::<(), session_runtime::Error>(())
    /// # }).unwrap();
    /// # }
    /// ```
    #[doc(alias = "websocket")]
    #[doc(alias = "insert")]
    pub fn create<S: Schema>(&self) -> Operation<'static, Session<S>> {
        let handle = SessionHandle::outside(self.clone(), None);
        Operation::new(OperationSpan::without_session(OperationName::Create).instrument(async move {
            handle.begin().await?;
            Ok(handle.session())
        }))
    }

    /// The session of an id, outside a request. Asks nobody: [`Session::exists`] tells whether it is there.
    ///
    /// The rules are those of a request: an id that the store does not know is not adopted. Reads give defaults then, and a write begins a
    /// session under a new id, which [`Session::session_id`] tells. A session that was ended is
    /// [gone](crate::Error::is_gone) for as long as its tombstone stays, five minutes: nobody would get the cookie of another one.
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
    /// # let id = sessions.create::<Visitor>().await?.session_id().expect("it was created");
    /// // The id was kept when the connection was opened.
    /// let session = sessions.open_id::<Visitor>(&id);
    /// if session.exists().await? {
    ///     session.count().incr(1).await?;
    /// }
    /// # Ok::<(), session_runtime::Error>(())
    /// # }).unwrap();
    /// # }
    /// ```
    #[doc(alias = "bearer")]
    #[doc(alias = "websocket")]
    pub fn open_id<S: Schema>(&self, id: &SessionId) -> Session<S> {
        SessionHandle::outside(self.clone(), Some(*id)).session()
    }

    /// Looks at the session of an id without using it: its expiry stays as it is. For lists of sessions and for jobs that look again and
    /// again: a read by [`open_id`](Self::open_id) would keep the session alive.
    ///
    /// Gives the fields that `S` declares, or `None` if there is no live session of this id, or none by this program's clock and
    /// lifetimes. Nothing can be changed by it. One round trip, or two for an id that the store does not know.
    ///
    /// # Errors
    ///
    /// As [`Session::load`].
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
    /// # let session = sessions.create::<Visitor>().await?;
    /// # let id = session.session_id().expect("it was created");
    /// match sessions.peek::<Visitor>(&id).await? {
    ///     Some(visitor) => println!("came {} times", visitor.count),
    ///     None => println!("the session has ended"),
    /// }
    /// # Ok::<(), session_runtime::Error>(())
    /// # }).unwrap();
    /// # }
    /// ```
    pub fn peek<S: Schema>(&self, id: &SessionId) -> Operation<'_, Option<S>> {
        Operation::new(OperationSpan::without_session(OperationName::Peek).instrument(peek::peek(self, *id)))
    }

    /// The current time, by the clock that sessions age by. In tests, that clock is the one which the test moves
    /// (`testing::ManualClock`), so prefer this to [`SystemTime::now`] for times that a session stores.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "derive")] {
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// # use session_runtime::{Session, SessionConfig, Sessions};
    /// # use std::time::SystemTime;
    /// # #[derive(Session)]
    /// # struct Auth { verified_at: Option<SystemTime> }
    /// # let sessions = Sessions::new(SessionConfig::new().store("memory:")).await?;
    /// # let auth = sessions.create::<Auth>().await?;
    /// auth.set_verified_at(sessions.now()).await?;
    /// # Ok::<(), session_runtime::Error>(())
    /// # }).unwrap();
    /// # }
    /// ```
    pub fn now(&self) -> SystemTime {
        self.0.rules.clock.now()
    }

    /// The same manager, for which time passes by this clock: births, deadlines and cookies' ages. The store has a clock of its own, see
    /// [`MemoryStore::with_clock`].
    ///
    /// # Panics
    ///
    /// If the manager was cloned before, or has made a layer: what went out would go by another time.
    #[cfg(feature = "testing")]
    #[must_use]
    pub fn with_clock(mut self, clock: &crate::clock::ManualClock) -> Self {
        let rules = Arc::get_mut(&mut self.0).and_then(|manager| Arc::get_mut(&mut manager.rules));
        let rules = rules.expect("a manager gets its clock before it is cloned");
        rules.clock = Clock::Manual(clock.clone());
        self
    }

    #[cfg(feature = "redis")]
    pub(crate) fn downgrade(&self) -> WeakSessions {
        WeakSessions(Arc::downgrade(&self.0))
    }

    pub(crate) fn cookie_name(&self) -> &str {
        self.0.rules.cookie.name()
    }

    /// Whether this request is to be looked at for plain http: its client may get a cookie that browsers do not keep.
    pub(crate) fn minds_plain_http(&self) -> bool {
        self.0.rules.plain_http.is_due() && self.0.rules.cookie.is_secure()
    }

    fn tell_of_plain_http(&self) {
        if self.0.rules.plain_http.is_news() {
            tracing::warn!(
                "a session cookie with `Secure` was sent to a visitor who came by plain http: browsers do not keep it, and each of \
                 their requests begins another session. Serve the site over https, or set `cookie_secure` (SESSION_COOKIE_SECURE) to \
                 false for development"
            );
        }
    }

    pub(crate) fn same_site(&self) -> SameSite {
        self.0.rules.cookie.same_site()
    }

    #[cfg(any(feature = "actix", feature = "tower"))]
    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0.rules, &other.0.rules)
    }

    /// How long one trip to the store may take.
    pub(crate) fn timeout(&self) -> Duration {
        self.0.rules.timeout
    }

    #[cfg(feature = "redis")]
    pub(crate) fn turns(&self) -> &Turns {
        &self.0.rules.turns
    }

    /// Whether updates wait for each other, on whichever field.
    pub(crate) fn has_turns(&self) -> bool {
        #[cfg(feature = "redis")]
        return self.0.rules.turns.are_in_use();
        #[cfg(not(feature = "redis"))]
        false
    }

    pub(crate) fn store(&self) -> &AnyStore {
        &self.0.store
    }

    pub(crate) fn skew(&self) -> &Skew {
        &self.0.rules.skew
    }

    pub(crate) fn moment(&self) -> ClockMoment {
        self.0.rules.clock.moment()
    }

    /// How much later than its session's end a request may arrive and still count as under way.
    pub(crate) fn end_grace(&self) -> Duration {
        self.0.rules.end_grace
    }

    /// The session that a cookie's value names, if it is signed.
    pub(crate) fn candidate(&self, cookie_value: &[u8], events: &mut EventQueue) -> Option<Candidate> {
        let now = self.now();
        let verified = self.0.rules.formats.read(cookie_value, now);
        #[cfg(feature = "redis-session-compat")]
        let is_read = verified.is_some() || self.0.rules.formats.read_forgeable(cookie_value, now).is_some();
        #[cfg(not(feature = "redis-session-compat"))]
        let is_read = verified.is_some();
        if !is_read {
            events.push(LifecycleEvent::Forged, None);
        }
        Some(self.candidate_of(verified?))
    }

    /// The session whose id a cookie's value is, without a signature, if such are read.
    #[cfg(feature = "redis-session-compat")]
    pub(crate) fn forgeable_candidate(&self, cookie_value: &[u8]) -> Option<Candidate> {
        Some(self.candidate_of(self.0.rules.formats.read_forgeable(cookie_value, self.now())?))
    }

    fn candidate_of(&self, verified: Verified) -> Candidate {
        Candidate { subject: self.subject(verified.id), cookie_due: verified.is_outdated }
    }

    /// The session of an id.
    pub(crate) fn subject(&self, id: SessionId) -> Subject {
        let rules = &self.0.rules;
        let subject = Subject::new(id, &rules.prefix, &rules.lifetimes);
        let class = subject.lifetime.class;
        if rules.lifetimes.get(class).is_none() && rules.unknown_classes.is_new(class) {
            tracing::warn!(
                class,
                "sessions of a class without a configured lifetime are in use: they have the strictest lifetime here"
            );
        }
        subject
    }

    /// A session that begins now, under a new id.
    pub(crate) fn draw(&self, class: u8, now: SystemTime) -> Result<Subject, Error> {
        Ok(self.subject(SessionId::draw(now, class)?))
    }

    /// What a session becomes that gets a new id now.
    pub(crate) fn draw_successor(
        &self,
        of: &Subject,
        reason: Reason,
        now: SystemTime,
    ) -> Result<Subject, Error> {
        let (birth, class) = match reason {
            Reason::Rotate => (of.birth, of.lifetime.class),
            Reason::Renew(class) => (now, class),
        };
        Ok(self.subject(of.draw_successor(birth, class)?))
    }

    pub(crate) fn check_known(&self, lifetime: Lifetime) -> Result<(), Error> {
        let class = lifetime.class;
        match self.0.rules.lifetimes.get(class) {
            None => Err(Error::config(format!(
                "no lifetime of the class {class} is configured: add it with `SessionConfig::lifetime`"
            ))),
            Some(configured) if lifetime.capped() != *configured && lifetime != Lifetime::custom(class) => {
                Err(Error::config(format!(
                    "the lifetime of the class {class} is configured otherwise: `SessionConfig::lifetime` decides on it, a renewal only names it"
                )))
            }
            Some(_) => Ok(()),
        }
    }

    /// What the first read of a request does to an expiry that would be `expires_in` if it were refreshed.
    pub(crate) fn refresh(&self, expires_in: Duration) -> Refresh {
        match self.0.rules.refresh_below {
            None => Refresh::To(expires_in),
            Some(share) => Refresh::Below { below: expires_in.mul_f64(share), expires_in },
        }
    }

    pub(crate) fn check_sizes(&self, changes: &[Change<'_>]) -> Result<(), Error> {
        let mut total = 0;
        for change in changes {
            let Change::Set { field, value, .. } = change else { continue };
            self.check_size(field, value)?;
            total += value.len();
        }
        let limit = self.0.rules.max_batch_size;
        if total > limit {
            return Err(Error::new(Kind::TooLarge { what: "the batch".to_owned(), size: total, limit }));
        }
        Ok(())
    }

    /// The value that is written is limited alone: one that is too large already can be made smaller.
    pub(crate) fn check_action_size(&self, field: &str, action: &Action) -> Result<(), Error> {
        match action {
            Action::Replace(Some(value))
            | Action::GetOrSet(value)
            | Action::CompareAndSet { value: Some(value), .. } => self.check_size(field, value),
            _ => Ok(()),
        }
    }

    fn check_size(&self, field: &str, value: &[u8]) -> Result<(), Error> {
        let limit = self.0.rules.max_value_size;
        if value.len() > limit {
            let what = format!("the field `{field}`");
            return Err(Error::new(Kind::TooLarge { what, size: value.len(), limit }));
        }
        Ok(())
    }

    pub(crate) fn headers(&self, outcome: &Outcome) -> SessionHeaders {
        let set_cookie = match &outcome.set {
            Some(subject) => {
                self.0.rules.plain_http.look_again();
                self.set_cookie(subject)
            }
            None => outcome.remove.then(|| self.0.rules.cookie.removal()),
        };
        if outcome.is_plain_http && outcome.set.is_some() {
            self.tell_of_plain_http();
        }
        let headers = SessionHeaders::new(outcome, set_cookie);
        if outcome.remove { headers.and_removal(self.0.rules.cookie.host_only_removal()) } else { headers }
    }

    /// `None`: the client keeps the cookie that it has, because no other would be read.
    fn set_cookie(&self, subject: &Subject) -> Option<String> {
        let now = self.now();
        let written = self.0.rules.formats.write(&subject.id, now)?;
        let remaining = subject.remaining(now).unwrap_or_default();
        let max_age = remaining.min(written.lasts.unwrap_or(Duration::MAX));
        Some(self.0.rules.cookie.set(written.value, subject.lifetime.persistent.then_some(max_age)))
    }
}

/// The search for requests by plain http. Their clients get a new cookie each time, so that requests are looked at only after a
/// cookie was set: those that ignore their sessions cost next to nothing.
struct PlainHttp(AtomicU8);

impl PlainHttp {
    const IDLE: u8 = 0;
    const DUE: u8 = 1;
    const TOLD: u8 = 2;

    fn is_due(&self) -> bool {
        self.0.load(Ordering::Relaxed) == Self::DUE && self.swap(Self::DUE, Self::IDLE)
    }

    fn look_again(&self) {
        if self.0.load(Ordering::Relaxed) == Self::IDLE {
            self.swap(Self::IDLE, Self::DUE);
        }
    }

    /// Returns whether nobody was told of it before.
    fn is_news(&self) -> bool {
        self.0.swap(Self::TOLD, Ordering::Relaxed) != Self::TOLD
    }

    fn swap(&self, from: u8, to: u8) -> bool {
        self.0.compare_exchange(from, to, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }
}

impl Default for PlainHttp {
    fn default() -> Self {
        Self(AtomicU8::new(Self::DUE))
    }
}

/// The classes of sessions for which no lifetime is configured. Each is logged once.
#[derive(Default)]
struct UnknownClasses([AtomicU64; 4]);

impl UnknownClasses {
    /// Returns whether this is the first use of the class.
    fn is_new(&self, class: u8) -> bool {
        let bit = 1 << (class % 64);
        let known = &self.0[usize::from(class / 64)];
        known.fetch_or(bit, Ordering::Relaxed) & bit == 0
    }
}

/// A manager that lives as long as somebody else holds it.
#[cfg(feature = "redis")]
pub(crate) struct WeakSessions(Weak<Manager>);

#[cfg(feature = "redis")]
impl WeakSessions {
    pub(crate) fn upgrade(&self) -> Option<Sessions> {
        self.0.upgrade().map(Sessions)
    }
}

/// On memory nothing outlives the process: neither need its cookies.
fn make_up_secret(settings: &mut Settings) -> Result<(), Error> {
    if settings.needs_secret() && settings.secrets.is_empty() {
        tracing::warn!(
            "no SESSION_SECRET is set: made one up for this run, cookies of earlier runs are not accepted"
        );
        settings.secrets.push(Secret::random()?);
    }
    Ok(())
}

impl fmt::Debug for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sessions")
            .field("store", &self.0.store)
            .field("prefix", &self.0.rules.prefix)
            .field("cookie", &self.0.rules.cookie)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_is_looked_for_after_a_cookie_was_set_until_it_is_told() {
        let plain_http = PlainHttp::default();
        assert!(plain_http.is_due() && !plain_http.is_due());
        plain_http.look_again();
        assert!(plain_http.is_due() && plain_http.is_news());
        plain_http.look_again();
        assert!(!plain_http.is_due() && !plain_http.is_news());
    }

    #[test]
    fn each_unknown_class_is_new_once() {
        let classes = UnknownClasses::default();
        for class in 0..=u8::MAX {
            assert!(classes.is_new(class) && !classes.is_new(class), "{class}");
        }
    }

    #[test]
    fn a_store_of_ones_own_needs_a_secret_and_memory_makes_one_up() {
        let config = || SessionConfig::new().store("memory:");
        let memory = Sessions::with_store(config(), MemoryStore::new()).unwrap();
        let subject = memory.draw(0, memory.now()).unwrap();
        let written = memory.0.rules.formats.write(&subject.id, memory.now()).unwrap();
        assert!(memory.candidate(written.value.as_bytes(), &mut EventQueue::default()).is_some());
        assert!(
            Sessions::build(config().resolve().unwrap(), memory.0.store.clone()).unwrap_err().is_config()
        );
    }
}
