//! Changes of sessions. Each change is a script, except for a write that plain commands can do.

use std::time::Duration;

use bytes::Bytes;
use redis::{Cmd, Pipeline, Value};
use tokio::time::Instant;

use crate::id::SessionId;
use crate::store::redis::RedisStore;
use crate::store::redis::cause::{Cause, Code};
use crate::store::redis::commands::expiry::{expire_command, field_milliseconds, milliseconds};
use crate::store::redis::commands::index::{IndexedRun, add_entry, late_end, time_of_late};
use crate::store::redis::commands::script::{
    DESTROY, EXPIRE_FIELD, MODIFY, MODIFY_INDEXED, ROTATE, ROTATE_INDEXED, Script, WRITE,
    WRITE_INDEXED, write_error,
};
use crate::store::redis::commands::tombstone::{
    StoredTombstone, dead_or_error, reason_word, rotation_word,
};
use crate::store::redis::net::deployment::Deployment;
use crate::store::redis::net::node_connections::Route;
use crate::store::redis::net::request::GuardedPipeline;
use crate::store::redis::protocol::command::{Capacity, begin_command};
use crate::store::{
    Action, Change, Destroyed, Destruction, Ending, Indexing, Lookup, Modified, Modify,
    PERMANENT_FIELD, Rotation, SessionKey, StoreError, Write, WriteMode,
};
use crate::value::FieldValue;

/// The number of times that a rotation follows changes of the session's label.
const LABEL_TRIES: usize = 8;
/// The time within which an end that came too late is repeated.
const LATE_END: Duration = Duration::from_secs(30);
/// The largest number of digits of a number among a script's arguments.
const NUMBER: usize = 16;

impl RedisStore {
    pub(crate) async fn write(
        &self,
        key: &SessionKey,
        write: Write<'_>,
    ) -> Result<Lookup<u64>, StoreError> {
        let _writing = self.begin_write([key]);
        self.write_by_script(key, write, self.deployment.deadline()).await
    }

    async fn write_by_script(
        &self,
        key: &SessionKey,
        write: Write<'_>,
        deadline: Instant,
    ) -> Result<Lookup<u64>, StoreError> {
        self.check_field_expiry(key, first_expiry(write.changes))?;
        let capacity = change_capacity(write.changes);
        let capacity =
            Capacity { words: 4 + capacity.words, bytes: 3 * NUMBER + 1 + capacity.bytes };
        let add_arguments = |invocation: &mut Cmd| {
            invocation
                .arg(milliseconds(write.expires_in))
                .arg(u8::from(write.mode == WriteMode::Create));
            add_counts(invocation, write.changes);
            add_removed_and_expiring(invocation, write.changes);
            add_values(invocation, write.changes);
        };
        let ran = match write.index {
            None => {
                let (deployment, none) = (&self.deployment, None);
                WRITE.run(deployment, deadline, key, none, capacity, add_arguments).await?
            }
            Some(index) => {
                let run = self.run_indexed(&WRITE_INDEXED, key, index, &add_arguments, &|_| false);
                Box::pin(run).await?
            }
        };
        match ran {
            Value::Int(-1) => Ok(Lookup::Missing),
            Value::Int(removed) => Ok(Lookup::Found(removed.unsigned_abs())),
            Value::ServerError(error) => dead_or_error((&error).into()),
            _ => Err(StoreError::outcome_unknown(Cause::Unexpected)),
        }
    }

