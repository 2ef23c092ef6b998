//! The sessions with one value in an indexed field.

mod change;
mod label;
mod leave;
mod list;
mod prune;
mod restore;
mod steps;

use std::mem::take;
use std::time::SystemTime;

use futures_util::future::try_join_all;
use redis::{Cmd, Pipeline, Value};

use self::change::seconds;
use self::label::Label;
use self::leave::leave_unawaited;
use self::list::listing;
use self::prune::{Doubt, prune};
use self::steps::{CLOCK_DIFFERENCE, STEP_LIMIT};
use crate::id::IndexKey;
use crate::store::redis::RedisStore;
use crate::store::redis::cause::{Cause, Code};
use crate::store::redis::commands::read::expiry;
use crate::store::redis::commands::script::{MARK, REMOVE_STALE};
use crate::store::redis::commands::tombstone::dead_or_error;
use crate::store::redis::near::{Lease, values_differ};
use crate::store::redis::protocol::command::{Capacity, begin_command, command_of};
use crate::store::redis::protocol::reply::time;
use crate::store::{
    BoxFuture, Destroyed, Ending, IndexProof, IndexedValue, Listing, Look, Lookup, MissingEntry,
    PERMANENT_FIELD, Seen, SessionIndex, SessionKey, Stale, StaleEntry, StoreError,
};

pub(super) use self::change::IndexedRun;
pub(super) use self::label::LABEL_FIELD;
pub(super) use self::steps::time_of_late;

/// The largest number of sessions in one command or pipeline.
const SLICE: usize = 500;

impl RedisStore {
    pub(crate) fn session_index(&self) -> Option<&dyn SessionIndex> {
        Some(self)
    }

    /// Returns the indexes that have a session.
    #[cfg(feature = "cli")]
    pub(crate) async fn indexes_of(
        &self,
        key: &SessionKey,
    ) -> Result<Vec<label::SessionInIndex>, StoreError> {
        let label = self.get(key, LABEL_FIELD, crate::store::Refresh::No).await?;
        Ok(match label {
            Lookup::Found(Some(label)) => Label::parse(&label).indexes(),
            _ => Vec::new(),
        })
    }

    /// Looks at sessions on one server.
    async fn look_at_slice(
        &self,
        keys: &[SessionKey],
        look: Look<'_>,
    ) -> Result<Vec<Lookup<Seen>>, StoreError> {
        let Some(first) = keys.first() else { return Ok(Vec::new()) };
        let mut exchange = self.query_exchange(first, &look_at(keys, look)).await?;
        let mut replies = take(&mut exchange.reply).into_iter();
        let seen = |key| {
            let found = seen(replies.next(), replies.next(), look.index)?;
            Ok(self.saw_fields(key, exchange.lease(), look.fields, found))
        };
        keys.iter().map(seen).collect()
    }

    /// Tells the near cache of the reply about one session.
    pub(super) fn saw_fields(
        &self,
        key: &SessionKey,
        lease: Option<&Lease>,
        fields: &[&str],
        found: Lookup<Seen>,
    ) -> Lookup<Seen> {
        if let Lookup::Found(seen) = &found {
            self.near_saw(key, lease, |name, kept| values_differ(fields, &seen.values, name, kept));
        }
        self.void_if_gone(key, found)
    }

    /// Looks at sessions on several nodes, which are asked together.
    async fn look_at_each(
        &self,
        keys: &[SessionKey],
        look: Look<'_>,
    ) -> Result<Vec<Lookup<Seen>>, StoreError> {
        let looks = keys.chunks(1).map(|key| self.look_at_slice(key, look));
        Ok(try_join_all(looks).await?.into_iter().flatten().collect())
    }

