//! The search for the sessions of a user, and their end, as in `session/found/search.rs`.

use std::collections::{BTreeSet, VecDeque};

use super::command::{Command, Doubt, Read, Reply};
use super::fault::Fault;
use super::lists::COUNTS_FOR;
use super::network::{Link, NoReply};
use super::world::{Ended, Entry, Id, SECOND, Time};

const FOLLOWED: usize = 1_000;
/// The number of times that an end is repeated with a newer list.
const TRIES: usize = 3;
const LIST_COUNTS_FOR: Time = 30 * SECOND;
const PENDING_FOR: Time = 600;
const STEP_LIMIT: Time = 60 * SECOND;

/// A live session, with the time of its sign-in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Found {
    pub(super) id: Id,
    signed_in_at: Option<Time>,
}

pub(super) struct Survey {
    pub(super) found: Vec<Found>,
    /// The entries without such a session, with the time of their addition in seconds.
    pending: Vec<(Id, Time)>,
    read: Read,
    before: Time,
}

/// Sessions to end.
pub(super) struct Targets {
    /// An entry is pending or not.
    pub(super) entries: Vec<(Id, bool)>,
    pub(super) list: ListRead,
}

/// A read of a list: before the command by the client's clock for durations, by the clock of the
/// list, and the true time.
#[derive(Debug, Clone, Copy)]
pub(super) struct ListRead {
    before: Time,
    at: Time,
    truly: Time,
}

impl Survey {
    pub(super) fn all(&self) -> Targets {
        self.targets(self.found.iter().map(|one| (one.id, false)).collect())
    }

    fn targets(&self, entries: Vec<(Id, bool)>) -> Targets {
        Targets { entries, list: list_read(self.before, &self.read) }
    }
}

fn list_read(before: Time, read: &Read) -> ListRead {
    ListRead { before, at: read.read_at, truly: read.read }
}

fn pending_since(entry: &Entry, read: &Read) -> Option<Time> {
    let now = read.read_at.div_euclid(SECOND);
    // An entry may be ahead of the clock.
    let ago = (now - entry.added).max(0);
    (ago < PENDING_FOR).then_some(now - ago)
}

fn pending_in(read: &Read) -> BTreeSet<Id> {
    read.entries
        .iter()
        .filter(|entry| pending_since(entry, read).is_some())
        .map(|entry| entry.id)
        .collect()
}

impl Link {
    async fn entries(&self, user: usize) -> Result<Read, NoReply> {
        match self.ask(Command::Entries { user }).await? {
            Reply::Entries(read) => Ok(read),
            _ => Err(NoReply),
        }
    }

    async fn look(&self, ids: &[Id]) -> Result<Vec<Reply>, NoReply> {
        let sent: Vec<_> = ids.iter().map(|id| self.send(Command::Look { id: *id })).collect();
        let mut replies = Vec::new();
        for awaited in sent {
            replies.push(awaited.reply().await?);
        }
        Ok(replies)
    }

    pub(super) async fn survey(&self, user: usize) -> Result<Survey, NoReply> {
        let before = self.instant();
        let read = self.entries(user).await?;
        let mut ids: Vec<Id> = read.entries.iter().map(|entry| entry.id).collect();
        let (mut found, mut stale, mut live) = (Vec::new(), Vec::new(), BTreeSet::new());
        for _ in 0..FOLLOWED {
            let mut successors = Vec::new();
            for (id, reply) in ids.iter().copied().zip(self.look(&ids).await?) {
                let is_dead = match reply {
                    Reply::Found { value, signed_in_at } if value == Some(user) => {
                        if live.insert(id) {
                            found.push(Found { id, signed_in_at });
                        }
                        continue;
                    }
                    Reply::Dead { .. } => {
                        successors.extend(self.successor(id).await?);
                        true
                    }
                    Reply::Missing => self.has(Fault::MissingIsDead),
                    _ => false,
                };
                stale.push((id, if is_dead { Doubt::Dead } else { Doubt::Unproven }));
            }
            successors.retain(|id| !live.contains(id));
            if successors.is_empty() {
                break;
            }
            ids = successors;
        }
        stale.retain(|(id, _)| !live.contains(id));
        self.prune_stale(user, read.read_at, &stale).await;
        let is_unproven =
            |id: Id| stale.iter().any(|(one, doubt)| *one == id && *doubt == Doubt::Unproven);
        let pending = read.entries.iter().filter(|entry| is_unproven(entry.id));
        let pending =
            pending.filter_map(|entry| Some((entry.id, pending_since(entry, &read)?))).collect();
        Ok(Survey { found, pending, read, before })
    }

