//! The states of one request's session and what leads from one to the next, free of I/O. What becomes of sessions is known here, and told to
//! telemetry.
//!
//! An operation asks for a plan ([`Lifecycle::plan_read`], [`Lifecycle::plan_write`]), carries it out on the store and reports what the store said
//! ([`Lifecycle::found`], [`Lifecycle::missing`], [`Lifecycle::dead`]), until it has an answer. Several operations of one request may be under way at
//! once: a report about an id that is not the request's any more changes nothing.

use std::time::{Duration, SystemTime};

use crate::error::{Error, Kind};
use crate::id::SessionId;
use crate::present::Present;
use crate::store::{Destroyed, WriteMode};
use crate::subject::Subject;
use crate::telemetry::{Moment, News, Untold};

/// One request's session.
#[derive(Debug, Default)]
pub(crate) struct Lifecycle {
    state: State,
    asked: bool,
    was_live: bool,
    committed: bool,
    /// The request came with a cookie of our name.
    presented: bool,
    /// The client is to be told to forget its cookie, unless a new one takes its place.
    removal_due: bool,
    /// The class of the next session that the request begins.
    class: u8,
    /// The moves that were sent, of which one may have happened.
    moves: Vec<Move>,
    /// What other requests moved the session to that this one is to end.
    ending: Vec<Subject>,
    /// The session whose end or move was sent, and is not known not to have happened.
    doubted: Option<SessionId>,
    unserved: Unserved,
    news: News,
}

/// What becomes of a request whose session the store cannot be asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Unserved {
    /// Its operations fail.
    #[default]
    Fails,
    /// It may go on without its session.
    MayGoOn,
    /// It does, to its end: what comes later must not be of the session where what came before was not.
    GoesOn,
}

#[derive(Debug)]
enum State {
    /// No session: no cookie that verifies, or past its deadline, or the store does not know it, or destroyed by this request. `drawn` is the
    /// id of a creation that was sent and is not known to have happened; all first writes of the request use it.
    Absent { drawn: Option<Subject> },
    /// Sessions that may be there, none of which the store was asked for yet but those that it did not have. `dead` is one of those that were
    /// ended.
    Candidate { current: Candidate, further: Vec<Candidate>, dead: Option<Subject> },
    /// The store has it.
    Live { subject: Subject, cookie_due: bool, refreshed: bool, present: Present },
    /// Ended by another request, or expired while this one held it.
    Gone { subject: Subject },
}

/// A session that may be there, before the store was asked for it.
#[derive(Debug)]
pub(crate) struct Candidate {
    pub(crate) subject: Subject,
    /// If the store has it, the client needs a new cookie: its own was signed by an older key, or in another format, or is that of a predecessor.
    pub(crate) cookie_due: bool,
}

impl Candidate {
    /// Takes in another cookie of the same session, which may be alive by either: the client has a current one if either is, and the session
    /// is as old as the older says.
    pub(crate) fn merge(&mut self, same: Self) {
        self.cookie_due &= same.cookie_due;
        if same.subject.birth < self.subject.birth {
            self.subject = same.subject;
        }
    }
}

/// What to do for a read that has to ask the store.
#[derive(Debug)]
pub(crate) struct Read {
    pub(crate) subject: Subject,
    /// Have the session expire that long from now: the first of the request.
    pub(crate) refresh: Option<Duration>,
    /// It settles whether a creation happened.
    pub(crate) settles: bool,
}

/// What to do for a write that has to ask the store.
#[derive(Debug)]
pub(crate) struct Write {
    pub(crate) subject: Subject,
    /// Whether it may begin the session.
    pub(crate) mode: WriteMode,
    /// Have the session expire that long from now.
    pub(crate) expires_in: Duration,
    /// It settles whether a creation happened.
    pub(crate) settles: bool,
}

/// What to do to end a session.
#[derive(Debug)]
pub(crate) struct Destroy {
    pub(crate) subject: Subject,
    /// It settles whether a creation happened.
    pub(crate) settles: bool,
}

/// What to do to give a session a new id.
#[derive(Debug, Clone)]
pub(crate) struct Move {
    pub(crate) from: Subject,
    pub(crate) to: Subject,
    reason: Reason,
    settles: bool,
}

/// Why a session gets a new id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reason {
    /// A change of privilege: birth and class stay.
    Rotate,
    /// Login: birth starts again, with this class.
    Renew(u8),
}

