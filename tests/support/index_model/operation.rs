//! The calls of an application, which the clients make.

use std::cell::Cell;
use std::rc::Rc;

use super::command::{Change, Command, Guard, Reply};
use super::fault::Fault;
use super::network::{Link, NoReply};
use super::steps::NewId;
use super::world::{Id, SECOND, Time};

/// The number of attempts of a login with a limit.
const LOGIN_TRIES: usize = 6;
/// The time in which a creation is repeated with the same id.
const CREATED_FOR: Time = 60 * SECOND;
/// The number of ids that a change follows.
const FOLLOWED: usize = 6;

/// A limit of the sessions of a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cap {
    pub(super) most: usize,
    pub(super) ends_oldest: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operation {
    Read,
    Change(Change),
    Rotate { renews: bool },
    Login { user: usize, renews: bool, cap: Option<Cap>, has_checkpoint: bool },
    Destroy,
    Count { user: usize },
    EndAll { user: usize },
    EndOthers { user: usize },
    EndOne { user: usize },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Done,
    Gone,
    EndedSince,
    TooMany,
    Unknown,
}

/// A request of a browser, whose cookie other requests share.
#[derive(Clone)]
pub(super) struct Request {
    pub(super) link: Link,
    pub(super) cookie: Rc<Cell<Option<Id>>>,
    /// Sends a change again after a lost reply.
    pub(super) repeats: bool,
}

impl Request {
    pub(super) async fn run(self, operation: Operation) -> Outcome {
        self.carry_out(operation).await.unwrap_or(Outcome::Unknown)
    }

    async fn carry_out(&self, operation: Operation) -> Result<Outcome, NoReply> {
        match operation {
            Operation::Read => self.read().await.map(|_| Outcome::Done),
            Operation::Change(change) => self.change(None, change, Guard::default()).await,
            Operation::Rotate { renews } => {
                self.change(Some(renews), Change::Nothing, Guard::default()).await
            }
            Operation::Login { user, renews, cap, has_checkpoint } => {
                self.log_in(user, renews, cap, has_checkpoint).await
            }
            Operation::Destroy => self.destroy().await,
            Operation::Count { user } => self.link.survey(user).await.map(|_| Outcome::Done),
            Operation::EndAll { user } => {
                self.link.end_all(user, None).await.map(|()| Outcome::Done)
            }
            Operation::EndOthers { user } => {
                let current = self.read().await?.map(|id| self.link.world.borrow().tag(id));
                self.link.end_all(user, current).await.map(|()| Outcome::Done)
            }
            Operation::EndOne { user } => {
                let mut targets = self.link.survey(user).await?.all();
                targets.entries.truncate(1);
                self.link.end(user, targets).await.map(|_| Outcome::Done)
            }
        }
    }

    /// Refreshes the session, and returns the id if the session is live.
    async fn read(&self) -> Result<Option<Id>, NoReply> {
        let mut current = self.cookie.get();
        for _ in 0..FOLLOWED {
            let Some(id) = current else { return Ok(None) };
            match self.link.refresh(id).await? {
                Reply::Found { .. } => return Ok(Some(id)),
                Reply::Dead { .. } => current = self.successor(id, false).await?.unwrap_or(None),
                _ => return Ok(None),
            }
        }
        Ok(None)
    }

    /// Returns the id after a rotation. The outer `None` means that the session is gone.
    async fn successor(&self, id: Id, logs_in: bool) -> Result<Option<Option<Id>>, NoReply> {
        match self.link.ask(Command::Tombstone { id }).await? {
            Reply::Dead { successor: Some(next), renews: false } => Ok(Some(Some(next))),
            Reply::Dead { successor: Some(_), .. } if logs_in => Ok(Some(None)),
            _ => {
                self.cookie.set(None);
                Ok(None)
            }
        }
    }

