//! The application's session manager.

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

#[cfg(feature = "testing")]
use crate::clock::Clock;
use crate::config::{Secret, SessionConfig, Settings, StoreUrl};
use crate::error::Error;
use crate::http::cookie_header::CookieHeaders;
use crate::id::SessionId;
use crate::operation::Operation;
use crate::request::handle::SessionHandle;
use crate::request::manager::Manager;
use crate::session::Session;
#[cfg(feature = "encryption")]
use crate::session::found::Reencryption;
use crate::session::found::{AllSessions, FoundSessions, SessionEntry, by_tag, reindex};
use crate::session::index_query::IndexQuery;
use crate::session::peek;
use crate::session::require;
use crate::session::schema::Schema;
#[cfg(feature = "redis")]
use crate::store::RedisStore;
use crate::store::{AnyStore, ConnectionState, MemoryStore, SessionStore};
use crate::telemetry::{self, OperationName, OperationSpan};

/// The application's session manager, with the store, the configuration and the keys. Create the
/// manager once, when the application starts. Cheap to clone.
///
/// With axum, actix-web and poem, handlers can take the manager as an extractor.
///
/// # Examples
///
/// ```
/// # session_runtime::__example!({
/// use session_runtime::{SessionConfig, Sessions};
///
/// let config = SessionConfig::new().store("memory:");
/// let sessions = Sessions::new(config).await?;
/// # });
/// ```
#[derive(Clone)]
pub struct Sessions(Arc<Manager>);

