//! Reads, which are plain commands in one pipeline.

use std::mem::take;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use redis::{Cmd, Pipeline, Value};

use crate::clock::abs_diff;
use crate::store::redis::RedisStore;
use crate::store::redis::cause::{Cause, Code};
use crate::store::redis::commands::expiry::expire_command;
use crate::store::redis::commands::index::LABEL_FIELD;
use crate::store::redis::commands::tombstone::dead_or_error;
use crate::store::redis::near::{Lease, values_differ};
use crate::store::redis::net::request::ReadPipeline;
use crate::store::redis::protocol::command::{Capacity, begin_command, command_of, pattern_of};
use crate::store::redis::protocol::reply::{BEGINNING, scanned, time};
use crate::store::{Lookup, PERMANENT_FIELD, Refresh, SessionKey, StoreError};

impl RedisStore {
    pub(crate) async fn get(
        &self,
        key: &SessionKey,
        field: &str,
        refresh: Refresh,
    ) -> Result<Lookup<Option<Bytes>>, StoreError> {
        let command = command_of(&["HGET", key.expose_secret(), field]);
        self.read(command, key, &[field], refresh, VALUE).await
    }

    pub(crate) async fn get_many(
        &self,
        key: &SessionKey,
        fields: &[&str],
        refresh: Refresh,
    ) -> Result<Lookup<Vec<Option<Bytes>>>, StoreError> {
        let bytes = fields.iter().map(|field| field.len()).sum();
        let capacity = Capacity { words: fields.len() + 1, bytes };
        let mut command = begin_command(&["HMGET", key.expose_secret()], capacity);
        for field in fields {
            command.arg(field);
        }
        if fields.is_empty() {
            command.arg(PERMANENT_FIELD);
        }
        Ok(match self.read(command, key, fields, refresh, VALUES).await? {
            Lookup::Found(None) => Lookup::Found(vec![None; fields.len()]),
            Lookup::Found(Some(mut values)) => {
                values.resize(fields.len(), None);
                Lookup::Found(values)
            }
            Lookup::Missing => Lookup::Missing,
            Lookup::Dead => Lookup::Dead,
        })
    }

    /// The server selects the fields, so that others are not transferred. `HSCAN` gives all of them
    /// in one step, because `COUNT` exceeds the number of fields.
    pub(crate) async fn get_all(
        &self,
        key: &SessionKey,
        prefix: &str,
        refresh: Refresh,
    ) -> Result<Lookup<Vec<(String, Bytes)>>, StoreError> {
        let (name, pattern) = (key.expose_secret(), pattern_of(prefix));
        let command =
            command_of(&["HSCAN", name, BEGINNING, "MATCH", &pattern, "COUNT", ALL_FIELDS]);
        let found = self.read(command, key, &[prefix], refresh, FIELDS).await?;
        Ok(found.map(Option::unwrap_or_default))
    }

    pub(crate) async fn contains(
        &self,
        key: &SessionKey,
        field: &str,
        refresh: Refresh,
    ) -> Result<Lookup<bool>, StoreError> {
        let found = self
            .read(
                command_of(&["HEXISTS", key.expose_secret(), field]),
                key,
                &[field],
                refresh,
                PRESENCE,
            )
            .await?;
        Ok(match found {
            Lookup::Found(presence) => Lookup::Found(presence.is_some()),
            Lookup::Missing => Lookup::Missing,
            Lookup::Dead => Lookup::Dead,
        })
    }

    pub(crate) async fn expires_in(
        &self,
        key: &SessionKey,
    ) -> Result<Lookup<Duration>, StoreError> {
        let name = key.expose_secret();
        let mut commands = Pipeline::with_capacity(2);
        // `PTTL` alone cannot distinguish a tombstone from a session.
        commands.add_command(command_of(&["HEXISTS", name, PERMANENT_FIELD]));
        commands.add_command(command_of(&["PTTL", name]));
        let mut replies = self.query(key, &commands).await?.into_iter();
        time_left(replies.next(), replies.next()).map(|left| self.void_if_gone(key, left))
    }

