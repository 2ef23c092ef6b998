//! Reads of fields that the near cache may keep.

use std::time::Duration;

use redis::{Pipeline, Value};

use crate::store::redis::RedisStore;
use crate::store::redis::cause::Cause;
use crate::store::redis::commands::read::{Expiry, expiry, value};
use crate::store::redis::commands::tombstone::dead_or_error;
use crate::store::redis::near::{Answer, Near, WriteGuard};
use crate::store::redis::protocol::command::{Capacity, begin_command, command_of};
use crate::store::{Lookup, NearRules, NearValues, Refresh, SessionKey, StoreError};

/// The values of a session's fields, with the times until the session and the fields expire.
struct Read {
    values: NearValues,
    session: Expiry,
    fields_last: Vec<Duration>,
}

impl RedisStore {
    /// Keeps fields of sessions in this process from now on.
    pub(crate) fn use_near_cache(&self, max_bytes: usize) {
        self.deployment.listeners.near.install(max_bytes);
    }

    pub(super) fn near(&self) -> Option<&Near> {
        self.deployment.listeners.near.get()
    }

    /// Returns the fields from the near cache, if they are kept and count. Refreshes the session's
    /// expiry if that is due, without waiting.
    pub(crate) fn kept(
        &self,
        key: &SessionKey,
        fields: &[&'static str],
        refresh: Refresh,
        rules: &NearRules,
    ) -> Option<NearValues> {
        let hit = self.near()?.get(key, fields, refresh, rules)?;
        if let (true, Refresh::Below { expires_in, .. }) = (hit.is_refresh_due, refresh) {
            self.refresh_unawaited(key, expires_in);
        }
        Some(hit.values)
    }

    /// Reads fields, and keeps them if the session was read lately and the server will tell of
    /// changes.
    pub(crate) async fn get_to_keep(
        &self,
        key: &SessionKey,
        fields: &[&'static str],
        refresh: Refresh,
        rules: &NearRules,
    ) -> Result<Lookup<NearValues>, StoreError> {
        let question = match (self.near(), self.deployment.lease(key), refresh) {
            // The refresh of every read would void what is kept.
            (_, _, Refresh::To(_)) => None,
            (Some(near), Some(lease), _) => near.ask(key, lease, rules).map(|asked| (near, asked)),
            _ => None,
        };
        let Some((near, question)) = question else {
            let found = self.get_many(key, fields, refresh).await?;
            return Ok(found.map(NearValues::from_vec));
        };
        let commands = self.commands_to_keep(key, fields);
        let exchange = self.query_fields(key, fields, &commands).await?;
        let is_told = exchange.reply.first() == Some(&Value::Okay);
        let read = match read_in(exchange.reply.into_iter().skip(1), fields.len())? {
            Lookup::Found(read) => read,
            not_found => return Ok(self.told(key, not_found.map(|_| NearValues::new()))),
        };
        let lease = exchange.connection.news.as_ref().map(|news| news.lease());
        let answers = lease.is_some_and(|lease| lease.id() == question.lease().id());
        self.deployment.record_told(is_told);
        // An `ASKING` comes between the two commands, so that nothing is told.
        if is_told && answers && !exchange.was_asking {
            near.keep(key, &question, &read.answer(fields));
        }
        if let Refresh::Below { below, expires_in } = refresh
            && read.session.is_below(below)
        {
            self.refresh_unawaited(key, expires_in);
        }
        Ok(Lookup::Found(read.values))
    }

    /// Voids what is kept of a session that the store does not have.
    pub(super) fn told<T>(&self, key: &SessionKey, found: Lookup<T>) -> Lookup<T> {
        if let (Lookup::Missing | Lookup::Dead, Some(near)) = (&found, self.near()) {
            near.void(key.expose_secret());
        }
        found
    }

    /// Begins a write. What is kept of these sessions does not count any more.
    pub(super) fn begin_write<'a>(
        &'a self,
        keys: impl IntoIterator<Item = &'a SessionKey>,
    ) -> Option<WriteGuard<'a>> {
        self.near().map(|near| near.write(keys))
    }

    fn commands_to_keep(&self, key: &SessionKey, fields: &[&str]) -> Pipeline {
        let name = key.expose_secret();
        let bytes = fields.iter().map(|field| field.len()).sum();
        let capacity = Capacity { words: fields.len(), bytes };
        let mut read = begin_command(&["HMGET", name], capacity);
        read.arg(fields);
        let mut commands = Pipeline::with_capacity(4);
        // Holds for the next command alone. A change before the last command is told as well.
        commands.add_command(command_of(&["CLIENT", "CACHING", "YES"]));
        commands.add_command(read);
        commands.add_command(command_of(&["PTTL", name]));
        if !self.deployment.lacks_field_expiry(key) {
            let mut expiries = begin_command(&["HPTTL", name, "FIELDS"], capacity);
            expiries.arg(fields.len()).arg(fields);
            commands.add_command(expiries);
        }
        commands
    }
}

impl Read {
    fn answer<'a>(&'a self, fields: &'a [&'static str]) -> Answer<'a> {
        let session_lasts = match self.session {
            Expiry::Limited(left) => left,
            Expiry::Unlimited => Duration::MAX,
            Expiry::Missing => Duration::ZERO,
        };
        Answer { fields, values: &self.values, session_lasts, fields_last: &self.fields_last }
    }
}

/// Interprets the replies of `HMGET`, `PTTL` and maybe `HPTTL`.
fn read_in(
    mut replies: impl Iterator<Item = Value>,
    fields: usize,
) -> Result<Lookup<Read>, StoreError> {
    let values = match replies.next() {
        Some(Value::Array(values)) if values.len() == fields => values,
        Some(Value::ServerError(error)) => return dead_or_error((&error).into()),
        _ => return Err(StoreError::refused(Cause::Unexpected)),
    };
    let values = values.into_iter().map(value).collect::<Result<_, _>>();
    let session = expiry(replies.next())?;
    if session == Expiry::Missing {
        return Ok(Lookup::Missing);
    }
    let fields_last = match replies.next() {
        Some(Value::Array(left)) => left.iter().map(lasts).collect(),
        // The server has no expiries of fields.
        _ => Vec::new(),
    };
    let values = values.map_err(StoreError::refused)?;
    Ok(Lookup::Found(Read { values, session, fields_last }))
}

/// Interprets a field's part of the reply of `HPTTL`. A missing field has no expiry.
fn lasts(left: &Value) -> Duration {
    match left {
        Value::Int(left @ 0..) => Duration::from_millis(left.unsigned_abs()),
        _ => Duration::MAX,
    }
}
