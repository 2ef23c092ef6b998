//! The scripts on lists: `index_add.lua`, `mark.lua` and `prune.lua`.

use super::command::{Doubt, Guard, Read, Reply};
use super::fault::Fault;
use super::world::{Entry, Id, SECOND, Time, World};

const MARKED_FOR: Time = 600 * SECOND;
const PENDING_FOR: Time = 600;
/// The time for which an entry counts as a session: the limit of the second step, and the largest
/// difference between two clocks.
pub(super) const COUNTS_FOR: Time = 300;
const MINUTE: Time = 60;
const LOOKED_FOR: Time = 60 * SECOND;

impl World {
    pub(super) fn add(
        &mut self,
        user: usize,
        id: Id,
        own: Id,
        deadline_in: Time,
        guard: Guard,
    ) -> Reply {
        let clock = self.list_clock(user);
        if let Some(refusal) = self.refusal(user, id, own, guard) {
            return refusal;
        }
        // A failover may turn the clock back, and a mark then seems to be before the checkpoint.
        if let Some((_, since)) = guard.since
            && !self.turned_back[user]
            && self.marks[user].iter().any(|mark| *mark > since)
        {
            self.break_rule(|| {
                format!("an addition of {id:?} overlooks an end since its checkpoint")
            });
        }
        let former = self.lists[user].entries.iter().position(|entry| entry.id == id);
        let former = former.map(|at| self.lists[user].entries.swap_remove(at));
        let deadline = (clock + deadline_in + SECOND - 1).div_euclid(SECOND);
        let deadline = deadline.max(former.map_or(0, |former| former.deadline));
        let (added, addition) = (clock.div_euclid(SECOND), self.number);
        let mut entry = Entry { id, deadline, added, addition, counts: true };
        if let (true, Some(former)) = (self.has(Fault::AddKeepsTime), former) {
            entry.added = former.added;
        }
        let margin = if self.has(Fault::DropAtDeadline) { 0 } else { MARKED_FOR };
        let list = &mut self.lists[user];
        list.entries.push(entry);
        let over = (clock - margin) / SECOND;
        list.entries.retain(|entry| entry.deadline >= over);
        list.mark = list.mark.filter(|mark| *mark >= clock - MARKED_FOR);
        list.expires_at = list.expires_at.max(clock + deadline_in + margin);
        let tag = usize::from(self.tag(id));
        self.last_added[tag][user] = self.now;
        Reply::Added(clock, addition, former.is_none())
    }

    fn refusal(&self, user: usize, id: Id, own: Id, guard: Guard) -> Option<Reply> {
        let (list, clock) = (&self.lists[user], self.list_clock(user));
        if let Some((since, _)) = guard.since
            && !self.has(Fault::NoMark)
            && (since < clock - MARKED_FOR || list.mark.is_some_and(|mark| mark >= since))
        {
            return Some(Reply::EndedSince);
        }
        let most = guard.at_most?;
        (self.counted_others(user, &[self.tag(id), self.tag(own)]) >= most)
            .then_some(Reply::TooMany)
    }

    fn counted_others(&self, user: usize, own_tags: &[u16]) -> usize {
        let now = self.list_clock(user) / SECOND;
        let mut tags = Vec::new();
        for entry in &self.lists[user].entries {
            let tag = self.tag(entry.id);
            let counts = entry.counts || self.has(Fault::DoubtCounts);
            let is_over = entry.deadline < now && self.has(Fault::CountUntilDeadline);
            if counts && !is_over && !own_tags.contains(&tag) && !tags.contains(&tag) {
                tags.push(tag);
            }
        }
        tags.len()
    }

    pub(super) fn mark(&mut self, user: usize) -> Reply {
        let clock = self.list_clock(user);
        let list = &mut self.lists[user];
        let over = (clock - MARKED_FOR) / SECOND;
        list.entries.retain(|entry| !entry.counts || entry.deadline >= over);
        list.mark = Some(clock);
        list.expires_at = list.expires_at.max(clock + MARKED_FOR);
        self.marks[user].push(self.number);
        self.entries(user)
    }

    pub(super) fn entries(&self, user: usize) -> Reply {
        let mut entries = self.lists[user].entries.clone();
        entries.sort_by_key(|entry| {
            (if entry.counts { entry.deadline } else { -entry.deadline }, entry.id)
        });
        Reply::Entries(Read {
            entries,
            read_at: self.list_clock(user),
            read: self.now,
            number: self.number,
        })
    }

    pub(super) fn prune(&mut self, user: usize, read_at: Time, doubts: &[(Id, Doubt)]) -> Reply {
        let clock = self.list_clock(user);
        if clock - read_at > LOOKED_FOR && !self.has(Fault::PruneAnyLook) {
            return Reply::Done;
        }
        let pending_for = match self.fault {
            Some(Fault::PruneAnyAge) => -PENDING_FOR,
            Some(Fault::DoubtRemoves) => MINUTE,
            _ => PENDING_FOR,
        };
        // A second step that came after the look must still count.
        let (until, counts_for) = match self.has(Fault::CeaseAfterMinute) {
            true => (clock, MINUTE),
            false => (read_at, COUNTS_FOR),
        };
        let list = &mut self.lists[user];
        for (id, doubt) in doubts {
            let Some(at) = list.entries.iter().position(|entry| entry.id == *id) else { continue };
            let added = list.entries[at].added;
            let ago = clock.div_euclid(SECOND) - added;
            let is_own = *doubt == Doubt::Refused(Some(list.entries[at].addition));
            let is_over = *doubt == Doubt::Unproven && ago > pending_for;
            if *doubt == Doubt::Dead || is_own || is_over {
                list.entries.swap_remove(at);
            } else if matches!(doubt, Doubt::Refused(_))
                || until.div_euclid(SECOND) - added > counts_for
            {
                list.entries[at].counts = false;
            }
        }
        Reply::Done
    }

    pub(super) fn leave(&mut self, user: usize, id: Id) -> Reply {
        self.lists[user].entries.retain(|entry| entry.id != id);
        Reply::Done
    }
}
