//! The scripts that change sessions, and the code that runs them.

use std::sync::OnceLock;

use redis::{Cmd, Value};
use tokio::time::Instant;

use crate::id::IndexKey;
use crate::store::redis::cause::Code;
use crate::store::redis::commands::query::read_error;
use crate::store::redis::net::deployment::Deployment;
use crate::store::redis::net::node_connections::Route;
use crate::store::redis::net::request::RequestError;
use crate::store::redis::protocol::command::{Capacity, begin_command};
use crate::store::{SessionKey, StoreError};

pub(super) static WRITE: Script = Script::new(SOURCES[0]);
pub(super) static ROTATE: Script = Script::new(SOURCES[1]);
pub(super) static DESTROY: Script = Script::new(SOURCES[2]);
pub(super) static MODIFY: Script = Script::new(SOURCES[3]);
pub(super) static EXPIRE_FIELD: Script = Script::new(SOURCES[4]);
pub(super) static RESTORE: Script = Script::with_route(SOURCES[5], Route::Background);

/// A script on the list of an index.
macro_rules! on_list {
    ($script:literal) => {
        concat!(include_str!("scripts/index_list.lua"), include_str!($script))
    };
}

/// A script that also keeps indexes in step.
macro_rules! indexed {
    ($script:literal, sets_last = $sets_last:literal) => {
        concat!(
            "local sets_last = ",
            $sets_last,
            "\n",
            include_str!("scripts/index_list.lua"),
            include_str!("scripts/index_before.lua"),
            include_str!($script),
            include_str!("scripts/index_after.lua")
        )
    };
}

// Most programs have no index, so connections do not load these scripts beforehand.
pub(super) static WRITE_INDEXED: Script =
    Script::new(indexed!("scripts/write.lua", sets_last = true));
pub(super) static MODIFY_INDEXED: Script =
    Script::new(indexed!("scripts/modify.lua", sets_last = false));
pub(super) static ROTATE_INDEXED: Script =
    Script::new(indexed!("scripts/rotate.lua", sets_last = true));
pub(super) static ADD: Script = Script::new(on_list!("scripts/index_add.lua"));
pub(super) static MARK: Script = Script::new(on_list!("scripts/mark.lua"));
pub(super) static PRUNE: Script = Script::new(on_list!("scripts/prune.lua"));
pub(super) static RESTORE_ENTRY: Script = Script::new(on_list!("scripts/restore_entry.lua"));
pub(super) static REMOVE_STALE: Script = Script::new(include_str!("scripts/remove_stale.lua"));

/// The scripts that every connection loads before the first use.
pub(crate) const SOURCES: &[&str] = &[
    include_str!("scripts/write.lua"),
    concat!("local keeps_indexes = false\n", include_str!("scripts/rotate.lua")),
    include_str!("scripts/destroy.lua"),
    include_str!("scripts/modify.lua"),
    include_str!("scripts/expire_field.lua"),
    include_str!("scripts/restore.lua"),
];

/// A script, which the server knows by a hash. The Lua file describes the arguments.
pub(super) struct Script {
    source: &'static str,
    hash: OnceLock<String>,
    route: Route,
}

impl Script {
    const fn new(source: &'static str) -> Self {
        Self::with_route(source, Route::Session)
    }

    const fn with_route(source: &'static str, route: Route) -> Self {
        Self { source, hash: OnceLock::new(), route }
    }

    /// Runs the script on the session under the first key. Error replies are returned as replies.
    ///
    /// The script is sent once, by hash. A second attempt, with the whole source, only follows the
    /// reply that proves that the script did not run. That happens if the server was restarted, or
    /// if the server's scripts were flushed.
    pub(super) async fn run(
        &self,
        deployment: &Deployment,
        deadline: Instant,
        key: &SessionKey,
        successor: Option<&SessionKey>,
        arguments: Capacity,
        add_arguments: impl Fn(&mut Cmd),
    ) -> Result<Value, StoreError> {
        let invocation = |command, script| {
            let capacity = with_keys(arguments, key, successor);
            let mut invocation = begin_command(&[command, script], capacity);
            invocation.arg(1 + usize::from(successor.is_some())).arg(key.expose_secret());
            if let Some(successor) = successor {
                invocation.arg(successor.expose_secret());
            }
            add_arguments(&mut invocation);
            invocation
        };
        let first = invocation("EVALSHA", self.hash());
        let mut reply = deployment.send(key, self.route, &first, deadline).await;
        if is_unknown(&reply) {
            let whole = invocation("EVAL", self.source);
            reply = deployment.send(key, self.route, &whole, deadline).await;
        }
        reply.map_err(write_error)
    }

    /// Runs the script on these keys in the slot of a session. Otherwise the same as
    /// [`run`](Self::run).
    pub(super) async fn run_on_session(
        &self,
        deployment: &Deployment,
        deadline: Instant,
        session: &SessionKey,
        keys: &[&str],
        add_arguments: impl Fn(&mut Cmd),
    ) -> Result<Value, StoreError> {
        let by_hash = invocation("EVALSHA", self.hash(), keys, &add_arguments);
        let mut reply = deployment.send(session, self.route, &by_hash, deadline).await;
        if is_unknown(&reply) {
            let whole = invocation("EVAL", self.source, keys, &add_arguments);
            reply = deployment.send(session, self.route, &whole, deadline).await;
        }
        reply.map_err(write_error)
    }

    /// Runs the script on these keys, of which the first is a list. A script on a list may be
    /// carried out twice, so the script is sent again if the connection was lost.
    pub(super) async fn run_on_list(
        &self,
        deployment: &Deployment,
        deadline: Instant,
        list: &IndexKey,
        keys: &[&str],
        add_arguments: impl Fn(&mut Cmd),
    ) -> Result<Value, StoreError> {
        let by_hash = invocation("EVALSHA", self.hash(), keys, &add_arguments);
        let mut reply = deployment.ask(list, self.route, &by_hash, deadline).await;
        if is_unknown(&reply) {
            let whole = invocation("EVAL", self.source, keys, &add_arguments);
            reply = deployment.ask(list, self.route, &whole, deadline).await;
        }
        reply.map_err(read_error)
    }

    fn hash(&self) -> &str {
        self.hash.get_or_init(|| redis::Script::new(self.source).get_hash().to_owned())
    }
}

fn invocation(command: &str, script: &str, keys: &[&str], add_arguments: impl Fn(&mut Cmd)) -> Cmd {
    let mut invocation = begin_command(&[command, script], Capacity::default());
    invocation.arg(keys.len()).arg(keys);
    add_arguments(&mut invocation);
    invocation
}

/// Returns whether the server does not know the script, so that nothing has run.
fn is_unknown(reply: &Result<Value, RequestError>) -> bool {
    matches!(reply, Ok(reply) if Code::in_reply(reply) == Some(Code::NoScript))
}

/// Returns the error of a write without a reply.
pub(super) fn write_error(error: RequestError) -> StoreError {
    match error {
        RequestError::NotSent(cause) => StoreError::unavailable(cause),
        RequestError::NoReply(cause) => StoreError::outcome_unknown(cause),
    }
}

fn with_keys(arguments: Capacity, key: &SessionKey, successor: Option<&SessionKey>) -> Capacity {
    let keys = || std::iter::once(key).chain(successor);
    let bytes: usize = keys().map(|key| key.expose_secret().len()).sum();
    Capacity { words: arguments.words + 1 + keys().count(), bytes: arguments.bytes + 1 + bytes }
}