    /// Writes fields that most likely exist, with two plain commands if the server supports this.
    /// Two plain commands take the server at most half the time of the script.
    ///
    /// The first command sets all fields or none. The permanent field is included, so the command
    /// does nothing without a session. If the command does nothing, the script carries out the
    /// write or returns the reason.
    pub(crate) async fn overwrite(
        &self,
        key: &SessionKey,
        write: Write<'_>,
    ) -> Result<Lookup<u64>, StoreError> {
        let (deadline, _writing) = (self.deployment.deadline(), self.begin_write([key]));
        if !self.deployment.can_overwrite(key) {
            return self.write_by_script(key, write, deadline).await;
        }
        let mut commands = Pipeline::with_capacity(2);
        commands.add_command(overwrite_command(key, write.changes));
        commands.add_command(expire_command(key, write.expires_in));
        let sent =
            self.deployment.send(key, Route::Session, &GuardedPipeline(commands), deadline).await;
        let mut replies = sent.map_err(write_error)?.into_iter();
        let (overwritten, refreshed) = (replies.next().unwrap_or_default(), replies.next());
        let is_refreshed = matches!(refreshed, Some(Value::Int(1)));
        let written = match overwritten {
            Value::Int(1) => overwrote(refreshed, &self.deployment),
            Value::Int(0) => self.write_by_script(key, write, deadline).await?,
            Value::ServerError(error) => match Code::from(&error) {
                // The permission is missing, or a new server lacks the command.
                Code::NoPermission | Code::Other => {
                    self.deployment.record_overwrite_refused(key);
                    self.write_by_script(key, write, deadline).await?
                }
                code => dead_or_error(code)?,
            },
            _ => return Err(StoreError::outcome_unknown(Cause::Unexpected)),
        };
        if is_refreshed && written == Lookup::Dead {
            self.restore_unawaited(key);
        }
        Ok(written)
    }

    pub(crate) async fn modify(
        &self,
        key: &SessionKey,
        modify: Modify<'_>,
    ) -> Result<Lookup<Modified>, StoreError> {
        self.check_field_expiry(key, modify.ttl.filter(|_| !modify.keeps_times))?;
        let _writing = self.begin_write([key]);
        let alias = modify.alias.unwrap_or_default();
        let bytes = 3 * NUMBER + modify.field.len() + alias.len() + action_bytes(&modify.action);
        let add_arguments = |invocation: &mut Cmd| {
            if modify.keeps_times {
                invocation.arg("");
            } else {
                invocation.arg(milliseconds(modify.expires_in));
            }
            invocation.arg(u8::from(modify.mode == WriteMode::Create));
            invocation.arg(modify.field).arg(alias).arg(modify.ttl.map_or(0, field_milliseconds));
            add_action(invocation, &modify.action);
        };
        let ran = match modify.index {
            None => {
                let (deadline, capacity) =
                    (self.deployment.deadline(), Capacity { words: 10, bytes });
                MODIFY.run(&self.deployment, deadline, key, None, capacity, add_arguments).await?
            }
            Some(index) => {
                let is_kept = |reply: &Value| is_kept(&modify.action, index, reply);
                let run = self.run_indexed(&MODIFY_INDEXED, key, index, &add_arguments, &is_kept);
                Box::pin(run).await?
            }
        };
        match ran {
            Value::Int(-1) => Ok(Lookup::Missing),
            Value::ServerError(error) => dead_or_error((&error).into()),
            reply => modified(&modify.action, reply)
                .map(Lookup::Found)
                .ok_or_else(|| StoreError::outcome_unknown(Cause::Unexpected)),
        }
    }

    pub(crate) async fn expire_field(
        &self,
        key: &SessionKey,
        field: &str,
        ttl: Duration,
        expires_in: Duration,
    ) -> Result<Lookup<bool>, StoreError> {
        self.check_field_expiry(key, Some(ttl))?;
        let _writing = self.begin_write([key]);
        let capacity = Capacity { words: 3, bytes: 2 * NUMBER + field.len() };
        let ran = EXPIRE_FIELD.run(
            &self.deployment,
            self.deployment.deadline(),
            key,
            None,
            capacity,
            |invocation| {
                invocation.arg(milliseconds(expires_in)).arg(field).arg(field_milliseconds(ttl));
            },
        );
        match ran.await? {
            Value::Int(-1) => Ok(Lookup::Missing),
            Value::Int(found @ (0 | 1)) => Ok(Lookup::Found(found == 1)),
            Value::ServerError(error) => dead_or_error((&error).into()),
            _ => Err(StoreError::outcome_unknown(Cause::Unexpected)),
        }
    }

    /// Refuses a field's expiry if the server is known not to support field expiry. While the
    /// server is unknown, the scripts refuse such writes.
    fn check_field_expiry(
        &self,
        key: &SessionKey,
        ttl: Option<Duration>,
    ) -> Result<(), StoreError> {
        if ttl.is_some() && self.deployment.lacks_field_expiry(key) {
            return Err(StoreError::refused(Cause::NoFieldExpiry));
        }
        Ok(())
    }

