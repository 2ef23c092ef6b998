//! Sessions on one Redis or Valkey server.

mod builder;
mod cause;
mod link;

pub use builder::RedisStoreBuilder;

use std::fmt;
use std::sync::LazyLock;
use std::time::Duration;

use ::redis::{Cmd, Pipeline, Script, Value};
use bytes::Bytes;

use self::cause::{Cause, Code};
use self::link::{Fault, Link};
use super::{BoxFuture, Change, Lookup, SessionKey, SessionStore, StoreError, Write, WriteMode};
use crate::error::Error;

/// Sessions on one Redis or Valkey server, over TCP or a unix socket.
///
/// A session is a hash: `PREFIX:sessions:{TAG}REST`. Clones share one connection, on which the requests of all of them travel together. It
/// is made again by itself when it is lost; while the server is away, operations fail at once or within their deadline.
#[derive(Clone)]
pub struct RedisStore {
    link: Link,
}

static WRITE: LazyLock<Script> = LazyLock::new(|| Script::new(WRITE_SOURCE));
const WRITE_SOURCE: &str = include_str!("scripts/write.lua");
const SCRIPTS: &[&str] = &[WRITE_SOURCE];

impl RedisStore {
    /// Connects to the server at `redis://[[user]:password@]host[:port][/database]` or `redis+unix:///path/to/socket[?db=…&user=…&pass=…]`.
    ///
    /// # Errors
    ///
    /// [`Error::is_config`] if the URL cannot be used or the server refuses user, password or database; [`Error::is_unavailable`] if no
    /// server answers there within the deadline.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example() -> Result<(), session_runtime::Error> {
    /// use session_runtime::RedisStore;
    ///
    /// let store = RedisStore::connect("redis://127.0.0.1:6379/0").await?;
    /// # let _ = store;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn connect(url: &str) -> Result<Self, Error> {
        Self::builder(url).connect().await
    }

    /// Settings beyond the URL.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example() -> Result<(), session_runtime::Error> {
    /// use std::time::Duration;
    /// use session_runtime::RedisStore;
    ///
    /// let store = RedisStore::builder("redis://127.0.0.1").timeout(Duration::from_millis(300)).connect().await?;
    /// # let _ = store;
    /// # Ok(())
    /// # }
    /// ```
    pub fn builder(url: &str) -> RedisStoreBuilder {
        RedisStoreBuilder::new(url)
    }

    pub(crate) async fn get_field(
        &self,
        key: &SessionKey,
        field: &str,
        refresh: Option<Duration>,
    ) -> Result<Lookup<Option<Bytes>>, StoreError> {
        self.read("HGET", key, field, refresh, value).await
    }

    pub(crate) async fn contains_field(
        &self,
        key: &SessionKey,
        field: &str,
        refresh: Option<Duration>,
    ) -> Result<Lookup<bool>, StoreError> {
        let found = self.read("HEXISTS", key, field, refresh, presence).await?;
        Ok(match found {
            Lookup::Found(presence) => Lookup::Found(presence.is_some()),
            Lookup::Missing => Lookup::Missing,
            Lookup::Dead => Lookup::Dead,
        })
    }

    pub(crate) async fn write_fields(
        &self,
        key: &SessionKey,
        write: Write<'_>,
    ) -> Result<Lookup<u64>, StoreError> {
        let deadline = self.link.deadline();
        let mut reply =
            self.link.command(&write_command("EVALSHA", WRITE.get_hash(), key, &write), deadline).await;
        if matches!(&reply, Ok(Value::ServerError(error)) if Code::from(error) == Code::NoScript) {
            // The server was started anew, or its scripts were flushed. It did nothing: the one reply after which a write is sent again.
            reply = self.link.command(&write_command("EVAL", WRITE_SOURCE, key, &write), deadline).await;
        }
        match reply.map_err(write_fault)? {
            Value::Int(-1) => Ok(Lookup::Missing),
            Value::Int(removed) => Ok(Lookup::Found(removed.unsigned_abs())),
            Value::ServerError(error) => dead_or_failed((&error).into()),
            _ => Err(StoreError::outcome_unknown(Cause::Unexpected)),
        }
    }

    /// One read command; with the expiry refreshed, in one trip, if that is asked for.
    async fn read<T>(
        &self,
        command: &str,
        key: &SessionKey,
        field: &str,
        refresh: Option<Duration>,
        decode: fn(Value) -> Result<Option<T>, Cause>,
    ) -> Result<Lookup<Option<T>>, StoreError> {
        let key = key.expose_secret();
        let mut commands = Pipeline::with_capacity(2);
        commands.add_command(command_of(&[command, key, field]));
        if let Some(refresh) = refresh {
            let lifetime = milliseconds(refresh);
            commands.add_command(command_of(&["PEXPIRE", key, itoa::Buffer::new().format(lifetime)]));
        }
        let mut replies = self.ask(&commands).await?.into_iter();
        let found = match replies.next() {
            Some(Value::ServerError(error)) => return dead_or_failed((&error).into()),
            reply => decode(reply.unwrap_or_default()).map_err(StoreError::refused)?,
        };
        match replies.next() {
            None | Some(Value::Int(1)) => Ok(Lookup::Found(found)),
            Some(Value::Int(0)) => Ok(Lookup::Missing),
            Some(Value::ServerError(error)) => unrefreshed(found, (&error).into()),
            Some(_) => Err(StoreError::refused(Cause::Unexpected)),
        }
    }

    /// Sends what only reads, or may be done twice; once more if the connection broke: a server that closes idle connections, or was
    /// started anew, is not worth an error.
    async fn ask(&self, commands: &Pipeline) -> Result<Vec<Value>, StoreError> {
        let deadline = self.link.deadline();
        let mut replies = self.link.pipeline(commands, deadline).await;
        if matches!(replies, Err(Fault::NoReply(Cause::Lost))) {
            replies = self.link.pipeline(commands, deadline).await;
        }
        replies.map_err(|(Fault::NotSent(cause) | Fault::NoReply(cause))| StoreError::unavailable(cause))
    }
}

