//! One request as the model sees it: which sessions it may know of, and what it was told.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use session_runtime::store::{DestroyReason, TombstoneKind};
use session_runtime::{Session, SessionHandle};

use super::operation::{Kind, Model, Outcome, Running};
use super::reference_store::ReferenceStore;

/// How much later than the end of its session a request may come in and still count as under way.
pub(super) const GRACE: Duration = Duration::from_secs(5);

/// One request.
pub(super) struct Request {
    /// The client that sent it; none outside a request.
    pub(super) client: Option<usize>,
    pub(super) handle: Option<SessionHandle>,
    pub(super) session: Session<Model>,
    /// The key of the cookie that the client's next one would replace.
    pub(super) presented: Option<String>,
    /// The keys of its other cookies.
    pub(super) tossed: Vec<String>,
    /// Every key that it may use: of its cookies in their order, then those that it made itself.
    pub(super) keys: Vec<String>,
    /// The key of the last session that it began, or tried to.
    pub(super) pending: Option<String>,
    /// The keys that it was told are live.
    pub(super) told_live: BTreeSet<String>,
    /// Those of sessions that it may have begun beside a renewal: they have another lifetime, and
    /// get no cookie.
    pub(super) forgotten: BTreeSet<String>,
    /// The lineage that it works on, once it was told that there is one.
    pub(super) bound: Option<usize>,
    /// Commands sent before this one tell it nothing of the session it has now.
    pub(super) bound_since: usize,
    /// The lineages that it was told are destroyed.
    pub(super) destroyed: BTreeSet<usize>,
    /// Its last word on its session was `destroy`.
    pub(super) removal_due: bool,
    pub(super) was_gone: bool,
    pub(super) committed: bool,
    /// The class of the session that it begins next.
    pub(super) class: Option<u8>,
    /// When it came in.
    pub(super) arrived: SystemTime,
    /// It began to log somebody in or out: it may begin another session in place of one that
    /// ended.
    pub(super) begins_anew: bool,
    /// It began to log somebody out: beside that, and where it fails, its session may be told to
    /// be gone.
    pub(super) destroys: bool,
    /// It does nothing any more.
    pub(super) over: bool,
    /// The operations that wait.
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

    /// A cookie of it has this key.
    pub(super) fn came_with(&self, key: &str) -> bool {
        self.presented.iter().chain(&self.tossed).any(|other| other == key)
    }

    /// Those of its keys that are live now, and on its lineage if it has one.
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

    /// It may be told now that there is no session.
    pub(super) fn may_be_absent(&self, reference: &ReferenceStore, now: SystemTime) -> bool {
        self.live(reference, now).next().is_none()
    }

    /// It may be told now that its session was ended.
    pub(super) fn may_be_gone(&self, reference: &ReferenceStore, now: SystemTime) -> bool {
        let ended = |key: &String| {
            reference.end_of(key).is_some() && (self.destroys || self.saw_end_of(key, reference))
        };
        let had_one = self.bound.is_some() || self.keys.iter().any(ended);
        had_one && self.may_be_absent(reference, now)
    }

    /// It was under way when the session of this key ended, or came in within the grace. A part of
    /// the application always was.
    fn saw_end_of(&self, key: &str, reference: &ReferenceStore) -> bool {
        reference
            .end_of(key)
            .is_some_and(|(_, at)| self.client.is_none() || at + GRACE >= self.arrived)
    }

    /// A session of its cookies ended while it was under way: it must not begin another one.
    pub(super) fn must_not_begin(&self, reference: &ReferenceStore, now: SystemTime) -> bool {
        let has_ended =
            |key: &&String| reference.is_dead(key, now) && self.saw_end_of(key, reference);
        self.keys.iter().filter(|key| self.came_with(key)).any(|key| has_ended(&key))
    }

    /// Its only session was ended by somebody else while it was under way: it must not log in.
    pub(super) fn must_not_log_in(&self, reference: &ReferenceStore, now: SystemTime) -> bool {
        let [key] = &self.keys[..] else { return false };
        let elsewhere = TombstoneKind::Destroyed(DestroyReason::EndedElsewhere);
        let ended_elsewhere = reference.end_of(key).is_some_and(|(kind, at)| {
            self.client.is_none() || kind == elsewhere && at >= self.arrived
        });
        self.came_with(key) && reference.is_dead(key, now) && ended_elsewhere
    }

    /// The keys whose sessions have to be dead after a `destroy` that begins now, and those that
    /// they were rotated to, as far as tombstones tell.
    pub(super) fn to_be_destroyed(
        &self,
        reference: &ReferenceStore,
        now: SystemTime,
    ) -> Vec<String> {
        let is_there = |key: &&String| reference.is_live(key, now) || reference.is_dead(key, now);
        let known = self.keys.iter().filter(|key| !self.forgotten.contains(*key));
        known.filter(is_there).cloned().collect()
    }

    /// A destruction of this request's ends the session that is renewed to this key, too.
    pub(super) fn follows_renewal(&self, key: &str) -> bool {
        self.client.is_none() || self.keys.iter().any(|own| own == key)
    }

    /// The keys of its session that it knows are live. A move of unknown outcome is repeated to the
    /// same one.
    pub(super) fn known_live(&self, reference: &ReferenceStore, now: SystemTime) -> Vec<String> {
        let own = self.own_lineage(reference, now);
        let live = self.live(reference, now).filter(|key| reference.lineage(key) == own);
        live.filter(|key| self.told_live.contains(*key) || self.came_with(key))
            .map(str::to_owned)
            .collect()
    }

    /// The session that it works on, or would if it asked: the first that is live under one of its
    /// keys.
    fn own_lineage(&self, reference: &ReferenceStore, now: SystemTime) -> Option<usize> {
        let is_live = |lineage: &usize| {
            self.live(reference, now).any(|key| reference.lineage(key) == Some(*lineage))
        };
        self.bound
            .or_else(|| self.keys.iter().filter_map(|key| reference.lineage(key)).find(is_live))
    }

    /// It was told by this command that a session is live under this key. Fails if it worked on
    /// another one that is live.
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

    /// A renewal found nothing to renew.
    pub(super) fn forget(&mut self) {
        self.forgotten.extend(self.unsure().cloned().collect::<Vec<_>>());
    }

    /// It began or moved a session, or did not.
    pub(super) fn is_unsure(&self) -> bool {
        self.unsure().next().is_some()
    }

    fn unsure(&self) -> impl Iterator<Item = &String> {
        self.keys.iter().filter(|key| !self.told_live.contains(*key) && !self.came_with(key))
    }
}

/// One operation.
pub(super) struct Operation {
    pub(super) request: usize,
    pub(super) kind: Kind,
    pub(super) running: Option<Running>,
    pub(super) outcome: Option<Outcome>,
    /// Its commands, by number.
    pub(super) commands: Vec<usize>,
    /// At some moment since it began, the request might be told that there is no session,
    pub(super) absent: bool,
    /// or that its session was ended.
    pub(super) gone: bool,
    /// No other operation of its request ran beside it.
    pub(super) alone: bool,
    /// When it began: what has to be dead when it has destroyed,
    pub(super) to_be_destroyed: Vec<String>,
    /// whether it must not log in,
    pub(super) must_not_log_in: bool,
    /// and the keys that must not be live any more when it has rotated.
    pub(super) live: Vec<String>,
}