    /// Removes an ended session from its lists in the background. `key` is a former key of the
    /// session, and `name` the last part of its last key.
    pub(super) fn leave_unawaited(&self, key: &SessionKey, label: &[u8], name: &[u8]) {
        // The key of an id from Python does not tell the time in the id.
        let Some(member) = SessionKey::native_id_in(&String::from_utf8_lossy(name)) else { return };
        let label = Label::parse(label);
        let lists = label.entries(key, &[]).map(|entry| entry.list).collect();
        leave_unawaited(&self.deployment, lists, member);
    }

    /// Removes entries of ended sessions in one step, which looks at the sessions again.
    async fn remove_at_once(
        &self,
        list: &IndexKey,
        proof: IndexProof<'_>,
        stale: &[StaleEntry],
    ) -> Result<(), StoreError> {
        let names = stale.iter().map(|entry| entry.key.expose_secret());
        let keys: Vec<&str> = std::iter::once(list.as_str()).chain(names).collect();
        let add = |invocation: &mut Cmd| {
            add_proof(invocation, proof);
            for entry in stale {
                invocation.arg(entry.session.expose_secret());
            }
        };
        let reply = REMOVE_STALE
            .run_on_list(&self.deployment, self.deployment.deadline(), list, &keys, add)
            .await?;
        Code::in_reply(&reply).map_or(Ok(()), |code| Err(code.into()))
    }

    /// Removes entries that no step under way can make true.
    async fn prune(
        &self,
        list: &IndexKey,
        read_at: SystemTime,
        stale: &[StaleEntry],
    ) -> Result<(), StoreError> {
        let doubtful = |entry: &StaleEntry| {
            (entry.session, if entry.is_dead { Doubt::Dead } else { Doubt::Unproven })
        };
        let entries: Vec<_> = stale.iter().map(doubtful).collect();
        prune(&self.deployment, self.deployment.deadline(), list, read_at, &entries).await
    }

    fn has_steps(&self) -> bool {
        self.deployment.topology.is_cluster()
    }
}

/// Adds the arguments for the end of an entry.
pub(super) fn add_entry(invocation: &mut Cmd, entry: Ending<'_>) {
    add_proof(invocation, entry.proof);
    if let Some(pending_at) = entry.pending_at {
        invocation.arg(seconds(pending_at + STEP_LIMIT));
    }
}

/// Adds the names of the field, the bytes to compare, and their number.
fn add_proof(invocation: &mut Cmd, proof: IndexProof<'_>) {
    invocation.arg(proof.field).arg(proof.alias.unwrap_or_default());
    invocation.arg(proof.value.newest()).arg(length_word(proof.value));
}

/// Returns how many bytes of a stored value count, or an empty text for all.
fn length_word(value: &IndexedValue) -> String {
    value.length().map(|length| length.to_string()).unwrap_or_default()
}

/// Returns the end to try at this time of the session's node, which was too late for the node. If
/// the node's clock is ahead, the read of the list may have been less than a minute ago.
pub(super) fn late_end<'a>(entry: Ending<'a>, time: SystemTime) -> Option<Ending<'a>> {
    let late = time.duration_since(entry.pending_at?).ok()?;
    (late <= STEP_LIMIT + CLOCK_DIFFERENCE).then_some(Ending { pending_at: Some(time), ..entry })
}

