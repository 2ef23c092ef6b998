//! The states of one request's session and what leads from one to the next, free of I/O. What becomes of sessions is known here, and told to
//! telemetry.
//!
//! An operation asks for a plan ([`Lifecycle::plan_read`], [`Lifecycle::plan_write`]), carries it out on the store and reports what the store said
//! ([`Lifecycle::found`], [`Lifecycle::missing`], [`Lifecycle::dead`]), until it has an answer. Several operations of one request may be under way at
//! once: a report about an id that is not the request's any more changes nothing.
//!
//! A session that ended while the request was under way is *gone* for it. A request that arrived later has no session. Durations alone
//! decide: the tombstone's age by the store's clock, against the request's age by ours, plus a grace ([`Lifecycle::examined`]).

pub(crate) mod known_fields;
pub(crate) mod metadata;

use std::time::{Duration, SystemTime};

use crate::error::{Error, Kind};
use crate::id::SessionId;
use crate::lifecycle::known_fields::Present;
use crate::lifecycle::metadata::Subject;
use crate::store::{DestroyReason, Destroyed, Tombstone, TombstoneKind, WriteMode};
use crate::telemetry::{EventFlush, EventQueue, LifecycleEvent};

/// The stay of a tombstone: longer than a request that may still hold the dead id is likely to take.
pub(crate) const TOMBSTONE_FOR: Duration = Duration::from_secs(5 * 60);

/// One request's session.
#[derive(Debug, Default)]
pub(crate) struct Lifecycle {
    state: State,
    /// The candidates that are left to try.
    further: Vec<Candidate>,
    /// Sessions that cookies name and that the request cannot use: by this process's clock and lifetimes, or for their number.
    /// What ends a session ends them too.
    unusable: Vec<Subject>,
    /// Sessions that cookies name and that the request does not use: another one is live, or they have ended. A destruction ends
    /// them, and those that they were rotated to.
    passed_over: Vec<Subject>,
    asked: bool,
    was_live: bool,
    committed: bool,
    /// Another part of the program than the one that sends the response can ask for the session.
    is_held: bool,
    /// The request came with a cookie of our name.
    presented: bool,
    /// A cookie of ours came that verifies.
    names_session: bool,
    /// Another site caused the request, and browsers leave the cookie out of it.
    cookie_left_out: bool,
    /// The request may begin a session all the same.
    allows_cross_site: bool,
    /// It would have begun one.
    was_kept_from_beginning: bool,
    /// The request came by plain http.
    is_plain_http: bool,
    /// The client is to be told to forget its cookie, unless a new one takes its place.
    removal_due: bool,
    /// The class of the next session that the request begins.
    class: u8,
    /// The moves that were sent, of which one may have happened.
    moves: Vec<Move>,
    /// The sessions that a destruction has yet to end beside the request's own.
    ending: Vec<Subject>,
    /// Those of them that it could not end. The next one tries again.
    unended: Vec<Subject>,
    /// The session whose end or move was sent, and is not known not to have happened.
    doubted: Option<SessionId>,
    unserved: Unserved,
    events: EventQueue,
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
    /// A session that may be there. The store was not asked for it yet. `gone` is one that the request tried before.
    Candidate { current: Candidate, gone: Option<Gone> },
    /// The store has it.
    Live { subject: Subject, cookie_due: bool, refreshed: bool, present: Present },
    /// Ended by another request, or expired while this one held it.
    Gone(Gone),
}

/// A session that came to its end while the request was under way.
#[derive(Debug)]
struct Gone {
    subject: Subject,
    end: End,
}

/// How a session came to its end.
#[derive(Debug, Clone, Copy)]
enum End {
    /// The store did not have it any more.
    Expired,
    /// By a request. Its tombstone was not read.
    Unread,
    /// As its tombstone says.
    Read { kind: TombstoneKind, is_before_arrival: bool },
}

/// How long a request has been under way, for the comparison with a tombstone's age.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RequestAge {
    pub(crate) since_arrival: Duration,
    /// How much later than a session's end a request may arrive and still count as under way: answers with another cookie may have
    /// been on their way to the browser.
    pub(crate) grace: Duration,
    /// A client is on the other side, and gets the cookie of a session that begins anew.
    pub(crate) has_client: bool,
}