/// How an operation goes on after a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// Ask for a new plan.
    Replan,
    /// Nothing is left to do: there is nothing to read, to remove or to end.
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
    /// The client's cookie is to be removed.
    pub(crate) remove: bool,
    /// The request went on without its session, which the store could not be asked for.
    pub(crate) went_on_without: bool,
}

impl Lifecycle {
    /// To be called before a plan is made: the first time it looks at the request's cookies. They give whether one of our name came, whether it
    /// verifies or not, and the candidates.
    pub(crate) fn ask<C: IntoIterator<Item = Candidate>>(&mut self, cookies: impl FnOnce() -> (bool, C)) {
        if !std::mem::replace(&mut self.asked, true) {
            let (presented, candidates) = cookies();
            self.presented = presented;
            self.state = State::first_of(candidates, None);
        }
    }

    /// Lets the request go on without its session if the store cannot be asked for it.
    pub(crate) fn may_go_on_without(&mut self) {
        if self.unserved == Unserved::Fails {
            self.unserved = Unserved::MayGoOn;
        }
    }

    /// The store could not be asked. Whether the request goes on without its session: if it may, and nothing of the session was seen yet.
    pub(crate) fn unavailable(&mut self) -> bool {
        if self.unserved == Unserved::MayGoOn && matches!(self.state, State::Candidate { .. }) {
            self.unserved = Unserved::GoesOn;
        }
        self.goes_on_without()
    }

    pub(crate) fn goes_on_without(&self) -> bool {
        self.unserved == Unserved::GoesOn
    }

    /// # Errors
    ///
    /// What the request would write it made of defaults.
    fn check_is_served(&self) -> Result<(), Error> {
        if self.goes_on_without() { Err(Error::new(Kind::WithoutSession)) } else { Ok(()) }
    }

    /// What is known of the session's id without asking the store.
    pub(crate) fn subject(&self) -> Option<&Subject> {
        match &self.state {
            State::Candidate { current: Candidate { subject, .. }, .. } | State::Live { subject, .. } => {
                Some(subject)
            }
            State::Absent { .. } | State::Gone { .. } => None,
        }
    }

    /// The id of the session that the request has, or had last.
    pub(crate) fn last_id(&self) -> Option<SessionId> {
        self.state.subject().map(|subject| subject.id).or(self.doubted)
    }

    /// `None`: the answer is the default.
    pub(crate) fn plan_read(&mut self, now: SystemTime) -> Option<Read> {
        self.pass_deadlines(now);
        if self.goes_on_without() {
            return None;
        }
        let (subject, refreshed) = match &self.state {
            State::Absent { drawn: None } | State::Gone { .. } => return None,
            State::Absent { drawn: Some(subject) } => (subject, false),
            State::Candidate { current, .. } => (&current.subject, false),
            State::Live { subject, refreshed, .. } => (subject, *refreshed),
        };
        let expires_in = subject.expires_in(now)?;
        let refresh = (!refreshed).then_some(expires_in);
        Some(Read { subject: subject.clone(), refresh, settles: self.is_unsettled() })
    }

    /// `None`: there is nothing to remove. `draw` gives a subject under a new id.
    pub(crate) fn plan_write(
        &mut self,
        now: SystemTime,
        only_removes: bool,
        draw: impl FnOnce(u8) -> Result<Subject, Error>,
    ) -> Result<Option<Write>, Error> {
        self.check_is_served()?;
        self.pass_deadlines(now);
        let settles = self.is_unsettled();
        let (subject, mode) = match &mut self.state {
            State::Gone { .. } => return Err(Error::new(Kind::Gone)),
            State::Absent { drawn: None } if only_removes => return Ok(None),
            State::Absent { drawn: Some(subject) } if only_removes => (subject, WriteMode::Existing),
            State::Absent { .. } if self.committed => return Err(Error::new(Kind::Committed)),
            State::Absent { drawn: Some(subject) } => (subject, WriteMode::Create),
            State::Absent { drawn } => (drawn.insert(draw(self.class)?), WriteMode::Create),
            State::Candidate { current: Candidate { subject, .. }, .. } | State::Live { subject, .. } => {
                (subject, WriteMode::Existing)
            }
        };
        let expires_in = subject.expires_in(now).ok_or_else(|| Error::new(Kind::Gone))?;
        Ok(Some(Write { subject: subject.clone(), mode, expires_in, settles }))
    }