/// A value that was there is served by a server that takes no writes now; of what was not there, it is unknown whether the session is.
fn unrefreshed<T>(found: Option<T>, code: Code) -> Result<Lookup<Option<T>>, StoreError> {
    if found.is_none() || !code.stops_writes_alone() {
        return Err(code.into());
    }
    tracing::warn!(%code, "a session was read, but its expiry was not refreshed");
    Ok(Lookup::Found(found))
}

/// Commands on a tombstone answer `WRONGTYPE`: it is a string, not a hash.
fn dead_or_failed<T>(code: Code) -> Result<Lookup<T>, StoreError> {
    if code == Code::WrongType { Ok(Lookup::Dead) } else { Err(code.into()) }
}

fn write_fault(fault: Fault) -> StoreError {
    match fault {
        Fault::NotSent(cause) => StoreError::unavailable(cause),
        Fault::NoReply(cause) => StoreError::outcome_unknown(cause),
    }
}

fn value(reply: Value) -> Result<Option<Bytes>, Cause> {
    match reply {
        Value::BulkString(value) => Ok(Some(value.into())),
        Value::Nil => Ok(None),
        _ => Err(Cause::Unexpected),
    }
}

fn presence(reply: Value) -> Result<Option<()>, Cause> {
    match reply {
        Value::Int(1) => Ok(Some(())),
        Value::Int(0) => Ok(None),
        _ => Err(Cause::Unexpected),
    }
}

fn command_of(words: &[&str]) -> Cmd {
    begin_command(words, 0, 0)
}

/// A command's first words, with room for more.
fn begin_command(words: &[&str], more_words: usize, more_bytes: usize) -> Cmd {
    let bytes: usize = words.iter().map(|word| word.len()).sum();
    let mut command = Cmd::with_capacity(words.len() + more_words, bytes + more_bytes);
    for word in words {
        command.arg(word);
    }
    command
}

/// The write script's invocation; see there for the order of the arguments.
fn write_command(command: &str, script: &str, key: &SessionKey, write: &Write<'_>) -> Cmd {
    const HEAD_BYTES: usize = 24;
    let removals = write.changes.iter().filter(|change| matches!(change, Change::Remove { .. })).count();
    let bytes: usize = write.changes.iter().map(length).sum();
    let words = [command, script, "1", key.expose_secret()];
    let mut command = begin_command(&words, 3 + 2 * write.changes.len(), HEAD_BYTES + bytes);
    command.arg(milliseconds(write.expires_in)).arg(u8::from(write.mode == WriteMode::Create)).arg(removals);
    for change in write.changes {
        if let Change::Remove { field } = change {
            command.arg(field);
        }
    }
    for change in write.changes {
        if let Change::Set { field, value } = change {
            command.arg(field).arg(&value[..]);
        }
    }
    command
}

fn length(change: &Change<'_>) -> usize {
    match change {
        Change::Set { field, value } => field.len() + value.len(),
        Change::Remove { field } => field.len(),
    }
}

/// At least one: an expiry of zero would delete the session. At most what the server's clock can carry.
fn milliseconds(duration: Duration) -> u64 {
    const MOST: u64 = 1 << 50;
    u64::try_from(duration.as_millis()).unwrap_or(MOST).clamp(1, MOST)
}

impl SessionStore for RedisStore {
    fn get<'a>(
        &'a self,
        key: &'a SessionKey,
        field: &'a str,
        refresh: Option<Duration>,
    ) -> BoxFuture<'a, Result<Lookup<Option<Bytes>>, StoreError>> {
        Box::pin(self.get_field(key, field, refresh))
    }

    fn contains<'a>(
        &'a self,
        key: &'a SessionKey,
        field: &'a str,
        refresh: Option<Duration>,
    ) -> BoxFuture<'a, Result<Lookup<bool>, StoreError>> {
        Box::pin(self.contains_field(key, field, refresh))
    }

    fn write<'a>(
        &'a self,
        key: &'a SessionKey,
        write: Write<'a>,
    ) -> BoxFuture<'a, Result<Lookup<u64>, StoreError>> {
        Box::pin(self.write_fields(key, write))
    }
}

/// Shows the server's address; user and password are kept out.
impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStore").field("address", &self.link.address()).finish_non_exhaustive()
    }
}
