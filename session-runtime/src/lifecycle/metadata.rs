//! An id with its key in the store and its deadlines.

use std::ops::Deref;
use std::sync::Arc;
#[cfg(feature = "redis-session-compat")]
use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

use crate::config::{Lifetime, Lifetimes};
use crate::error::Error;
#[cfg(feature = "redis-session-compat")]
use crate::id::successor;
use crate::id::{LifetimeId, SessionId, SessionKey};

/// The most by which the clock behind an id's creation time may be ahead of ours.
pub(crate) const MAX_CLOCK_SKEW: Duration = Duration::from_secs(5 * 60);

/// A session that a request may use.
///
/// All of the data follows from the id and the configuration, without asking the store. Every
/// operation has a clone, so clones share the data.
#[derive(Debug, Clone)]
pub(crate) struct SessionMetadata(Arc<Metadata>);

/// The data of [`SessionMetadata`].
#[derive(Debug)]
pub(crate) struct Metadata {
    pub(crate) id: SessionId,
    pub(crate) key: SessionKey,
    pub(crate) created_at: SystemTime,
    pub(crate) lifetime: Lifetime,
    /// The tag of the successors of an id from Python, once known.
    #[cfg(feature = "redis-session-compat")]
    native_tag: OnceLock<[u8; SessionId::TAG_LEN]>,
}

impl SessionMetadata {
    /// Returns the session of an id. A class that is not configured has the strictest lifetime.
    pub(crate) fn new(id: SessionId, prefix: &str, lifetimes: &Lifetimes) -> Self {
        let (created_at, class) = id.created_at_and_lifetime();
        let lifetime = lifetimes.get(class).copied().unwrap_or_else(|| lifetimes.strictest(class));
        Self(Arc::new(Metadata {
            id,
            key: SessionKey::new(prefix, &id),
            created_at,
            lifetime,
            #[cfg(feature = "redis-session-compat")]
            native_tag: OnceLock::new(),
        }))
    }

    /// Returns the part of the id that stays for life: the tag, or for an id from Python the tag
    /// that all successors have.
    pub(crate) fn identity(&self) -> &[u8; SessionId::TAG_LEN] {
        #[cfg(feature = "redis-session-compat")]
        if self.id.python().is_some() {
            return self.native_tag.get_or_init(|| successor::tag_of(&self.key));
        }
        self.id.tag_bytes()
    }

    /// Returns whether a session can have this id now. After the deadline, or with a creation time
    /// in the future, no session can.
    pub(crate) fn is_plausible(&self, now: SystemTime) -> bool {
        let latest = now.checked_add(MAX_CLOCK_SKEW);
        latest.is_some_and(|latest| self.created_at <= latest) && self.expires_in(now).is_some()
    }

    /// Generates the next id for a rotation, in the same cluster slot.
    pub(crate) fn generate_successor(
        &self,
        created_at: SystemTime,
        lifetime: LifetimeId,
    ) -> Result<SessionId, Error> {
        #[cfg(feature = "redis-session-compat")]
        if self.id.python().is_some() {
            let generated = SessionId::generate(created_at, lifetime)?;
            return Ok(generated.with_tag(self.identity()));
        }
        self.id.generate_successor(created_at, lifetime)
    }

    /// Returns how long the store keeps the session after a use now: the idle timeout, but never
    /// past the absolute deadline. Returns `None` past the deadline.
    pub(crate) fn expires_in(&self, now: SystemTime) -> Option<Duration> {
        self.deadline_in(now).map(|remaining| remaining.min(self.lifetime.idle))
    }

    /// Returns the time until the session's absolute deadline. Returns `None` past the deadline.
    pub(crate) fn deadline_in(&self, now: SystemTime) -> Option<Duration> {
        let deadline = self.created_at.checked_add(self.lifetime.max)?;
        let remaining = deadline.duration_since(now).ok()?;
        (remaining >= Duration::from_millis(1)).then_some(remaining)
    }
}

impl Deref for SessionMetadata {
    type Target = Metadata;

    fn deref(&self) -> &Metadata {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    fn born_at(created_at: SystemTime, class: u8) -> SessionId {
        SessionId::generate(created_at, LifetimeId::new(class)).unwrap()
    }

    fn session(id: SessionId) -> SessionMetadata {
        SessionMetadata::new(id, "app", &Lifetimes::default())
    }

    fn now() -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(2_000_000_000)
    }

    #[test]
    fn an_id_from_a_clock_slightly_ahead_is_accepted() {
        let is_presented = |created_at| session(born_at(created_at, 0)).is_plausible(now());
        assert!(is_presented(now()) && is_presented(now() + MAX_CLOCK_SKEW));
        assert!(!is_presented(now() + MAX_CLOCK_SKEW + Duration::from_secs(1)));
        assert_eq!(MAX_CLOCK_SKEW, Duration::from_secs(300));
    }

    #[test]
    fn a_class_that_is_not_configured_has_the_strictest_lifetime() {
        let lifetimes = Lifetimes::from(vec![
            Lifetime::normal().idle(Duration::from_secs(600)),
            Lifetime::custom(7)
                .idle(Duration::from_secs(900))
                .max(Duration::from_secs(1200))
                .persistent(true),
        ]);
        let lifetime = SessionMetadata::new(born_at(now(), 200), "app", &lifetimes).lifetime;
        let (idle, max) = (Duration::from_secs(600), Duration::from_secs(1200));
        assert_eq!(lifetime, Lifetime::custom(200).idle(idle).max(max).persistent(false));
    }

    #[test]
    fn no_creation_time_and_no_lifetime_is_past_the_end_of_time() {
        let latest = UNIX_EPOCH + Duration::from_secs((1 << 40) - 1);
        let lifetimes = Lifetimes::from(vec![Lifetime::normal().max(Duration::MAX)]);
        let session = SessionMetadata::new(born_at(latest, 0), "app", &lifetimes);
        assert_eq!(session.deadline_in(now()), None);
        assert!(!session.is_plausible(now()));
    }

    #[test]
    fn a_session_lasts_as_long_as_it_is_used_and_never_past_its_deadline() {
        let session = session(born_at(now(), 0));
        let Lifetime { idle, max, .. } = session.lifetime;
        assert_eq!(
            (session.deadline_in(now()), session.expires_in(now())),
            (Some(max), Some(idle))
        );
        let deadline = now() + max;
        let last = Duration::from_millis(1);
        assert_eq!(session.deadline_in(deadline - last), Some(last));
        assert_eq!(session.expires_in(deadline - last), Some(last));
        assert_eq!(
            session.expires_in(deadline - Duration::from_micros(999)),
            None,
            "redis counts in milliseconds"
        );
        assert_eq!(session.deadline_in(deadline + last), None);
        assert!(!session.is_plausible(deadline));
    }

    #[test]
    fn a_successor_is_another_session_in_the_same_slot() {
        let session = session(born_at(now(), 0));
        let successor = session.generate_successor(now(), LifetimeId::new(1)).unwrap();
        assert_eq!(
            (successor.tag(), successor.created_at_and_lifetime()),
            (session.id.tag(), (now(), LifetimeId::new(1)))
        );
        assert_ne!(successor, session.id);
    }
}
