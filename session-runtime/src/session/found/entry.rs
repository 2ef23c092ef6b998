//! An entry in the list of a user's sessions.

use std::cmp::Reverse;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;

use super::search::{FOLLOWED, Found, keeps_changing, report_end};
use crate::error::Error;
use crate::id::{SessionId, SessionKey};
use crate::lifecycle::{SessionMetadata, TOMBSTONE_FOR};
use crate::operation::Operation;
use crate::request::encrypted::Answer;
use crate::request::manager::Manager;
use crate::session::Session;
use crate::session::record::Values;
use crate::session::schema::Schema;
#[cfg(feature = "admin")]
use crate::session::shown::{ShownField, ShownValue};
use crate::store::{DestroyReason, Destroyed, Destruction};
use crate::telemetry::{OperationName, OperationSpan};

/// A live session in a [list](super::FoundSessions::list), as it was at the look. `Debug` shows
/// only the tag.
pub struct SessionEntry<D> {
    manager: Arc<Manager>,
    session: SessionMetadata,
    signed_in_at: Option<SystemTime>,
    expires_in: Duration,
    last_used: Option<LastUsed>,
    values: Vec<Option<Bytes>>,
    schema: PhantomData<fn() -> D>,
}

/// The time of the last use of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastUsed {
    /// The earliest time that is possible.
    pub at: SystemTime,
    /// The last use was at most this much later. Zero unless
    /// [`refresh_below`](crate::SessionConfig::refresh_below) is set. A
    /// [`touch`](struct@crate::Session#method.touch) that was not due does not count as a use.
    pub within: Duration,
}

impl<D: Schema> SessionEntry<D> {
    pub(super) fn new(manager: &Arc<Manager>, found: Found) -> Self {
        let Found { session, seen } = found;
        let last_used = last_used(manager, &session, seen.expires_in);
        Self {
            manager: Arc::clone(manager),
            session,
            signed_in_at: seen.signed_in_at,
            expires_in: seen.expires_in,
            last_used,
            values: seen.values,
            schema: PhantomData,
        }
    }

    /// Returns the id, for [`Sessions::open_id`](crate::Sessions::open_id). The text of the id gives
    /// access to the session, so keep it out of pages and logs.
    pub fn id(&self) -> &SessionId {
        &self.session.id
    }

    /// Returns everything that follows from the id and the configuration.
    #[cfg(feature = "cli")]
    pub(crate) fn metadata(&self) -> &SessionMetadata {
        &self.session
    }

    /// Returns the key in the store.
    pub(super) fn key(&self) -> &SessionKey {
        &self.session.key
    }

    /// Returns the tag, which names the session in a page and in logs. A tag gives no access.
    pub fn tag(&self) -> &str {
        self.session.id.tag()
    }

    /// Returns whether this is the session of the request, also after a rotation.
    pub fn is_current<S: Schema>(&self, session: &Session<S>) -> bool {
        session.session_id().is_some_and(|current| current.tag() == self.tag())
    }

    /// Returns the time at which the indexed field was set, by the clock of the store. `None` if
    /// another program set the field.
    pub fn signed_in_at(&self) -> Option<SystemTime> {
        self.signed_in_at
    }

    /// Returns the time of the creation, or of the last
    /// [`renew`](struct@crate::Session#method.renew).
    pub fn created_at(&self) -> SystemTime {
        self.session.created_at
    }

    /// Returns the time until the session expires without further use.
    pub fn expires_in(&self) -> Duration {
        self.expires_in
    }

    /// Returns the last use of the session, computed from its expiry. `None` near the absolute
    /// deadline, and for a lifetime that is not configured.
    pub fn last_used(&self) -> Option<LastUsed> {
        self.last_used
    }

    /// Ends the session, also under a later id, and returns whether it was live.
    ///
    /// # Errors
    ///
    /// [`Error::is_unavailable`] if the store cannot be reached.
    pub fn end(&self) -> Operation<'_, bool> {
        let span = OperationSpan::without_session(OperationName::End);
        Operation::new(span.instrument(end(&self.manager, &self.session)))
    }

    /// Returns the fields of the session.
    ///
    /// # Errors
    ///
    /// Fails with [`Error::is_decode`] if a stored value does not fit its type. You can end such a
    /// session all the same.
    pub fn data(&self) -> Result<D, Error> {
        let answer = Answer { value: self.values.clone(), session: Some(self.session.clone()) };
        D::load(&mut Values::new(&self.manager, answer))
    }

    /// Returns the fields to show, each with its value.
    #[cfg(feature = "admin")]
    pub(crate) fn shown(
        &self,
    ) -> impl Iterator<Item = (&'static dyn ShownField, ShownValue)> + use<'_, D> {
        D::SHOWN.iter().map(|field| {
            let stored = |name| {
                let at = D::READ_NAMES.iter().position(|read| *read == name);
                at.and_then(|at| self.values.get(at)?.clone())
            };
            let names = std::iter::once(field.name()).chain(field.alias());
            let value = names.map(stored).collect();
            let answer = Answer { value, session: Some(self.session.clone()) };
            (*field, field.take(&mut Values::new(&self.manager, answer)))
        })
    }

    /// The latest use comes first, and an unknown use last.
    pub(super) fn rank(&self) -> (bool, Reverse<Option<SystemTime>>) {
        let last_used = self.last_used.map(|last_used| last_used.at);
        (last_used.is_none(), Reverse(last_used.or(self.signed_in_at)))
    }
}

/// Ends a session that is not proven by an index.
async fn end(manager: &Manager, session: &SessionMetadata) -> Result<bool, Error> {
    let reason = DestroyReason::EndedElsewhere;
    let destruction = Destruction { reason, tombstone_for: TOMBSTONE_FOR };
    let mut session = session.clone();
    for _ in 0..FOLLOWED {
        let next = match manager.store().destroy(&session.key, destruction).await? {
            Destroyed::Ended => {
                report_end(&session.id);
                return Ok(true);
            }
            Destroyed::Missing => None,
            Destroyed::Dead(kind) => kind.successor(),
        };
        let Some(next) = next else { return Ok(false) };
        session = manager.metadata(next);
    }
    Err(keeps_changing())
}

/// Computes the last use from the time until the expiry, which each use sets to the idle timeout.
fn last_used(
    manager: &Manager,
    session: &SessionMetadata,
    expires_in: Duration,
) -> Option<LastUsed> {
    let (now, idle) = (manager.now(), session.lifetime.idle);
    let is_configured = manager.is_configured(session.lifetime.class);
    let before_deadline = session.deadline_in(now)?.checked_sub(expires_in)?;
    // Near the deadline, the expiry says nothing about the last use.
    if !is_configured || before_deadline < Duration::from_secs(1) {
        return None;
    }
    let within = idle.mul_f64(1.0 - manager.refresh_share().unwrap_or(1.0));
    let at = now.checked_sub(idle.checked_sub(expires_in)?)?;
    Some(LastUsed { at, within })
}

impl<D> fmt::Debug for SessionEntry<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SessionEntry").field(&self.session.id).finish()
    }
}