    /// `None`: there is no session to move; the next one gets a fresh id anyway. `draw` gives the successor of a subject.
    pub(crate) fn plan_move(
        &mut self,
        now: SystemTime,
        reason: Reason,
        draw: impl FnOnce(&Subject) -> Result<Subject, Error>,
    ) -> Result<Option<Move>, Error> {
        self.check_is_served()?;
        self.pass_deadlines(now);
        let from = match &self.state {
            State::Gone { .. } => return Err(Error::new(Kind::Gone)),
            State::Absent { drawn: None } => {
                self.class = reason.class_of_next(self.class);
                return Ok(None);
            }
            State::Absent { drawn: Some(subject) }
            | State::Candidate { current: Candidate { subject, .. }, .. }
            | State::Live { subject, .. } => subject,
        };
        if self.committed {
            return Err(Error::new(Kind::Committed));
        }
        self.doubted = Some(from.id);
        if let Some(sent) = self.moves.iter().find(|sent| sent.from.id == from.id && sent.reason == reason) {
            return Ok(Some(Move { settles: self.is_unsettled(), ..sent.clone() }));
        }
        let planned = Move { from: from.clone(), to: draw(from)?, reason, settles: self.is_unsettled() };
        self.moves.push(planned.clone());
        Ok(Some(planned))
    }

    /// `None`: there is nothing to end.
    pub(crate) fn plan_destroy(&mut self, now: SystemTime) -> Result<Option<Destroy>, Error> {
        self.check_is_served()?;
        self.pass_deadlines(now);
        let subject = self.ending.last().or_else(|| self.state.subject()).cloned();
        let changes_cookie = subject.is_some() || (self.presented && !self.removal_due);
        if self.committed && changes_cookie {
            return Err(Error::new(Kind::Committed));
        }
        if subject.is_none() {
            self.removal_due = self.presented;
        }
        self.doubted = subject.as_ref().map(|subject| subject.id);
        Ok(subject.map(|subject| Destroy { subject, settles: self.is_unsettled() }))
    }

    /// The store has this session.
    pub(crate) fn found(&mut self, id: &SessionId, refreshed: bool) {
        self.refused(id);
        let cookie_due = match &mut self.state {
            State::Candidate { current, .. } if current.subject.id == *id => {
                if self.moves.iter().any(|sent| sent.to.id == *id) {
                    self.news.add(Moment::Rotated, Some(id));
                }
                current.cookie_due
            }
            // Begun too late for a cookie: it stays unreachable, and expires.
            State::Absent { .. } if self.committed => return,
            State::Absent { drawn: Some(subject) } if subject.id == *id => {
                self.news.add(Moment::Created, Some(id));
                true
            }
            State::Live { subject, refreshed: before, .. } if subject.id == *id => {
                *before |= refreshed;
                return;
            }
            _ => return,
        };
        self.was_live = true;
        if let Some(subject) = self.state.take_subject() {
            self.state = State::Live { subject, cookie_due, refreshed, present: Present::default() };
        }
    }

    /// What is known of the fields of this session, while the request has it.
    pub(crate) fn present(&mut self, id: &SessionId) -> Option<&mut Present> {
        match &mut self.state {
            State::Live { subject, present, .. } if subject.id == *id => Some(present),
            _ => None,
        }
    }

    /// The store carried out a write that was allowed to begin this session. `Replan`: meanwhile the request's session became another one,
    /// and the write has to go there.
    ///
    /// # Errors
    ///
    /// `is_committed` if it was begun while the response's head was sent, without its cookie.
    pub(crate) fn created(&mut self, id: &SessionId) -> Result<Next, Error> {
        self.found(id, true);
        match &self.state {
            State::Live { subject, .. } | State::Gone { subject } if subject.id == *id => Ok(Next::Nothing),
            State::Absent { drawn: Some(subject) } if subject.id == *id => Err(Error::new(Kind::Committed)),
            // It was carried out before the session moved, and went along: not once more.
            _ if self.moves.iter().any(|sent| sent.from.id == *id) => Ok(Next::Nothing),
            _ => Ok(Next::Replan),
        }
    }

    /// The store did not know this session. `settles` is the plan's: the creation that it asked for may have happened since.
    pub(crate) fn missing(&mut self, id: &SessionId, settles: bool) -> Next {
        match &mut self.state {
            State::Live { subject, .. } if subject.id == *id && settles => return Next::Nothing,
            State::Absent { drawn: Some(subject) } if subject.id == *id => return Next::Nothing,
            State::Candidate { current, further, dead } if current.subject.id == *id => {
                self.news.add(Moment::Expired, Some(id));
                self.state = State::first_of(std::mem::take(further), dead.take());
            }
            State::Live { subject, .. } if subject.id == *id => {
                self.news.add(Moment::Expired, Some(id));
                self.state = State::Gone { subject: subject.clone() }
            }
            _ => {}
        }
        Next::Replan
    }