impl SessionIndex for RedisStore {
    fn entries<'a>(
        &'a self,
        key: &'a IndexKey,
        mark: bool,
    ) -> BoxFuture<'a, Result<Listing, StoreError>> {
        Box::pin(async move {
            let replies = if mark {
                MARK.run_on_list(
                    &self.deployment,
                    self.deployment.deadline(),
                    key,
                    &[key.as_str()],
                    |_| {},
                )
                .await?
            } else {
                let mut commands = Pipeline::with_capacity(2);
                commands.add_command(command_of(&["TIME"]));
                commands.add_command(command_of(&[
                    "ZRANGE",
                    key.as_str(),
                    "0",
                    "-1",
                    "WITHSCORES",
                ]));
                Value::Array(self.query(key, &commands).await?)
            };
            read_listing(replies, self.has_steps())
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
                all.extend(match self.has_steps() {
                    true => self.look_at_each(slice, look).await?,
                    false => self.look_at_slice(slice, look).await?,
                });
            }
            Ok(all)
        })
    }

    fn destroy_if<'a>(
        &'a self,
        key: &'a SessionKey,
        ending: Ending<'a>,
    ) -> BoxFuture<'a, Result<Option<Destroyed>, StoreError>> {
        Box::pin(self.destroy_with(key, ending.destruction, Some(ending)))
    }

    fn restore_entry<'a>(
        &'a self,
        key: &'a SessionKey,
        entry: MissingEntry<'a>,
    ) -> BoxFuture<'a, Result<Lookup<bool>, StoreError>> {
        Box::pin(self.restore_missing(key, entry))
    }

    fn remove_stale<'a>(
        &'a self,
        key: &'a IndexKey,
        proof: IndexProof<'a>,
        stale: Stale<'a>,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move {
            for slice in stale.entries.chunks(SLICE) {
                match self.has_steps() {
                    true => self.prune(key, stale.read_at, slice).await?,
                    false => self.remove_at_once(key, proof, slice).await?,
                }
            }
            Ok(())
        })
    }

    fn list_time<'a>(&'a self, key: &'a IndexKey) -> BoxFuture<'a, Result<SystemTime, StoreError>> {
        Box::pin(async move {
            // `EXISTS` finds the node of the list.
            let mut commands = Pipeline::with_capacity(2);
            commands.add_command(command_of(&["EXISTS", key.as_str()]));
            commands.add_command(command_of(&["TIME"]));
            let reply = self.query(key, &commands).await?.into_iter().nth(1);
            reply.and_then(time).ok_or_else(|| StoreError::unavailable(Cause::Unexpected))
        })
    }
}

fn read_listing(replies: Value, has_steps: bool) -> Result<Listing, StoreError> {
    let unexpected = || StoreError::unavailable(Cause::Unexpected);
    let replies = match replies {
        Value::Array(replies) => replies,
        reply => return Err(Code::in_reply(&reply).map_or_else(unexpected, StoreError::from)),
    };
    let mut replies = replies.into_iter();
    match (replies.next(), replies.next()) {
        (_, Some(Value::ServerError(error))) | (Some(Value::ServerError(error)), _) => {
            Err(Code::from(&error).into())
        }
        (Some(read_at), Some(Value::Array(members))) => {
            listing(members, read_at, has_steps).ok_or_else(unexpected)
        }
        _ => Err(unexpected()),
    }
}

/// Returns the commands that look at sessions, two for each key.
pub(super) fn look_at(keys: &[SessionKey], look: Look<'_>) -> Pipeline {
    let mut commands = Pipeline::with_capacity(2 * keys.len());
    for key in keys {
        let name = key.expose_secret();
        let words = ["HMGET", name, LABEL_FIELD, PERMANENT_FIELD];
        let mut values = begin_command(&words, Capacity::default());
        values.arg(look.fields);
        commands.add_command(values).add_command(command_of(&["PTTL", name]));
    }
    commands
}

/// Interprets the replies about one session.
pub(super) fn seen(
    values: Option<Value>,
    left: Option<Value>,
    index: &str,
) -> Result<Lookup<Seen>, StoreError> {
    let values = match values {
        Some(Value::ServerError(error)) => return dead_or_error((&error).into()),
        Some(Value::Array(values)) => values,
        _ => return Err(StoreError::unavailable(Cause::Unexpected)),
    };
    let Lookup::Found(expires_in) = expiry(left)?.time_left() else { return Ok(Lookup::Missing) };
    let mut values = values.into_iter().map(|value| match value {
        Value::BulkString(bytes) => Some(bytes.into()),
        _ => None,
    });
    let label: Option<bytes::Bytes> = values.next().flatten();
    let signed_in_at = label.and_then(|label| Label::parse(&label).signed_in_at(index));
    Ok(Lookup::Found(Seen { values: values.skip(1).collect(), expires_in, signed_in_at }))
}
