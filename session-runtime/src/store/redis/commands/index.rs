//! The index of sessions on a single server.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use redis::{Cmd, Pipeline, Value};

use crate::background;
use crate::id::{IndexKey, SessionId};
use crate::store::redis::RedisStore;
use crate::store::redis::cause::{Cause, Code};
use crate::store::redis::commands::expiry::milliseconds;
use crate::store::redis::commands::query::read_error;
use crate::store::redis::commands::read::{Expiry, expiry};
use crate::store::redis::commands::script::{MARK, REMOVE_STALE, Script};
use crate::store::redis::commands::tombstone::dead_or_error;
use crate::store::redis::net::deployment::Deployment;
use crate::store::redis::net::request::{Idempotent, Request, RequestError};
use crate::store::redis::protocol::command::{Capacity, begin_command, command_of};
use crate::store::{
    BoxFuture, Destroyed, Destruction, IndexChange, IndexProof, Look, Lookup, Seen, SessionIndex,
    SessionKey, StoreError,
};

/// The name of the field with the label of a session. No schema can have a field of this name.
const LABEL_FIELD: &str = "\0";
/// The largest number of sessions in one command or pipeline.
const SLICE: usize = 500;

/// The label of a session: for each index the hash of the list, the stored name of the field, and
/// the time of the sign-in in milliseconds since 1970.
#[derive(Debug, Default)]
pub(super) struct Label(BTreeMap<String, (String, String, u64)>);

impl Label {
    pub(super) fn parse(text: &[u8]) -> Self {
        Self(serde_json::from_slice(text).unwrap_or_default())
    }

    fn signed_in_at(&self, index: &str) -> Option<SystemTime> {
        let (_, _, milliseconds) = self.0.get(index)?;
        UNIX_EPOCH.checked_add(Duration::from_millis(*milliseconds))
    }

    /// Returns the lists of the session, besides the lists of indexes that change.
    fn lists<'a>(
        &'a self,
        key: &'a SessionKey,
        changes: &'a [IndexChange<'_>],
    ) -> impl Iterator<Item = (&'a str, &'a str, IndexKey)> {
        let stays = |index: &str| changes.iter().all(|change| change.index != index);
        self.0.iter().filter(move |(index, _)| stays(index)).map(|(index, (hash, field, _))| {
            (index.as_str(), field.as_str(), IndexKey::beside(key, hash))
        })
    }
}

/// The arguments in front of those of a script that keeps indexes in step.
pub(super) struct IndexArguments<'a> {
    /// The keys of the script.
    pub(super) own_keys: &'a [&'a str],
    pub(super) session: &'a SessionId,
    pub(super) deadline_in: Duration,
    pub(super) changes: &'a [IndexChange<'a>],
    /// The label of a session that is rotated, with the key of the session.
    pub(super) moved: Option<(&'a SessionKey, &'a [u8])>,
}

impl IndexArguments<'_> {
    /// Runs a script that keeps indexes in step. The function adds the arguments of the script.
    pub(super) async fn run(
        &self,
        script: &Script,
        deployment: &Deployment,
        session: &SessionKey,
        add_arguments: &(dyn Fn(&mut Cmd) + Sync),
    ) -> Result<Value, StoreError> {
        // In a cluster, the lists of a session from a single server are elsewhere.
        let label = self.moved.filter(|_| !deployment.topology.is_cluster());
        let label = label.map(|(_, label)| Label::parse(label)).unwrap_or_default();
        let moving: Vec<_> =
            self.moved.map(|(key, _)| label.lists(key, self.changes).collect()).unwrap_or_default();
        let new = self.changes.iter().filter_map(|change| change.entry.as_ref());
        let lists = new.map(|entry| entry.key.as_str());
        let lists = lists.chain(moving.iter().map(|(_, _, list)| list.as_str()));
        let keys: Vec<&str> = self.own_keys.iter().copied().chain(lists).collect();
        let add = |invocation: &mut Cmd| {
            let former = self.moved.and_then(|(key, _)| key.native_id()).unwrap_or_default();
            invocation.arg(self.own_keys.len()).arg(self.session.expose_secret());
            invocation.arg(former).arg(milliseconds(self.deadline_in));
            invocation.arg(self.moved.map_or(&b""[..], |(_, label)| label));
            invocation.arg(self.changes.len() + moving.len());
            let mut position = self.own_keys.len();
            for change in self.changes {
                add_change(invocation, change, &mut position);
            }
            for (index, field, list) in &moving {
                position += 1;
                invocation.arg(index).arg(field).arg(position).arg(list.hash());
                invocation.arg("0").arg("").arg("").arg("");
            }
            add_arguments(invocation);
        };
        script.run_on(deployment, Some(session), &keys, add).await
    }
}

