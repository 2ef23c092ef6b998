//! The application's session manager.

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use crate::clock::Clock;
use crate::config::{Lifetime, Lifetimes, Secret, SessionConfig, Settings, StoreUrl};
use crate::cookie_header::CookieValues;
use crate::error::{Error, Kind};
use crate::handle::SessionHandle;
use crate::keyring::Keyring;
use crate::lifecycle::{Candidate, Outcome};
use crate::response::SessionHeaders;
use crate::set_cookie::CookieTemplate;
#[cfg(feature = "redis")]
use crate::store::RedisStore;
use crate::store::{AnyStore, Change, MemoryStore, SessionStore};
use crate::subject::Subject;

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
    clock: Clock,
    prefix: Box<str>,
    lifetimes: Lifetimes,
    keyring: Keyring,
    cookie: CookieTemplate,
    max_value_size: usize,
}

impl Sessions {
    /// A manager with the configuration that the environment gives: see [`SessionConfig::from_env`].
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new), and [`Error::is_config`] naming the variable whose value cannot be used.
    pub async fn from_env() -> Result<Self, Error> {
        Self::new(SessionConfig::from_env()?).await
    }

    /// A manager with this configuration, connected to the store that it names.
    ///
    /// # Errors
    ///
    /// [`Error::is_config`] if a setting cannot be used, with what to change; [`Error::is_unavailable`] if the store cannot be reached.
    pub async fn new(config: SessionConfig) -> Result<Self, Error> {
        let mut settings = config.resolve()?;
        let store = match &settings.store {
            StoreUrl::Memory => {
                make_up_secret(&mut settings)?;
                AnyStore::Memory(MemoryStore::new())
            }
            #[cfg(feature = "redis")]
            StoreUrl::Redis(url) => {
                AnyStore::Redis(RedisStore::builder(url).timeout(settings.timeout).connect().await?)
            }
        };
        Ok(Self::build(settings, store))
    }

    /// A manager with this configuration, on a store of your own. The store that the configuration names is not used.
    ///
    /// # Errors
    ///
    /// [`Error::is_config`] if a setting cannot be used, with what to change.
    pub fn with_store(config: SessionConfig, store: impl SessionStore) -> Result<Self, Error> {
        Ok(Self::build(config.resolve()?, AnyStore::of(store)))
    }

    fn build(settings: Settings, store: AnyStore) -> Self {
        let keyring = Keyring::new(&settings.cookie.name, settings.secrets.iter().map(Secret::expose));
        Self(Arc::new(Manager {
            store,
            clock: Clock::system(),
            prefix: settings.prefix,
            lifetimes: settings.lifetimes,
            keyring,
            cookie: CookieTemplate::new(settings.cookie),
            max_value_size: settings.max_value_size,
        }))
    }

    /// The tower layer that gives every request its session.
    #[cfg(feature = "tower")]
    pub fn layer(&self) -> crate::SessionLayer {
        crate::SessionLayer::new(self.clone())
    }

    /// The session of a request with these `Cookie` headers, for a framework that has no adapter here: see [`SessionHandle`].
    pub fn open<'a>(&self, cookie_headers: impl IntoIterator<Item = &'a [u8]>) -> SessionHandle {
        SessionHandle::new(self.clone(), CookieValues::collect(self.0.cookie.name(), cookie_headers))
    }

    /// The same manager by another clock. To be called before the manager is shared.
    #[cfg(feature = "testing")]
    #[doc(hidden)]
    pub fn with_clock(mut self, clock: &crate::clock::ManualClock) -> Self {
        if let Some(manager) = Arc::get_mut(&mut self.0) {
            manager.clock = Clock::Manual(clock.clone());
        }
        self
    }

    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    pub(crate) fn store(&self) -> &AnyStore {
        &self.0.store
    }

    pub(crate) fn now(&self) -> SystemTime {
        self.0.clock.now()
    }

    /// The session that a cookie's value names, if it is signed and can be alive.
    pub(crate) fn candidate(&self, cookie_value: &[u8]) -> Option<Candidate> {
        let verified = self.0.keyring.verify(cookie_value)?;
        let subject = Subject::presented(verified.id, &self.0.prefix, &self.0.lifetimes, self.now())?;
        Some(Candidate { subject, reissue: verified.by_older_key })
    }

    /// A session that begins now, under a new id.
    pub(crate) fn draw(&self, now: SystemTime) -> Result<Subject, Error> {
        Subject::draw(Lifetime::normal().class, &self.0.prefix, &self.0.lifetimes, now)
    }

    pub(crate) fn check_size(&self, change: &Change<'static>) -> Result<(), Error> {
        match change {
            Change::Set { field, value } if value.len() > self.0.max_value_size => {
                Err(Error::new(Kind::TooLarge { field, size: value.len(), limit: self.0.max_value_size }))
            }
            _ => Ok(()),
        }
    }

    pub(crate) fn headers(&self, outcome: &Outcome) -> SessionHeaders {
        let set_cookie = outcome.set.as_ref().map(|subject| self.set_cookie(subject));
        SessionHeaders::new(outcome, set_cookie)
    }

    fn set_cookie(&self, subject: &Subject) -> String {
        let max_age = subject.persistent.then(|| subject.remaining(self.now()).unwrap_or_default());
        self.0.cookie.set(self.0.keyring.sign(&subject.id), max_age)
    }
}

/// On memory nothing outlives the process: neither need its cookies.
fn make_up_secret(settings: &mut Settings) -> Result<(), Error> {
    if settings.secrets.is_empty() {
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
            .field("prefix", &self.0.prefix)
            .field("cookie", &self.0.cookie)
            .finish_non_exhaustive()
    }
}
