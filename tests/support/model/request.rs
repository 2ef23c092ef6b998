//! A request in the model: the sessions that it may know, and the replies that it got.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use session_runtime::store::{DestroyReason, TombstoneKind};
use session_runtime::{Session, SessionHandle};

use super::operation::{Kind, Model, Outcome, Running};
use super::reference_store::ReferenceStore;

/// Time after the end of a session in which a new request still counts as concurrent.
pub(super) const GRACE: Duration = Duration::from_secs(5);

/// A request.
pub(super) struct Request {
    /// Client that sent the request. `None` outside a request.
    pub(super) client: Option<usize>,
    pub(super) handle: Option<SessionHandle>,
    pub(super) session: Session<Model>,
    /// Key of the cookie that the next `Set-Cookie` would replace.
    pub(super) presented: Option<String>,
    /// Keys of the other cookies.
    pub(super) tossed: Vec<String>,
    /// Every key that the request may use: those of its cookies in order, then those that it
    /// created.
    pub(super) keys: Vec<String>,
    /// Key of the last session that the request created or tried to create.
    pub(super) pending: Option<String>,
    /// Keys that were reported as live.
    pub(super) told_live: BTreeSet<String>,
    /// Keys of sessions that may have been created beside a renewal. They have another lifetime,
    /// and get no cookie.
    pub(super) forgotten: BTreeSet<String>,
    /// Lineage that the request uses, once a reply has reported a live session.
    pub(super) bound: Option<usize>,
    /// Commands before this number reveal nothing about the current session.
    pub(super) bound_since: usize,
    /// Lineages that were reported as destroyed.
    pub(super) destroyed: BTreeSet<usize>,
    /// The last change to the session was `destroy`.
    pub(super) removal_due: bool,
    pub(super) was_gone: bool,
    pub(super) committed: bool,
    /// Class of the next session that the request creates.
    pub(super) class: Option<u8>,
    /// Time of arrival.
    pub(super) arrived: SystemTime,
    /// A login or logout has started, so the request may create a session in place of an ended
    /// session.
    pub(super) begins_anew: bool,
    /// A logout has started. If it fails, and in operations beside it, the session may be reported
    /// as gone.
    pub(super) destroys: bool,
    /// The request does nothing any more.
    pub(super) over: bool,
    /// Number of running operations.
    pub(super) running: usize,
}

impl Request {
    pub(super) fn new(
        client: Option<usize>,
        handle: Option<SessionHandle>,
        session: Session<Model>,
        cookies: (Option<String>, Vec<String>),
        arrived: SystemTime,
    ) -> Self {
        let (presented, tossed) = cookies;
        let mut keys: Vec<String> = Vec::new();
        for key in presented.iter().chain(&tossed) {
            if !keys.contains(key) {
                keys.push(key.clone());
            }
        }
        keys.truncate(4);
        Self {
            client,
            handle,
            session,
            presented,
            tossed,
            keys,
            pending: None,
            told_live: BTreeSet::new(),
            forgotten: BTreeSet::new(),
            bound: None,
            bound_since: 0,
            destroyed: BTreeSet::new(),
            removal_due: false,
            was_gone: false,
            committed: false,
            class: None,
            arrived,
            begins_anew: false,
            destroys: false,
            over: false,
            running: 0,
        }
    }

    /// Returns whether a cookie of the request has this key.
    pub(super) fn came_with(&self, key: &str) -> bool {
        self.presented.iter().chain(&self.tossed).any(|other| other == key)
    }

