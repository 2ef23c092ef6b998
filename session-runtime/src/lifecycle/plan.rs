//! Plans: the next request of an operation to the store.

use std::time::{Duration, SystemTime};

use super::Lifecycle;
use super::candidate::Candidate;
use super::end::RequestAge;
use super::metadata::SessionMetadata;
use super::request_facts::Beginning;
use super::state::State;
use crate::error::{Error, Kind};
use crate::id::LifetimeId;
use crate::store::WriteMode;

/// A read that has to ask the store.
#[derive(Debug)]
pub(crate) struct PlannedRead {
    pub(crate) session: SessionMetadata,
    /// The new expiry of the session, from now, for the first read of the request.
    pub(crate) refresh: Option<Duration>,
    /// The reply shows whether a pending creation happened.
    pub(crate) resolves_pending: bool,
}

/// A write that has to ask the store.
#[derive(Debug)]
pub(crate) struct PlannedWrite {
    pub(crate) session: SessionMetadata,
    /// Determines whether the write may create the session.
    pub(crate) mode: WriteMode,
    /// The new expiry of the session, from now.
    pub(crate) expires_in: Duration,
    /// The reply shows whether a pending creation happened.
    pub(crate) resolves_pending: bool,
}

/// The end of a session.
#[derive(Debug)]
pub(crate) struct PlannedDestruction {
    pub(crate) session: SessionMetadata,
    /// The reply shows whether a pending creation happened.
    pub(crate) resolves_pending: bool,
}

/// The next step of an operation that gives a session a new id.
#[derive(Debug)]
pub(crate) enum RotationStep {
    /// There is no session to rotate. The next session gets a fresh id anyway.
    Nothing,
    Rotate(PlannedRotation),
    /// End a session that the request cannot use: see [`Lifecycle::unusable_destroyed`].
    Destroy(SessionMetadata),
    /// The tombstone of a session decides: see [`Lifecycle::tombstone_read`].
    ReadTombstone(SessionMetadata),
}

/// A new id for a session.
#[derive(Debug, Clone)]
pub(crate) struct PlannedRotation {
    pub(crate) from: SessionMetadata,
    pub(crate) to: SessionMetadata,
    pub(super) reason: RotationReason,
    pub(super) is_of_batch: bool,
    /// The reply shows whether a pending creation happened.
    pub(super) resolves_pending: bool,
}

/// The reason for a new id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RotationReason {
    /// A change of privilege: the creation time and the lifetime stay.
    Rotate,
    /// A login: the session counts as created now, with this lifetime.
    Renew(LifetimeId),
}

impl Lifecycle {
    /// Plans a read. Returns `None` if the field reads as its default.
    pub(crate) fn plan_read(&mut self, now: SystemTime) -> Option<PlannedRead> {
        self.pass_deadlines(now);
        if self.is_degraded() {
            return None;
        }
        let (session, refreshed) = match &self.state {
            State::Absent { pending: None, .. } | State::Gone(_) => return None,
            State::Absent { pending: Some(session), .. } => (session, false),
            State::Candidate { current, .. } => (&current.session, false),
            State::Live { session, refreshed, .. } => (session, *refreshed),
        };
        let expires_in = session.expires_in(now)?;
        let refresh = (!refreshed).then_some(expires_in);
        let (session, resolves_pending) = (session.clone(), self.state.has_pending());
        Some(PlannedRead { session, refresh, resolves_pending })
    }

    /// Plans a read that an earlier reply of the store may answer. Returns `None` if something is
    /// in doubt.
    pub(crate) fn plan_near_read(&mut self, now: SystemTime) -> Option<PlannedRead> {
        let read = self.plan_read(now)?;
        let is_in_doubt = self.state.is_in_doubt() || self.in_doubt == Some(read.session.id);
        (!is_in_doubt).then_some(read)
    }

    /// Plans a write. Returns `None` if there is nothing to remove. `generate` gives a session
    /// under a new id.
    pub(crate) fn plan_write(
        &mut self,
        now: SystemTime,
        only_removes: bool,
        generate: impl FnOnce(LifetimeId) -> Result<SessionMetadata, Error>,
    ) -> Result<Option<PlannedWrite>, Error> {
        self.check_not_degraded()?;
        self.pass_deadlines(now);
        let resolves_pending = self.state.has_pending();
        let (session, mode) = match &mut self.state {
            State::Gone(gone) => return Err(gone.error()),
            State::Absent { pending: None, .. } if only_removes => return Ok(None),
            State::Absent { pending: Some(session), .. } if only_removes => {
                (session, WriteMode::Existing)
            }
            State::Absent { .. } if self.headers_sent => return Err(Error::new(Kind::HeadersSent)),
            State::Absent { .. } if self.facts.beginning == Beginning::UnacceptedToken => {
                return Err(Error::new(Kind::NoTokens));
            }
            State::Absent { .. } if !self.facts.allow_creation() => {
                self.creation_refused = true;
                return Err(Error::new(Kind::CrossSite));
            }
            State::Absent { pending: Some(session), .. } => {
                self.facts.creation_sent = true;
                self.pending_is_shared = true;
                (session, WriteMode::Create)
            }
            State::Absent { pending, .. } => {
                self.facts.creation_sent = true;
                self.pending_is_shared = false;
                (pending.insert(generate(self.next_lifetime)?), WriteMode::Create)
            }
            State::Candidate { current: Candidate { session, .. }, .. }
            | State::Live { session, .. } => (session, WriteMode::Existing),
        };
        let expires_in = session.expires_in(now).ok_or_else(|| Error::new(Kind::Expired))?;
        Ok(Some(PlannedWrite { session: session.clone(), mode, expires_in, resolves_pending }))
    }

