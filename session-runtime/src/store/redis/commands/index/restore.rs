//! An entry that is missing in a list.

use std::time::SystemTime;

use redis::{Cmd, Pipeline, Value};

use super::add_proof;
use super::list::{number, stays_until};
use super::steps::{Member, add_to};
use crate::id::{IndexKey, SessionId};
use crate::store::redis::RedisStore;
use crate::store::redis::cause::{Cause, Code};
use crate::store::redis::commands::expiry::milliseconds;
use crate::store::redis::commands::script::RESTORE_ENTRY;
use crate::store::redis::commands::tombstone::dead_or_error;
use crate::store::redis::protocol::command::command_of;
use crate::store::redis::protocol::reply::time;
use crate::store::{Lookup, MissingEntry, SessionIndex as _, SessionKey, StoreError};

impl RedisStore {
    pub(super) async fn restore_missing(
        &self,
        key: &SessionKey,
        entry: MissingEntry<'_>,
    ) -> Result<Lookup<bool>, StoreError> {
        let has_steps = self.has_steps();
        let list = Some(entry.list.as_str()).filter(|_| !has_steps);
        let keys = Vec::from_iter([key.expose_secret()].into_iter().chain(list));
        let member = entry.session.expose_secret();
        let add = |invocation: &mut Cmd| {
            invocation.arg(member).arg(any_time(member)).arg(milliseconds(entry.deadline_in));
            invocation.arg(entry.index).arg(entry.list.hash());
            add_proof(invocation, entry.proof);
        };
        let (deployment, deadline) = (&self.deployment, self.deployment.deadline());
        match RESTORE_ENTRY.run_on_session(deployment, deadline, key, &keys, add).await? {
            Value::Int(-2) => Ok(Lookup::Found(false)),
            Value::Int(-1) => Ok(Lookup::Missing),
            // A rotation meanwhile finds the list by the label.
            Value::Int(_) if has_steps => Ok(Lookup::Found(self.add_missing(key, entry).await?)),
            Value::Int(was_missing) => Ok(Lookup::Found(was_missing == 1)),
            Value::ServerError(error) => dead_or_error((&error).into()),
            _ => Err(StoreError::outcome_unknown(Cause::Unexpected)),
        }
    }

    /// Adds a session to a list on another node, and returns whether the session was missing there.
    /// An entry that would go before the session gets the later deadline.
    async fn add_missing(
        &self,
        key: &SessionKey,
        entry: MissingEntry<'_>,
    ) -> Result<bool, StoreError> {
        let MissingEntry { session, deadline_in, list, .. } = entry;
        let session = &self.listed_as(session, list).await?;
        let mut commands = Pipeline::with_capacity(2);
        commands.add_command(command_of(&["TIME"]));
        commands.add_command(command_of(&["ZSCORE", list.as_str(), session.expose_secret()]));
        let mut replies = self.query(list, &commands).await?.into_iter();
        let (now, score) = (replies.next().and_then(time), replies.next().unwrap_or_default());
        if let Some(code) = Code::in_reply(&score) {
            return Err(code.into());
        }
        let listed_until = number(&score).and_then(stays_until);
        let deadline = now.and_then(|now: SystemTime| now.checked_add(deadline_in));
        if deadline.is_some_and(|deadline| listed_until >= Some(deadline)) {
            return Ok(false);
        }
        let member = Member { session, key, deadline_in, guard: Default::default() };
        let added = add_to(&self.deployment, self.deployment.deadline(), list, member).await?;
        match added {
            Err(refusal) => Err(Code::in_reply(&refusal).unwrap_or(Code::Other).into()),
            Ok(_) => Ok(listed_until.is_none()),
        }
    }

    /// Returns the id in the list. An id from Python may be there with another creation time.
    async fn listed_as(
        &self,
        session: &SessionId,
        list: &IndexKey,
    ) -> Result<SessionId, StoreError> {
        if any_time(session.expose_secret()).is_empty() {
            return Ok(*session);
        }
        let listing = self.entries(list, false).await?;
        let listed = listing.sessions().find(|listed| listed == session);
        Ok(listed.unwrap_or(*session))
    }
}

/// Returns the part of an id from Python that is the same at each time, or an empty text for a
/// native id.
fn any_time(member: &str) -> &str {
    member.rfind('.').map_or("", |dot| &member[..=dot])
}