/// The sessions that a request's cookies name.
#[derive(Debug, Default)]
pub(crate) struct Presented<C> {
    /// A cookie of our name came, whether it verifies or not.
    pub(crate) by_cookie: bool,
    /// In the order in which they are tried.
    pub(crate) candidates: C,
    /// Sessions that this process cannot use.
    pub(crate) unusable: Vec<Subject>,
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

/// The next step of an operation that gives a session a new id.
#[derive(Debug)]
pub(crate) enum MoveStep {
    /// There is no session to move. The next one gets a fresh id anyway.
    Nothing,
    Move(Move),
    /// A session is to be ended that the request cannot use: see [`Lifecycle::ended_unusable`].
    End(Subject),
    /// The tombstone of a session decides: see [`Lifecycle::examined`].
    Examine(Subject),
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
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// Something asked for the session.
    pub(crate) asked: bool,
    /// The session was live at some time during the request.
    pub(crate) was_live: bool,
    /// It may still become live, when the response's body is made.
    pub(crate) may_go_live: bool,
    /// The session whose cookie is to be set.
    pub(crate) set: Option<Subject>,
    /// The client's cookie is to be removed.
    pub(crate) remove: bool,
    /// The request came by plain http.
    pub(crate) is_plain_http: bool,
    /// The request went on without its session: the store could not be asked for it, or the browser
    /// left its cookie out.
    pub(crate) went_on_without: bool,
}

impl Lifecycle {
    /// To be called before a plan is made: the first time it looks at the request's cookies.
    pub(crate) fn ask<C: IntoIterator<Item = Candidate>>(&mut self, cookies: impl FnOnce() -> Presented<C>) {
        if !std::mem::replace(&mut self.asked, true) {
            let presented = cookies();
            self.presented = presented.by_cookie;
            self.unusable = presented.unusable;
            let mut candidates = presented.candidates.into_iter().peekable();
            self.names_session = candidates.peek().is_some() || !self.unusable.is_empty();
            if let Some(current) = candidates.next() {
                self.state = State::Candidate { current, gone: None };
            }
            self.further = candidates.collect();
        }
    }

    /// Lets the request go on without its session if the store cannot be asked for it.
    pub(crate) fn may_go_on_without(&mut self) {
        if self.unserved == Unserved::Fails {
            self.unserved = Unserved::MayGoOn;
        }
    }

    /// Another site caused the request, and browsers leave the cookie out of it: a session that
    /// began without it would take the place of the one that the browser has.
    pub(crate) fn leave_cookie_out(&mut self) {
        self.cookie_left_out = true;
    }

    /// The request came by plain http.
    pub(crate) fn note_plain_http(&mut self) {
        self.is_plain_http = true;
    }

    /// Lets the request begin a session all the same.
    pub(crate) fn allow_cross_site(&mut self) {
        self.allows_cross_site = true;
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
            State::Absent { .. } | State::Gone(_) => None,
        }
    }

    /// The sessions that the request's cookies name and that it cannot use, if it has no other.
    pub(crate) fn unusable(&self) -> &[Subject] {
        if self.state.subject().is_none() { &self.unusable } else { &[] }
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
            State::Absent { drawn: None } | State::Gone(_) => return None,
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
        let may_begin = self.names_session || self.allows_cross_site || !self.cookie_left_out;
        let (subject, mode) = match &mut self.state {
            State::Gone(gone) => return Err(gone.error()),
            State::Absent { drawn: None } if only_removes => return Ok(None),
            State::Absent { drawn: Some(subject) } if only_removes => (subject, WriteMode::Existing),
            State::Absent { .. } if self.committed => return Err(Error::new(Kind::HeadersSent)),
            State::Absent { .. } if !may_begin => {
                self.was_kept_from_beginning = true;
                return Err(Error::new(Kind::CrossSite));
            }
            State::Absent { drawn: Some(subject) } => (subject, WriteMode::Create),
            State::Absent { drawn } => (drawn.insert(draw(self.class)?), WriteMode::Create),
            State::Candidate { current: Candidate { subject, .. }, .. } | State::Live { subject, .. } => {
                (subject, WriteMode::Existing)
            }
        };
        let expires_in = subject.expires_in(now).ok_or_else(|| Error::new(Kind::Expired))?;
        Ok(Some(Write { subject: subject.clone(), mode, expires_in, settles }))
    }

