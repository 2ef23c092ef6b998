//! Requests to a server, which consist of one command or of several commands sent together.

use std::sync::Arc;

use redis::aio::MultiplexedConnection;
use redis::{Cmd, Pipeline, RedisResult, Value};

use crate::store::redis::cause::{Cause, Code};
use crate::store::redis::near::Lease;
use crate::store::redis::net::connection::LiveConnection;

/// Commands that are sent together. All commands name the same key, or keys of the same slot.
pub(crate) trait Request: Sync {
    type Reply: Send;

    /// The request only reads, or changes nothing more if carried out again.
    const IS_IDEMPOTENT: bool = false;

    /// Sends the request on a connection. With `is_asking`, the slot is still migrating to the
    /// node, so each command is sent behind an `ASKING`.
    fn send_on(
        &self,
        connection: &mut MultiplexedConnection,
        is_asking: bool,
    ) -> impl Future<Output = RedisResult<Self::Reply>> + Send;

    /// Returns the replies that show whether the request was carried out.
    fn deciding_replies(reply: &Self::Reply) -> &[Value];

    /// Returns whether a replica always refuses a part of the request. The replies then show
    /// whether the server is the master.
    fn needs_master(&self) -> bool {
        false
    }

    /// Returns whether the replies show that the server is the master.
    fn proves_master(&self, _reply: &Self::Reply) -> bool {
        false
    }

    /// Returns whether any reply shows that the server is currently not the master.
    fn denies_master(reply: &Self::Reply) -> bool {
        denies_master(Self::deciding_replies(reply))
    }

    /// Returns the first error that asks for a retry, on another server or later on the same
    /// server.
    fn retryable_code(reply: &Self::Reply) -> Option<Code> {
        Self::deciding_replies(reply)
            .iter()
            .filter_map(Code::in_reply)
            .find(|code| code.is_retryable())
    }
}

/// A reply, and the connection that the reply came from.
pub(crate) struct Exchange<T> {
    pub(crate) reply: T,
    pub(crate) connection: Arc<LiveConnection>,
    /// Each command was sent behind an `ASKING`.
    pub(crate) was_asking: bool,
}

impl<T> Exchange<T> {
    /// Returns the time for which values from the connection count, if its server tells of changes.
    pub(crate) fn lease(&self) -> Option<&Lease> {
        self.connection.news.as_ref().map(|news| &**news.lease())
    }
}

/// The reason why a request got no reply.
#[derive(Debug)]
pub(crate) enum RequestError {
    /// The request was never handed to a connection.
    NotSent(Cause),
    /// The request was handed to a connection, and the outcome is unknown.
    NoReply(Cause),
}

impl Request for Cmd {
    type Reply = Value;

    async fn send_on(
        &self,
        connection: &mut MultiplexedConnection,
        is_asking: bool,
    ) -> RedisResult<Value> {
        if !is_asking {
            return connection.send_packed_command(self).await;
        }
        let replies = send_asking(connection, std::iter::once(self)).await?;
        Ok(replies.into_iter().next().unwrap_or_default())
    }

    fn deciding_replies(reply: &Value) -> &[Value] {
        std::slice::from_ref(reply)
    }
}

impl Request for Pipeline {
    type Reply = Vec<Value>;

    async fn send_on(
        &self,
        connection: &mut MultiplexedConnection,
        is_asking: bool,
    ) -> RedisResult<Vec<Value>> {
        if !is_asking {
            return connection.send_packed_commands(self, 0, self.len()).await;
        }
        send_asking(connection, self.cmd_iter()).await
    }

    fn deciding_replies(reply: &Vec<Value>) -> &[Value] {
        reply
    }
}

/// Commands that start with a write. The first command decides whether the request was carried out.
/// Later commands may fail on their own.
pub(crate) struct GuardedPipeline(pub(crate) Pipeline);

impl Request for GuardedPipeline {
    type Reply = Vec<Value>;

    async fn send_on(
        &self,
        connection: &mut MultiplexedConnection,
        is_asking: bool,
    ) -> RedisResult<Vec<Value>> {
        self.0.send_on(connection, is_asking).await
    }

    fn deciding_replies(reply: &Vec<Value>) -> &[Value] {
        reply.get(..1).unwrap_or_default()
    }

    fn needs_master(&self) -> bool {
        true
    }

    fn proves_master(&self, reply: &Vec<Value>) -> bool {
        matches!(reply.first(), Some(Value::Int(_)))
    }

    fn denies_master(reply: &Vec<Value>) -> bool {
        denies_master(reply)
    }
}

/// A read, followed by a command for the session's expiry.
pub(crate) struct ReadPipeline {
    pub(crate) commands: Pipeline,
    /// The second command is a write.
    pub(crate) refreshes: bool,
}

impl Request for ReadPipeline {
    type Reply = Vec<Value>;

    async fn send_on(
        &self,
        connection: &mut MultiplexedConnection,
        is_asking: bool,
    ) -> RedisResult<Vec<Value>> {
        self.commands.send_on(connection, is_asking).await
    }

    fn deciding_replies(reply: &Vec<Value>) -> &[Value] {
        reply
    }

    fn needs_master(&self) -> bool {
        self.refreshes
    }

    fn proves_master(&self, reply: &Vec<Value>) -> bool {
        self.refreshes && matches!(reply.get(1), Some(Value::Int(_)))
    }
}

/// The same request, marked as idempotent. The commands only read, or may be carried out twice.
pub(crate) struct Idempotent<'a, R>(pub(crate) &'a R);

impl<R: Request> Request for Idempotent<'_, R> {
    type Reply = R::Reply;

    const IS_IDEMPOTENT: bool = true;

    async fn send_on(
        &self,
        connection: &mut MultiplexedConnection,
        is_asking: bool,
    ) -> RedisResult<R::Reply> {
        self.0.send_on(connection, is_asking).await
    }

    fn deciding_replies(reply: &R::Reply) -> &[Value] {
        R::deciding_replies(reply)
    }

    fn needs_master(&self) -> bool {
        self.0.needs_master()
    }

    fn proves_master(&self, reply: &R::Reply) -> bool {
        self.0.proves_master(reply)
    }

    fn denies_master(reply: &R::Reply) -> bool {
        R::denies_master(reply)
    }
}

fn denies_master(replies: &[Value]) -> bool {
    replies.iter().filter_map(Code::in_reply).any(Code::is_not_master)
}

/// Sends each command behind an `ASKING`, which only affects the next command.
async fn send_asking(
    connection: &mut MultiplexedConnection,
    commands: impl Iterator<Item = &Cmd> + Send,
) -> RedisResult<Vec<Value>> {
    let mut asking = Pipeline::new();
    for command in commands {
        asking.cmd("ASKING").add_command(command.clone());
    }
    let replies = connection.send_packed_commands(&asking, 0, asking.len()).await?;
    Ok(replies.into_iter().skip(1).step_by(2).collect())
}

#[cfg(test)]
mod tests {
    use redis::parse_redis_value;

    use super::*;

    #[test]
    fn completed_commands_are_not_resent_because_of_later_ones() {
        let moved = || parse_redis_value(b"-MOVED 1 h:1\r\n").unwrap();
        assert_eq!(GuardedPipeline::retryable_code(&vec![Value::Int(1), moved()]), None);
        assert_eq!(
            GuardedPipeline::retryable_code(&vec![moved(), Value::Int(0)]),
            Some(Code::Moved)
        );
        assert_eq!(Pipeline::retryable_code(&vec![Value::Int(1), moved()]), Some(Code::Moved));
    }
}
