//! The states of one request's session and what leads from one to the next, free of I/O.
//!
//! An operation asks for a plan ([`Lifecycle::plan_read`], [`Lifecycle::plan_write`]), carries it out on the store and reports what the store said
//! ([`Lifecycle::found`], [`Lifecycle::missing`], [`Lifecycle::dead`]), until it has an answer. Several operations of one request may be under way at
//! once: a report about an id that is not the request's any more changes nothing.

use std::time::{Duration, SystemTime};

use crate::error::{Error, Kind};
use crate::id::SessionId;
use crate::store::WriteMode;
use crate::subject::Subject;

/// One request's session.
#[derive(Debug, Default)]
pub(crate) struct Lifecycle {
    state: State,
    asked: bool,
    was_live: bool,
    committed: bool,
}

#[derive(Debug)]
enum State {
    /// No session: no cookie that verifies, or past its deadline, or the store does not know it. `drawn` is the id of a creation that was
    /// sent and is not known to have happened; all first writes of the request use it.
    Absent { drawn: Option<Subject> },
    /// Cookies that verify, none of which the store was asked for yet but those that it did not know.
    Candidate { current: Candidate, further: Vec<Candidate>, dead_seen: bool },
    /// The store has it.
    Live { subject: Subject, cookie_due: bool },
    /// Ended by another request, or expired while this one held it.
    Gone,
}

/// A session that a cookie names, before the store was asked for it.
#[derive(Debug)]
pub(crate) struct Candidate {
    pub(crate) subject: Subject,
    /// Its cookie was signed by an older key.
    pub(crate) reissue: bool,
}

/// What to do for a read that has to ask the store.
#[derive(Debug)]
pub(crate) struct Read {
    pub(crate) subject: Subject,
    /// Have the session expire that long from now: the first of the request.
    pub(crate) refresh: Option<Duration>,
}

/// What to do for a write that has to ask the store.
#[derive(Debug)]
pub(crate) struct Write {
    pub(crate) subject: Subject,
    /// Whether it may begin the session.
    pub(crate) mode: WriteMode,
    /// Have the session expire that long from now.
    pub(crate) expires_in: Duration,
}

/// How an operation goes on after a report that a session is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// Ask for a new plan.
    Replan,
    /// Nothing is there: a read gives its default, a removal has nothing to remove.
    Nothing,
}

/// What the response has to tell the client.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// Something asked for the session.
    pub(crate) asked: bool,
    /// The session was live at some time during the request.
    pub(crate) was_live: bool,
    /// The session whose cookie is to be set.
    pub(crate) set: Option<Subject>,
}

impl Lifecycle {
    /// To be called before a plan is made: the first time it looks at the candidates that the request's cookies give.
    pub(crate) fn ask(&mut self, candidates: impl FnOnce() -> Vec<Candidate>) {
        if !std::mem::replace(&mut self.asked, true) {
            self.state = State::first_of(candidates().into_iter(), false);
        }
    }

    /// `None`: the answer is the default.
    pub(crate) fn plan_read(&mut self, now: SystemTime) -> Option<Read> {
        self.pass_deadlines(now);
        match &self.state {
            State::Absent { drawn: None } | State::Gone => None,
            State::Absent { drawn: Some(subject) }
            | State::Candidate { current: Candidate { subject, .. }, .. } => {
                Some(Read { subject: subject.clone(), refresh: Some(subject.expires_in(now)?) })
            }
            State::Live { subject, .. } => Some(Read { subject: subject.clone(), refresh: None }),
        }
    }

    /// `None`: there is nothing to remove. `draw` gives a subject under a new id.
    pub(crate) fn plan_write(
        &mut self,
        now: SystemTime,
        only_removes: bool,
        draw: impl FnOnce() -> Result<Subject, Error>,
    ) -> Result<Option<Write>, Error> {
        self.pass_deadlines(now);
        let (subject, mode) = match &mut self.state {
            State::Gone => return Err(Error::new(Kind::Gone)),
            State::Absent { drawn: None } if only_removes => return Ok(None),
            State::Absent { drawn: Some(subject) } if only_removes => (subject, WriteMode::Existing),
            State::Absent { .. } if self.committed => return Err(Error::new(Kind::Committed)),
            State::Absent { drawn: Some(subject) } => (subject, WriteMode::Create),
            State::Absent { drawn } => (drawn.insert(draw()?), WriteMode::Create),
            State::Candidate { current: Candidate { subject, .. }, .. } | State::Live { subject, .. } => {
                (subject, WriteMode::Existing)
            }
        };
        let expires_in = subject.expires_in(now).ok_or_else(|| Error::new(Kind::Gone))?;
        Ok(Some(Write { subject: subject.clone(), mode, expires_in }))
    }