    /// `draw` gives the successor of a subject.
    pub(crate) fn plan_move(
        &mut self,
        now: SystemTime,
        reason: Reason,
        age: RequestAge,
        draw: impl FnOnce(&Subject) -> Result<Subject, Error>,
    ) -> Result<MoveStep, Error> {
        self.check_is_served()?;
        self.pass_deadlines(now);
        if let (State::Gone(gone), Reason::Renew(_)) = (&self.state, reason) {
            match gone.end.allows_login(age) {
                None => return Ok(MoveStep::Examine(gone.subject.clone())),
                Some(false) => return Err(gone.error()),
                Some(true) if self.committed => return Err(Error::new(Kind::HeadersSent)),
                Some(true) => {
                    self.state = State::default();
                    self.moves.clear();
                }
            }
        }
        let from = match &self.state {
            State::Gone(gone) => return Err(gone.error()),
            State::Absent { drawn: None } => {
                if let Some(subject) = self.unusable.last().cloned() {
                    if self.committed {
                        return Err(Error::new(Kind::HeadersSent));
                    }
                    return Ok(MoveStep::End(subject));
                }
                self.class = reason.class_of_next(self.class);
                return Ok(MoveStep::Nothing);
            }
            State::Absent { drawn: Some(subject) }
            | State::Candidate { current: Candidate { subject, .. }, .. }
            | State::Live { subject, .. } => subject,
        };
        if self.committed {
            return Err(Error::new(Kind::HeadersSent));
        }
        self.doubted = Some(from.id);
        if let Some(sent) = self.moves.iter().find(|sent| sent.from.id == from.id && sent.reason == reason) {
            return Ok(MoveStep::Move(Move { settles: self.is_unsettled(), ..sent.clone() }));
        }
        let planned = Move { from: from.clone(), to: draw(from)?, reason, settles: self.is_unsettled() };
        self.moves.push(planned.clone());
        Ok(MoveStep::Move(planned))
    }

    /// The store was told to end a session that the request cannot use.
    pub(crate) fn ended_unusable(&mut self, id: &SessionId, found: Destroyed) {
        self.unusable.retain(|subject| subject.id != *id);
        if found == Destroyed::Ended {
            self.events.push(LifecycleEvent::Destroyed, Some(id));
        }
    }

