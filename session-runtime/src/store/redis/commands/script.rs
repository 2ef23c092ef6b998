//! The scripts that change sessions, and how they are run.

use std::sync::OnceLock;

use redis::{Cmd, Script, Value};
use tokio::time::Instant;

use crate::store::redis::RedisStore;
use crate::store::redis::cause::Code;
use crate::store::redis::command::{Room, begin_command};
use crate::store::redis::net::link::Fault;
use crate::store::redis::net::node_connections::Lane;
use crate::store::{SessionKey, StoreError};

pub(crate) static WRITE: Lua = Lua::new(SOURCES[0]);
pub(crate) static ROTATE: Lua = Lua::new(SOURCES[1]);
pub(crate) static DESTROY: Lua = Lua::new(SOURCES[2]);
pub(crate) static MODIFY: Lua = Lua::new(SOURCES[3]);
pub(crate) static EXPIRE_FIELD: Lua = Lua::new(SOURCES[4]);
pub(crate) static RESTORE: Lua = Lua::by(SOURCES[5], Lane::Aside);

/// What every connection loads before it is used.
pub(crate) const SOURCES: &[&str] = &[
    include_str!("scripts/write.lua"),
    include_str!("scripts/rotate.lua"),
    include_str!("scripts/destroy.lua"),
    include_str!("scripts/modify.lua"),
    include_str!("scripts/expire_field.lua"),
    include_str!("scripts/restore.lua"),
];

/// A script, known to the server by its hash. What its arguments are stands in its file.
pub(crate) struct Lua {
    source: &'static str,
    hash: OnceLock<String>,
    lane: Lane,
}

impl Lua {
    const fn new(source: &'static str) -> Self {
        Self::by(source, Lane::Own)
    }

    const fn by(source: &'static str, lane: Lane) -> Self {
        Self { source, hash: OnceLock::new(), lane }
    }

    fn hash(&self) -> &str {
        self.hash.get_or_init(|| Script::new(self.source).get_hash().to_owned())
    }
}

impl RedisStore {
    /// Runs a script on the session under the first key. An error reply is a reply.
    ///
    /// It is handed over once. It goes out again, whole, after the one reply that proves that it did not run: the server was started anew,
    /// or its scripts were flushed.
    pub(super) async fn run(
        &self,
        script: &Lua,
        key: &SessionKey,
        successor: Option<&SessionKey>,
        room: Room,
        add_arguments: impl Fn(&mut Cmd),
    ) -> Result<Value, StoreError> {
        self.run_until(self.servers.deadline(), script, key, successor, room, add_arguments).await
    }

    /// The same for an operation that has begun before.
    pub(super) async fn run_until(
        &self,
        deadline: Instant,
        script: &Lua,
        key: &SessionKey,
        successor: Option<&SessionKey>,
        room: Room,
        add_arguments: impl Fn(&mut Cmd),
    ) -> Result<Value, StoreError> {
        let invocation = |command, script| {
            let mut invocation = begin_command(&[command, script], whole_room(key, successor, room));
            invocation.arg(1 + usize::from(successor.is_some())).arg(key.expose_secret());
            if let Some(successor) = successor {
                invocation.arg(successor.expose_secret());
            }
            add_arguments(&mut invocation);
            invocation
        };
        let lane = script.lane;
        let first = invocation("EVALSHA", script.hash());
        let mut reply = self.servers.exchange(key, lane, &first, deadline).await;
        if matches!(&reply, Ok(reply) if Code::of(reply) == Some(Code::NoScript)) {
            let whole = invocation("EVAL", script.source);
            reply = self.servers.exchange(key, lane, &whole, deadline).await;
        }
        reply.map_err(write_fault)
    }
}

/// Why a write got no reply.
pub(crate) fn write_fault(fault: Fault) -> StoreError {
    match fault {
        Fault::NotSent(cause) => StoreError::unavailable(cause),
        Fault::NoReply(cause) => StoreError::outcome_unknown(cause),
    }
}

fn whole_room(key: &SessionKey, successor: Option<&SessionKey>, room: Room) -> Room {
    let keys = || std::iter::once(key).chain(successor);
    let bytes: usize = keys().map(|key| key.expose_secret().len()).sum();
    Room { words: room.words + 1 + keys().count(), bytes: room.bytes + 1 + bytes }
}