    async fn successor(&self, id: Id) -> Result<Option<Id>, NoReply> {
        match self.ask(Command::Tombstone { id }).await? {
            Reply::Dead { successor, .. } => Ok(successor),
            _ => Ok(None),
        }
    }

    async fn prune_stale(&self, user: usize, read_at: Time, stale: &[(Id, Doubt)]) {
        if !stale.is_empty() {
            self.ask(Command::Prune { user, read_at, entries: stale.to_vec() }).await.ok();
        }
    }

    /// Ends all sessions of a user, besides those with the spared tag.
    pub(super) async fn end_all(&self, user: usize, spared: Option<u16>) -> Result<(), NoReply> {
        let before = self.instant();
        let (read, mark) = self.mark(user).await?;
        let pending = pending_in(&read);
        let mut entries: Vec<_> =
            read.entries.iter().map(|entry| (entry.id, pending.contains(&entry.id))).collect();
        entries.retain(|(id, _)| spared != Some(self.world.borrow().tag(*id)));
        self.end(user, Targets { entries, list: list_read(before, &read) }).await?;
        self.world.borrow_mut().ended[user].push(Ended { mark, spared });
        Ok(())
    }

    async fn mark(&self, user: usize) -> Result<(Read, u64), NoReply> {
        let before =
            if self.has(Fault::MarkAfterRead) { Some(self.entries(user).await?) } else { None };
        let Reply::Entries(read) = self.ask(Command::Mark { user }).await? else {
            return Err(NoReply);
        };
        let mark = read.number;
        Ok((before.unwrap_or(read), mark))
    }

    /// Ends sessions if they have the value, also under a later id.
    ///
    /// The tombstones that lead to a later id do not last. So an old list is read again, for the
    /// sessions that are left.
    pub(super) async fn end(&self, user: usize, targets: Targets) -> Result<usize, NoReply> {
        let (mut ended, mut has_failed, mut over) = (0, false, Vec::new());
        let Targets { entries, mut list } = targets;
        if self.has(Fault::LateEnd) {
            list.before = self.instant();
        }
        let mut pending: BTreeSet<Id> =
            entries.iter().filter(|(_, pending)| *pending).map(|(id, _)| *id).collect();
        let mut left: VecDeque<(Id, usize)> = entries.into_iter().map(|(id, _)| (id, 0)).collect();
        while let Some((id, tries)) = left.pop_front() {
            let reads_again = pending.contains(&id) || !self.has(Fault::OldList);
            if reads_again && self.instant() - list.before > LIST_COUNTS_FOR {
                let before = self.instant();
                let again = self.entries(user).await?;
                (list, pending) = (list_read(before, &again), pending_in(&again));
                if !self.has(Fault::OldProof) {
                    over.clear();
                }
                self.add_left(&mut left, id, &again);
            }
            let is_pending = pending.contains(&id) && !self.has(Fault::EndIgnoresPending);
            match self.end_one(user, id, is_pending, list, &mut over).await {
                Ok(was_live) => ended += usize::from(was_live),
                Err(NoReply) => has_failed = true,
            }
            if self.instant() - list.before > 2 * LIST_COUNTS_FOR && !self.has(Fault::OldList) {
                match tries < TRIES {
                    true => left.push_front((id, tries + 1)),
                    false => has_failed = true,
                }
            }
        }
        self.prune_stale(user, list.at, &over).await;
        if has_failed { Err(NoReply) } else { Ok(ended) }
    }

