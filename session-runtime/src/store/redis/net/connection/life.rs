//! Signs of life, for values that were read over a connection.

use std::sync::Arc;

use redis::{Pipeline, Value};
use tokio::time::{Instant, timeout};

use super::LiveConnection;
use super::role::{Role, role_in};
use crate::store::redis::cause::Code;
use crate::store::redis::near::{LONGEST_QUESTION, Moment, SignOfLife};
use crate::store::redis::protocol::command::command_of;
use crate::store::{PERMANENT_FIELD, SessionKey};

/// The answer to a question for a sign of life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    /// The server is the master, and has the slot of the key.
    Alive,
    Replica,
    /// The server has no data at present, or another server has the slot of the key.
    Elsewhere,
    /// The answer proves nothing.
    None,
}

/// The driver's runtime asks. If that runtime is parked, no news arrives either.
impl SignOfLife for LiveConnection {
    fn ask(self: Arc<Self>, key: &SessionKey) {
        let mut commands = Pipeline::with_capacity(2);
        commands.add_command(command_of(&["HELLO"]));
        commands.add_command(command_of(&["HEXISTS", key.expose_secret(), PERMANENT_FIELD]));
        let runtime = self.runtime.clone();
        runtime.spawn(async move {
            let _ = timeout(LONGEST_QUESTION, self.ask_for_life(&commands)).await;
            self.news.iter().for_each(|news| news.lease().question_over());
        });
    }
}

impl LiveConnection {
    async fn ask_for_life(&self, commands: &Pipeline) {
        let Some(news) = &self.news else { return };
        // The time of sending counts, because a reply may be delayed for long.
        let (sent, begun) = (Moment::now(), Instant::now());
        let replies =
            self.connection.clone().send_packed_commands(commands, 0, commands.len()).await;
        match replies.map_or(Answer::None, |replies| answer_in(&replies)) {
            Answer::Alive => {
                news.lease().answered(sent);
                self.activity.record_master(begun);
            }
            // The next request asks for the role, and replaces the connection.
            Answer::Replica => {
                news.lease().void();
                self.activity.doubt_master();
            }
            Answer::Elsewhere => news.lease().void(),
            Answer::None => {}
        }
    }
}

fn answer_in(replies: &[Value]) -> Answer {
    let [hello @ Value::Map(_), exists] = replies else { return Answer::None };
    if role_in(hello) == Role::Replica {
        return Answer::Replica;
    }
    match (exists, Code::in_reply(exists)) {
        // The key may hold a tombstone.
        (Value::Int(0 | 1), _) | (_, Some(Code::WrongType)) => Answer::Alive,
        (_, Some(code)) if code.is_retryable() => Answer::Elsewhere,
        _ => Answer::None,
    }
}

#[cfg(test)]
mod tests {
    use redis::parse_redis_value;

    use super::*;

    #[test]
    fn only_a_master_with_the_slot_is_alive() {
        let master = "%1\r\n$4\r\nrole\r\n$6\r\nmaster\r\n";
        let replica = "%1\r\n$4\r\nrole\r\n$7\r\nreplica\r\n";
        for (hello, exists, answer) in [
            (master, ":1\r\n", Answer::Alive),
            (master, ":0\r\n", Answer::Alive),
            (master, "-WRONGTYPE x\r\n", Answer::Alive),
            (master, "-MOVED 1 h:1\r\n", Answer::Elsewhere),
            (master, "-ASK 1 h:1\r\n", Answer::Elsewhere),
            (master, "-CLUSTERDOWN x\r\n", Answer::Elsewhere),
            (master, "-LOADING x\r\n", Answer::Elsewhere),
            (master, "-BUSY x\r\n", Answer::None),
            (master, "-NOPERM x\r\n", Answer::None),
            (replica, ":1\r\n", Answer::Replica),
            ("-ERR x\r\n", ":1\r\n", Answer::None),
        ] {
            let replies = [hello, exists].map(|reply| parse_redis_value(reply.as_bytes()).unwrap());
            assert_eq!(answer_in(&replies), answer, "{hello} {exists}");
        }
        assert_eq!(answer_in(&[]), Answer::None);
    }
}