    /// `None`: there is nothing to end.
    pub(crate) fn plan_destroy(&mut self, now: SystemTime) -> Result<Option<Destroy>, Error> {
        self.check_is_served()?;
        self.pass_deadlines(now);
        if self.committed && self.destruction_changes_cookie() {
            return Err(Error::new(Kind::HeadersSent));
        }
        // A logout leaves no session of the same browser behind. The request's own comes last: until then, it still has it.
        self.ending.append(&mut self.passed_over);
        self.ending.append(&mut self.unusable);
        let subject = self.ending.last().or_else(|| self.state.subject()).cloned();
        if subject.is_none() {
            self.remove_cookie();
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
                    self.events.push(LifecycleEvent::Rotated, Some(id));
                }
                current.cookie_due
            }
            // Begun too late for a cookie: it stays unreachable, and expires.
            State::Absent { .. } if self.committed => return,
            State::Absent { drawn: Some(subject) } if subject.id == *id => {
                self.events.push(LifecycleEvent::Created, Some(id));
                true
            }
            State::Live { subject, refreshed: before, .. } if subject.id == *id => {
                *before |= refreshed;
                return;
            }
            _ => return,
        };
        if let Some(subject) = self.state.take_subject() {
            self.go_live(subject, cookie_due, refreshed);
        }
    }

    fn go_live(&mut self, subject: Subject, cookie_due: bool, refreshed: bool) {
        self.was_live = true;
        self.passed_over.extend(self.further.drain(..).map(|candidate| candidate.subject));
        self.state = State::Live { subject, cookie_due, refreshed, present: Present::default() };
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
    /// `is_headers_sent` if it was begun while the response's head was sent, without its cookie.
    pub(crate) fn created(&mut self, id: &SessionId) -> Result<Next, Error> {
        self.found(id, true);
        match &self.state {
            State::Live { subject, .. } | State::Gone(Gone { subject, .. }) if subject.id == *id => {
                Ok(Next::Nothing)
            }
            State::Absent { drawn: Some(subject) } if subject.id == *id => Err(Error::new(Kind::HeadersSent)),
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
            State::Candidate { current, gone } if current.subject.id == *id => {
                let gone = gone.take();
                self.events.push(LifecycleEvent::Expired, Some(id));
                self.try_next(gone);
            }
            State::Live { subject, .. } if subject.id == *id => {
                self.events.push(LifecycleEvent::Expired, Some(id));
                self.state = State::Gone(Gone { subject: subject.clone(), end: End::Expired });
            }
            _ => {}
        }
        Next::Replan
    }

    /// The store has a tombstone of this session. If the tombstone decides how the request goes on, the session is returned: see
    /// [`examined`](Self::examined).
    pub(crate) fn dead(&mut self, id: &SessionId) -> Option<Subject> {
        match &self.state {
            State::Candidate { current: Candidate { subject, .. }, .. } if subject.id == *id => {
                Some(subject.clone())
            }
            State::Live { subject, .. } | State::Absent { drawn: Some(subject) } if subject.id == *id => {
                let gone = Gone { subject: subject.clone(), end: End::Unread };
                self.try_successors_of(id, Some(gone));
                None
            }
            _ => None,
        }
    }

    /// The tombstone of this session was read, or there is none any more.
    pub(crate) fn examined(&mut self, id: &SessionId, tombstone: Option<Tombstone>, age: RequestAge) {
        let successor = tombstone.and_then(|tombstone| tombstone.successor());
        match &mut self.state {
            State::Candidate { current, gone } if current.subject.id == *id => {
                let (subject, former) = (current.subject.clone(), gone.take());
                let is_under_way = |tombstone: &Tombstone| age.is_under_way_at(tombstone.age);
                let read = tombstone.filter(is_under_way).map(|tombstone| End::read(tombstone, age));
                let gone = read.map(|end| Gone { subject: subject.clone(), end });
                if tombstone.is_none() {
                    self.events.push(LifecycleEvent::Expired, Some(id));
                } else {
                    // Another move than the one that it tells of did not happen.
                    self.moves.retain(|sent| sent.from.id != *id || Some(sent.to.id) == successor);
                    if self.successors_of(id).is_empty() {
                        self.passed_over.push(subject);
                    }
                }
                self.try_successors_of(id, Gone::stricter(former, gone));
            }
            State::Gone(gone) if gone.subject.id == *id => {
                gone.end = tombstone.map_or(End::Expired, |tombstone| End::read(tombstone, age));
            }
            _ => {}
        }
    }

    /// Goes on where this request tried to move the session.
    fn try_successors_of(&mut self, id: &SessionId, gone: Option<Gone>) {
        let successors = self.successors_of(id);
        self.further.splice(0..0, successors);
        self.try_next(gone);
    }

    /// Goes on to the next candidate. A cookie of a session that has just ended must not stand before one that is live.
    fn try_next(&mut self, gone: Option<Gone>) {
        self.state = if self.further.is_empty() {
            gone.map_or_else(State::default, State::Gone)
        } else {
            State::Candidate { current: self.further.remove(0), gone }
        };
    }

    /// The store moved the session.
    ///
    /// # Errors
    ///
    /// `is_headers_sent` if the response's head was sent meanwhile, without the new cookie.
    pub(crate) fn moved(&mut self, moved: &Move) -> Result<(), Error> {
        if self.state.is_of(&moved.from.id) || self.may_be(&moved.to.id) {
            self.note_creation(&moved.from.id);
            self.events.push(LifecycleEvent::Rotated, Some(&moved.to.id));
            self.go_live(moved.to.clone(), !self.committed, true);
        } else {
            self.found(&moved.to.id, true);
        }
        if self.committed { Err(Error::new(Kind::HeadersSent)) } else { Ok(()) }
    }

    /// What the store did to this session proves that a creation happened whose reply was lost, or comes later.
    fn note_creation(&mut self, id: &SessionId) {
        if matches!(&self.state, State::Absent { drawn: Some(subject) } if subject.id == *id) {
            self.events.push(LifecycleEvent::Created, Some(id));
        }
    }

    /// Takes the events, to be reported once nothing holds the life cycle.
    pub(crate) fn take_events(&mut self) -> Option<EventFlush> {
        self.events.take()
    }

    pub(crate) fn append_events(&mut self, events: EventQueue) {
        self.events.append(events);
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

    /// The store refused the move: the session was ended, or moved elsewhere. The tombstone would name a successor of ours. As
    /// [`dead`](Self::dead).
    pub(crate) fn move_lost(&mut self, lost: &Move) -> Option<Subject> {
        self.moves.retain(|sent| sent.to.id != lost.to.id);
        self.dead(&lost.from.id)
    }

    /// The store was told to end this session. `follow` gives the session that is to be ended in place of one that another request
    /// moved.
    pub(crate) fn destroyed(
        &mut self,
        plan: &Destroy,
        found: Destroyed,
        follow: impl FnOnce(TombstoneKind) -> Option<Subject>,
    ) -> Next {
        let id = &plan.subject.id;
        if found == Destroyed::Ended {
            self.note_creation(id);
            self.events.push(LifecycleEvent::Destroyed, Some(id));
        }
        if let Destroyed::Dead(kind) = found {
            let successor = kind.successor();
            self.was_live |= successor.is_some();
            self.moves.retain(|sent| sent.from.id != *id || Some(sent.to.id) == successor);
            // Where this request moved the session itself, it goes on there.
            if self.successors_of(id).is_empty() {
                self.ending.extend(follow(kind));
            } else if self.state.is_of(id) {
                self.try_successors_of(id, None);
                return Next::Replan;
            }
        }
        self.was_live |= found == Destroyed::Ended;
        self.passed_over.retain(|subject| subject.id != *id);
        if let Some(at) = self.ending.iter().position(|ending| ending.id == *id) {
            self.ending.remove(at);
            return self.end_if_over();
        }
        if !self.state.is_of(id) {
            return Next::Replan;
        }
        match (found, &mut self.state) {
            (Destroyed::Missing, State::Candidate { .. }) => return self.missing(id, false),
            // The creation happened since.
            (Destroyed::Missing, State::Live { .. }) if plan.settles => return Next::Replan,
            (Destroyed::Dead(_), State::Candidate { gone, .. }) if !self.further.is_empty() => {
                let gone = gone.take();
                self.try_next(gone);
                return Next::Replan;
            }
            _ => {}
        }
        self.state = State::Gone(Gone { subject: plan.subject.clone(), end: End::Unread });
        self.ending.extend(self.further.drain(..).map(|candidate| candidate.subject));
        self.end_if_over()
    }

    /// The store could not end this session. Returns whether the destruction goes on with the others.
    pub(crate) fn not_ended(&mut self, id: &SessionId) -> bool {
        let Some(at) = self.ending.iter().position(|ending| ending.id == *id) else { return false };
        self.unended.push(self.ending.remove(at));
        true
    }

    /// The destruction has come to its end, for better or worse.
    pub(crate) fn destruction_over(&mut self) {
        self.passed_over.append(&mut self.unended);
    }

    fn destruction_changes_cookie(&self) -> bool {
        let names_sessions = self.state.subject().is_some()
            || [&self.ending, &self.passed_over, &self.unusable].iter().any(|sessions| !sessions.is_empty());
        names_sessions || (self.presented && !self.removal_due)
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
        let went_on_without = self.goes_on_without() || self.was_kept_from_beginning;
        let may_go_live = self.is_held && self.may_go_live();
        Outcome {
            asked: self.asked,
            was_live: self.was_live,
            may_go_live,
            set,
            remove,
            is_plain_http: self.is_plain_http,
            went_on_without,
        }
    }

    /// To be called before [`commit`](Self::commit), if another part of the program can still ask
    /// for the session.
    pub(crate) fn hold(&mut self) {
        self.is_held = true;
    }

    /// A read of the session may still find one.
    fn may_go_live(&self) -> bool {
        !self.asked || !matches!(self.state, State::Absent { drawn: None } | State::Gone(_))
    }

    /// The response's head was sent before anything asked for the session.
    pub(crate) fn is_late(&self) -> bool {
        self.committed && !self.asked
    }

    /// And nobody was known who still could ask: the response is not marked as private.
    #[cfg(any(feature = "actix", feature = "tower"))]
    pub(crate) fn is_too_late(&self) -> bool {
        self.is_late() && !self.is_held
    }

    /// Everything is ended that a destruction ends.
    fn end_if_over(&mut self) -> Next {
        match self.state {
            State::Gone(_) | State::Absent { drawn: None } if self.ending.is_empty() => self.end(),
            _ => Next::Replan,
        }
    }

    fn end(&mut self) -> Next {
        self.state = State::default();
        self.moves.clear();
        self.class = 0;
        self.remove_cookie();
        Next::Nothing
    }

    /// The client keeps the cookies of what could not be ended: a further attempt ends it.
    fn remove_cookie(&mut self) {
        self.removal_due = self.presented && self.unended.is_empty();
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
            let subject = subject.clone();
            if matches!(self.state, State::Candidate { .. }) {
                self.unusable.push(subject.clone());
            }
            self.missing(&subject.id, false);
        }
    }

    /// One of the candidates has this id.
    fn may_be(&self, id: &SessionId) -> bool {
        let State::Candidate { current, .. } = &self.state else { return false };
        std::iter::once(current).chain(&self.further).any(|candidate| candidate.subject.id == *id)
    }

    /// Where the session may be that this request tried to move from there.
    fn successors_of(&self, id: &SessionId) -> Vec<Candidate> {
        let sent = self.moves.iter().filter(|sent| sent.from.id == *id);
        sent.map(|sent| Candidate { subject: sent.to.clone(), cookie_due: true }).collect()
    }
}

