//! What reads: plain commands in one pipeline.

use std::error::Error;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use redis::{Cmd, Pipeline, Value};

use crate::background;
use crate::clock::abs_diff;
use crate::store::redis::RedisStore;
use crate::store::redis::cause::{Cause, Code};
use crate::store::redis::command::{Room, begin_command, command_of, expire_command};
use crate::store::redis::commands::script::RESTORE;
use crate::store::redis::dead_or_failed;
use crate::store::redis::net::link::Fault;
use crate::store::redis::net::node_connections::Lane;
use crate::store::redis::net::request::{Exchange, Led, Reading, Repeatable};
use crate::store::{Lookup, PERMANENT_FIELD, Refresh, SessionKey, StoreError};

impl RedisStore {
    pub(crate) async fn get_field(
        &self,
        key: &SessionKey,
        field: &str,
        refresh: Refresh,
    ) -> Result<Lookup<Option<Bytes>>, StoreError> {
        self.read(command_of(&["HGET", key.expose_secret(), field]), key, refresh, value).await
    }

    pub(crate) async fn get_fields(
        &self,
        key: &SessionKey,
        fields: &[&str],
        refresh: Refresh,
    ) -> Result<Lookup<Vec<Option<Bytes>>>, StoreError> {
        let bytes = fields.iter().map(|field| field.len()).sum();
        let room = Room { words: fields.len() + 1, bytes };
        let mut command = begin_command(&["HMGET", key.expose_secret()], room);
        for field in fields {
            command.arg(field);
        }
        if fields.is_empty() {
            command.arg(PERMANENT_FIELD);
        }
        Ok(match self.read(command, key, refresh, values).await? {
            Lookup::Found(None) => Lookup::Found(vec![None; fields.len()]),
            Lookup::Found(Some(mut values)) => {
                values.resize(fields.len(), None);
                Lookup::Found(values)
            }
            Lookup::Missing => Lookup::Missing,
            Lookup::Dead => Lookup::Dead,
        })
    }

    pub(crate) async fn contains_field(
        &self,
        key: &SessionKey,
        field: &str,
        refresh: Refresh,
    ) -> Result<Lookup<bool>, StoreError> {
        let found =
            self.read(command_of(&["HEXISTS", key.expose_secret(), field]), key, refresh, presence).await?;
        Ok(match found {
            Lookup::Found(presence) => Lookup::Found(presence.is_some()),
            Lookup::Missing => Lookup::Missing,
            Lookup::Dead => Lookup::Dead,
        })
    }

    pub(crate) async fn session_time_left(&self, key: &SessionKey) -> Result<Lookup<Duration>, StoreError> {
        let name = key.expose_secret();
        let mut commands = Pipeline::with_capacity(2);
        // `PTTL` alone would not tell a tombstone from a session.
        commands.add_command(command_of(&["HEXISTS", name, PERMANENT_FIELD]));
        commands.add_command(command_of(&["PTTL", name]));
        let mut replies = self.ask(key, &commands).await?.into_iter();
        if let Some(Value::ServerError(error)) = replies.next() {
            return dead_or_failed((&error).into());
        }
        Ok(match time_left(replies.next())? {
            TimeLeft::Missing => Lookup::Missing,
            TimeLeft::Unlimited => Lookup::Found(Duration::MAX),
            TimeLeft::Limited(left) => Lookup::Found(left),
        })
    }

    pub(crate) async fn time_left_of_field(
        &self,
        key: &SessionKey,
        field: &str,
    ) -> Result<Lookup<Option<Duration>>, StoreError> {
        let name = key.expose_secret();
        let asks_field = !self.servers.lacks_field_expiry(key);
        let mut commands = Pipeline::with_capacity(2);
        commands.add_command(if asks_field {
            command_of(&["HPTTL", name, "FIELDS", "1", field])
        } else {
            command_of(&["HEXISTS", name, field])
        });
        // What `HPTTL` says of a missing key depends on the server.
        commands.add_command(command_of(&["PTTL", name]));
        let mut replies = self.ask(key, &commands).await?.into_iter();
        let left = match replies.next() {
            Some(Value::ServerError(error)) => return dead_or_failed((&error).into()),
            Some(Value::Array(fields)) => fields.into_iter().next(),
            _ => None,
        };
        Ok(match (time_left(replies.next())?, left) {
            (TimeLeft::Missing, _) => Lookup::Missing,
            (_, Some(Value::Int(left @ 0..))) => {
                Lookup::Found(Some(Duration::from_millis(left.unsigned_abs())))
            }
            _ => Lookup::Found(None),
        })
    }