    /// Adds the later ids of the sessions that are left.
    fn add_left(&self, left: &mut VecDeque<(Id, usize)>, current: Id, again: &Read) {
        if self.has(Fault::OldList) {
            return;
        }
        let world = self.world.borrow();
        let ids = left.iter().map(|(id, _)| *id).chain([current]);
        let (known, tags): (BTreeSet<Id>, BTreeSet<u16>) =
            ids.map(|id| (id, world.tag(id))).unzip();
        let later = again.entries.iter().map(|entry| entry.id);
        let later = later.filter(|id| tags.contains(&world.tag(*id)) && !known.contains(id));
        left.extend(later.map(|id| (id, 0)));
    }

    async fn end_one(
        &self,
        user: usize,
        mut id: Id,
        is_pending: bool,
        list: ListRead,
        over: &mut Vec<(Id, Doubt)>,
    ) -> Result<bool, NoReply> {
        for _ in 0..FOLLOWED {
            let reply = self.destroy_if(user, id, is_pending, list).await?;
            let is_dead = match reply {
                Reply::Missing => is_pending,
                Reply::Unfit => false,
                _ => true,
            };
            over.push((id, if is_dead { Doubt::Dead } else { Doubt::Unproven }));
            match reply {
                Reply::Ended(..) => return Ok(true),
                Reply::Dead { successor: Some(next), .. } if !self.has(Fault::EndStays) => {
                    id = next
                }
                _ => return Ok(false),
            }
        }
        Err(NoReply)
    }

    async fn destroy_if(
        &self,
        user: usize,
        id: Id,
        is_pending: bool,
        list: ListRead,
    ) -> Result<Reply, NoReply> {
        let end = |at: Option<Time>| {
            let until = at.map(|at| at + STEP_LIMIT);
            self.ask(Command::End { id, user, until, read: list.truly })
        };
        let mut reply = end(is_pending.then_some(list.at)).await?;
        if let Reply::Late(time) = reply
            && (self.instant() - list.before <= LIST_COUNTS_FOR || self.has(Fault::LateEnd))
        {
            // The clock of this node is ahead of the clock of the list.
            reply = end(Some(time)).await?;
        }
        self.leave_ended(&reply);
        if let Reply::Late(_) = reply { Err(NoReply) } else { Ok(reply) }
    }

    /// Makes room for one more session. Returns whether there is room.
    pub(super) async fn make_room(
        &self,
        user: usize,
        tag: Option<u16>,
        most: usize,
        ends_oldest: bool,
    ) -> Result<bool, NoReply> {
        let survey = self.survey(user).await?;
        let tag_of = |id: Id| self.world.borrow().tag(id);
        let read_at = survey.read.read_at.div_euclid(SECOND);
        let counts = |(id, since): &(Id, Time)| {
            let is_found = survey.found.iter().any(|one| tag_of(one.id) == tag_of(*id));
            let counts_for = if self.has(Fault::CeaseAfterMinute) { 60 } else { COUNTS_FOR };
            !is_found && (0..=counts_for).contains(&(read_at - since))
        };
        let pending = survey.pending.iter().filter(|entry| counts(entry));
        let pending = pending.map(|(id, since)| (Some((since + 1) * SECOND), (*id, true)));
        let live = survey.found.iter().map(|one| (one.signed_in_at, (one.id, false)));
        let mut others: Vec<_> = live.chain(pending).collect();
        others.retain(|(_, (id, _))| tag != Some(tag_of(*id)));
        if !ends_oldest {
            return Ok(others.len() < most);
        }
        others.sort_by_key(|(since, (id, _))| (*since, self.world.borrow().facts(*id).created_at));
        others.truncate((others.len() + 1).saturating_sub(most));
        let entries = others.into_iter().map(|(_, entry)| entry).collect();
        self.end(user, survey.targets(entries)).await.map(|_| true)
    }
}
