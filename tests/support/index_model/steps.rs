//! A change in two steps, as in `commands/index/steps.rs` and `commands/write.rs`.

use super::command::{Change, Command, Doubt, Fence, Guard, Reply};
use super::fault::Fault;
use super::network::{Link, NoReply};
use super::world::{Id, Label, SECOND, Time};

const STEP_LIMIT: Time = 60 * SECOND;
const TRIES: usize = 3;
const LABEL_TRIES: usize = 8;

/// A new id for a session.
#[derive(Debug, Clone, Copy)]
pub(super) struct NewId {
    pub(super) from: Id,
    pub(super) to: Id,
    pub(super) renews: bool,
}

/// A change of a session, which may have entries in lists.
#[derive(Debug, Clone, Copy)]
pub(super) struct IndexedRun {
    /// The id after the change.
    pub(super) id: Id,
    pub(super) new_id: Option<NewId>,
    pub(super) creates: bool,
    pub(super) change: Change,
    pub(super) guard: Guard,
    pub(super) label: Option<Label>,
}

impl Link {
    pub(super) fn has(&self, fault: Fault) -> bool {
        self.world.borrow().has(fault)
    }

    /// Returns the time until the deadline, and the lifetime from now.
    fn lifetimes(&self, id: Id) -> Option<(Time, Time)> {
        let left = self.world.borrow().facts(id).deadline - self.clock();
        (left > 0).then(|| (left, left.min(self.world.borrow().idle)))
    }

    pub(super) async fn refresh(&self, id: Id) -> Result<Reply, NoReply> {
        match self.lifetimes(id) {
            Some((_, lifetime)) => self.ask(Command::Refresh { id, lifetime }).await,
            None => Ok(Reply::Missing),
        }
    }

    /// Writes to a session.
    pub(super) async fn write(
        &self,
        id: Id,
        creates: bool,
        change: Change,
        guard: Guard,
    ) -> Result<Reply, NoReply> {
        let run = IndexedRun { id, new_id: None, creates, change, guard, label: None };
        if change == Change::Nothing {
            self.second_step(&run, Fence::default()).await
        } else {
            self.in_steps(&run).await
        }
    }

    /// Gives a session a new id.
    pub(super) async fn rotate(
        &self,
        new_id: NewId,
        change: Change,
        guard: Guard,
    ) -> Result<Reply, NoReply> {
        let mut run = IndexedRun {
            id: new_id.to,
            new_id: Some(new_id),
            creates: false,
            change,
            guard,
            label: None,
        };
        if change == Change::Nothing {
            match self.move_to(&run, false, Fence::default()).await? {
                Reply::Label(label) => run.label = label,
                reply => return Ok(reply),
            }
        }
        for _ in 0..LABEL_TRIES {
            match self.in_steps(&run).await? {
                Reply::Label(label) => run.label = label,
                reply => return Ok(reply),
            }
        }
        Err(NoReply)
    }

    async fn in_steps(&self, run: &IndexedRun) -> Result<Reply, NoReply> {
        let mut late_at = None;
        let mut first = Fence::default();
        let began = self.instant();
        let repeats_late = self.has(Fault::LateRetry) || self.has(Fault::LateWithoutAdd);
        for _ in 0..TRIES {
            if late_at.is_none() || !self.has(Fault::LateWithoutAdd) {
                first = match self.first_step(run).await? {
                    Ok(first) => first,
                    Err(refusal) => return Ok(refusal),
                };
            }
            if let Some(late_at) = late_at {
                first.not_after = Some(late_at + STEP_LIMIT);
            }
            match self.second_step(run, first).await? {
                // After a pause, the session may have ended, and its tombstone may be gone.
                Reply::Late(_) if self.instant() - began > STEP_LIMIT && !repeats_late => break,
                Reply::Late(time) => late_at = Some(time),
                reply => {
                    if self.has(Fault::AddAfterWrite) {
                        self.add_to_lists(run).await?.ok();
                    }
                    self.tidy(run, first, &reply).await;
                    return Ok(reply);
                }
            }
        }
        Err(NoReply)
    }