    pub(crate) async fn field_expires_in(
        &self,
        key: &SessionKey,
        field: &str,
    ) -> Result<Lookup<Option<Duration>>, StoreError> {
        let name = key.expose_secret();
        let asks_field = !self.deployment.lacks_field_expiry(key);
        let mut commands = Pipeline::with_capacity(2);
        commands.add_command(if asks_field {
            command_of(&["HPTTL", name, "FIELDS", "1", field])
        } else {
            command_of(&["HEXISTS", name, field])
        });
        // For a missing key, the reply of `HPTTL` depends on the server.
        commands.add_command(command_of(&["PTTL", name]));
        let mut replies = self.query(key, &commands).await?.into_iter();
        let left = match replies.next() {
            Some(Value::ServerError(error)) => {
                return dead_or_error((&error).into()).map(|dead| self.void_if_gone(key, dead));
            }
            Some(Value::Array(fields)) => fields.into_iter().next(),
            _ => None,
        };
        Ok(match (expiry(replies.next())?, left) {
            (Expiry::Missing, _) => self.void_if_gone(key, Lookup::Missing),
            (_, Some(Value::Int(left @ 0..))) => {
                Lookup::Found(Some(Duration::from_millis(left.unsigned_abs())))
            }
            _ => Lookup::Found(None),
        })
    }

    /// Returns the time of the server's clock. If there are several servers, the time that differs
    /// most from the local clock is returned.
    pub(crate) async fn time(&self) -> Result<SystemTime, StoreError> {
        let mut farthest: Option<(Duration, SystemTime)> = None;
        for reply in self.query_each(&command_of(&["TIME"])).await? {
            let theirs = time(reply).ok_or_else(|| StoreError::refused(Cause::Unexpected))?;
            let distance = abs_diff(SystemTime::now(), theirs);
            if farthest.is_none_or(|(most, _)| distance > most) {
                farthest = Some((distance, theirs));
            }
        }
        farthest.map(|(_, time)| time).ok_or_else(|| StoreError::unavailable(Cause::NoClusterNode))
    }

    /// Sends a read command, in one round trip with the command for the refresh.
    async fn read<T>(
        &self,
        read: Cmd,
        key: &SessionKey,
        asked: &[&str],
        refresh: Refresh,
        kind: Kind<T>,
    ) -> Result<Lookup<Option<T>>, StoreError> {
        let second = match refresh {
            Refresh::No => {
                let mut exchange = self.query_exchange(key, &read).await?;
                let found = read_reply(take(&mut exchange.reply), kind.decode)?;
                return Ok(self.saw(key, exchange.lease(), asked, kind, found));
            }
            Refresh::To(expires_in) => expire_command(key, expires_in),
            Refresh::Below { .. } => command_of(&["PTTL", key.expose_secret()]),
        };
        let mut commands = Pipeline::with_capacity(2);
        commands.add_command(read).add_command(second);
        let reading = ReadPipeline { commands, refreshes: matches!(refresh, Refresh::To(_)) };
        let mut exchange = self.query_exchange(key, &reading).await?;
        let mut replies = take(&mut exchange.reply).into_iter();
        let found = read_reply(replies.next().unwrap_or_default(), kind.decode)?;
        let found = match self.saw(key, exchange.lease(), asked, kind, found) {
            Lookup::Found(found) => found,
            not_found => {
                if matches!((refresh, replies.next()), (Refresh::To(_), Some(Value::Int(1)))) {
                    self.restore_unawaited(key);
                }
                return Ok(not_found);
            }
        };
        match refresh {
            Refresh::No => Ok(Lookup::Found(found)),
            Refresh::To(_) => {
                refreshed(found, replies.next(), |cause| self.deployment.log_unrefreshed(cause))
                    .map(|found| self.void_if_gone(key, found))
            }
            Refresh::Below { below, expires_in } => {
                let left = expiry(replies.next())?;
                if left.is_below(below) {
                    self.refresh_unawaited(key, expires_in);
                }
                let is_missing = left == Expiry::Missing;
                Ok(self.void_if_gone(
                    key,
                    if is_missing { Lookup::Missing } else { Lookup::Found(found) },
                ))
            }
        }
    }

    /// Tells the near cache of the reply to a read command.
    fn saw<T>(
        &self,
        key: &SessionKey,
        lease: Option<&Lease>,
        asked: &[&str],
        kind: Kind<T>,
        found: Lookup<Option<T>>,
    ) -> Lookup<Option<T>> {
        if let Lookup::Found(found) = &found {
            let differs = |name: &str, kept: Option<&Bytes>| {
                (kind.differs)(asked, found.as_ref(), name, kept)
            };
            self.near_saw(key, lease, differs);
        }
        self.void_if_gone(key, found)
    }
}