fn add_change(invocation: &mut Cmd, change: &IndexChange<'_>, position: &mut usize) {
    invocation.arg(change.index).arg(change.field);
    let Some(entry) = &change.entry else {
        invocation.arg(&["0", "", "1", "", "", ""]);
        return;
    };
    *position += 1;
    invocation.arg(*position).arg(entry.key.hash()).arg("1").arg(&entry.value[..]);
    invocation.arg(entry.guard.unless_ended_since.map(seconds).unwrap_or_default());
    invocation.arg(entry.guard.at_most.map(|most| most.to_string()).unwrap_or_default());
}

/// Returns the seconds since 1970 with six decimals.
fn seconds(time: SystemTime) -> String {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    format!("{}.{:06}", since.as_secs(), since.subsec_micros())
}

impl RedisStore {
    /// A cluster keeps the list and its sessions on different nodes, and has no index.
    pub(crate) fn session_index(&self) -> Option<&dyn SessionIndex> {
        (!self.deployment.topology.is_cluster()).then_some(self)
    }

    async fn members(&self, key: &IndexKey) -> Result<Value, StoreError> {
        self.query_index(&command_of(&["ZRANGE", key.as_str(), "0", "-1"])).await
    }

    /// Sends a read, and retries once if the connection was lost.
    async fn query_index<R: Request>(&self, request: &R) -> Result<R::Reply, StoreError> {
        let (request, deadline) = (Idempotent(request), self.deployment.deadline());
        let mut sent = self.deployment.send_to_index(&request, deadline).await;
        if matches!(sent, Err(RequestError::NoReply(Cause::Lost))) {
            sent = self.deployment.send_to_index(&request, deadline).await;
        }
        sent.map_err(read_error)
    }

    async fn look_at_slice(
        &self,
        keys: &[SessionKey],
        look: Look<'_>,
    ) -> Result<Vec<Lookup<Seen>>, StoreError> {
        let mut commands = Pipeline::with_capacity(2 * keys.len());
        for key in keys {
            let name = key.expose_secret();
            let mut values = begin_command(&["HMGET", name, LABEL_FIELD, ""], Capacity::default());
            values.arg(look.fields);
            commands.add_command(values).add_command(command_of(&["PTTL", name]));
        }
        let mut replies = self.query_index(&commands).await?.into_iter();
        keys.iter().map(|_| seen(replies.next(), replies.next(), look.index)).collect()
    }

    /// Removes an ended session from its lists in the background. `key` is a former key of the
    /// session, and `name` the last part of its last key.
    pub(super) fn leave_unawaited(&self, key: &SessionKey, label: &[u8], name: &[u8]) {
        // The key of an id from Python does not tell the time in the id.
        let Some(member) = SessionKey::native_id_in(&String::from_utf8_lossy(name)) else { return };
        let mut commands = Pipeline::new();
        for (_, _, list) in Label::parse(label).lists(key, &[]) {
            commands.add_command(command_of(&["ZREM", list.as_str(), &member]));
        }
        if commands.is_empty() {
            return;
        }
        let store = self.clone();
        background::spawn(async move {
            let (request, deadline) = (Idempotent(&commands), store.deployment.deadline());
            if store.deployment.send_to_index(&request, deadline).await.is_err() {
                tracing::debug!("an ended session stays in an index until its deadline");
            }
        });
    }
}