    /// Returns the request's keys that are live now. If the request has a lineage, only keys of
    /// this lineage count.
    pub(super) fn live<'a>(
        &'a self,
        reference: &'a ReferenceStore,
        now: SystemTime,
    ) -> impl Iterator<Item = &'a str> {
        let live =
            self.keys.iter().map(String::as_str).filter(move |key| reference.is_live(key, now));
        let known = live.filter(|key| !self.forgotten.contains(*key));
        known.filter(move |key| self.bound.is_none() || reference.lineage(key) == self.bound)
    }

    /// Returns whether a reply may now say that there is no session.
    pub(super) fn may_be_absent(&self, reference: &ReferenceStore, now: SystemTime) -> bool {
        self.live(reference, now).next().is_none()
    }

    /// Returns whether a reply may now say that the session was ended.
    pub(super) fn may_be_gone(&self, reference: &ReferenceStore, now: SystemTime) -> bool {
        let ended = |key: &String| {
            reference.end_of(key).is_some() && (self.destroys || self.saw_end_of(key, reference))
        };
        let had_one = self.bound.is_some() || self.keys.iter().any(ended);
        had_one && self.may_be_absent(reference, now)
    }

    /// Returns whether the session of this key ended during the request, or in the grace time
    /// before. Outside a request, always.
    fn saw_end_of(&self, key: &str, reference: &ReferenceStore) -> bool {
        reference
            .end_of(key)
            .is_some_and(|(_, at)| self.client.is_none() || at + GRACE >= self.arrived)
    }

    /// Returns whether a session of the cookies ended during the request. The request must then not
    /// create another session.
    pub(super) fn must_not_begin(&self, reference: &ReferenceStore, now: SystemTime) -> bool {
        let has_ended =
            |key: &&String| reference.is_dead(key, now) && self.saw_end_of(key, reference);
        self.keys.iter().filter(|key| self.came_with(key)).any(|key| has_ended(&key))
    }

    /// Returns whether another request ended the only session during this request. This request
    /// must then not log in.
    pub(super) fn must_not_log_in(&self, reference: &ReferenceStore, now: SystemTime) -> bool {
        let [key] = &self.keys[..] else { return false };
        let elsewhere = TombstoneKind::Destroyed(DestroyReason::EndedElsewhere);
        let ended_elsewhere = reference.end_of(key).is_some_and(|(kind, at)| {
            self.client.is_none() || kind == elsewhere && at >= self.arrived
        });
        self.came_with(key) && reference.is_dead(key, now) && ended_elsewhere
    }

    /// Returns the keys whose sessions must be dead after a `destroy` that starts now, including
    /// their successors by tombstones.
    pub(super) fn to_be_destroyed(
        &self,
        reference: &ReferenceStore,
        now: SystemTime,
    ) -> Vec<String> {
        let is_there = |key: &&String| reference.is_live(key, now) || reference.is_dead(key, now);
        let known = self.keys.iter().filter(|key| !self.forgotten.contains(*key));
        known.filter(is_there).cloned().collect()
    }

    /// Returns whether a destruction by this request also ends the session that was renewed to this
    /// key.
    pub(super) fn follows_renewal(&self, key: &str) -> bool {
        self.client.is_none() || self.keys.iter().any(|own| own == key)
    }

    /// Returns the keys of the session that are known to be live. After an unknown outcome, a move
    /// is repeated to the same key.
    pub(super) fn known_live(&self, reference: &ReferenceStore, now: SystemTime) -> Vec<String> {
        let own = self.own_lineage(reference, now);
        let live = self.live(reference, now).filter(|key| reference.lineage(key) == own);
        live.filter(|key| self.told_live.contains(*key) || self.came_with(key))
            .map(str::to_owned)
            .collect()
    }

    /// Returns the lineage that the request uses or would use: the first with a live session under
    /// one of the request's keys.
    fn own_lineage(&self, reference: &ReferenceStore, now: SystemTime) -> Option<usize> {
        let is_live = |lineage: &usize| {
            self.live(reference, now).any(|key| reference.lineage(key) == Some(*lineage))
        };
        self.bound
            .or_else(|| self.keys.iter().filter_map(|key| reference.lineage(key)).find(is_live))
    }

    /// Records the reply that a session is live under this key. Fails if the request used another
    /// live session before.
    pub(super) fn record(
        &mut self,
        reference: &ReferenceStore,
        now: SystemTime,
        command: usize,
        key: &str,
    ) -> Result<(), String> {
        if command < self.bound_since {
            return Ok(());
        }
        let lineage = reference.lineage(key);
        if self.bound.is_some() && lineage != self.bound && !self.may_be_absent(reference, now) {
            return Err("a request left its live session for another one".to_owned());
        }
        self.bound = lineage;
        self.told_live.insert(key.to_owned());
        self.forgotten.remove(key);
        Ok(())
    }

    /// Records that a renewal found no session.
    pub(super) fn forget(&mut self) {
        self.forgotten.extend(self.unsure().cloned().collect::<Vec<_>>());
    }

    /// Returns whether the creation or move of a session has an unknown outcome.
    pub(super) fn is_unsure(&self) -> bool {
        self.unsure().next().is_some()
    }

    fn unsure(&self) -> impl Iterator<Item = &String> {
        self.keys.iter().filter(|key| !self.told_live.contains(*key) && !self.came_with(key))
    }
}

/// An operation.
pub(super) struct Operation {
    pub(super) request: usize,
    pub(super) kind: Kind,
    pub(super) running: Option<Running>,
    pub(super) outcome: Option<Outcome>,
    /// Numbers of the commands.
    pub(super) commands: Vec<usize>,
    /// Since the start, a reply may have said that there is no session.
    pub(super) absent: bool,
    /// Since the start, a reply may have said that the session was ended.
    pub(super) gone: bool,
    /// No other operation of the request ran concurrently.
    pub(super) alone: bool,
    /// Moment of the start.
    pub(super) began: usize,
    /// Moment of the outcome, or of the drop.
    pub(super) ended: Option<usize>,
    /// Number of cookies that clients had received before the start.
    pub(super) issued: usize,
    /// Keys that must be dead after a destruction, as of the start.
    pub(super) to_be_destroyed: Vec<String>,
    /// A login is forbidden, as of the start.
    pub(super) must_not_log_in: bool,
    /// Keys that must not be live after a rotation, as of the start.
    pub(super) live: Vec<String>,
}

impl Operation {
    /// Returns whether the operation had ended when another operation of the same request started.
    pub(super) fn is_before(&self, other: &Self) -> bool {
        self.request == other.request && self.ended.is_some_and(|ended| ended <= other.began)
    }
}
