//! The Redis commands. The connection has the same settings as a connection of session-runtime.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::io::tcp::TcpSettings;
use redis::{
    AsyncConnectionConfig, Client, FromRedisValue, IntoConnectionInfo, ProtocolVersion, PushInfo,
    RedisResult, Script, ToRedisArgs, Value,
};

use super::Guard;
use super::cookie::Id;
use super::near::Near;
use crate::Failure;
use crate::server::IDLE_SECONDS;

const TIMEOUT: Duration = Duration::from_secs(1);
const IDLE: u64 = 1000 * IDLE_SECONDS;
const TOMBSTONE: u64 = 300_000;
const WRITE: &str =
    include_str!("../../../../session-runtime/src/store/redis/commands/scripts/write.lua");
const ROTATE: &str = concat!(
    "local keeps_indexes = false\n",
    include_str!("../../../../session-runtime/src/store/redis/commands/scripts/rotate.lua")
);
const ROTATE_LISTED: &str = concat!(
    "local sets_last = true\n",
    include_str!("../../../../session-runtime/src/store/redis/commands/scripts/index_list.lua"),
    include_str!("../../../../session-runtime/src/store/redis/commands/scripts/index_before.lua"),
    include_str!("../../../../session-runtime/src/store/redis/commands/scripts/rotate.lua"),
    include_str!("../../../../session-runtime/src/store/redis/commands/scripts/index_after.lua")
);
const LOG_IN: &str = include_str!("log_in.lua");
/// Absolute lifetime of a session.
const MOST: u64 = 30 * 86_400_000;

pub(super) async fn connect(redis: &str) -> Result<MultiplexedConnection, Failure> {
    connect_with(redis, settings()).await
}

/// Like [`connect()`], with the near cache, which gets the news of the server.
pub(super) async fn connect_near(
    redis: &str,
    near: Arc<Near>,
) -> Result<MultiplexedConnection, Failure> {
    let take = move |news: PushInfo| {
        near.take(&news);
        Ok::<_, Infallible>(())
    };
    let mut connection = connect_with(redis, settings().set_push_sender(take)).await?;
    let mut command = redis::cmd("CLIENT");
    command.arg("TRACKING").arg("ON").arg("OPTIN").exec_async(&mut connection).await?;
    Ok(connection)
}

fn settings() -> AsyncConnectionConfig {
    AsyncConnectionConfig::new().set_connection_timeout(None).set_response_timeout(Some(TIMEOUT))
}

async fn connect_with(
    redis: &str,
    config: AsyncConnectionConfig,
) -> Result<MultiplexedConnection, Failure> {
    let info = format!("redis://{redis}").into_connection_info()?;
    let settings = info.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
    let info = info
        .set_redis_settings(settings)
        .set_tcp_settings(TcpSettings::default().set_nodelay(true));
    Ok(Client::open(info)?.get_multiplexed_async_connection_with_config(&config).await?)
}

/// Creates a session, with the permanent field that session-runtime stores too.
pub(super) async fn begin(
    connection: &mut MultiplexedConnection,
    key: &str,
    fields: &[(&str, &str)],
) -> RedisResult<()> {
    let mut pipeline = redis::pipe();
    pipeline.cmd("HSET").arg(key).arg("").arg("").arg(fields);
    pipeline.cmd("PEXPIRE").arg(key).arg(IDLE);
    pipeline.exec_async(connection).await
}

/// The first read of a request, which also extends the session. Returns `None` if there is no
/// session.
pub(super) async fn first_read<T: FromRedisValue>(
    connection: &mut MultiplexedConnection,
    key: &str,
    field: &str,
) -> RedisResult<Option<T>> {
    let mut pipeline = redis::pipe();
    pipeline.cmd("HGET").arg(key).arg(field);
    pipeline.cmd("PEXPIRE").arg(key).arg(IDLE).ignore();
    match pipeline.query_async(connection).await {
        Ok((value,)) => Ok(value),
        // A tombstone: the session has ended.
        Err(error) if error.to_string().contains("WRONGTYPE") => Ok(None),
        Err(error) => Err(error),
    }
}

/// Like [`first_read`], for several fields.
pub(super) async fn first_reads<T: FromRedisValue>(
    connection: &mut MultiplexedConnection,
    key: &str,
    fields: &[&str],
) -> RedisResult<T> {
    let mut pipeline = redis::pipe();
    pipeline.cmd("HMGET").arg(key).arg(fields);
    pipeline.cmd("PEXPIRE").arg(key).arg(IDLE).ignore();
    let (values,) = pipeline.query_async(connection).await?;
    Ok(values)
}