impl Gone {
    /// The end of two that leaves a login fewer ways: somebody else's, whatever the order of the cookies.
    fn stricter(one: Option<Self>, other: Option<Self>) -> Option<Self> {
        match (one, other) {
            (Some(one), Some(other)) if other.end.is_elsewhere() && !one.end.is_elsewhere() => Some(other),
            (one, other) => one.or(other),
        }
    }

    fn error(&self) -> Error {
        Error::new(match self.end {
            End::Expired => Kind::Expired,
            End::Unread | End::Read { .. } => Kind::Gone,
        })
    }
}

impl End {
    fn read(tombstone: Tombstone, age: RequestAge) -> Self {
        Self::Read { kind: tombstone.kind, is_before_arrival: tombstone.age > age.since_arrival }
    }

    fn is_elsewhere(&self) -> bool {
        let Self::Read { kind: TombstoneKind::Destroyed(reason), .. } = self else { return false };
        *reason != DestroyReason::LoggedOut
    }

    /// Returns whether a login may begin a new session in place of the one that is gone. A verified password is a new session by
    /// intent, unless somebody else ended the former one while the request was under way. `None` if the tombstone has to be read.
    fn allows_login(self, age: RequestAge) -> Option<bool> {
        match self {
            _ if !age.has_client => Some(false),
            Self::Unread => None,
            // An end by somebody else would have left a tombstone for longer.
            Self::Expired => Some(age.since_arrival < TOMBSTONE_FOR),
            Self::Read { kind: TombstoneKind::Destroyed(reason), is_before_arrival } => {
                Some(is_before_arrival || reason == DestroyReason::LoggedOut)
            }
            Self::Read { kind: TombstoneKind::Rotated(_) | TombstoneKind::Renewed(_), .. } => Some(true),
        }
    }
}