impl Sessions {
    /// Creates a manager with the configuration from environment variables. See
    /// [`SessionConfig::from_env`].
    ///
    /// # Errors
    ///
    /// The same as for [`new`](Self::new). Fails with [`Error::is_config`] if a variable has an
    /// invalid value, and names the variable.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # session_runtime::__example!({
    /// use session_runtime::Sessions;
    ///
    /// let sessions = Sessions::from_env().await?; // SESSION_REDIS, SESSION_SECRET, …
    /// # });
    /// ```
    pub fn from_env() -> Operation<'static, Self> {
        Operation::new(async { Self::connect(SessionConfig::from_env()?).await })
    }

    /// Creates a manager with this configuration, connects to the configured store and
    /// [checks](Self::check) the store.
    ///
    /// # Errors
    ///
    /// Fails with [`Error::is_config`] if a setting is invalid, and says what to change. Fails with
    /// [`Error::is_unavailable`] if the store cannot be reached.
    pub fn new(config: SessionConfig) -> Operation<'static, Self> {
        Operation::new(Self::connect(config))
    }

    async fn connect(config: SessionConfig) -> Result<Self, Error> {
        let mut settings = config.resolve()?;
        match settings.store.clone() {
            StoreUrl::Memory(bounds) => {
                make_up_secret(&mut settings)?;
                Self::build(
                    settings,
                    AnyStore::Memory(MemoryStore::builder().bounds(bounds).build()),
                )
            }
            #[cfg(feature = "redis")]
            StoreUrl::Redis(url) => Self::on_redis(settings, &url).await,
        }
    }

    #[cfg(feature = "redis")]
    async fn on_redis(settings: Settings, url: &str) -> Result<Self, Error> {
        let (builder, lazily) =
            (RedisStore::builder(url).timeout(settings.timeout), settings.connect_lazily);
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

    /// Creates a manager with this configuration, on a store that you have created. The store in
    /// the configuration is ignored. The given store is not [checked](Self::check).
    ///
    /// # Errors
    ///
    /// Fails with [`Error::is_config`] if a setting is invalid, and says what to change.
    ///
    /// # Examples
    ///
    /// ```
    /// use session_runtime::{MemoryStore, SessionConfig, Sessions};
    ///
    /// let store = MemoryStore::builder().max_entries(1_000).build();
    /// let sessions = Sessions::with_store(SessionConfig::new().store("memory:"), store)?;
    /// # Ok::<(), session_runtime::Error>(())
    /// ```
    pub fn with_store(config: SessionConfig, store: impl SessionStore) -> Result<Self, Error> {
        let (mut settings, store) = (config.resolve()?, AnyStore::new(store));
        if matches!(store, AnyStore::Memory(_)) {
            make_up_secret(&mut settings)?;
        }
        Self::build(settings, store)
    }

    fn build(settings: Settings, store: AnyStore) -> Result<Self, Error> {
        let manager = Arc::new(Manager::new(settings, store)?);
        telemetry::describe_metrics();
        Ok(Self(manager))
    }

    /// Returns the same manager, with separate Redis connections for the current single-threaded
    /// runtime.
    ///
    /// Managers on the same runtime share these connections. The number of connections is
    /// [configured]. They close when the last of
    /// these managers is dropped, along with everything made from the managers. Nothing changes on
    /// a multi-threaded runtime, outside a runtime, or on another store.
    ///
    /// Use this if your program runs a single-threaded runtime on each of several threads, and call
    /// this once on each thread. A connection is driven by the runtime where it was created. From
    /// any other runtime, each command and each reply has to wake a thread. The actix-web
    /// middleware calls this on each worker.
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
    /// # }
    /// ```
    #[cfg_attr(
        feature = "redis",
        doc = "\n\n[configured]: crate::store::RedisStoreBuilder::connections\n"
    )]
    #[cfg_attr(not(feature = "redis"), doc = "\n\n[configured]: crate#features\n")]
    pub fn for_current_runtime(&self) -> Self {
        match self.0.for_current_runtime() {
            Some(manager) => Self(Arc::new(manager)),
            None => self.clone(),
        }
    }

    /// Checks that the store answers, for a health check. In a cluster, every master has to answer.
    ///
    /// On a Redis server, a script also checks that the server accepts writes, without writing
    /// anything. The check fails if the memory is full, if there are too few replicas
    /// (`min-replicas-to-write`), or if the disk fails. It also fails if writes are paused beyond
    /// the deadline. A full memory store does not fail the check.
    ///
    /// Takes two round trips. The second uses the connection for background work. Each has the
    /// deadline of an operation, so a probe takes at most twice that time.
    ///
    /// The reply carries the store's time. A difference of more than 30 seconds from this machine's
    /// clock is logged as a warning. A difference above the two and a half minutes of
    /// [`check`](Self::check) is logged as an error. Each is logged once until the clocks agree
    /// again.
    ///
    /// A difference does not fail the check. A wrong clock on the store would fail the health
    /// checks of all machines, although sessions work as long as the machines' own clocks agree.
    ///
    /// # Errors
    ///
    /// Fails with [`Error::is_unavailable`] if the store cannot be reached, does not answer in
    /// time, or accepts no writes for now. Any other error means that the server refuses writes
    /// because its memory is full.
    ///
    /// # Examples
    ///
    /// ```
    /// use session_runtime::Sessions;
    ///
    /// async fn health(sessions: &Sessions) -> u16 {
    ///     if sessions.ping().await.is_ok() { 200 } else { 503 }
    /// }
    /// ```
    pub fn ping(&self) -> Operation<'_, ()> {
        Operation::new(async { self.health().await.into_result() })
    }

    /// Returns the state of the connection to the store, as a value to export. Takes no round trip.
    /// The memory store is always connected.
    ///
    /// With [separate connections per runtime](Self::for_current_runtime), connections that are
    /// idle, waiting for reuse, do not count beside others.
    ///
    /// # Examples
    ///
    /// ```
    /// # session_runtime::__example!({
    /// use session_runtime::{SessionConfig, Sessions};
    ///
    /// let sessions = Sessions::new(SessionConfig::new().store("memory:")).await?;
    /// println!("session store: {}", sessions.connection_state()); // connected
    /// # });
    /// ```
    #[doc(alias = "health")]
    #[doc(alias = "metrics")]
    pub fn connection_state(&self) -> ConnectionState {
        self.manager().store().connection_state()
    }

    /// Opens the session of a request with these `Cookie` headers. Use this with web frameworks
    /// that have no adapter here, and see [`SessionHandle`] for the steps. Pass the request's other
    /// headers to [`note_request`](SessionHandle::note_request).
    pub fn open<'a>(&self, cookie_headers: impl IntoIterator<Item = &'a [u8]>) -> SessionHandle {
        SessionHandle::new(Arc::clone(self.manager()), CookieHeaders::collect(cookie_headers))
    }

    /// Checks that the store can keep sessions of this schema. Call this at startup for each schema
    /// that has fields with a `ttl` or an `index`. Without the check, only the first write of such
    /// a field shows what is missing.
    ///
    /// Takes no round trip for a schema without an index. For a schema with an index, Redis servers
    /// are asked for the permissions. A server that may evict the lists of indexes is logged as a
    /// warning, because `end_all` would then miss sessions.
    ///
    /// If a server cannot be reached, its permissions are not checked. So a program with
    /// [`connect_lazily`](crate::SessionConfig::connect_lazily) starts without the server.
    ///
    /// # Errors
    ///
    /// Fails with [`Error::is_unsupported`] if the store cannot expire single fields. The message
    /// names the schema, the missing ability, and the servers that have that ability. Redis 7.4,
    /// Valkey 9 and later versions can expire fields, and so can the memory store.
    ///
    /// Fails with the same error if a field has an `index` and a custom store has none.
    ///
    /// Fails with [`Error::is_config`] if a field has an `index` and the Redis user lacks a
    /// permission. The message names the permissions, such as `+zadd`. Fails with the same error if
    /// a field is encrypted and there is no key.
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
    /// sessions.require::<Visitor>().await?;
    /// # });
    /// ```
    pub fn require<S: Schema>(&self) -> Operation<'_, ()> {
        Operation::new(require::require::<S>(self.manager()))
    }

    /// Creates a session outside a request, such as in a job, a WebSocket or a test.
    ///
    /// The session has no cookie. [`Session::session_id`] returns the id, and
    /// [`open_id`](Self::open_id) opens the session again by this id. The lifetime is `normal`
    /// until you call [`Session::renew`]. To check that the store can keep the fields of `S`, call
    /// [`require`](Self::require) once.
    ///
    /// # Errors
    ///
    /// Fails with [`Error::is_unavailable`] if the store cannot be reached.
    ///
    /// # Examples
    ///
    /// ```
    /// # session_runtime::__example!({
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
    /// let id = session.session_id().expect("the session was created");
    /// assert_eq!(sessions.open_id::<Job>(&id).done().await?, 10);
    /// # });
    /// ```
    #[doc(alias = "websocket")]
    #[doc(alias = "insert")]
    pub fn create<S: Schema>(&self) -> Operation<'static, Session<S>> {
        let handle = SessionHandle::outside(Arc::clone(self.manager()), None);
        Operation::new(OperationSpan::without_session(OperationName::Create).instrument(
            async move {
                handle.create().await?;
                Ok(handle.session())
            },
        ))
    }

    /// Opens the session with this id, outside a request. Takes no round trip. Call
    /// [`Session::exists`] to find out whether the session exists.
    ///
    /// The rules are the same as in a request. An id that the store does not know is never adopted.
    /// Reads return defaults then, and a write creates a session under a new id, which you get from
    /// [`Session::session_id`].
    ///
    /// After a session was ended, writes fail with [`Error::is_gone`] for five minutes, while the
    /// tombstone exists. No new session is created, because no client would get the cookie.
    ///
    /// # Examples
    ///
    /// ```
    /// # session_runtime::__example!(struct Visitor { count: u64 } |session, sessions| {
    /// let id = session.session_id().expect("the session was created");
    /// // Later, on the connection:
    /// let session = sessions.open_id::<Visitor>(&id);
    /// if session.exists().await? {
    ///     session.count().incr(1).await?;
    /// }
    /// # });
    /// ```
    #[doc(alias = "bearer")]
    #[doc(alias = "websocket")]
    pub fn open_id<S: Schema>(&self, id: &SessionId) -> Session<S> {
        SessionHandle::outside(Arc::clone(self.manager()), Some(*id)).session()
    }

    /// Finds the sessions with one value in an indexed field, such as all sessions of a user. Takes
    /// no round trip. [`FoundSessions`] lists, counts and ends them.
    ///
    /// # Examples
    ///
    /// ```
    /// # session_runtime::__example!({
    /// use session_runtime::{Error, Session, Sessions};
    ///
    /// #[derive(Session)]
    /// struct Auth {
    ///     #[session(index)]
    ///     user: Option<u64>,
    /// }
    ///
    /// /// An administrator locks an account.
    /// async fn lock(sessions: &Sessions, user: u64) -> Result<(), Error> {
    ///     sessions.find(Auth::by_user(user)).end_all().await?;
    ///     Ok(())
    /// }
    /// # });
    /// ```
    #[doc(alias = "devices")]
    #[doc(alias = "logout_everywhere")]
    pub fn find<S: Schema>(&self, query: IndexQuery<S>) -> FoundSessions<S> {
        FoundSessions::new(Arc::clone(self.manager()), query)
    }

    /// Walks over all live sessions of the prefix, in no order, with the fields of a schema. Takes
    /// no round trip until the first [`next`](AllSessions::next). Use this for jobs and for tools of
    /// operators, and [`find`](Self::find) for the sessions of a user.
    ///
    /// The walk refreshes no session, and holds up to some 500 sessions in memory. A session whose
    /// data does not fit the schema is there too, and [`data`] is an error. [`signed_in_at`] is the
    /// time of the schema's first indexed field, if the schema has one.
    ///
    /// # Sessions that change meanwhile
    ///
    /// A session that keeps its id during the whole walk is there. Otherwise:
    ///
    /// - A session that begins or ends during the walk may be there or not.
    /// - A session that gets a new id may be missing, if the walk has passed the place of the new
    ///   id, but not of the old. The session may also be there twice, with one tag.
    /// - Redis may return the same session twice, such as while its tables grow.
    /// - If a Redis server restarts or fails over, the walk begins again on this server.
    /// - In a cluster, slots may move during the walk. Their sessions may be missing if the walk
    ///   has left the new node. They may be there twice if the walk reaches the new node later.
    ///
    /// # What is left out
    ///
    /// The sessions are those that [`peek`](Self::peek) would read. So sessions that are over by
    /// this program's clock and lifetimes are left out, and so are keys without an id. A class that
    /// is not configured leaves no session out.
    ///
    /// Sessions of the Python package `redis_session` are there with the feature
    /// `redis-session-compat`. Only their cookie has the creation time, so
    /// [`created_at`] is the time of the look.
    ///
    /// # Costs
    ///
    /// On Redis, each step is a `SCAN` for some 500 keys, and a pipeline that reads the sessions
    /// among them. `SCAN` looks at all keys of the database, also at those of other programs. The
    /// Redis user needs the permissions `+scan` and `+info`.
    ///
    /// # Examples
    ///
    /// ```
    /// # session_runtime::__example!({
    /// use session_runtime::{Error, Session, SessionConfig, Sessions};
    ///
    /// #[derive(Session)]
    /// struct Device {
    ///     user_agent: String,
    /// }
    ///
    /// async fn count_bots(sessions: &Sessions) -> Result<usize, Error> {
    ///     let is_bot = |device: Device| device.user_agent.contains("bot");
    ///     let (mut bots, mut all) = (0, sessions.all::<Device>());
    ///     while let Some(entry) = all.next().await? {
    ///         bots += usize::from(entry.data().is_ok_and(is_bot));
    ///     }
    ///     Ok(bots)
    /// }
    /// # let sessions = Sessions::new(SessionConfig::new().store("memory:")).await?; sessions.create::<Device>().await?.set_user_agent("bot").await?; assert_eq!(count_bots(&sessions).await?, 1); });
    /// ```
    ///
    /// [`created_at`]: crate::find::SessionEntry::created_at
    /// [`data`]: crate::find::SessionEntry::data
    /// [`signed_in_at`]: crate::find::SessionEntry::signed_in_at
    #[doc(alias = "scan")]
    #[doc(alias = "keys")]
    #[must_use]
    pub fn all<D: Schema>(&self) -> AllSessions<D> {
        AllSessions::new(Arc::clone(self.manager()))
    }

    /// Returns the live sessions with this tag, with the fields of a schema. Use this for tools of
    /// operators: log lines and pages name a session by the tag.
    ///
    /// Usually there is one. Tags are random, but nothing prevents two sessions with the same. The
    /// session created first comes first. Refreshes none.
    ///
    /// # Costs
    ///
    /// A [walk](Self::all) over all keys of the store, which reads only the sessions of the tag,
    /// and one round trip more for each. On Redis, each step looks at some 2,000 keys. The walk is
    /// repeated if no session was found, because a session that gets a new id meanwhile may be
    /// missed.
    ///
    /// # Errors
    ///
    /// The same as for [`AllSessions::next`].
    ///
    /// # Examples
    ///
    /// ```
    /// # session_runtime::__example!({
    /// use session_runtime::{Error, Session, SessionConfig, Sessions};
    ///
    /// #[derive(Session)]
    /// struct Auth {
    ///     user: Option<u64>,
    /// }
    ///
    /// /// Ends the session of a log line.
    /// async fn end(sessions: &Sessions, tag: &str) -> Result<bool, Error> {
    ///     match &sessions.by_tag::<Auth>(tag).await?[..] {
    ///         [entry] => entry.end().await,
    ///         _ => Ok(false),
    ///     }
    /// }
    /// # let sessions = Sessions::new(SessionConfig::new().store("memory:")).await?; let session = sessions.create::<Auth>().await?; assert!(end(&sessions, session.session_id().unwrap().tag()).await?); assert!(!session.exists().await?); });
    /// ```
    pub fn by_tag<'a, D: Schema>(&'a self, tag: &'a str) -> Operation<'a, Vec<SessionEntry<D>>> {
        Operation::new(by_tag(self.manager(), tag))
    }

    /// Adds sessions to the lists of the schema's indexes that lack them, and returns the number of
    /// added entries. Afterwards, [`find`](Self::find) finds these sessions.
    ///
    /// Call this once after you have added `index` to a field, when no former release runs any
    /// more. Call this also after a server has evicted lists, and after another program has written
    /// the field.
    ///
    /// Each live session with a value in an indexed field becomes an entry, and gets a label. No
    /// session is prolonged. A label that was right keeps the time of the sign-in. Otherwise that
    /// time is unknown, and [`signed_in_at`] is `None` until the next write of the field. Such
    /// sessions count as the oldest.
    ///
    /// You can call this while the application runs, several times, and on several machines at
    /// once. The store compares the value, so a session whose user changes meanwhile is never added
    /// for the former user. As in a [walk](Self::all), a session that gets a new id meanwhile may be
    /// missed. Repeat the call until the result is 0.
    ///
    /// Takes the round trips of [`all`](Self::all), and one more for each session with a value. In
    /// a Redis Cluster two more, and another for each added entry.
    ///
    /// # Errors
    ///
    /// If a session cannot be added, the others are added first, and the first error is returned.
    /// You can repeat the call. Otherwise the same as for [`AllSessions::next`]. Fails with
    /// [`Error::is_unsupported`] if the store has no index.
    ///
    /// # Examples
    ///
    /// ```
    /// # session_runtime::__example!({
    /// use session_runtime::{Session, SessionConfig, Sessions};
    ///
    /// /// Before: `user: Option<u64>` alone.
    /// #[derive(Session)]
    /// struct Auth {
    ///     #[session(index)]
    ///     user: Option<u64>,
    /// }
    ///
    /// let sessions = Sessions::new(SessionConfig::new().store("memory:")).await?;
    /// while sessions.reindex::<Auth>().await? > 0 {}
    /// # });
    /// ```
    ///
    /// [`signed_in_at`]: crate::find::SessionEntry::signed_in_at
    #[doc(alias = "rebuild")]
    pub fn reindex<S: Schema>(&self) -> Operation<'_, usize> {
        Operation::new(
            OperationSpan::without_session(OperationName::Reindex)
                .instrument(reindex::<S>(self.manager())),
        )
    }

    /// Walks over all sessions, and encrypts the stored values of encrypted fields with the newest
    /// key. So a replaced key can be removed from the settings.
    ///
    /// Without this call, a value is encrypted with the newest key when its field is next written.
    /// With `encrypt(accept_plain)`, the walk also encrypts values in plain text. A field with an
    /// index becomes an entry of the list of the newest key.
    ///
    /// Refreshes no session, and leaves the expiry of each field as it is. The store compares the
    /// value, so a newer value is never overwritten. You can run this while the application runs,
    /// and on several machines at once. As in a [walk](Self::all), a session that gets a new id
    /// meanwhile may be missed. Begin when all machines encrypt with the new key. Repeat the walk
    /// until `values` and `changed` of [`Reencrypted`](crate::find::Reencrypted) are 0, and then
    /// remove the former key.
    ///
    /// Takes the round trips of [`all`](Self::all), and one more for each value that is encrypted
    /// again. For a value with an index, two more for each older key, and two for `accept_plain`.
    ///
    /// A Redis user needs the permissions of a walk. With Redis 7.4, Valkey 9 and later versions,
    /// also `+hpttl`, and `+hpexpire` for fields that expire.
    ///
    /// # Examples
    ///
    /// ```
    /// # session_runtime::__example!({
    /// use session_runtime::{Session, SessionConfig, Sessions};
    ///
    /// #[derive(Session)]
    /// struct Profile {
    ///     #[session(encrypt)]
    ///     email: Option<String>,
    /// }
    ///
    /// let sessions = Sessions::new(SessionConfig::new().store("memory:")).await?;
    /// let done = sessions.reencrypt::<Profile>().rate(500).run().await?;
    /// println!("{} values, {} not readable", done.values, done.unreadable);
    /// # });
    /// ```
    #[cfg(feature = "encryption")]
    #[doc(alias = "rotate_keys")]
    pub fn reencrypt<S: Schema>(&self) -> Reencryption<S> {
        Reencryption::new(Arc::clone(self.manager()))
    }

    /// Reads a session by id, without refreshing the expiry. Use this for lists of sessions and for
    /// jobs that poll. Reads through [`open_id`](Self::open_id) would keep the session alive.
    ///
    /// Returns the fields that `S` declares. `None` means that no live session has this id, or that
    /// the session has ended by this program's clock and lifetimes. The session cannot be changed
    /// through the result. Takes a single round trip, or two for an id that the store does not
    /// know.
    ///
    /// # Errors
    ///
    /// The same as for [`Session::load`].
    ///
    /// # Examples
    ///
    /// ```
    /// # session_runtime::__example!(struct Visitor { count: u64 } |session, sessions| {
    /// let id = session.session_id().expect("the session was created");
    /// match sessions.peek::<Visitor>(&id).await? {
    ///     Some(visitor) => println!("came {} times", visitor.count),
    ///     None => println!("the session has ended"),
    /// }
    /// # });
    /// ```
    pub fn peek<S: Schema>(&self, id: &SessionId) -> Operation<'_, Option<S>> {
        Operation::new(
            OperationSpan::without_session(OperationName::Peek)
                .instrument(peek::peek(self.manager(), *id)),
        )
    }

    /// Returns the current time, by the clock that decides on the age of sessions. Tests can move
    /// this clock ([`testing::ManualClock`]). Prefer this method to [`SystemTime::now`] for times
    /// that a session stores.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "derive")] {
    /// use std::time::SystemTime;
    /// use session_runtime::{Error, Session, Sessions};
    ///
    /// #[derive(Session)]
    /// struct Auth {
    ///     verified_at: Option<SystemTime>,
    /// }
    ///
    /// async fn verified(sessions: &Sessions, auth: &Session<Auth>) -> Result<(), Error> {
    ///     auth.set_verified_at(sessions.now()).await
    /// }
    /// # }
    /// ```
    #[cfg_attr(
        feature = "testing",
        doc = "\n\n[`testing::ManualClock`]: crate::testing::ManualClock\n"
    )]
    #[cfg_attr(not(feature = "testing"), doc = "\n\n[`testing::ManualClock`]: crate#features\n")]
    pub fn now(&self) -> SystemTime {
        self.manager().now()
    }

    /// Returns the same manager with this clock for creation times, deadlines and the age of
    /// cookies. The store has its own clock, see [`MemoryStore::with_clock`].
    ///
    /// # Panics
    ///
    /// Panics if the manager has been cloned or has made a layer, because these would keep the
    /// other clock.
    #[cfg(feature = "testing")]
    #[must_use]
    pub fn with_clock(mut self, clock: &crate::clock::ManualClock) -> Self {
        let current = Arc::get_mut(&mut self.0).and_then(Manager::clock_mut);
        *current.expect("the clock is set before the manager is cloned") =
            Clock::Manual(clock.clone());
        self
    }

    pub(crate) fn manager(&self) -> &Arc<Manager> {
        &self.0
    }
}