    /// The store has this session.
    pub(crate) fn found(&mut self, id: &SessionId) {
        let cookie_due = match &self.state {
            State::Candidate { current, .. } if current.subject.id == *id => current.reissue,
            // Begun too late for a cookie: it stays unreachable, and expires.
            State::Absent { .. } if self.committed => return,
            State::Absent { drawn: Some(subject) } if subject.id == *id => true,
            _ => return,
        };
        self.was_live = true;
        if let Some(subject) = self.state.take_subject() {
            self.state = State::Live { subject, cookie_due };
        }
    }

    /// The store carried out a write that was allowed to begin this session.
    ///
    /// # Errors
    ///
    /// `is_committed` if it was begun while the response's head was sent, without its cookie.
    pub(crate) fn created(&mut self, id: &SessionId) -> Result<(), Error> {
        self.found(id);
        match &self.state {
            State::Absent { drawn: Some(subject) } if subject.id == *id => Err(Error::new(Kind::Committed)),
            _ => Ok(()),
        }
    }

    /// The store does not know this session.
    pub(crate) fn missing(&mut self, id: &SessionId) -> Next {
        match &mut self.state {
            State::Absent { drawn: Some(subject) } if subject.id == *id => return Next::Nothing,
            State::Candidate { current, further, dead_seen } if current.subject.id == *id => {
                self.state = State::first_of(std::mem::take(further).into_iter(), *dead_seen);
            }
            State::Live { subject, .. } if subject.id == *id => self.state = State::Gone,
            _ => {}
        }
        Next::Replan
    }

    /// The session was ended.
    pub(crate) fn dead(&mut self, id: &SessionId) {
        match &mut self.state {
            // A cookie of a session that has just ended must not stand before one that is live.
            State::Candidate { current, further, .. } if current.subject.id == *id => {
                self.state = State::first_of(std::mem::take(further).into_iter(), true);
            }
            State::Live { subject, .. } | State::Absent { drawn: Some(subject) } if subject.id == *id => {
                self.state = State::Gone;
            }
            _ => {}
        }
    }

    /// The response's head is about to be sent: nothing changes the cookie after this.
    pub(crate) fn commit(&mut self) -> Outcome {
        self.committed = true;
        let set = match &mut self.state {
            State::Live { subject, cookie_due } => std::mem::take(cookie_due).then(|| subject.clone()),
            _ => None,
        };
        Outcome { asked: self.asked, was_live: self.was_live, set }
    }

    /// A session past its deadline is as one that the store does not know.
    fn pass_deadlines(&mut self, now: SystemTime) {
        while let State::Candidate { current: Candidate { subject, .. }, .. } | State::Live { subject, .. } =
            &self.state
        {
            if subject.expires_in(now).is_some() {
                return;
            }
            let id = subject.id;
            self.missing(&id);
        }
    }
}

impl Default for State {
    fn default() -> Self {
        Self::Absent { drawn: None }
    }
}

impl State {
    fn first_of(mut candidates: std::vec::IntoIter<Candidate>, dead_seen: bool) -> Self {
        match candidates.next() {
            Some(current) => Self::Candidate { current, further: candidates.collect(), dead_seen },
            None if dead_seen => Self::Gone,
            None => Self::default(),
        }
    }

    fn take_subject(&mut self) -> Option<Subject> {
        match std::mem::replace(self, Self::Gone) {
            Self::Absent { drawn } => drawn,
            Self::Candidate { current, .. } => Some(current.subject),
            Self::Live { subject, .. } => Some(subject),
            Self::Gone => None,
        }
    }
}

#[cfg(test)]
mod tests;