/// A further read.
pub(super) async fn read<T: FromRedisValue>(
    connection: &mut MultiplexedConnection,
    key: &str,
    field: &str,
) -> RedisResult<Option<T>> {
    redis::cmd("HGET").arg(key).arg(field).query_async(connection).await
}

/// A read for the near cache, with the rest of the session's lifetime. The lifetime is `None` if
/// there is no session.
pub(super) async fn tracked_read(
    connection: &mut MultiplexedConnection,
    key: &str,
    fields: &[&str],
) -> RedisResult<(Vec<Value>, Option<Duration>)> {
    let mut pipeline = redis::pipe();
    pipeline.cmd("CLIENT").arg("CACHING").arg("YES").ignore();
    pipeline.cmd("HMGET").arg(key).arg(fields);
    pipeline.cmd("PTTL").arg(key);
    match pipeline.query_async::<(Vec<Value>, i64)>(connection).await {
        Ok((values, millis)) => Ok((values, u64::try_from(millis).ok().map(Duration::from_millis))),
        // A tombstone: the session has ended.
        Err(error) if error.to_string().contains("WRONGTYPE") => {
            Ok((vec![Value::Nil; fields.len()], None))
        }
        Err(error) => Err(error),
    }
}

/// Extends the session in the background, if a tenth of the idle timeout has passed. Each extension
/// voids the copies of the session in all processes.
pub(super) fn extend_if_due(connection: &MultiplexedConnection, key: &str, expires_in: Duration) {
    if expires_in >= Duration::from_millis(IDLE / 10 * 9) {
        return;
    }
    let (mut connection, key) = (connection.clone(), key.to_owned());
    tokio::spawn(async move {
        // The next read tries again.
        let _ = redis::cmd("PEXPIRE").arg(key).arg(IDLE).exec_async(&mut connection).await;
    });
}

/// The way in which a session is changed.
pub(super) enum Writes {
    Plain {
        log_in: String,
    },
    /// Like session-runtime: with the scripts, by hash, and with `HSETEX` if the server has this
    /// command.
    Guarded {
        overwrites: bool,
        write: String,
        rotate: String,
        rotate_listed: String,
    },
}

impl Writes {
    pub(super) async fn prepare(
        guard: Guard,
        connection: &mut MultiplexedConnection,
    ) -> RedisResult<Self> {
        for script in [WRITE, ROTATE, ROTATE_LISTED, LOG_IN] {
            redis::cmd("SCRIPT").arg("LOAD").arg(script).exec_async(connection).await?;
        }
        let [write, rotate, rotate_listed, log_in] = [WRITE, ROTATE, ROTATE_LISTED, LOG_IN]
            .map(|script| Script::new(script).get_hash().to_owned());
        if guard == Guard::None {
            return Ok(Self::Plain { log_in });
        }
        let nothing = ["none", "FXX", "FIELDS", "1", "", ""];
        let overwrites = redis::cmd("HSETEX").arg(&nothing).exec_async(connection).await.is_ok();
        Ok(Self::Guarded { overwrites, write, rotate, rotate_listed })
    }

    /// The first write of a request, without a read before. Also extends the session.
    pub(super) async fn first_write(
        &self,
        connection: &mut MultiplexedConnection,
        key: &str,
        field: &str,
        value: impl ToRedisArgs,
    ) -> RedisResult<()> {
        match self {
            Self::Plain { .. } => {
                let mut pipeline = redis::pipe();
                pipeline.cmd("HSET").arg(key).arg(field).arg(value);
                pipeline.cmd("PEXPIRE").arg(key).arg(IDLE);
                pipeline.exec_async(connection).await
            }
            Self::Guarded { write, .. } => run_write(connection, write, key, field, value).await,
        }
    }

    /// A write after a read of another field.
    pub(super) async fn write_unread(
        &self,
        connection: &mut MultiplexedConnection,
        key: &str,
        field: &str,
        value: impl ToRedisArgs,
    ) -> RedisResult<()> {
        match self {
            Self::Plain { .. } => self.write(connection, key, field, value).await,
            Self::Guarded { write, .. } => run_write(connection, write, key, field, value).await,
        }
    }

