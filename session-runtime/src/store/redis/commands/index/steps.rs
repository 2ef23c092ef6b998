//! A change in two steps, for a cluster: first the lists, then the session.
//!
//! The entry is in the list before the session has the value. If the second step comes too late or
//! never, the list has an entry too many. A list may not lose the entry of a second step that is
//! under way, so the second step has a time limit, and younger entries stay: see `prune.lua`.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use redis::{Cmd, Value};
use tokio::time::Instant;

use super::change::{Addition, FirstStep, IndexedRun, seconds};
use super::label::{Label, LabelledEntry};
use super::leave::leave_unawaited;
use super::prune::{Doubt, prune};
use crate::id::{IndexKey, SessionId};
use crate::store::redis::cause::{Cause, Code};
use crate::store::redis::commands::expiry::milliseconds;
use crate::store::redis::commands::script::ADD;
use crate::store::redis::net::deployment::Deployment;
use crate::store::{LoginGuard, SessionKey, StoreError};

/// The time limit of the second step.
pub(super) const STEP_LIMIT: Duration = Duration::from_secs(60);
/// The largest difference between the clocks of two nodes.
pub(super) const CLOCK_DIFFERENCE: Duration = Duration::from_secs(240);
/// The number of times that the steps are taken. The second time follows the clock of the session's
/// node, which may be far ahead of the clock of the list.
const TRIES: usize = 3;

impl IndexedRun<'_> {
    /// Runs the script that changes the session. On a single server, the script changes the lists
    /// too. In a cluster, the lists are on other nodes, and their change comes before.
    ///
    /// Returns the reply of the script.
    pub(in super::super) async fn run(
        &self,
        deployment: &Arc<Deployment>,
    ) -> Result<Value, StoreError> {
        let label = Label::parse(self.label);
        let moving: Vec<_> = match self.successor {
            Some(_) => label.entries(self.key, self.changes).collect(),
            None => Vec::new(),
        };
        let deadline = deployment.deadline();
        if deployment.topology.is_cluster() {
            self.run_in_steps(deployment, deadline, &moving).await
        } else {
            self.run_script(deployment, deadline, &moving, None).await
        }
    }

    async fn run_in_steps(
        &self,
        deployment: &Arc<Deployment>,
        deadline: Instant,
        moving: &[LabelledEntry<'_>],
    ) -> Result<Value, StoreError> {
        let (mut late_at, begun) = (None, Instant::now());
        for _ in 0..TRIES {
            let mut first = match self.add_to_lists(deployment, deadline, moving).await? {
                Ok(first) => first,
                Err(refusal) => return Ok(refusal),
            };
            if let Some(late_at) = late_at {
                first.not_after = Some(late_at + STEP_LIMIT);
            }
            let reply = self.run_script(deployment, deadline, moving, Some(&first)).await?;
            late_at = time_of_late(&reply);
            if late_at.is_none() {
                self.tidy_lists(deployment, deadline, &first, &reply).await;
                return Ok(reply);
            } else if begun.elapsed() > STEP_LIMIT {
                // After such a pause, the session may have ended, and its tombstone may be gone.
                break;
            }
        }
        Err(StoreError::unavailable("the second step of a change kept coming too late"))
    }

    /// Adds the session to all lists, or returns the reply of the first list that refuses. The
    /// lists with conditions come first, so that nothing has changed then.
    async fn add_to_lists(
        &self,
        deployment: &Arc<Deployment>,
        deadline: Instant,
        moving: &[LabelledEntry<'_>],
    ) -> Result<Result<FirstStep, Value>, StoreError> {
        let entries: Vec<_> = self.changes.iter().filter_map(|it| it.entry.as_ref()).collect();
        let is_unconditional = |at: &usize| entries[*at].guard == LoginGuard::default();
        let mut order: Vec<usize> = (0..entries.len()).collect();
        order.sort_by_key(is_unconditional);
        let new = order.into_iter().map(|at| (Some(at), &entries[at].key, entries[at].guard));
        let moving = moving.iter().map(|entry| (None, &entry.list, LoginGuard::default()));
        let added_at = vec![UNIX_EPOCH; entries.len()];
        let mut first = FirstStep { added: Vec::new(), added_at, not_after: None };
        for (at, list, guard) in new.chain(moving) {
            let (session, key, deadline_in) = (self.session, self.key, self.deadline_in);
            let member = Member { session, key, deadline_in, guard };
            let added = match add_to(deployment, deadline, list, member).await? {
                Ok(added) => added,
                Err(refusal) => return Ok(Err(refusal)),
            };
            let time = added.at;
            if let Some(at) = at {
                first.added_at[at] = time;
            }
            first.added.push(added);
            let limit = time + STEP_LIMIT;
            first.not_after = Some(first.not_after.map_or(limit, |before| before.min(limit)));
        }
        Ok(Ok(first))
    }

    /// Removes the former id of a rotation from all lists. If the second step was refused, the
    /// additions of the first step go or cease to count.
    async fn tidy_lists(
        &self,
        deployment: &Arc<Deployment>,
        deadline: Instant,
        first: &FirstStep,
        reply: &Value,
    ) {
        let is_dead = match (Code::in_reply(reply), reply) {
            (Some(Code::WrongType | Code::EndedSince), _) => true,
            (Some(_), _) | (_, Value::Int(-1)) => false,
            (_, Value::Int(1)) if self.successor.is_some() => return self.leave_lists(deployment),
            (_, Value::Int(0)) if self.successor.is_some() => false,
            _ if (self.is_kept)(reply) => false,
            _ => return,
        };
        for Addition { list, at, score } in &first.added {
            let doubt = if is_dead { Doubt::Dead } else { Doubt::Refused(score.clone()) };
            let entry = [(*self.session, doubt)];
            if prune(deployment, deadline, list, *at, &entry).await.is_err() {
                tracing::debug!("a refused change stays in an index for a while");
            }
        }
    }

    fn leave_lists(&self, deployment: &Arc<Deployment>) {
        if let Some(former) = self.key.native_id() {
            let label = Label::parse(self.label);
            let lists = label.entries(self.key, &[]).map(|entry| entry.list);
            leave_unawaited(deployment, lists.collect(), former);
        }
    }
}

/// A session for a list.
pub(super) struct Member<'a> {
    pub(super) session: &'a SessionId,
    /// The key of the session.
    pub(super) key: &'a SessionKey,
    pub(super) deadline_in: Duration,
    pub(super) guard: LoginGuard,
}

