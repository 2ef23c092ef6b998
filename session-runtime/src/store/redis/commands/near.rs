//! Reads of fields that the near cache may keep.

use std::time::Duration;

use bytes::Bytes;
use redis::{Pipeline, Value};

use crate::store::redis::RedisStore;
use crate::store::redis::cause::{Cause, Code};
use crate::store::redis::commands::read::{Expiry, expiry, value};
use crate::store::redis::commands::tombstone::dead_or_error;
use crate::store::redis::near::{Answer, Lease, Near, Question, WriteGuard, values_differ};
use crate::store::redis::net::request::Exchange;
use crate::store::redis::protocol::command::{Capacity, begin_command, command_of};
use crate::store::redis::protocol::reply::is_unknown_command;
use crate::store::{Lookup, NearRules, NearValues, Refresh, SessionKey, StoreError};

/// The values of a session's fields, with the times until the session and the fields expire.
struct Read {
    values: NearValues,
    session: Expiry,
    fields_last: Vec<Duration>,
    /// The user may not ask for the expiries of fields.
    is_refused: bool,
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
    #[inline]
    pub(crate) fn kept(
        &self,
        key: &SessionKey,
        fields: &[&'static str],
        refresh: Refresh,
        rules: &NearRules,
    ) -> Option<NearValues> {
        // The refresh of every read would void what is kept.
        let near = self.near().filter(|_| !matches!(refresh, Refresh::To(_)))?;
        let hit = near.get(key, fields, refresh, rules)?;
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
        let Some((near, question)) = self.question(key, refresh, rules) else {
            return Ok(match fields {
                [field] => self.get(key, field, refresh).await?.map(|value| [value].into()),
                _ => self.get_many(key, fields, refresh).await?.map(NearValues::from_vec),
            });
        };
        let commands = self.commands_to_keep(key, fields);
        let mut exchange = self.query_exchange(key, &commands).await?;
        let replies = std::mem::take(&mut exchange.reply);
        let is_told = replies.first() == Some(&Value::Okay);
        let read = match read_in(replies.into_iter().skip(1), fields.len())? {
            Lookup::Found(read) => read,
            not_found => return Ok(self.void_if_gone(key, not_found.map(|read| read.values))),
        };
        let may_keep = is_told && !read.is_refused;
        self.deployment.record_told(may_keep);
        if !may_keep && let Some(lease) = exchange.lease() {
            lease.refuse();
        }
        if may_keep && answers(&exchange, &question) {
            near.keep(key, &question, &read.answer(fields));
        } else {
            self.near_saw(key, exchange.lease(), |name, kept| {
                values_differ(fields, &read.values, name, kept)
            });
        }
        if let Refresh::Below { below, expires_in } = refresh
            && read.session.is_below(below)
        {
            self.refresh_unawaited(key, expires_in);
        }
        Ok(Lookup::Found(read.values))
    }

    /// Begins a question whose reply may be kept.
    fn question(
        &self,
        key: &SessionKey,
        refresh: Refresh,
        rules: &NearRules,
    ) -> Option<(&Near, Question)> {
        // The refresh of every read would void what is kept.
        if matches!(refresh, Refresh::To(_)) {
            return None;
        }
        let (near, lease) = (self.near()?, self.deployment.lease(key)?);
        Some((near, near.ask(key, lease, rules)?))
    }

    /// Tells the near cache of a reply about fields of a session. `differs` compares the reply with
    /// the kept value of the field with this name.
    pub(super) fn near_saw(
        &self,
        key: &SessionKey,
        lease: Option<&Lease>,
        differs: impl Fn(&str, Option<&Bytes>) -> bool,
    ) {
        if let (Some(near), Some(lease)) = (self.near(), lease) {
            near.replied(key, lease, differs);
        }
    }

    /// Voids what is kept of a session that the store does not have.
    pub(super) fn void_if_gone<T>(&self, key: &SessionKey, found: Lookup<T>) -> Lookup<T> {
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

    /// Begins the end of a session, which may go on under a later id.
    pub(super) fn begin_end<'a>(
        &'a self,
        key: &'a SessionKey,
        follows: bool,
    ) -> Option<WriteGuard<'a>> {
        let guard = self.begin_write([key])?;
        // An id from Python does not tell the tag of later ids.
        let is_known = !follows || key.native_id().is_some();
        Some(if is_known { guard } else { guard.of_all() })
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

/// Returns whether the connection of the question replied, and will tell of changes. An `ASKING`
/// comes between `CLIENT CACHING` and the read.
fn answers<T>(exchange: &Exchange<T>, question: &Question) -> bool {
    let lease = exchange.lease();
    !exchange.was_asking && lease.is_some_and(|lease| lease.id() == question.lease().id())
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
    let values: NearValues = values.map_err(StoreError::refused)?;
    let expiries = replies.next();
    let is_refused = expiries.as_ref().and_then(Code::in_reply) == Some(Code::NoPermission);
    let fields_last = lasts_of(&values, expiries);
    Ok(Lookup::Found(Read { values, session, fields_last, is_refused }))
}

/// Interprets the reply of `HPTTL`, if the server has expiries of fields.
fn lasts_of(values: &[Option<Bytes>], expiries: Option<Value>) -> Vec<Duration> {
    let no_expiries = expiries.as_ref().is_none_or(is_unknown_command);
    let expiries = match expiries {
        Some(Value::Array(expiries)) => expiries,
        _ => Vec::new(),
    };
    let mut expiries = expiries.iter();
    let lasts = |value: &Option<Bytes>| match (value, expiries.next()) {
        (_, Some(Value::Int(-1))) => Duration::MAX,
        (_, Some(Value::Int(left @ 0..))) => Duration::from_millis(left.unsigned_abs()),
        (None, Some(Value::Int(-2))) => Duration::MAX,
        // A field that was there has expired since, or the expiry is not known.
        _ => {
            if no_expiries {
                Duration::MAX
            } else {
                Duration::ZERO
            }
        }
    };
    values.iter().map(lasts).collect()
}

#[cfg(test)]
mod tests {
    use redis::parse_redis_value;

    use super::*;

    #[test]
    fn a_field_lasts_until_its_own_expiry() {
        const ALWAYS: Duration = Duration::MAX;
        let values = [Some("1".into()), None];
        for (expiries, lasts) in [
            ("", [ALWAYS, ALWAYS]),
            ("-ERR unknown command 'HPTTL', with args\r\n", [ALWAYS, ALWAYS]),
            ("*2\r\n:-1\r\n:-2\r\n", [ALWAYS, ALWAYS]),
            ("*2\r\n:7\r\n:0\r\n", [Duration::from_millis(7), Duration::ZERO]),
            // The first field has expired since it was read.
            ("*2\r\n:-2\r\n:-2\r\n", [Duration::ZERO, ALWAYS]),
            ("-NOPERM x\r\n", [Duration::ZERO; 2]),
            ("+OK\r\n", [Duration::ZERO; 2]),
            ("*1\r\n:-1\r\n", [ALWAYS, Duration::ZERO]),
        ] {
            let reply = parse_redis_value(expiries.as_bytes()).ok();
            assert_eq!(lasts_of(&values, reply), lasts, "{expiries}");
        }
    }
}