    /// The session was ended, or moved.
    pub(crate) fn dead(&mut self, id: &SessionId) {
        let mut next = self.successors_of(id);
        let dead = match &mut self.state {
            // A cookie of a session that has just ended must not stand before one that is live.
            State::Candidate { current, further, .. } if current.subject.id == *id => {
                next.append(further);
                current.subject.clone()
            }
            State::Live { subject, .. } | State::Absent { drawn: Some(subject) } if subject.id == *id => {
                subject.clone()
            }
            _ => return,
        };
        self.state = State::first_of(next, Some(dead));
    }

    /// The store moved the session.
    ///
    /// # Errors
    ///
    /// `is_committed` if the response's head was sent meanwhile, without the new cookie.
    pub(crate) fn moved(&mut self, moved: &Move) -> Result<(), Error> {
        if self.state.is_of(&moved.from.id) || self.state.may_be(&moved.to.id) {
            self.note_creation(&moved.from.id);
            self.news.add(Moment::Rotated, Some(&moved.to.id));
            let (subject, cookie_due) = (moved.to.clone(), !self.committed);
            self.was_live = true;
            self.state = State::Live { subject, cookie_due, refreshed: true, present: Present::default() };
        } else {
            self.found(&moved.to.id, true);
        }
        if self.committed { Err(Error::new(Kind::Committed)) } else { Ok(()) }
    }

    /// What the store did to this session proves that a creation happened whose reply was lost, or comes later.
    fn note_creation(&mut self, id: &SessionId) {
        if matches!(&self.state, State::Absent { drawn: Some(subject) } if subject.id == *id) {
            self.news.add(Moment::Created, Some(id));
        }
    }

    /// What is to be told of it, once nobody holds it.
    pub(crate) fn take_news(&mut self) -> Option<Untold> {
        self.news.take()
    }

    pub(crate) fn add_news(&mut self, news: News) {
        self.news.append(news);
    }

    /// The store did not know the session that was to move.
    pub(crate) fn unmoved(&mut self, planned: &Move) -> Next {
        let from = planned.from.id;
        match &mut self.state {
            // The creation did not happen, or will have happened to a session that gets no cookie: the next one has the lifetime that was
            // asked for.
            State::Absent { drawn: drawn @ Some(_) } if drawn.as_ref().is_some_and(|it| it.id == from) => {
                self.class = planned.reason.class_of_next(self.class);
                if drawn.take_if(|subject| subject.lifetime.class != self.class).is_some() {
                    self.moves.clear();
                }
                Next::Nothing
            }
            // It happened since.
            State::Live { subject, .. } if subject.id == from && planned.settles => Next::Replan,
            _ => self.missing(&from, false),
        }
    }

    /// The store refused the move: the session was ended, or moved elsewhere. The tombstone would name a successor of ours.
    pub(crate) fn move_lost(&mut self, lost: &Move) {
        self.moves.retain(|sent| sent.to.id != lost.to.id);
        self.dead(&lost.from.id);
    }

    /// The store was told to end this session. `follow` gives the subject of an id that the session moved to.
    pub(crate) fn destroyed(
        &mut self,
        plan: &Destroy,
        found: Destroyed,
        follow: impl FnOnce(SessionId) -> Option<Subject>,
    ) -> Next {
        let id = &plan.subject.id;
        if found == Destroyed::Ended {
            self.note_creation(id);
            self.news.add(Moment::Destroyed, Some(id));
        }
        let followed = self.ending.iter().position(|ending| ending.id == *id);
        if let Some(at) = followed {
            self.ending.remove(at);
        }
        if let Destroyed::Moved(successor) = found {
            self.was_live = true;
            self.moves.retain(|sent| sent.from.id != *id || sent.to.id == successor);
            self.dead(id);
            // Where this request moved it itself it goes on, else it never gets there but to end it.
            if !self.state.is_of(&successor) {
                self.ending.extend(follow(successor));
            }
            return self.end_if_gone();
        }
        if followed.is_none() && !self.state.is_of(id) {
            return Next::Replan;
        }
        self.was_live |= found == Destroyed::Ended;
        match (found, &self.state) {
            _ if followed.is_some() => self.end_if_gone(),
            (Destroyed::Missing, State::Candidate { .. }) => self.missing(id, false),
            // The creation happened since.
            (Destroyed::Missing, State::Live { .. }) if plan.settles => Next::Replan,
            (Destroyed::Dead, State::Candidate { further, .. }) if !further.is_empty() => {
                self.dead(id);
                Next::Replan
            }
            _ => self.end(),
        }
    }