/// A kind of read command.
struct Kind<T> {
    decode: fn(Value) -> Result<Option<T>, Cause>,
    /// Compares the result for the names that were asked for with the kept value of the field with
    /// this name.
    differs: fn(&[&str], Option<&T>, &str, Option<&Bytes>) -> bool,
}

const VALUE: Kind<Bytes> = Kind {
    decode: value,
    differs: |fields, found, name, kept| fields.contains(&name) && found != kept,
};
const VALUES: Kind<Vec<Option<Bytes>>> = Kind {
    decode: values,
    differs: |fields, found, name, kept| {
        values_differ(fields, found.map_or(&[], Vec::as_slice), name, kept)
    },
};
const PRESENCE: Kind<()> = Kind {
    decode: presence,
    differs: |fields, found, name, kept| {
        fields.contains(&name) && found.is_some() != kept.is_some()
    },
};
/// All fields whose names begin with a prefix. A kept field that is not among them is gone.
const FIELDS: Kind<Vec<(String, Bytes)>> = Kind {
    decode: fields,
    differs: |prefixes, found, name, kept| {
        let value = || found?.iter().find(|(field, _)| field == name).map(|(_, value)| value);
        prefixes.iter().any(|prefix| name.starts_with(prefix)) && value() != kept
    },
};

/// More fields than a session of 4 GiB has, because a field takes more than forty bytes. `HSCAN`
/// looks at so many fields in one step, and at ten times as many places in the server's table. A
/// server counts names and values, so twenty times the number has to fit in 31 bits.
const ALL_FIELDS: &str = "100000000";

/// Interprets the reply to the read command.
fn read_reply<T>(
    reply: Value,
    decode: fn(Value) -> Result<Option<T>, Cause>,
) -> Result<Lookup<Option<T>>, StoreError> {
    match reply {
        Value::ServerError(error) => dead_or_error((&error).into()),
        reply => decode(reply).map(Lookup::Found).map_err(StoreError::refused),
    }
}

/// The expiry of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expiry {
    Missing,
    /// A session without an expiry, created by another program.
    Unlimited,
    Limited(Duration),
}

impl Expiry {
    pub(super) fn time_left(self) -> Lookup<Duration> {
        match self {
            Self::Missing => Lookup::Missing,
            Self::Unlimited => Lookup::Found(Duration::MAX),
            Self::Limited(left) => Lookup::Found(left),
        }
    }

    pub(super) fn is_below(self, threshold: Duration) -> bool {
        match self {
            Self::Missing => false,
            Self::Unlimited => true,
            Self::Limited(left) => left < threshold,
        }
    }
}

/// Interprets the reply of `PTTL`.
pub(super) fn expiry(reply: Option<Value>) -> Result<Expiry, StoreError> {
    match reply {
        Some(Value::Int(-2)) => Ok(Expiry::Missing),
        Some(Value::Int(-1)) => Ok(Expiry::Unlimited),
        Some(Value::Int(left)) => Ok(Expiry::Limited(Duration::from_millis(left.unsigned_abs()))),
        Some(Value::ServerError(error)) => Err(Code::from(&error).into()),
        _ => Err(StoreError::refused(Cause::Unexpected)),
    }
}

/// Interprets the replies of `HEXISTS` and `PTTL`.
pub(super) fn time_left(
    presence: Option<Value>,
    left: Option<Value>,
) -> Result<Lookup<Duration>, StoreError> {
    if let Some(Value::ServerError(error)) = presence {
        return dead_or_error((&error).into());
    }
    Ok(expiry(left)?.time_left())
}

/// Returns the result of a read, given the reply of the `PEXPIRE`.
///
/// If the server currently accepts no writes, a value that was found is still returned. If no value
/// was found, the session may be missing, so the result is an error.
fn refreshed<T>(
    found: Option<T>,
    reply: Option<Value>,
    log_unrefreshed: impl FnOnce(&Cause),
) -> Result<Lookup<Option<T>>, StoreError> {
    match reply {
        Some(Value::Int(1)) => Ok(Lookup::Found(found)),
        Some(Value::Int(0)) => Ok(Lookup::Missing),
        Some(Value::ServerError(error)) => {
            let code = Code::from(&error);
            if found.is_none() || !code.refuses_only_writes() {
                return Err(code.into());
            }
            log_unrefreshed(&Cause::Server(code));
            Ok(Lookup::Found(found))
        }
        _ => Err(StoreError::refused(Cause::Unexpected)),
    }
}

