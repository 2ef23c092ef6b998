//! The scripts and commands on sessions: `write.lua`, `rotate.lua` and `destroy.lua`.

use super::command::{Change, Command, Fence, Reply};
use super::fault::Fault;
use super::world::{CLOCKS_DIFFER, Id, Key, Label, SECOND, Session, Time, Tombstone, World};

/// The lifetime of the tombstone of a logout or a rotation.
const TOMBSTONE_FOR: Time = 300 * SECOND;
/// The lifetime of the tombstone of an end through the index.
const END_TOMBSTONE_FOR: Time = 600 * SECOND;
/// The time for which an entry is pending.
const PENDING_FOR: Time = 600 * SECOND;

/// The arguments of a move.
pub(super) struct Moving {
    pub(super) from: Id,
    pub(super) to: Id,
    pub(super) label: Option<Label>,
    pub(super) keeps_indexes: bool,
    pub(super) renews: bool,
    pub(super) lifetime: Time,
    pub(super) change: Change,
    pub(super) fence: Fence,
}

impl World {
    /// Carries out a command.
    pub(super) fn run(&mut self, command: &Command) -> Reply {
        self.number += 1;
        match *command {
            Command::Add { user, id, own, deadline_in, guard } => {
                self.add(user, id, own, deadline_in, guard)
            }
            Command::Mark { user } => self.mark(user),
            Command::Entries { user } => self.entries(user),
            Command::Prune { user, read_at, ref entries } => self.prune(user, read_at, entries),
            Command::Leave { user, id } => self.leave(user, id),
            Command::Time { user } => Reply::Time(self.list_clock(user), self.number),
            Command::Write { id, creates, lifetime, change, fence } => {
                self.write(id, creates, lifetime, change, fence)
            }
            Command::Move { from, to, label, keeps_indexes, renews, lifetime, change, fence } => {
                self.run_move(&Moving {
                    from,
                    to,
                    label,
                    keeps_indexes,
                    renews,
                    lifetime,
                    change,
                    fence,
                })
            }
            Command::Look { id } => self.look(id),
            Command::Refresh { id, lifetime } => self.refresh(id, lifetime),
            Command::Tombstone { id } => match *self.key(id) {
                Key::Dead(tombstone) => dead(tombstone),
                _ => Reply::Missing,
            },
            Command::End { id, user, until, read } => self.end(id, user, until, read),
            Command::Destroy { id } => self.destroy(id),
        }
    }

    fn is_late(&self, id: Id, fence: Fence) -> Option<Reply> {
        let clock = self.session_clock(id);
        let is_late = fence.not_after.is_some_and(|limit| clock > limit);
        (is_late && !self.has(Fault::NoTimeLimit)).then_some(Reply::Late(clock))
    }

    fn write(
        &mut self,
        id: Id,
        creates: bool,
        lifetime: Time,
        change: Change,
        fence: Fence,
    ) -> Reply {
        if let Some(late) = self.is_late(id, fence) {
            return late;
        }
        let mut session = match *self.key(id) {
            Key::Dead(tombstone) => return dead(tombstone),
            Key::Missing if !creates => return Reply::Missing,
            Key::Missing => Session { value: None, label: None, expires_at: 0 },
            Key::Live(session) => session,
        };
        session.expires_at = self.session_clock(id) + lifetime;
        apply(&mut session, change);
        self.relabel(&mut session, change, fence);
        *self.key(id) = Key::Live(session);
        let is_kept = change.user().is_some_and(|user| session.value != Some(user));
        if is_kept { Reply::Kept } else { Reply::Done }
    }

    /// Keeps the label in step with the value, as `index_after.lua` does.
    fn relabel(&self, session: &mut Session, change: Change, fence: Fence) {
        if let Some(user) = change.user()
            && session.value == Some(user)
        {
            let (added_at, addition) = fence.added;
            session.label = Some(Label { user, added_at, addition });
        }
        if session.value.is_none() && !self.has(Fault::KeepLabel) {
            session.label = None;
        }
    }

    fn run_move(&mut self, it: &Moving) -> Reply {
        if let Some(late) = self.is_late(it.from, it.fence) {
            return late;
        }
        let label = match *self.key(it.from) {
            Key::Live(Session { label, .. }) => Some(label),
            Key::Missing => Some(None),
            Key::Dead(_) => None,
        };
        if it.keeps_indexes
            && let Some(label) = label
            && seen(label) != seen(it.label)
            && !self.has(Fault::MoveAnyLabel)
        {
            return Reply::Label(label);
        }
        let reply = self.rotate(it);
        if it.keeps_indexes
            && let Key::Live(mut session) = *self.key(it.to)
        {
            self.relabel(&mut session, it.change, it.fence);
            *self.key(it.to) = Key::Live(session);
        }
        reply
    }