impl SessionIndex for RedisStore {
    fn entries<'a>(
        &'a self,
        key: &'a IndexKey,
        mark: bool,
    ) -> BoxFuture<'a, Result<Vec<SessionId>, StoreError>> {
        Box::pin(async move {
            let reply = if mark {
                MARK.run_on(&self.deployment, None, &[key.as_str()], |_| {}).await?
            } else {
                self.members(key).await?
            };
            match reply {
                Value::Array(members) => Ok(members.iter().filter_map(session_id).collect()),
                Value::ServerError(error) => Err(Code::from(&error).into()),
                _ => Err(StoreError::outcome_unknown(Cause::Unexpected)),
            }
        })
    }

    fn look<'a>(
        &'a self,
        keys: &'a [SessionKey],
        look: Look<'a>,
    ) -> BoxFuture<'a, Result<Vec<Lookup<Seen>>, StoreError>> {
        Box::pin(async move {
            let mut all = Vec::with_capacity(keys.len());
            for slice in keys.chunks(SLICE) {
                all.extend(self.look_at_slice(slice, look).await?);
            }
            Ok(all)
        })
    }

    fn destroy_if<'a>(
        &'a self,
        key: &'a SessionKey,
        proof: IndexProof<'a>,
        destruction: Destruction,
    ) -> BoxFuture<'a, Result<Option<Destroyed>, StoreError>> {
        Box::pin(self.destroy_with(key, destruction, Some(proof)))
    }

    fn remove_stale<'a>(
        &'a self,
        key: &'a IndexKey,
        proof: IndexProof<'a>,
        sessions: &'a [(SessionId, SessionKey)],
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move {
            for slice in sessions.chunks(SLICE) {
                let names = slice.iter().map(|(_, session)| session.expose_secret());
                let keys: Vec<&str> = std::iter::once(key.as_str()).chain(names).collect();
                let add = |invocation: &mut Cmd| {
                    invocation.arg(proof.field).arg(proof.alias.unwrap_or_default());
                    invocation.arg(&proof.value[..]);
                    for (id, _) in slice {
                        invocation.arg(id.expose_secret());
                    }
                };
                let reply = REMOVE_STALE.run_on(&self.deployment, None, &keys, add).await?;
                if let Value::ServerError(error) = reply {
                    return Err(Code::from(&error).into());
                }
            }
            Ok(())
        })
    }
}

/// Returns `None` for the mark of an end.
fn session_id(member: &Value) -> Option<SessionId> {
    match member {
        Value::BulkString(text) => SessionId::from_ascii(text),
        _ => None,
    }
}

/// Interprets the replies about one session.
fn seen(
    values: Option<Value>,
    left: Option<Value>,
    index: &str,
) -> Result<Lookup<Seen>, StoreError> {
    let values = match values {
        Some(Value::ServerError(error)) => return dead_or_error((&error).into()),
        Some(Value::Array(values)) => values,
        _ => return Err(StoreError::unavailable(Cause::Unexpected)),
    };
    let expires_in = match expiry(left)? {
        Expiry::Missing => return Ok(Lookup::Missing),
        Expiry::Unlimited => Duration::MAX,
        Expiry::Limited(left) => left,
    };
    let mut values = values.into_iter().map(|value| match value {
        Value::BulkString(bytes) => Some(bytes.into()),
        _ => None,
    });
    let label: Option<bytes::Bytes> = values.next().flatten();
    let signed_in_at = label.and_then(|label| Label::parse(&label).signed_in_at(index));
    Ok(Lookup::Found(Seen { values: values.skip(1).collect(), expires_in, signed_in_at }))
}