    async fn first_step(&self, run: &IndexedRun) -> Result<Result<Fence, Reply>, NoReply> {
        if self.has(Fault::AddAfterWrite) {
            Ok(Ok(Fence::default()))
        } else {
            self.add_to_lists(run).await
        }
    }

    /// Returns the list that has the session after the change.
    fn list(&self, run: &IndexedRun) -> Option<usize> {
        let moves_along = run.new_id.is_some() && run.change == Change::Nothing;
        let moved = run.label.filter(|_| moves_along && !self.has(Fault::MoveWithoutEntry));
        run.change.user().or(moved.map(|label| label.user))
    }

    async fn add_to_lists(&self, run: &IndexedRun) -> Result<Result<Fence, Reply>, NoReply> {
        let Some(user) = self.list(run) else { return Ok(Ok(Fence::default())) };
        let deadline_in = self.lifetimes(run.id).map_or(1, |(left, _)| left);
        let (own, mut guard) = (run.new_id.map_or(run.id, |new_id| new_id.from), run.guard);
        if self.has(Fault::LimitBefore)
            && let Some(most) = guard.at_most.take()
            && let Reply::Entries(read) = self.ask(Command::Entries { user }).await?
            && read.entries.iter().filter(|entry| entry.counts).count() >= most
        {
            return Ok(Err(Reply::TooMany));
        }
        match self.ask(Command::Add { user, id: run.id, own, deadline_in, guard }).await? {
            Reply::Added(time, number, is_new) => {
                let not_after = Some(time + STEP_LIMIT);
                Ok(Ok(Fence { not_after, added: (time, number), is_new }))
            }
            refusal => Ok(Err(refusal)),
        }
    }

    async fn second_step(&self, run: &IndexedRun, fence: Fence) -> Result<Reply, NoReply> {
        if run.new_id.is_some() {
            return self.move_to(run, true, fence).await;
        }
        let IndexedRun { id, creates, change, .. } = *run;
        let Some((_, lifetime)) = self.lifetimes(id) else { return Err(NoReply) };
        self.ask(Command::Write { id, creates, lifetime, change, fence }).await
    }

    async fn move_to(
        &self,
        run: &IndexedRun,
        keeps_indexes: bool,
        fence: Fence,
    ) -> Result<Reply, NoReply> {
        let (Some(NewId { from, to, renews }), Some((_, lifetime))) =
            (run.new_id, self.lifetimes(run.id))
        else {
            return Err(NoReply);
        };
        let (label, change) = (run.label, run.change);
        self.ask(Command::Move { from, to, label, keeps_indexes, renews, lifetime, change, fence })
            .await
    }

    async fn tidy(&self, run: &IndexedRun, first: Fence, reply: &Reply) {
        let is_rotation = run.new_id.is_some();
        let doubt = match reply {
            Reply::Dead { .. } | Reply::EndedSince => Doubt::Dead,
            Reply::Missing | Reply::Kept => {
                let is_own = first.is_new || self.has(Fault::RefusedGoes);
                Doubt::Refused(is_own.then_some(first.added.1))
            }
            Reply::Done if is_rotation => return self.leave_former(run),
            Reply::Done if self.has(Fault::LeaveLive) && run.change.user().is_some() => {
                let other = 1 - run.change.user().unwrap_or(0);
                return self.send_unawaited(Command::Leave { user: other, id: run.id });
            }
            _ => return,
        };
        if let Some(user) = self.list(run) {
            let entries = vec![(run.id, doubt)];
            self.ask(Command::Prune { user, read_at: first.added.0, entries }).await.ok();
        }
    }

    fn leave_former(&self, run: &IndexedRun) {
        if let (Some(NewId { from, .. }), Some(Label { user, .. })) = (run.new_id, run.label) {
            self.send_unawaited(Command::Leave { user, id: from });
        }
    }

    /// Ends a session of a request.
    pub(super) async fn destroy(&self, id: Id) -> Result<Reply, NoReply> {
        let reply = self.ask(Command::Destroy { id }).await?;
        self.leave_ended(&reply);
        Ok(reply)
    }

    pub(super) fn leave_ended(&self, reply: &Reply) {
        if let Reply::Ended(Some(user), id) = *reply {
            self.send_unawaited(Command::Leave { user, id });
        }
    }
}
