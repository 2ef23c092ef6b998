//! The application's session manager.

use std::any::type_name;
use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

#[cfg(feature = "testing")]
use crate::clock::Clock;
use crate::config::{Secret, SessionConfig, Settings, StoreUrl};
use crate::error::{Error, Kind};
use crate::http::cookie_header::CookieHeaders;
use crate::id::SessionId;
use crate::operation::Operation;
use crate::request::handle::SessionHandle;
use crate::request::manager::Manager;
use crate::session::Session;
use crate::session::clock_log::{self, ClockLog};
use crate::session::peek;
use crate::session::schema::Schema;
#[cfg(feature = "redis")]
use crate::store::RedisStore;
use crate::store::{AnyStore, ConnectionState, MemoryStore, SessionStore};
use crate::telemetry::{self, OperationName, OperationSpan};

/// The application's session manager: the store, the configuration and the keys. Built once when
/// the application starts; cheap to clone.
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
pub struct Sessions(Arc<Parts>);

struct Parts {
    manager: Arc<Manager>,
    clock_log: Arc<ClockLog>,
}

impl Sessions {
    /// A manager with the configuration that the environment gives: see
    /// [`SessionConfig::from_env`].
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new), and [`Error::is_config`] naming the variable whose value cannot be
    /// used.
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

    /// A manager with this configuration, connected to the store that it names, which is
    /// [checked](Self::check).
    ///
    /// # Errors
    ///
    /// [`Error::is_config`] if a setting cannot be used, with what to change;
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

    /// A manager with this configuration, on a store that was made before. The store that the
    /// configuration names is not used, and this one is not [checked](Self::check).
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
        let (mut settings, store) = (config.resolve()?, AnyStore::new(store));
        if matches!(store, AnyStore::Memory(_)) {
            make_up_secret(&mut settings)?;
        }
        Self::build(settings, store)
    }

    fn build(settings: Settings, store: AnyStore) -> Result<Self, Error> {
        let manager = Arc::new(Manager::new(settings, store)?);
        telemetry::describe_metrics();
        Ok(Self(Arc::new(Parts { manager, clock_log: Arc::default() })))
    }

    /// The same manager, with connections to Redis that this single-threaded runtime has to itself:
    /// as many as are [configured](crate::store::RedisStoreBuilder::connections), shared by all
    /// that call this on the same runtime, and closed when the last of those managers
    /// and of what was made of them is gone. Within a runtime of several threads or without any,
    /// and on another store, it changes nothing.
    ///
    /// For servers that run one single-threaded runtime on each thread; to be called once on each.
    /// A connection that was made on another runtime is driven there: each command and each
    /// reply would wake a thread. The middleware for actix-web calls this by itself, on each
    /// worker.
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
        let Some(manager) = self.0.manager.for_current_runtime() else { return self.clone() };
        let (manager, clock_log) = (Arc::new(manager), Arc::clone(&self.0.clock_log));
        Self(Arc::new(Parts { manager, clock_log }))
    }

    /// Asks the store for a sign of life: for a health check. Every master of a cluster has to
    /// answer.
    ///
    /// A Redis server is asked too if it takes writes, by a script that writes nothing: a full
    /// memory, too few replicas (`min-replicas-to-write`) and a disk that fails are errors, and
    /// so is a pause of writes that lasts beyond the deadline. A memory store that is full is
    /// none. Two round trips, the second on the connection for what nobody waits for. Each has
    /// the deadline of an operation, so that a probe waits for two of them at most.
    ///
    /// Its answer tells the store's time. As soon as this machine's clock is more than 30 seconds
    /// from it, that is logged as a warning, and beyond the two and a half minutes of
    /// [`check`](Self::check) as an error: once each, until the clocks agree again. It is no
    /// error of this call. A store whose clock is wrong would turn every machine's health check
    /// red, and their sessions go on as long as their own clocks agree.
    ///
    /// # Errors
    ///
    /// [`Error::is_unavailable`] if the store cannot be reached, does not answer in time, or takes
    /// no writes for now. Otherwise the server refuses writes: its memory is full.
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
            let manager = self.manager();
            self.clock_log().record(clock_log::distance_to_store(manager).await?);
            Ok(manager.store().takes_writes().await?)
        })
    }

    /// Whether the store can be reached, as far as is known without asking: a value to export. On
    /// memory it always can. Where [runtimes have connections of their
    /// own](Self::for_current_runtime), those that only wait to be used again do not count beside
    /// others.
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
        self.manager().store().connection_state()
    }

    /// The session of a request with these `Cookie` headers, for a framework that has no adapter
    /// here: see [`SessionHandle`], which is told of the other headers by
    /// [`note_request`](SessionHandle::note_request).
    pub fn open<'a>(&self, cookie_headers: impl IntoIterator<Item = &'a [u8]>) -> SessionHandle {
        SessionHandle::new(Arc::clone(self.manager()), CookieHeaders::collect(cookie_headers))
    }

    /// Whether the store can keep sessions of this schema. To be called when the application
    /// starts, for each schema that has fields with a `ttl`: without it, a server that cannot
    /// expire single fields is found out by the first write of such a field.
    ///
    /// Asks nobody: what the server can was asked when it was connected to.
    ///
    /// # Errors
    ///
    /// [`Error::is_unsupported`] naming the schema, what its fields need and the servers that have
    /// it: Redis 7.4 or later, Valkey 9 or later; memory has it too.
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
        if S::HAS_TTL && !self.manager().store().supports_field_expiry() {
            return Err(Error::new(Kind::SchemaNeedsFieldExpiry { schema: type_name::<S>() }));
        }
        Ok(())
    }

    /// Begins a session outside a request: for a job, a WebSocket, a test. It has no cookie;
    /// [`Session::session_id`] tells its id, by which [`open_id`](Self::open_id) finds it
    /// again. Its lifetime is `normal`; [`Session::renew`] gives it another. Whether
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
        let handle = SessionHandle::outside(Arc::clone(self.manager()), None);
        Operation::new(OperationSpan::without_session(OperationName::Create).instrument(
            async move {
                handle.create().await?;
                Ok(handle.session())
            },
        ))
    }

    /// The session of an id, outside a request. Asks nobody: [`Session::exists`] tells whether it
    /// is there.
    ///
    /// The rules are those of a request: an id that the store does not know is not adopted. Reads
    /// give defaults then, and a write begins a session under a new id, which
    /// [`Session::session_id`] tells. A session that was ended is [gone](crate::Error::is_gone)
    /// for as long as its tombstone stays, five minutes: nobody would get the cookie of another
    /// one.
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
        SessionHandle::outside(Arc::clone(self.manager()), Some(*id)).session()
    }

    /// Looks at the session of an id without using it: its expiry stays as it is. For lists of
    /// sessions and for jobs that look again and again: a read by [`open_id`](Self::open_id)
    /// would keep the session alive.
    ///
    /// Gives the fields that `S` declares, or `None` if there is no live session of this id, or
    /// none by this program's clock and lifetimes. Nothing can be changed by it. One round
    /// trip, or two for an id that the store does not know.
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
        Operation::new(
            OperationSpan::without_session(OperationName::Peek)
                .instrument(peek::peek(self.manager(), *id)),
        )
    }

    /// The current time, by the clock that sessions age by. In tests, that clock is the one which
    /// the test moves (`testing::ManualClock`), so prefer this to [`SystemTime::now`] for times
    /// that a session stores.
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
        self.manager().now()
    }

    /// The same manager, for which time passes by this clock: creation times, deadlines and
    /// cookies' ages. The store has a clock of its own, see [`MemoryStore::with_clock`].
    ///
    /// # Panics
    ///
    /// If the manager was cloned before, or has made a layer: what went out would go by another
    /// time.
    #[cfg(feature = "testing")]
    #[must_use]
    pub fn with_clock(mut self, clock: &crate::clock::ManualClock) -> Self {
        let manager = Arc::get_mut(&mut self.0).and_then(|parts| Arc::get_mut(&mut parts.manager));
        let current = manager.and_then(Manager::clock_mut);
        *current.expect("a manager gets its clock before it is cloned") =
            Clock::Manual(clock.clone());
        self
    }

    pub(crate) fn manager(&self) -> &Arc<Manager> {
        &self.0.manager
    }

    pub(super) fn clock_log(&self) -> &Arc<ClockLog> {
        &self.0.clock_log
    }
}

/// On memory nothing outlives the process: neither need its cookies.
fn make_up_secret(settings: &mut Settings) -> Result<(), Error> {
    if settings.needs_secret() && settings.secrets.is_empty() {
        tracing::warn!(
            "no SESSION_SECRET is set: made one up for this run, cookies of earlier runs are not \
             accepted"
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
    fn a_store_of_ones_own_needs_a_secret_and_memory_makes_one_up() {
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