pub(super) fn value(reply: Value) -> Result<Option<Bytes>, Cause> {
    match reply {
        Value::BulkString(value) => Ok(Some(value.into())),
        Value::Nil => Ok(None),
        _ => Err(Cause::Unexpected),
    }
}

/// Returns `None` if no field was found. The session may be missing then.
fn values(reply: Value) -> Result<Option<Vec<Option<Bytes>>>, Cause> {
    let Value::Array(replies) = reply else { return Err(Cause::Unexpected) };
    let values: Vec<_> = replies.into_iter().map(value).collect::<Result<_, _>>()?;
    Ok(values.iter().any(Option::is_some).then_some(values))
}

/// Returns `None` if no field was found. The session may be missing then.
///
/// Leaves out the fields of the store itself, and names of other programs that are not UTF-8.
fn fields(reply: Value) -> Result<Option<Vec<(String, Bytes)>>, Cause> {
    let (cursor, found) = scanned(reply).ok_or(Cause::Unexpected)?;
    // There are more fields. A part of them is no answer.
    if cursor != BEGINNING {
        return Err(Cause::Unexpected);
    }
    let any = !found.is_empty();
    let mut fields = Vec::with_capacity(found.len() / 2);
    let mut found = found.into_iter();
    while let Some(name) = found.next() {
        let (Value::BulkString(name), Some(Value::BulkString(value))) = (name, found.next()) else {
            return Err(Cause::Unexpected);
        };
        match String::from_utf8(name) {
            Ok(name) if name != LABEL_FIELD => fields.push((name, value.into())),
            _ => {}
        }
    }
    Ok(any.then_some(fields))
}

fn presence(reply: Value) -> Result<Option<()>, Cause> {
    match reply {
        Value::Int(1) => Ok(Some(())),
        Value::Int(0) => Ok(None),
        _ => Err(Cause::Unexpected),
    }
}

#[cfg(test)]
mod tests {
    use redis::parse_redis_value;

    use super::*;

    #[test]
    fn a_part_of_the_fields_is_no_answer() {
        let text = |name: &str, value: &str| (name.to_owned(), Bytes::from(value.to_owned()));
        for (reply, read) in [
            ("*2\r\n$1\r\n0\r\n*0\r\n", Some(None)),
            ("*2\r\n$1\r\n0\r\n*2\r\n$1\r\na\r\n$1\r\n1\r\n", Some(Some(vec![text("a", "1")]))),
            // The session has a label alone.
            ("*2\r\n$1\r\n0\r\n*2\r\n$1\r\n\0\r\n$2\r\n{}\r\n", Some(Some(vec![]))),
            ("*2\r\n$1\r\n7\r\n*2\r\n$1\r\na\r\n$1\r\n1\r\n", None),
            ("*2\r\n$1\r\n7\r\n*0\r\n", None),
            ("*2\r\n$1\r\n0\r\n*1\r\n$1\r\na\r\n", None),
            ("*2\r\n$1\r\n0\r\n*2\r\n$1\r\na\r\n$-1\r\n", None),
            ("*1\r\n$1\r\n0\r\n", None),
            ("*2\r\n:0\r\n*0\r\n", None),
            ("+OK\r\n", None),
        ] {
            let value = parse_redis_value(reply.as_bytes()).unwrap();
            assert_eq!(fields(value).ok(), read, "{reply}");
        }
    }

    #[test]
    fn all_kept_fields_under_a_prefix_are_compared() {
        let found = vec![("p.a".to_owned(), Bytes::from("1"))];
        let [one, two] = [Bytes::from("1"), Bytes::from("2")];
        for (name, kept, differs) in [
            ("p.a", Some(&one), false),
            ("p.a", Some(&two), true),
            ("p.a", None, true),
            ("p.b", Some(&one), true),
            ("p.b", None, false),
            ("q.a", Some(&two), false),
        ] {
            assert_eq!((FIELDS.differs)(&["p."], Some(&found), name, kept), differs, "{name}");
        }
        assert!((FIELDS.differs)(&["p."], None, "p.a", Some(&one)));
    }
}
