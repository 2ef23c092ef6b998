//! Sessions that tower-sessions itself has kept, for the move to this crate.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use crate::error::{Error, Kind};
use crate::http::cookie_header::CookieHeaders;
use crate::operation::BoxFuture;
use crate::session::json_fields::JsonFields;

/// The time that a former session remains after it was taken over, for requests that the browser
/// has already sent with the former cookie.
const REMAINS_FOR: Duration = Duration::from_secs(60);

/// A store of tower-sessions that still has sessions. Every `SessionStore` of tower-sessions is
/// one. `V` is the version of tower-sessions.
///
/// See [`TowerSessionsLayer::accept_unsigned_cookies`](super::TowerSessionsLayer).
pub trait FormerStore<V>: Send + Sync + 'static {
    /// Reads the id of a cookie.
    #[doc(hidden)]
    fn parse(&self, cookie: &str) -> Option<i128>;

    #[doc(hidden)]
    fn load(&self, id: i128) -> BoxFuture<'_, Result<Option<JsonFields>, Failed>>;

    /// Lets a session expire at this time.
    #[doc(hidden)]
    fn expire<'a>(
        &'a self,
        id: i128,
        fields: &'a JsonFields,
        at: SystemTime,
    ) -> BoxFuture<'a, Result<(), Failed>>;

    #[doc(hidden)]
    fn delete(&self, id: i128) -> BoxFuture<'_, Result<(), Failed>>;
}

/// The store has failed. The message of the store may contain anything, so it is left out.
#[doc(hidden)]
#[derive(Debug)]
pub struct Failed;

/// The former sessions of an application.
#[derive(Clone)]
pub(super) struct FormerSessions {
    cookie_name: Arc<str>,
    store: Arc<dyn FormerStore<Any>>,
    until: SystemTime,
}

/// The former session that a request names.
pub(super) struct FormerSession {
    id: i128,
    sessions: FormerSessions,
    is_taken_over: AtomicBool,
}

/// Stands for any version of tower-sessions.
enum Any {}

struct OfVersion<S, V>(S, PhantomData<fn() -> V>);

impl<S: FormerStore<V>, V: 'static> FormerStore<Any> for OfVersion<S, V> {
    fn parse(&self, cookie: &str) -> Option<i128> {
        self.0.parse(cookie)
    }

    fn load(&self, id: i128) -> BoxFuture<'_, Result<Option<JsonFields>, Failed>> {
        self.0.load(id)
    }

    fn expire<'a>(
        &'a self,
        id: i128,
        fields: &'a JsonFields,
        at: SystemTime,
    ) -> BoxFuture<'a, Result<(), Failed>> {
        self.0.expire(id, fields, at)
    }

    fn delete(&self, id: i128) -> BoxFuture<'_, Result<(), Failed>> {
        self.0.delete(id)
    }
}

impl FormerSessions {
    pub(super) fn new<V: 'static>(
        cookie_name: &str,
        store: impl FormerStore<V>,
        until: SystemTime,
    ) -> Self {
        let store = Arc::new(OfVersion(store, PhantomData));
        Self { cookie_name: cookie_name.into(), store, until }
    }

    /// Returns the former session that the cookies name, if cookies are still accepted.
    pub(super) fn find<'a>(
        &self,
        cookies: impl IntoIterator<Item = &'a [u8]>,
        now: SystemTime,
    ) -> Option<FormerSession> {
        if now >= self.until {
            return None;
        }
        let cookies = CookieHeaders::collect(cookies);
        let id = cookies
            .values(&self.cookie_name)
            .find_map(|value| self.store.parse(std::str::from_utf8(value).ok()?))?;
        Some(FormerSession { id, sessions: self.clone(), is_taken_over: AtomicBool::new(false) })
    }
}

impl FormerSession {
    /// Returns the fields of the session.
    ///
    /// # Errors
    ///
    /// `is_unavailable` if the store fails.
    pub(super) async fn load(&self) -> Result<Option<JsonFields>, Error> {
        self.sessions.store.load(self.id).await.map_err(|Failed| failure())
    }

    /// Marks the session as taken over, and lets it expire soon.
    pub(super) async fn retire(&self, fields: &JsonFields, now: SystemTime) {
        self.is_taken_over.store(true, Ordering::Relaxed);
        let expired = self.sessions.store.expire(self.id, fields, now + REMAINS_FOR).await;
        if expired.is_err() {
            tracing::warn!(
                "a session of tower-sessions was taken over, but its store did not let it expire: \
                 its cookie is accepted until then"
            );
        }
    }

    /// # Errors
    ///
    /// `is_unavailable` if the store fails.
    pub(super) async fn end(&self) -> Result<(), Error> {
        self.sessions.store.delete(self.id).await.map_err(|Failed| failure())
    }

    pub(super) fn is_taken_over(&self) -> bool {
        self.is_taken_over.load(Ordering::Relaxed)
    }

    pub(super) fn cookie_name(&self) -> &str {
        &self.sessions.cookie_name
    }
}

fn failure() -> Error {
    Error::new(Kind::FormerStore)
}

impl fmt::Debug for FormerSessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FormerSessions")
            .field("cookie_name", &self.cookie_name)
            .field("until", &self.until)
            .finish_non_exhaustive()
    }
}
