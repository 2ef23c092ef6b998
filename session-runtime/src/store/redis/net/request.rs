//! What is sent on a connection and answered: one command, or several in one go.

use redis::aio::MultiplexedConnection;
use redis::{Cmd, Pipeline, RedisResult, Value};

use crate::store::redis::cause::Code;

/// What goes out together. All of it names one key, or keys of one slot.
pub(crate) trait Exchange: Sync {
    type Reply: Send;

    /// It only reads, or changes nothing more when it is carried out again.
    const MAY_BE_REPEATED: bool = false;

    /// Hands it to the connection. `is_asking`: of a node that is only about to get the slot, which has to be told that this is known.
    fn send(
        &self,
        connection: &mut MultiplexedConnection,
        is_asking: bool,
    ) -> impl Future<Output = RedisResult<Self::Reply>> + Send;

    /// The replies that tell whether it was carried out.
    fn replies(reply: &Self::Reply) -> &[Value];

    /// Whether a replica always refuses a part of it, so that its replies tell whether the server is the master.
    fn needs_master(&self) -> bool {
        false
    }

    /// Whether they tell that it is.
    fn proves_master(&self, _reply: &Self::Reply) -> bool {
        false
    }

    /// Whether any reply tells that the server is not, or not now, the master.
    fn denies_master(reply: &Self::Reply) -> bool {
        denies_master(Self::replies(reply))
    }

    /// The first error that proves that another server, or the same one later, is to be asked.
    fn elsewhere(reply: &Self::Reply) -> Option<Code> {
        Self::replies(reply).iter().filter_map(Code::of).find(|code| code.sends_elsewhere())
    }
}

impl Exchange for Cmd {
    type Reply = Value;

    async fn send(&self, connection: &mut MultiplexedConnection, is_asking: bool) -> RedisResult<Value> {
        if !is_asking {
            return connection.send_packed_command(self).await;
        }
        let replies = send_asking(connection, std::iter::once(self)).await?;
        Ok(replies.into_iter().next().unwrap_or_default())
    }

    fn replies(reply: &Value) -> &[Value] {
        std::slice::from_ref(reply)
    }
}

impl Exchange for Pipeline {
    type Reply = Vec<Value>;

    async fn send(&self, connection: &mut MultiplexedConnection, is_asking: bool) -> RedisResult<Vec<Value>> {
        if !is_asking {
            return connection.send_packed_commands(self, 0, self.len()).await;
        }
        send_asking(connection, self.cmd_iter()).await
    }

    fn replies(reply: &Vec<Value>) -> &[Value] {
        reply
    }
}

/// Commands of which the first, which writes, decides whether anything was carried out: what follows it may fail by itself.
pub(crate) struct Led(pub(crate) Pipeline);

impl Exchange for Led {
    type Reply = Vec<Value>;

    async fn send(&self, connection: &mut MultiplexedConnection, is_asking: bool) -> RedisResult<Vec<Value>> {
        self.0.send(connection, is_asking).await
    }

    fn replies(reply: &Vec<Value>) -> &[Value] {
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

/// A read, and behind it what becomes of the session's expiry.
pub(crate) struct Reading {
    pub(crate) commands: Pipeline,
    /// The second command is one that writes.
    pub(crate) refreshes: bool,
}

impl Exchange for Reading {
    type Reply = Vec<Value>;

    async fn send(&self, connection: &mut MultiplexedConnection, is_asking: bool) -> RedisResult<Vec<Value>> {
        self.commands.send(connection, is_asking).await
    }

    fn replies(reply: &Vec<Value>) -> &[Value] {
        reply
    }

    fn needs_master(&self) -> bool {
        self.refreshes
    }

    fn proves_master(&self, reply: &Vec<Value>) -> bool {
        self.refreshes && matches!(reply.get(1), Some(Value::Int(_)))
    }
}

/// The same exchange, of commands that only read, or may be carried out twice.
pub(crate) struct Repeatable<'a, E>(pub(crate) &'a E);

impl<E: Exchange> Exchange for Repeatable<'_, E> {
    type Reply = E::Reply;

    const MAY_BE_REPEATED: bool = true;

    async fn send(&self, connection: &mut MultiplexedConnection, is_asking: bool) -> RedisResult<E::Reply> {
        self.0.send(connection, is_asking).await
    }

    fn replies(reply: &E::Reply) -> &[Value] {
        E::replies(reply)
    }

    fn needs_master(&self) -> bool {
        self.0.needs_master()
    }

    fn proves_master(&self, reply: &E::Reply) -> bool {
        self.0.proves_master(reply)
    }

    fn denies_master(reply: &E::Reply) -> bool {
        E::denies_master(reply)
    }
}

fn denies_master(replies: &[Value]) -> bool {
    replies.iter().filter_map(Code::of).any(Code::tells_of_another_master)
}

/// Each command counts as asked for by itself.
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
    fn what_was_carried_out_is_not_sent_elsewhere_for_what_follows_it() {
        let moved = || parse_redis_value(b"-MOVED 1 h:1\r\n").unwrap();
        assert_eq!(Led::elsewhere(&vec![Value::Int(1), moved()]), None);
        assert_eq!(Led::elsewhere(&vec![moved(), Value::Int(0)]), Some(Code::Moved));
        assert_eq!(Pipeline::elsewhere(&vec![Value::Int(1), moved()]), Some(Code::Moved));
    }
}