impl SessionHandle {
    /// Returns the application's manager, which opened this session. Does not access the session.
    ///
    /// With axum, actix-web and poem, handlers take [`Sessions`] as an extractor instead.
    ///
    /// # Examples
    ///
    /// ```
    /// # session_runtime::__example!(struct Visitor { count: u64 } |session, sessions| {
    /// let handle = sessions.open([b"theme=dark".as_slice()]);
    /// // Elsewhere, with the handle alone:
    /// handle.sessions().ping().await?;
    /// # });
    /// ```
    pub fn sessions(&self) -> Sessions {
        Sessions(Arc::clone(self.manager()))
    }
}

/// Sessions in memory end with the process, so cookies from before a restart are useless anyway.
fn make_up_secret(settings: &mut Settings) -> Result<(), Error> {
    if settings.needs_secret() && settings.secrets.is_empty() {
        tracing::warn!(
            "SESSION_SECRET is not set: generated a secret for this run, so cookies of earlier \
             runs are not accepted"
        );
        settings.secrets.push(Secret::random()?);
    }
    Ok(())
}

impl fmt::Debug for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.manager(), f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::LifetimeId;
    use crate::lifecycle::Outcome;
    use crate::telemetry::EventQueue;

    #[test]
    fn a_custom_store_needs_a_secret_and_memory_generates_one() {
        let config = || SessionConfig::new().store("memory:");
        let memory = Sessions::with_store(config(), MemoryStore::new()).unwrap();
        let manager = memory.manager();
        let outcome = Outcome {
            set: Some(manager.generate(LifetimeId::default(), manager.now()).unwrap()),
            ..Outcome::default()
        };
        let headers = manager.headers(&outcome);
        let (_, cookie) = headers.set_cookie().unwrap().split_once('=').unwrap();
        let (value, _) = cookie.split_once(';').unwrap();
        assert!(manager.candidate(value.as_bytes(), &mut EventQueue::default()).is_some());
        let store = manager.store().clone();
        assert!(Sessions::build(config().resolve().unwrap(), store).unwrap_err().is_config());
    }
}
