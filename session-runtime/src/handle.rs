//! One request's session, shared by all that hold it: plans by the life cycle, carried out on the store.

use std::fmt;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use crate::cookie_header::CookieValues;
use crate::error::Error;
use crate::lifecycle::{Candidate, Lifecycle, Next, Read, Write as Plan};
use crate::response::SessionHeaders;
use crate::schema::Schema;
use crate::session::Session;
use crate::sessions::Sessions;
use crate::store::{Change, Lookup, Write, WriteMode};
use crate::subject::Subject;

/// How many cookies of our name that verify are asked for, one after another, before the request counts as having no session.
const MAX_CANDIDATES: usize = 4;

/// One request's session, before a schema gives it types; cheap to clone.
///
/// The [`SessionLayer`](crate::SessionLayer) puts one into the extensions of every request. A framework that has no adapter here gets one
/// from [`Sessions::open`], and says [`finish`](Self::finish) when it sends the response's head.
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
/// let headers = handle.finish();
/// assert!(headers.set_cookie().is_some());
/// # Ok::<(), session_runtime::Error>(())
/// # }).unwrap();
/// # }
/// ```
#[derive(Clone)]
pub struct SessionHandle(Arc<Request>);

struct Request {
    sessions: Sessions,
    cookies: CookieValues,
    lifecycle: Mutex<Lifecycle>,
}

impl SessionHandle {
    pub(crate) fn new(sessions: Sessions, cookies: CookieValues) -> Self {
        Self(Arc::new(Request { sessions, cookies, lifecycle: Mutex::new(Lifecycle::default()) }))
    }

    /// The session with the fields that `S` declares.
    pub fn session<S: Schema>(&self) -> Session<S> {
        Session::new(self.clone())
    }

    /// Ends what can change the session's cookie, and says what the response has to carry. To be called once, when the response's head is
    /// about to be sent.
    ///
    /// Afterwards, beginning a session is [`Error::is_committed`]; reading and writing a live one goes on.
    pub fn finish(&self) -> SessionHeaders {
        let outcome = self.lifecycle().commit();
        self.0.sessions.headers(&outcome)
    }

    pub(crate) fn belongs_to(&self, sessions: &Sessions) -> bool {
        self.0.sessions.is(sessions)
    }

    pub(crate) async fn get(&self, field: &'static str) -> Result<Option<Bytes>, Error> {
        while let Some(read) = self.plan_read() {
            let reply = self.0.sessions.store().get(&read.subject.key, field, read.refresh).await?;
            if let ControlFlow::Break(answer) = self.report(&read.subject, reply) {
                return Ok(answer.flatten());
            }
        }
        Ok(None)
    }

    pub(crate) async fn contains(&self, field: &'static str) -> Result<bool, Error> {
        while let Some(read) = self.plan_read() {
            let reply = self.0.sessions.store().contains(&read.subject.key, field, read.refresh).await?;
            if let ControlFlow::Break(answer) = self.report(&read.subject, reply) {
                return Ok(answer.unwrap_or(false));
            }
        }
        Ok(false)
    }

    /// Says whether a field that the change removes was there.
    pub(crate) async fn write(&self, change: Change<'static>) -> Result<bool, Error> {
        self.0.sessions.check_size(&change)?;
        let only_removes = matches!(change, Change::Remove { .. });
        let changes = [change];
        while let Some(plan) = self.plan_write(only_removes)? {
            let write = Write { mode: plan.mode, changes: &changes, expires_in: plan.expires_in };
            let reply = self.0.sessions.store().write(&plan.subject.key, write).await?;
            if plan.mode == WriteMode::Create && matches!(reply, Lookup::Found(_)) {
                self.lifecycle().created(&plan.subject.id)?;
            }
            if let ControlFlow::Break(removed) = self.report(&plan.subject, reply) {
                return Ok(removed.is_some_and(|removed| removed > 0));
            }
        }
        Ok(false)
    }

    fn plan_read(&self) -> Option<Read> {
        self.asked().plan_read(self.0.sessions.now())
    }

    fn plan_write(&self, only_removes: bool) -> Result<Option<Plan>, Error> {
        let sessions = &self.0.sessions;
        let now = sessions.now();
        self.asked().plan_write(now, only_removes, || sessions.draw(now))
    }

    /// `Break` with what was found, or with nothing if there is nothing to find; `Continue` if another plan is needed.
    fn report<T>(&self, subject: &Subject, reply: Lookup<T>) -> ControlFlow<Option<T>> {
        let mut lifecycle = self.lifecycle();
        match reply {
            Lookup::Found(answer) => {
                lifecycle.found(&subject.id);
                ControlFlow::Break(Some(answer))
            }
            Lookup::Missing => match lifecycle.missing(&subject.id) {
                Next::Nothing => ControlFlow::Break(None),
                Next::Replan => ControlFlow::Continue(()),
            },
            Lookup::Dead => {
                lifecycle.dead(&subject.id);
                ControlFlow::Continue(())
            }
        }
    }

    /// The life cycle, with the request's cookies looked at.
    fn asked(&self) -> MutexGuard<'_, Lifecycle> {
        let mut lifecycle = self.lifecycle();
        lifecycle.ask(|| self.candidates());
        lifecycle
    }

    fn lifecycle(&self) -> MutexGuard<'_, Lifecycle> {
        self.0.lifecycle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn candidates(&self) -> Vec<Candidate> {
        let mut candidates: Vec<Candidate> = Vec::new();
        for candidate in self.0.cookies.iter().filter_map(|value| self.0.sessions.candidate(value)) {
            let known = candidates.iter().any(|other| other.subject.id == candidate.subject.id);
            if !known && candidates.len() < MAX_CANDIDATES {
                candidates.push(candidate);
            }
        }
        candidates
    }
}

impl fmt::Debug for SessionHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SessionHandle").field(&*self.lifecycle()).finish()
    }
}