    /// The store refused to end or to move this session: it did not happen.
    pub(crate) fn refused(&mut self, id: &SessionId) {
        self.doubted.take_if(|doubted| doubted == id);
    }

    /// The response's head is about to be sent: nothing changes the cookie after this.
    pub(crate) fn commit(&mut self) -> Outcome {
        self.committed = true;
        let set = match &mut self.state {
            State::Live { subject, cookie_due, .. } if self.doubted != Some(subject.id) => {
                std::mem::take(cookie_due).then(|| subject.clone())
            }
            _ => None,
        };
        let remove = std::mem::take(&mut self.removal_due) && set.is_none();
        self.presented &= !remove;
        let went_on_without = self.goes_on_without();
        Outcome { asked: self.asked, was_live: self.was_live, set, remove, went_on_without }
    }

    /// All that the session moved to is ended; what else the cookies name is next.
    fn end_if_gone(&mut self) -> Next {
        match self.state {
            State::Gone { .. } if self.ending.is_empty() => self.end(),
            _ => Next::Replan,
        }
    }

    fn end(&mut self) -> Next {
        self.state = State::default();
        self.moves.clear();
        self.class = 0;
        self.removal_due = self.presented;
        Next::Nothing
    }

    /// A creation was sent, and is not known to have happened.
    fn is_unsettled(&self) -> bool {
        matches!(self.state, State::Absent { drawn: Some(_) })
    }

    /// A session past its deadline is as one that the store does not know.
    fn pass_deadlines(&mut self, now: SystemTime) {
        if let State::Absent { drawn } = &mut self.state {
            drop(drawn.take_if(|subject| subject.expires_in(now).is_none()));
        }
        while let State::Candidate { current: Candidate { subject, .. }, .. } | State::Live { subject, .. } =
            &self.state
        {
            if subject.expires_in(now).is_some() {
                return;
            }
            let id = subject.id;
            self.missing(&id, false);
        }
    }

    /// Where the session may be that this request tried to move from there.
    fn successors_of(&self, id: &SessionId) -> Vec<Candidate> {
        let sent = self.moves.iter().filter(|sent| sent.from.id == *id);
        sent.map(|sent| Candidate { subject: sent.to.clone(), cookie_due: true }).collect()
    }
}

impl Reason {
    fn class_of_next(self, class: u8) -> u8 {
        match self {
            Self::Rotate => class,
            Self::Renew(class) => class,
        }
    }
}

impl Default for State {
    fn default() -> Self {
        Self::Absent { drawn: None }
    }
}

impl State {
    fn first_of(candidates: impl IntoIterator<Item = Candidate>, dead: Option<Subject>) -> Self {
        let mut candidates = candidates.into_iter();
        match candidates.next() {
            Some(current) => Self::Candidate { current, further: candidates.collect(), dead },
            None => dead.map_or_else(Self::default, |subject| Self::Gone { subject }),
        }
    }

    fn is_of(&self, id: &SessionId) -> bool {
        self.subject().is_some_and(|subject| subject.id == *id)
    }

    /// One of the candidates has this id.
    fn may_be(&self, id: &SessionId) -> bool {
        let Self::Candidate { current, further, .. } = self else { return false };
        std::iter::once(current).chain(further).any(|candidate| candidate.subject.id == *id)
    }

    fn subject(&self) -> Option<&Subject> {
        match self {
            Self::Absent { drawn } => drawn.as_ref(),
            Self::Candidate { current: Candidate { subject, .. }, .. }
            | Self::Live { subject, .. }
            | Self::Gone { subject } => Some(subject),
        }
    }

    fn take_subject(&mut self) -> Option<Subject> {
        match std::mem::take(self) {
            Self::Absent { drawn } => drawn,
            Self::Candidate { current: Candidate { subject, .. }, .. }
            | Self::Live { subject, .. }
            | Self::Gone { subject } => Some(subject),
        }
    }
}

#[cfg(test)]
mod table;
#[cfg(test)]
mod tests;