    /// Of several servers, that of the one whose time is farthest from ours.
    pub(crate) async fn server_time(&self) -> Result<SystemTime, StoreError> {
        let mut farthest: Option<(Duration, SystemTime)> = None;
        for reply in self.ask_each(&command_of(&["TIME"])).await? {
            let theirs = time(reply).ok_or_else(|| StoreError::refused(Cause::Unexpected))?;
            let distance = abs_diff(SystemTime::now(), theirs);
            if farthest.is_none_or(|(most, _)| distance > most) {
                farthest = Some((distance, theirs));
            }
        }
        farthest.map(|(_, time)| time).ok_or_else(|| StoreError::unavailable(Cause::NoClusterNode))
    }

    /// One read command; in one trip with whatever the refresh needs.
    async fn read<T>(
        &self,
        read: Cmd,
        key: &SessionKey,
        refresh: Refresh,
        decode: fn(Value) -> Result<Option<T>, Cause>,
    ) -> Result<Lookup<Option<T>>, StoreError> {
        let second = match refresh {
            Refresh::No => return read_of(self.ask(key, &read).await?, decode),
            Refresh::To(expires_in) => expire_command(key, expires_in),
            Refresh::Below { .. } => command_of(&["PTTL", key.expose_secret()]),
        };
        let mut commands = Pipeline::with_capacity(2);
        commands.add_command(read).add_command(second);
        let reading = Reading { commands, refreshes: matches!(refresh, Refresh::To(_)) };
        let mut replies = self.ask(key, &reading).await?.into_iter();
        let found = match read_of(replies.next().unwrap_or_default(), decode)? {
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
            Refresh::To(_) => refreshed(found, replies.next(), |cause| self.servers.tell_unrefreshed(cause)),
            Refresh::Below { below, expires_in } => {
                let left = time_left(replies.next())?;
                if left.is_below(below) {
                    self.refresh_unawaited(key, expires_in);
                }
                Ok(if left == TimeLeft::Missing { Lookup::Missing } else { Lookup::Found(found) })
            }
        }
    }

    /// In the background: the reader does not wait for it, and neither a reader that is dropped nor a runtime that is parked takes it along.
    /// What ended meanwhile gets its own end back.
    fn refresh_unawaited(&self, key: &SessionKey, expires_in: Duration) {
        let (store, key) = (self.clone(), key.clone());
        let mut commands = Pipeline::with_capacity(2);
        commands.add_command(expire_command(&key, expires_in));
        // Behind it: what it finds is what was refreshed, or what ended since.
        commands.add_command(command_of(&["HEXISTS", key.expose_secret(), PERMANENT_FIELD]));
        background::spawn(async move {
            let deadline = store.servers.deadline();
            match store.servers.exchange(&key, Lane::Aside, &Led(commands), deadline).await {
                Ok(replies) => {
                    match (replies.first().and_then(Code::of), replies.get(1).and_then(Code::of)) {
                        (None, Some(Code::WrongType)) => store.restore_unawaited(&key),
                        (Some(code), _) => store.servers.tell_unrefreshed(&Cause::Server(code)),
                        _ => {}
                    }
                }
                Err(Fault::NotSent(cause) | Fault::NoReply(cause)) => {
                    store.servers.tell_unrefreshed(&cause);
                }
            }
        });
    }

    /// Likewise: gives a tombstone, which this read took for a session, its own end back.
    pub(crate) fn restore_unawaited(&self, key: &SessionKey) {
        let (store, key) = (self.clone(), key.clone());
        background::spawn(async move {
            let error: StoreError = match store.run(&RESTORE, &key, None, Room::default(), |_| {}).await {
                Ok(Value::ServerError(error)) => Code::from(&error).into(),
                Ok(_) => return,
                Err(error) => error,
            };
            let cause = error.source().map(tracing::field::display);
            tracing::warn!(
                cause,
                "an ended session was used, and its tombstone stays for longer than it was to"
            );
        });
    }

    /// Sends what only reads, or may be done twice; once more if the connection broke: a server that closes idle connections, or was
    /// started anew, is not worth an error.
    pub(crate) async fn ask<E: Exchange>(
        &self,
        key: &SessionKey,
        commands: &E,
    ) -> Result<E::Reply, StoreError> {
        let (commands, deadline) = (Repeatable(commands), self.servers.deadline());
        let mut replies = self.servers.exchange(key, Lane::Own, &commands, deadline).await;
        if matches!(replies, Err(Fault::NoReply(Cause::Lost))) {
            replies = self.servers.exchange(key, Lane::Own, &commands, deadline).await;
        }
        replies.map_err(read_fault)
    }

