//! Sessions that tower-sessions itself has kept, for the move to this crate.
//!
//! A request with the former cookie and without a session takes the former session over, before the
//! handler. The former record then points to the new session for a minute. A request that the
//! browser has sent at the same time finds the session so, and so does one after a lost response.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde_json::Value;

use crate::error::{Error, Kind};
use crate::http::cookie_header::CookieHeaders;
use crate::operation::BoxFuture;
use crate::request::handle::SessionHandle;
use crate::session::json_fields::{JsonChanges, JsonFields};

/// The time that a former record points to the session that has taken over.
const POINTS_FOR: Duration = Duration::from_secs(60);

/// The only key of a former record that points to a session.
const POINTER: &str = "session-runtime.moved-to";

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

    /// Replaces the fields of a session, which then expires at this time.
    #[doc(hidden)]
    fn replace(
        &self,
        id: i128,
        fields: JsonFields,
        expires_at: SystemTime,
    ) -> BoxFuture<'_, Result<(), Failed>>;
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

    fn replace(
        &self,
        id: i128,
        fields: JsonFields,
        expires_at: SystemTime,
    ) -> BoxFuture<'_, Result<(), Failed>> {
        self.0.replace(id, fields, expires_at)
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

    /// Returns the former session of a request, if such cookies are still accepted and the request
    /// has no other session. Of several cookies, the last counts, as in tower-sessions.
    pub(super) fn find<'a>(
        &self,
        handle: &SessionHandle,
        cookies: impl IntoIterator<Item = &'a [u8]>,
    ) -> Option<FormerSession> {
        let is_due = handle.manager().now() < self.until;
        if !is_due || !handle.is_without_session(|value| self.parse(value).is_some()) {
            return None;
        }
        let cookies = CookieHeaders::collect(cookies);
        let id = cookies.values(&self.cookie_name).filter_map(|value| self.parse(value)).last()?;
        Some(FormerSession { id, sessions: self.clone() })
    }

    fn parse(&self, cookie: &[u8]) -> Option<i128> {
        self.store.parse(std::str::from_utf8(cookie).ok()?)
    }
}

impl FormerSession {
    /// Lets the request go on with this session, under a new id. Returns `false` if a later request
    /// has to do so.
    ///
    /// # Errors
    ///
    /// `is_unavailable` if a store does not answer. Then nothing is lost.
    pub(super) async fn take_over(
        &self,
        handle: &SessionHandle,
        prefix: &str,
    ) -> Result<bool, Error> {
        let Some(fields) = self.load(handle).await? else { return Ok(true) };
        if let Some(Value::String(id)) = fields.get(POINTER) {
            handle.adopt(id);
            return Ok(true);
        }
        let changes = JsonChanges::between(prefix, &JsonFields::default(), &fields);
        let moved = match changes {
            Ok(changes) => handle.save_json(&changes).await,
            Err(error) => Err(error),
        };
        match moved {
            Ok(()) => {}
            Err(error) if error.is_cross_site() => return Ok(false),
            Err(error) if error.is_encode() || error.is_too_large() => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "a session of tower-sessions could not be taken over");
                return Ok(true);
            }
            Err(error) => return Err(error),
        }
        self.point_to_session(handle).await;
        Ok(true)
    }

    /// Returns the name of the former cookie, if no other cookie has this name.
    pub(super) fn cookie_to_remove(&self, handle: &SessionHandle) -> Option<&str> {
        let name = &*self.sessions.cookie_name;
        (name != handle.manager().cookie_name()).then_some(name)
    }

    async fn load(&self, handle: &SessionHandle) -> Result<Option<JsonFields>, Error> {
        let loaded = in_time(handle, self.sessions.store.load(self.id)).await;
        loaded.map_err(|Failed| Error::new(Kind::FormerStore))
    }

    /// If this fails, the former session stays. A request without a session takes it over again.
    async fn point_to_session(&self, handle: &SessionHandle) {
        let Some(id) = handle.id() else { return };
        let pointer = Value::String(id.expose_secret().to_string());
        let fields = JsonFields::from([(POINTER.to_owned(), pointer)]);
        let expires_at = handle.manager().now() + POINTS_FOR;
        let replaced = self.sessions.store.replace(self.id, fields, expires_at);
        if in_time(handle, replaced).await.is_err() {
            tracing::warn!(
                "a session of tower-sessions was taken over, and its store has kept it: its cookie \
                 is still accepted"
            );
        }
    }
}

/// Gives the store of tower-sessions the deadline of our own store. Without a runtime of tokio,
/// there is no timer.
async fn in_time<T>(
    handle: &SessionHandle,
    operation: impl Future<Output = Result<T, Failed>>,
) -> Result<T, Failed> {
    match tokio::runtime::Handle::try_current() {
        Ok(_) => {
            tokio::time::timeout(handle.manager().timeout(), operation).await.unwrap_or(Err(Failed))
        }
        Err(_) => operation.await,
    }
}

impl fmt::Debug for FormerSessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FormerSessions")
            .field("cookie_name", &self.cookie_name)
            .field("until", &self.until)
            .finish_non_exhaustive()
    }
}
