//! Sessions that tower-sessions itself has kept, for the move to this crate.
//!
//! A request with the former cookie takes the former session over, before the handler. The former
//! record then points to the session for a minute. A request that the browser has sent at the same
//! time finds the session so, and so does one after a lost response.

use std::fmt;
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

/// The outcome of a take-over. Its end makes the former cookie useless.
pub(super) enum TakeOver {
    /// A later request has to do it.
    Later,
    Done,
    /// The session has this id.
    Moved(String),
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

    /// Returns the former session of a request, if such cookies are still accepted. Of several
    /// cookies, the last counts, as in tower-sessions.
    pub(super) fn find<'a>(
        &self,
        handle: &SessionHandle,
        cookies: impl IntoIterator<Item = &'a [u8]>,
    ) -> Option<FormerSession> {
        if handle.manager().now() >= self.until || !handle.begins_with_cookie() {
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
    /// Lets the request go on with the fields of this session, under a new id. The fields of a
    /// session that has some of its own count more.
    ///
    /// # Errors
    ///
    /// `is_unavailable` if a store does not answer. Then nothing is lost.
    pub(super) async fn take_over(
        &self,
        handle: &SessionHandle,
        prefix: &str,
    ) -> Result<TakeOver, Error> {
        let Some(mut fields) = self.load(handle).await? else { return Ok(TakeOver::Done) };
        if let (1, Some(id)) = (fields.len(), fields.get(POINTER)) {
            let is_done = handle.adopt(id.as_str().unwrap_or_default()).await?;
            return Ok(if is_done && !handle.is_degraded() {
                TakeOver::Done
            } else {
                TakeOver::Later
            });
        }
        fields.remove(POINTER);
        let has_fields = !handle.load_json(prefix).await?.is_empty();
        if handle.is_degraded() {
            return Ok(TakeOver::Later);
        }
        match if has_fields { Ok(()) } else { move_fields(handle, prefix, &fields).await } {
            Ok(()) => {}
            Err(error) if error.is_cross_site() => return Ok(TakeOver::Later),
            Err(error) if error.is_encode() || error.is_too_large() => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "a session of tower-sessions could not be taken over");
                return Ok(TakeOver::Done);
            }
            Err(error) => return Err(error),
        }
        Ok(match current_id(handle) {
            Some(id) => {
                self.point_to(&id, handle).await;
                TakeOver::Moved(id)
            }
            None => TakeOver::Done,
        })
    }

    /// Follows the session to the id that the handler has given it.
    pub(super) async fn follow(&self, moved_to: &str, handle: &SessionHandle) {
        if let Some(id) = current_id(handle).filter(|id| id != moved_to) {
            self.point_to(&id, handle).await;
        }
    }

    /// Returns the name of the former cookie, if no other cookie has this name.
    pub(super) fn cookie_to_remove(&self, handle: &SessionHandle) -> Option<&str> {
        let name = &*self.sessions.cookie_name;
        (name != handle.manager().cookie_name()).then_some(name)
    }

    async fn load(&self, handle: &SessionHandle) -> Result<Option<JsonFields>, Error> {
        match handle.in_time(self.sessions.store.load(self.id)).await {
            Some(Ok(found)) => Ok(found),
            Some(Err(Failed)) | None => Err(Error::new(Kind::FormerStore)),
        }
    }

    /// If this fails, the former session stays until its cookie comes again.
    async fn point_to(&self, id: &str, handle: &SessionHandle) {
        let fields = JsonFields::from([(POINTER.to_owned(), Value::String(id.to_owned()))]);
        let expires_at = handle.manager().now() + POINTS_FOR;
        let replaced = self.sessions.store.replace(self.id, fields, expires_at);
        if !matches!(handle.in_time(replaced).await, Some(Ok(()))) {
            tracing::warn!(
                "a session of tower-sessions was taken over, and its store has kept it: its cookie \
                 is still accepted"
            );
        }
    }
}

async fn move_fields(
    handle: &SessionHandle,
    prefix: &str,
    fields: &JsonFields,
) -> Result<(), Error> {
    let changes = JsonChanges::between(prefix, &JsonFields::default(), fields)?;
    match handle.id() {
        Some(_) => handle.renew_json(&changes).await,
        None => handle.save_json(&changes).await,
    }
}

fn current_id(handle: &SessionHandle) -> Option<String> {
    handle.id().map(|id| id.expose_secret().to_owned())
}

impl fmt::Debug for FormerSessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FormerSessions")
            .field("cookie_name", &self.cookie_name)
            .field("until", &self.until)
            .finish_non_exhaustive()
    }
}