    /// Plans a new id for the session. `generate` returns the successor of a session.
    ///
    /// A repetition leads to the same successor. But the successor of a batch belongs to this batch
    /// alone. Otherwise the store would take another batch for a repetition, and leave its changes
    /// out.
    pub(crate) fn plan_rotation(
        &mut self,
        now: SystemTime,
        reason: RotationReason,
        is_of_batch: bool,
        age: RequestAge,
        generate: impl FnOnce(&SessionMetadata) -> Result<SessionMetadata, Error>,
    ) -> Result<RotationStep, Error> {
        self.check_not_degraded()?;
        self.pass_deadlines(now);
        if let Some(session) = self.login_after_end(reason, age)? {
            return Ok(RotationStep::ReadTombstone(session));
        }
        let from = match &self.state {
            State::Gone(gone) => return Err(gone.error()),
            State::Absent { pending: None, .. } => return self.plan_rotation_of_nothing(reason),
            State::Absent { pending: Some(session), .. }
            | State::Candidate { current: Candidate { session, .. }, .. }
            | State::Live { session, .. } => session,
        };
        self.check_headers_unsent()?;
        self.in_doubt = Some(from.id);
        let resolves_pending = self.state.has_pending();
        let is_same = |sent: &&PlannedRotation| {
            !is_of_batch && !sent.is_of_batch && sent.from.id == from.id && sent.reason == reason
        };
        if let Some(sent) = self.rotations.iter().find(is_same) {
            return Ok(RotationStep::Rotate(PlannedRotation { resolves_pending, ..sent.clone() }));
        }
        let (from, to) = (from.clone(), generate(from)?);
        let planned = PlannedRotation { from, to, reason, is_of_batch, resolves_pending };
        self.rotations.push(planned.clone());
        Ok(RotationStep::Rotate(planned))
    }

    /// Forgets a session that is gone, if a login may create another. Returns the session if its
    /// tombstone decides.
    fn login_after_end(
        &mut self,
        reason: RotationReason,
        age: RequestAge,
    ) -> Result<Option<SessionMetadata>, Error> {
        let (State::Gone(gone), RotationReason::Renew(_)) = (&self.state, reason) else {
            return Ok(None);
        };
        match gone.end.allows_login(age) {
            None => return Ok(Some(gone.session.clone())),
            Some(false) => return Err(gone.error()),
            Some(true) => self.check_headers_unsent()?,
        }
        self.state = State::default();
        self.rotations.clear();
        Ok(None)
    }

    /// Plans a new id without a session. First, sessions that the request cannot use are ended.
    /// Then the operation only decides on the lifetime of the next session.
    fn plan_rotation_of_nothing(&mut self, reason: RotationReason) -> Result<RotationStep, Error> {
        if let Some(session) = self.others.unusable().last().cloned() {
            self.check_headers_unsent()?;
            return Ok(RotationStep::Destroy(session));
        }
        self.next_lifetime = reason.next_lifetime(self.next_lifetime);
        Ok(RotationStep::Nothing)
    }

    /// Plans the end of the next session of a destruction. Returns `None` if there is nothing to
    /// end.
    ///
    /// The request's own session comes last, and stays the request's session until then.
    pub(crate) fn plan_destroy(
        &mut self,
        now: SystemTime,
    ) -> Result<Option<PlannedDestruction>, Error> {
        self.check_not_degraded()?;
        self.pass_deadlines(now);
        if self.destruction_changes_cookie() {
            self.check_headers_unsent()?;
        }
        self.others.queue_all();
        let session = self.others.queued().last().or_else(|| self.state.session()).cloned();
        if session.is_none() {
            self.request_removal();
        }
        self.in_doubt = session.as_ref().map(|session| session.id);
        let resolves_pending = self.state.has_pending();
        Ok(session.map(|session| PlannedDestruction { session, resolves_pending }))
    }

    fn destruction_changes_cookie(&self) -> bool {
        let names_sessions = self.state.session().is_some() || !self.others.is_empty();
        names_sessions || (self.facts.client_has_cookie && !self.removal_due)
    }
}

impl PlannedRotation {
    pub(crate) fn renews(&self) -> bool {
        matches!(self.reason, RotationReason::Renew(_))
    }
}

impl RotationReason {
    pub(super) fn next_lifetime(self, present: LifetimeId) -> LifetimeId {
        match self {
            Self::Rotate => present,
            Self::Renew(lifetime) => lifetime,
        }
    }
}