    pub(crate) async fn rotate(
        &self,
        key: &SessionKey,
        rotation: Rotation<'_>,
    ) -> Result<Lookup<()>, StoreError> {
        let Rotation { changes, keep_only, .. } = rotation;
        self.check_field_expiry(key, first_expiry(changes))?;
        let _writing = self.begin_write([key, rotation.successor_key]);
        let kept = keep_only.unwrap_or_default();
        let capacity = change_capacity(changes);
        let capacity = Capacity {
            words: 7 + kept.len() + capacity.words,
            bytes: SessionId::LEN
                + 6 * NUMBER
                + kept.iter().map(|field| field.len()).sum::<usize>()
                + capacity.bytes,
        };
        let add_arguments = |invocation: &mut Cmd| {
            invocation.arg(rotation.successor.expose_secret());
            invocation
                .arg(milliseconds(rotation.expires_in))
                .arg(milliseconds(rotation.tombstone_for));
            invocation.arg(rotation_word(rotation.renews));
            if rotation.changes_fields() {
                let kept_count = keep_only.map_or(-1, |kept| kept.len() as i64);
                add_counts(invocation, changes).arg(kept_count);
                add_removed_and_expiring(invocation, changes);
                invocation.arg(kept);
                add_values(invocation, changes);
            }
        };
        let reply = if rotation.index.is_empty() {
            let (deadline, successor) = (self.deployment.deadline(), Some(rotation.successor_key));
            let deployment = &self.deployment;
            ROTATE.run(deployment, deadline, key, successor, capacity, add_arguments).await?
        } else {
            Value::BulkString(Vec::new())
        };
        let reply = match reply {
            Value::BulkString(label) => {
                Box::pin(self.rotate_labelled(key, rotation, label, &add_arguments)).await?
            }
            reply => reply,
        };
        match reply {
            Value::Int(1) => Ok(Lookup::Found(())),
            Value::Int(0) => Ok(Lookup::Missing),
            Value::ServerError(error) => dead_or_error((&error).into()),
            _ => Err(StoreError::outcome_unknown(Cause::Unexpected)),
        }
    }

    /// Rotates a session with entries in indexes. The label says which, and is empty if none is
    /// known.
    async fn rotate_labelled(
        &self,
        key: &SessionKey,
        rotation: Rotation<'_>,
        mut label: Vec<u8>,
        add_arguments: &(dyn Fn(&mut Cmd) + Sync),
    ) -> Result<Value, StoreError> {
        for _ in 0..LABEL_TRIES {
            let run = IndexedRun {
                script: &ROTATE_INDEXED,
                key,
                successor: Some(rotation.successor_key),
                session: rotation.successor,
                deadline_in: rotation.deadline_in,
                changes: rotation.index,
                label: &label,
                add_arguments,
                is_kept: &|_| false,
            };
            match run.run(&self.deployment).await? {
                Value::BulkString(other) => label = other,
                reply => return Ok(reply),
            }
        }
        Err(StoreError::unavailable("other requests kept changing an indexed field"))
    }

    async fn run_indexed(
        &self,
        script: &Script,
        key: &SessionKey,
        index: Indexing<'_>,
        add_arguments: &(dyn Fn(&mut Cmd) + Sync),
        is_kept: &(dyn Fn(&Value) -> bool + Sync),
    ) -> Result<Value, StoreError> {
        let run = IndexedRun {
            script,
            key,
            successor: None,
            session: index.session,
            deadline_in: index.deadline_in,
            changes: index.changes,
            label: b"",
            add_arguments,
            is_kept,
        };
        run.run(&self.deployment).await
    }

    pub(crate) async fn destroy(
        &self,
        key: &SessionKey,
        destruction: Destruction,
    ) -> Result<Destroyed, StoreError> {
        Ok(self.destroy_with(key, destruction, None).await?.unwrap_or(Destroyed::Missing))
    }