/// Adds a session to a list, or returns the reply of a list that refuses.
pub(super) async fn add_to(
    deployment: &Deployment,
    deadline: Instant,
    list: &IndexKey,
    member: Member<'_>,
) -> Result<Result<Addition, Value>, StoreError> {
    let Member { session, key, deadline_in, guard } = member;
    let name = &key.expose_secret()[key.prefix().len()..];
    let add = |invocation: &mut Cmd| {
        invocation.arg(session.expose_secret()).arg(milliseconds(deadline_in)).arg(name);
        invocation.arg(guard.unless_ended_since.map(seconds).unwrap_or_default());
        invocation.arg(guard.at_most.map(|most| most.to_string()).unwrap_or_default());
    };
    let reply = ADD.run_on_list(deployment, deadline, list, &[list.as_str()], add).await?;
    if let Value::ServerError(_) = reply {
        return Ok(Err(reply));
    }
    let added = Addition::read(list, reply);
    added.map(Ok).ok_or_else(|| StoreError::unavailable(Cause::Unexpected))
}

impl Addition {
    fn read(list: &IndexKey, reply: Value) -> Option<Self> {
        let Value::Array(words) = reply else { return None };
        let mut words = words.into_iter();
        let at = seconds_in(&words.next()?)?;
        let score = match words.next()? {
            Value::BulkString(score) => Some(score.into()),
            _ => None,
        };
        Some(Self { list: list.clone(), at, score })
    }
}

/// Returns the time of the server that refused a step as too late.
pub(in super::super) fn time_of_late(reply: &Value) -> Option<SystemTime> {
    let Value::Array(words) = reply else { return None };
    match &words[..] {
        [Value::BulkString(word), time] if word == b"late" => seconds_in(time),
        _ => None,
    }
}

/// Interprets seconds since 1970 with decimals.
fn seconds_in(reply: &Value) -> Option<SystemTime> {
    let Value::BulkString(text) = reply else { return None };
    let seconds = std::str::from_utf8(text).ok()?.parse().ok()?;
    UNIX_EPOCH.checked_add(Duration::try_from_secs_f64(seconds).ok()?)
}

#[cfg(test)]
mod tests {
    use redis::parse_redis_value;

    use super::*;

    #[test]
    fn only_a_late_step_tells_its_time() {
        let time = |reply: &str| time_of_late(&parse_redis_value(reply.as_bytes()).unwrap());
        let expected = UNIX_EPOCH + Duration::from_millis(12_500);
        assert_eq!(time("*2\r\n$4\r\nlate\r\n$6\r\n12.500\r\n"), Some(expected));
        for other in [":1\r\n", "*1\r\n$4\r\nlate\r\n", "*2\r\n$4\r\nlate\r\n$1\r\nx\r\n"] {
            assert_eq!(time(other), None, "{other}");
        }
        assert_eq!(time("*2\r\n$4\r\nlate\r\n$5\r\n-1e99\r\n"), None);
    }
}