    /// A write after a read of the same field.
    pub(super) async fn write(
        &self,
        connection: &mut MultiplexedConnection,
        key: &str,
        field: &str,
        value: impl ToRedisArgs,
    ) -> RedisResult<()> {
        match self {
            // The read has set the expiry, and `HSET` keeps the expiry.
            Self::Plain { .. } => {
                redis::cmd("HSET").arg(key).arg(field).arg(value).exec_async(connection).await
            }
            // A field that was read exists. Servers with `HSETEX` need no script.
            Self::Guarded { overwrites: true, .. } => {
                overwrite(connection, key, field, value).await
            }
            Self::Guarded { write, .. } => run_write(connection, write, key, field, value).await,
        }
    }

    /// Moves a session to a new id, and writes a field.
    pub(super) async fn move_and_write(
        &self,
        connection: &mut MultiplexedConnection,
        id: &Id,
        successor: &Id,
        field: &str,
        value: &str,
    ) -> RedisResult<()> {
        let (key, successor_key) = (id.key(), successor.key());
        match self {
            Self::Plain { .. } => {
                let mut pipeline = redis::pipe();
                pipeline.cmd("RENAME").arg(&key).arg(&successor_key);
                pipeline.cmd("HSET").arg(&successor_key).arg(field).arg(value);
                pipeline.cmd("PEXPIRE").arg(&successor_key).arg(IDLE);
                pipeline.exec_async(connection).await
            }
            // Removes nothing, gives no field an expiry, and keeps all fields.
            Self::Guarded { rotate, .. } => {
                let mut command = redis::cmd("EVALSHA");
                command.arg(rotate).arg(2).arg(&key).arg(&successor_key);
                command.arg(successor.as_str()).arg(IDLE).arg(TOMBSTONE).arg("rotated");
                command.arg(0).arg(0).arg(-1).arg(field).arg(value);
                let moved: i64 = command.query_async(connection).await?;
                expect_there(moved == 1)
            }
        }
    }

    /// Moves a visitor's session to a new id and into the list of a user, and keeps only the user.
    pub(super) async fn log_in(
        &self,
        connection: &mut MultiplexedConnection,
        id: &Id,
        successor: &Id,
        field: &str,
        user: u64,
    ) -> RedisResult<()> {
        let (key, successor_key) = (id.key(), successor.key());
        let list = format!("han:sessions:by:account-{user}");
        let mut command = redis::cmd("EVALSHA");
        match self {
            // The same guarantees for this one case.
            Self::Plain { log_in } => {
                command.arg(log_in).arg(3).arg(&key).arg(&successor_key).arg(&list);
                command.arg(successor.as_str()).arg(id.as_str()).arg(IDLE).arg(TOMBSTONE);
                command.arg(MOST).arg(field).arg(user);
            }
            // The scripts of session-runtime.
            Self::Guarded { rotate_listed, .. } => {
                command.arg(rotate_listed).arg(3).arg(&key).arg(&successor_key).arg(&list);
                command.arg(2).arg(successor.as_str()).arg("").arg(MOST).arg("").arg("").arg(1);
                command.arg(field).arg(field).arg(3).arg("account").arg(1).arg(user);
                command.arg("").arg("").arg("").arg("");
                command.arg(successor.as_str()).arg(IDLE).arg(TOMBSTONE).arg("renewed");
                command.arg(0).arg(0).arg(0).arg(field).arg(user);
            }
        }
        let moved: i64 = command.query_async(connection).await?;
        expect_there(moved == 1)
    }
}

async fn overwrite(
    connection: &mut MultiplexedConnection,
    key: &str,
    field: &str,
    value: impl ToRedisArgs,
) -> RedisResult<()> {
    let mut pipeline = redis::pipe();
    pipeline.cmd("HSETEX").arg(key).arg(&["FXX", "FIELDS", "2", "", ""]).arg(field).arg(value);
    pipeline.cmd("PEXPIRE").arg(key).arg(IDLE).ignore();
    let (overwritten,): (i64,) = pipeline.query_async(connection).await?;
    expect_there(overwritten == 1)
}

async fn run_write(
    connection: &mut MultiplexedConnection,
    script: &str,
    key: &str,
    field: &str,
    value: impl ToRedisArgs,
) -> RedisResult<()> {
    let mut command = redis::cmd("EVALSHA");
    // Writes only if the session exists. Removes nothing, and gives no field an expiry.
    command.arg(script).arg(1).arg(key).arg(IDLE).arg(0).arg(0).arg(0).arg(field).arg(value);
    let removed: i64 = command.query_async(connection).await?;
    expect_there(removed >= 0)
}

fn expect_there(is_there: bool) -> RedisResult<()> {
    if is_there {
        Ok(())
    } else {
        Err((redis::ErrorKind::UnexpectedReturnType, "the session has ended").into())
    }
}