    /// Asks every server the same. Of one that refuses to answer, that is the answer of all.
    pub(crate) async fn ask_each(&self, question: &Cmd) -> Result<Vec<Value>, StoreError> {
        let asked = self.servers.ask_each(question, Lane::Own, self.servers.deadline()).await;
        let replies = asked.map_err(read_fault)?;
        match replies.iter().find_map(Code::of) {
            Some(code) => Err(code.into()),
            None => Ok(replies),
        }
    }
}

pub(crate) fn read_fault((Fault::NotSent(cause) | Fault::NoReply(cause)): Fault) -> StoreError {
    StoreError::unavailable(cause)
}

/// The reply to the reading command itself.
fn read_of<T>(
    reply: Value,
    decode: fn(Value) -> Result<Option<T>, Cause>,
) -> Result<Lookup<Option<T>>, StoreError> {
    match reply {
        Value::ServerError(error) => dead_or_failed((&error).into()),
        reply => decode(reply).map(Lookup::Found).map_err(StoreError::refused),
    }
}

/// How long a key is kept, by its own account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TimeLeft {
    Missing,
    /// A session that another program began, and gave no expiry.
    Unlimited,
    Limited(Duration),
}

impl TimeLeft {
    fn is_below(self, threshold: Duration) -> bool {
        match self {
            Self::Missing => false,
            Self::Unlimited => true,
            Self::Limited(left) => left < threshold,
        }
    }
}

/// The reply of `PTTL`.
fn time_left(reply: Option<Value>) -> Result<TimeLeft, StoreError> {
    match reply {
        Some(Value::Int(-2)) => Ok(TimeLeft::Missing),
        Some(Value::Int(-1)) => Ok(TimeLeft::Unlimited),
        Some(Value::Int(left)) => Ok(TimeLeft::Limited(Duration::from_millis(left.unsigned_abs()))),
        Some(Value::ServerError(error)) => Err(Code::from(&error).into()),
        _ => Err(StoreError::refused(Cause::Unexpected)),
    }
}

/// What a read has found, by the reply of its `PEXPIRE`.
///
/// A value that was there is served by a server that takes no writes now; of what was not there, it is unknown whether the session is.
fn refreshed<T>(
    found: Option<T>,
    reply: Option<Value>,
    tell_unrefreshed: impl FnOnce(&Cause),
) -> Result<Lookup<Option<T>>, StoreError> {
    match reply {
        Some(Value::Int(1)) => Ok(Lookup::Found(found)),
        Some(Value::Int(0)) => Ok(Lookup::Missing),
        Some(Value::ServerError(error)) => {
            let code = Code::from(&error);
            if found.is_none() || !code.stops_writes_alone() {
                return Err(code.into());
            }
            tell_unrefreshed(&Cause::Server(code));
            Ok(Lookup::Found(found))
        }
        _ => Err(StoreError::refused(Cause::Unexpected)),
    }
}

fn value(reply: Value) -> Result<Option<Bytes>, Cause> {
    match reply {
        Value::BulkString(value) => Ok(Some(value.into())),
        Value::Nil => Ok(None),
        _ => Err(Cause::Unexpected),
    }
}

/// Nothing if none of them is there: it is not known then whether the session is.
fn values(reply: Value) -> Result<Option<Vec<Option<Bytes>>>, Cause> {
    let Value::Array(replies) = reply else { return Err(Cause::Unexpected) };
    let values: Vec<_> = replies.into_iter().map(value).collect::<Result<_, _>>()?;
    Ok(values.iter().any(Option::is_some).then_some(values))
}

fn presence(reply: Value) -> Result<Option<()>, Cause> {
    match reply {
        Value::Int(1) => Ok(Some(())),
        Value::Int(0) => Ok(None),
        _ => Err(Cause::Unexpected),
    }
}

/// The reply of `TIME`: seconds since 1970, and microseconds.
pub(crate) fn time(reply: Value) -> Option<SystemTime> {
    let (seconds, micros) = redis::from_redis_value(reply).ok()?;
    UNIX_EPOCH.checked_add(Duration::from_secs(seconds))?.checked_add(Duration::from_micros(micros))
}