    /// Ends a live session, for an entry of a list only if the proof holds. Returns `None` for
    /// another live session.
    pub(super) async fn destroy_with(
        &self,
        key: &SessionKey,
        destruction: Destruction,
        entry: Option<Ending<'_>>,
    ) -> Result<Option<Destroyed>, StoreError> {
        let (begun, _writing) = (Instant::now(), self.begin_end(key, entry.is_some()));
        let mut reply = self.run_destroy(key, destruction, entry).await?;
        let again = entry.zip(time_of_late(&reply)).and_then(|(it, at)| late_end(it, at));
        if let Some(again) = again.filter(|_| begun.elapsed() < LATE_END) {
            reply = self.run_destroy(key, destruction, Some(again)).await?;
        }
        match reply {
            Value::Int(1) => Ok(Some(Destroyed::Ended)),
            Value::Int(0) => Ok(Some(Destroyed::Missing)),
            Value::Int(-1) if entry.is_some() => Ok(None),
            Value::Array(words) => match &words[..] {
                [_, Value::BulkString(label), Value::BulkString(name)] => {
                    self.leave_unawaited(key, label, name);
                    Ok(Some(Destroyed::Ended))
                }
                _ => Err(StoreError::unavailable("the end of a session came too late")),
            },
            Value::BulkString(tombstone) => {
                Ok(Some(Destroyed::Dead(StoredTombstone::parse(&tombstone).kind)))
            }
            Value::ServerError(error) => match Code::from(&error) {
                // The key holds neither a session nor a tombstone.
                Code::WrongType => Ok(Some(Destroyed::Dead(StoredTombstone::parse(b"").kind))),
                code => Err(code.into()),
            },
            _ => Err(StoreError::outcome_unknown(Cause::Unexpected)),
        }
    }

    async fn run_destroy(
        &self,
        key: &SessionKey,
        destruction: Destruction,
        entry: Option<Ending<'_>>,
    ) -> Result<Value, StoreError> {
        let (deadline, capacity) =
            (self.deployment.deadline(), Capacity { words: 2, bytes: 2 * NUMBER });
        let add_arguments = |invocation: &mut Cmd| {
            invocation.arg(milliseconds(destruction.tombstone_for));
            invocation.arg(reason_word(destruction.reason));
            if let Some(entry) = entry {
                add_entry(invocation, entry);
            }
        };
        DESTROY.run(&self.deployment, deadline, key, None, capacity, add_arguments).await
    }
}