    fn rotate(&mut self, it: &Moving) -> Reply {
        let mut session = match *self.key(it.from) {
            Key::Missing => return Reply::Missing,
            Key::Dead(tombstone) => {
                let is_repeated = tombstone.successor == Some(it.to);
                let is_live = matches!(self.key(it.to), Key::Live(_));
                return if is_repeated && is_live { Reply::Done } else { dead(tombstone) };
            }
            Key::Live(session) => session,
        };
        if session.label.is_some() && !it.keeps_indexes {
            return Reply::Label(session.label);
        }
        match self.keys[usize::from(it.to.0)] {
            Key::Dead(_) if self.has(Fault::MoveOntoTombstone) => {}
            Key::Dead(_) => return Reply::EndedSince,
            Key::Live(_) => return Reply::Taken,
            Key::Missing => {}
        }
        let clock = self.session_clock(it.from);
        apply(&mut session, it.change);
        session.expires_at = clock + it.lifetime;
        let tombstone =
            Tombstone { successor: Some(it.to), renews: it.renews, until: clock + TOMBSTONE_FOR };
        *self.key(it.to) = Key::Live(session);
        *self.key(it.from) = Key::Dead(tombstone);
        Reply::Done
    }

    fn look(&mut self, id: Id) -> Reply {
        match *self.key(id) {
            Key::Missing => Reply::Missing,
            Key::Dead(tombstone) => dead(tombstone),
            Key::Live(Session { value, label, .. }) => {
                Reply::Found { value, signed_in_at: label.map(|label| label.added_at) }
            }
        }
    }

    fn refresh(&mut self, id: Id, lifetime: Time) -> Reply {
        let expires_at = self.session_clock(id) + lifetime;
        if let Key::Live(session) = self.key(id) {
            session.expires_at = expires_at;
        }
        self.look(id)
    }

    fn end(&mut self, id: Id, user: usize, until: Option<Time>, read: Time) -> Reply {
        let (mut last, mut tombstone) = (id, None);
        while let Key::Dead(found) = *self.key(last) {
            tombstone = Some(found);
            match found.successor {
                Some(successor) if !self.has(Fault::EndStays) => last = successor,
                _ => return dead(found),
            }
        }
        let session = match *self.key(last) {
            Key::Live(session) => Some(session),
            _ => None,
        };
        if session.is_none()
            && let Some(tombstone) = tombstone
        {
            return dead(tombstone);
        }
        if session.is_none_or(|session| session.value != Some(user)) {
            let clock = self.session_clock(last);
            match until {
                None if session.is_some() => return Reply::Unfit,
                None => return Reply::Missing,
                Some(until) if clock > until && !self.has(Fault::EndAnyTime) => {
                    return Reply::Late(clock);
                }
                Some(_) => {}
            }
        }
        if session.is_some_and(|session| session.value.is_some_and(|value| value != user)) {
            self.check_foreign_end(last, user, read);
        }
        let lasts = if self.has(Fault::ShortTombstone) { 60 * SECOND } else { END_TOMBSTONE_FOR };
        self.put_tombstone(last, lasts);
        match session {
            None => Reply::Missing,
            Some(session) => Reply::Ended(session.label.map(|label| label.user), last),
        }
    }

    /// The only foreign sessions that an end may take were added to the list not long before the
    /// read.
    fn check_foreign_end(&mut self, id: Id, user: usize, read: Time) {
        let added = self.last_added[usize::from(self.tag(id))][user];
        if self.now > read + 60 * SECOND + 2 * CLOCKS_DIFFER {
            self.break_rule(|| {
                format!("{id:?} of another user ended long after the list was read")
            });
        }
        if added < read - PENDING_FOR - CLOCKS_DIFFER - SECOND {
            self.break_rule(|| format!("{id:?} of another user ended, which left long ago"));
        }
    }

    fn destroy(&mut self, id: Id) -> Reply {
        match *self.key(id) {
            Key::Missing => Reply::Missing,
            Key::Dead(tombstone) => dead(tombstone),
            Key::Live(session) => {
                self.put_tombstone(id, TOMBSTONE_FOR);
                Reply::Ended(session.label.map(|label| label.user), id)
            }
        }
    }

    fn put_tombstone(&mut self, id: Id, lasts: Time) {
        let until = self.session_clock(id) + lasts;
        *self.key(id) = Key::Dead(Tombstone { successor: None, renews: false, until });
    }
}

fn dead(tombstone: Tombstone) -> Reply {
    Reply::Dead { successor: tombstone.successor, renews: tombstone.renews }
}

/// Returns the part of a label that is stored.
fn seen(label: Option<Label>) -> Option<(usize, Time)> {
    label.map(|label| (label.user, label.added_at))
}

fn apply(session: &mut Session, change: Change) {
    match change {
        Change::Set(user) => session.value = Some(user),
        Change::SetIfNone(user) => session.value = session.value.or(Some(user)),
        Change::Remove => session.value = None,
        Change::Nothing => {}
    }
}