    /// Changes the session, creates a session, or gives it a new id.
    async fn change(
        &self,
        renews: Option<bool>,
        change: Change,
        guard: Guard,
    ) -> Result<Outcome, NoReply> {
        let mut current = self.cookie.get();
        for _ in 0..FOLLOWED {
            let (from, to, reply) = match (current, renews) {
                (None, _) => {
                    if change == Change::Remove || (change == Change::Nothing && renews.is_some()) {
                        return Ok(Outcome::Done);
                    }
                    let created_at = self.link.clock();
                    let id = self.link.world.borrow_mut().fresh_id(created_at);
                    (id, id, self.create(id, change, guard).await?)
                }
                (Some(id), None) => (id, id, self.link.write(id, false, change, guard).await?),
                (Some(from), Some(renews)) => {
                    let (to, reply) = self.give_new_id(from, renews, change, guard).await?;
                    (from, to, reply)
                }
            };
            match reply {
                Reply::Done | Reply::Kept => {
                    self.cookie.set(Some(to));
                    return Ok(Outcome::Done);
                }
                Reply::Missing => current = None,
                Reply::Dead { .. } => match self.successor(from, renews == Some(true)).await? {
                    Some(next) => current = next,
                    None => return Ok(Outcome::Gone),
                },
                Reply::EndedSince => return Ok(Outcome::EndedSince),
                Reply::TooMany => return Ok(Outcome::TooMany),
                _ => return Err(NoReply),
            }
        }
        Err(NoReply)
    }

    /// A creation without a reply is repeated with the same id, but not for long. Otherwise an id
    /// could be live again after its tombstone.
    async fn create(&self, id: Id, change: Change, guard: Guard) -> Result<Reply, NoReply> {
        let began = self.link.instant();
        let is_recent =
            || self.link.instant() - began < CREATED_FOR || self.link.has(Fault::CreateAgain);
        match self.link.write(id, true, change, guard).await {
            Err(NoReply) if self.repeats && is_recent() => {
                self.link.write(id, true, change, guard).await
            }
            reply => reply,
        }
    }

    /// A rotation without a reply is repeated with the same id. The id of a batch belongs to one
    /// attempt.
    async fn give_new_id(
        &self,
        from: Id,
        renews: bool,
        change: Change,
        guard: Guard,
    ) -> Result<(Id, Reply), NoReply> {
        let next_id = || {
            let renewed_at = renews.then(|| self.link.clock());
            self.link.world.borrow_mut().next_id(from, renewed_at)
        };
        let mut to = next_id();
        let reply = match self.link.rotate(NewId { from, to, renews }, change, guard).await {
            Err(NoReply) if self.repeats => {
                if change != Change::Nothing {
                    to = next_id();
                }
                self.link.rotate(NewId { from, to, renews }, change, guard).await
            }
            reply => reply,
        };
        Ok((to, reply?))
    }

    async fn log_in(
        &self,
        user: usize,
        renews: bool,
        cap: Option<Cap>,
        has_checkpoint: bool,
    ) -> Result<Outcome, NoReply> {
        let mut guard = Guard { since: None, at_most: cap.map(|cap| cap.most) };
        if has_checkpoint
            && let Reply::Time(time, number) = self.link.ask(Command::Time { user }).await?
        {
            guard.since = Some((time, number));
        }
        for _ in 0..LOGIN_TRIES {
            match (self.change(renews.then_some(true), Change::Set(user), guard).await?, cap) {
                (Outcome::TooMany, Some(Cap { most, ends_oldest })) => {
                    let tag = self.cookie.get().map(|id| self.link.world.borrow().tag(id));
                    if !self.link.make_room(user, tag, most, ends_oldest).await? {
                        return Ok(Outcome::TooMany);
                    }
                }
                (outcome, _) => return Ok(outcome),
            }
        }
        Ok(Outcome::TooMany)
    }

    /// Ends the session, also after a rotation.
    async fn destroy(&self) -> Result<Outcome, NoReply> {
        let mut current = self.cookie.get();
        for _ in 0..FOLLOWED {
            let Some(id) = current else { break };
            current = match self.link.destroy(id).await? {
                Reply::Dead { successor, renews: false } => successor,
                _ => None,
            };
        }
        self.cookie.set(None);
        Ok(Outcome::Done)
    }
}