fn overwrite_command(key: &SessionKey, changes: &[Change<'_>]) -> Cmd {
    let bytes: usize = changes.iter().map(byte_length).sum();
    let capacity = Capacity { words: 4 + 2 * changes.len(), bytes: NUMBER + bytes };
    let mut command = begin_command(&["HSETEX", key.expose_secret(), "FXX", "FIELDS"], capacity);
    command.arg(1 + changes.len()).arg(PERMANENT_FIELD).arg("");
    for change in changes {
        if let Change::Set { field, value, .. } = change {
            command.arg(field).arg(&value[..]);
        }
    }
    command
}

/// Returns the state of a session whose fields were overwritten, given the reply of the `PEXPIRE`.
fn overwrote(refreshed: Option<Value>, deployment: &Deployment) -> Lookup<u64> {
    match refreshed {
        // The session is gone since the first command.
        Some(Value::Int(0)) => return Lookup::Missing,
        Some(Value::ServerError(error)) => {
            deployment.log_unrefreshed(&Cause::Server((&error).into()))
        }
        _ => {}
    }
    Lookup::Found(0)
}

/// Adds the arguments of an action, in the order that the script expects.
fn add_action(invocation: &mut Cmd, action: &Action) {
    match action {
        Action::Replace(value) => add_value(invocation.arg("replace"), value.as_ref()),
        Action::GetOrSet(value) => add_value(invocation.arg("get_or_set"), Some(value)),
        Action::CompareAndSet { expected, or_missing, value } => {
            invocation.arg("compare").arg(u8::from(*or_missing)).arg(u8::from(expected.is_some()));
            add_value(invocation, Some(expected.as_ref().unwrap_or(&Bytes::new())));
            add_value(invocation, value.as_ref());
        }
        Action::AddInteger { by, default, min, max } => {
            invocation.arg("add");
            for number in [by, default, min, max] {
                invocation.arg(itoa::Buffer::new().format(*number));
            }
        }
        Action::AddFloat { by, default, single } => {
            invocation.arg("add_float");
            for number in [by, default] {
                add_value(invocation, number.encode().ok().as_ref());
            }
            invocation.arg(u8::from(*single));
        }
    }
}

fn add_value(invocation: &mut Cmd, value: Option<&Bytes>) {
    if let Some(value) = value {
        invocation.arg(&value[..]);
    }
}

fn action_bytes(action: &Action) -> usize {
    let length = |value: &Option<Bytes>| value.as_ref().map_or(0, Bytes::len);
    let operands = match action {
        Action::Replace(value) => length(value),
        Action::GetOrSet(value) => value.len(),
        Action::CompareAndSet { expected, value, .. } => length(expected) + length(value),
        Action::AddInteger { .. } | Action::AddFloat { .. } => 4 * NUMBER,
    };
    NUMBER + operands
}

/// Returns whether the session has kept another value.
fn is_kept(action: &Action, index: Indexing<'_>, reply: &Value) -> bool {
    match (action, reply) {
        (Action::GetOrSet(_), Value::BulkString(present)) => {
            let mut entries = index.changes.iter().filter_map(|change| change.entry.as_ref());
            entries.all(|entry| !entry.value.fits(present))
        }
        (Action::CompareAndSet { .. }, Value::Int(swapped)) => *swapped == 0,
        _ => false,
    }
}

fn modified(action: &Action, reply: Value) -> Option<Modified> {
    Some(match (action, reply) {
        (Action::Replace(_), Value::Nil) => Modified::Value(None),
        (Action::Replace(_) | Action::GetOrSet(_), Value::BulkString(value)) => {
            Modified::Value(Some(value.into()))
        }
        (Action::CompareAndSet { .. }, Value::Int(swapped @ (0 | 1))) => {
            Modified::Swapped(swapped == 1)
        }
        (Action::AddInteger { .. } | Action::AddFloat { .. }, reply) => match reply {
            Value::BulkString(sum) => Modified::Sum(sum.into()),
            Value::Int(-2) => Modified::NotANumber,
            Value::Int(-3) => Modified::OutOfRange,
            _ => return None,
        },
        _ => return None,
    })
}

/// Adds the number of removed fields, and the number of fields with an expiry of their own.
fn add_counts<'c>(invocation: &'c mut Cmd, changes: &[Change<'_>]) -> &'c mut Cmd {
    let removed = changes.iter().filter_map(removed_field).count();
    invocation.arg(removed).arg(changes.iter().filter_map(expiring_field).count())
}

fn add_removed_and_expiring(invocation: &mut Cmd, changes: &[Change<'_>]) {
    for field in changes.iter().filter_map(removed_field) {
        invocation.arg(field);
    }
    for (field, ttl) in changes.iter().filter_map(expiring_field) {
        invocation.arg(field).arg(field_milliseconds(ttl));
    }
}

fn add_values(invocation: &mut Cmd, changes: &[Change<'_>]) {
    for change in changes {
        if let Change::Set { field, value, .. } = change {
            invocation.arg(field).arg(&value[..]);
        }
    }
}

fn first_expiry(changes: &[Change<'_>]) -> Option<Duration> {
    changes.iter().filter_map(expiring_field).next().map(|(_, ttl)| ttl)
}

fn change_capacity(changes: &[Change<'_>]) -> Capacity {
    Capacity {
        words: changes.iter().map(word_count).sum(),
        bytes: changes.iter().map(byte_length).sum(),
    }
}

fn removed_field<'a>(change: &Change<'a>) -> Option<&'a str> {
    match change {
        Change::Remove { field } => Some(field),
        Change::Set { .. } => None,
    }
}

fn expiring_field<'a>(change: &Change<'a>) -> Option<(&'a str, Duration)> {
    match change {
        Change::Set { field, ttl: Some(ttl), .. } => Some((field, *ttl)),
        Change::Set { ttl: None, .. } | Change::Remove { .. } => None,
    }
}

fn word_count(change: &Change<'_>) -> usize {
    match change {
        Change::Remove { .. } => 1,
        Change::Set { ttl: None, .. } => 2,
        Change::Set { ttl: Some(_), .. } => 4,
    }
}

fn byte_length(change: &Change<'_>) -> usize {
    match change {
        Change::Set { field, value, ttl: None } => field.len() + value.len(),
        Change::Set { field, value, ttl: Some(_) } => 2 * field.len() + NUMBER + value.len(),
        Change::Remove { field } => field.len(),
    }
}