impl RequestAge {
    /// Returns whether the request was under way when the session ended.
    ///
    /// A part of the application always is: nobody would get the cookie of a session that begins anew.
    fn is_under_way_at(self, tombstone_age: Duration) -> bool {
        !self.has_client || tombstone_age <= self.since_arrival.saturating_add(self.grace)
    }
}

impl Move {
    pub(crate) fn renews(&self) -> bool {
        matches!(self.reason, Reason::Renew(_))
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
    fn is_of(&self, id: &SessionId) -> bool {
        self.subject().is_some_and(|subject| subject.id == *id)
    }

    fn subject(&self) -> Option<&Subject> {
        match self {
            Self::Absent { drawn } => drawn.as_ref(),
            Self::Candidate { current: Candidate { subject, .. }, .. }
            | Self::Live { subject, .. }
            | Self::Gone(Gone { subject, .. }) => Some(subject),
        }
    }

    fn take_subject(&mut self) -> Option<Subject> {
        match std::mem::take(self) {
            Self::Absent { drawn } => drawn,
            Self::Candidate { current: Candidate { subject, .. }, .. }
            | Self::Live { subject, .. }
            | Self::Gone(Gone { subject, .. }) => Some(subject),
        }
    }
}

#[cfg(test)]
mod table;
#[cfg(test)]
mod tests;
