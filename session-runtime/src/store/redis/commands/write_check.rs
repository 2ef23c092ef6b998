//! The question for a server that takes writes, which writes nothing.

use crate::background;
use crate::store::StoreError;
use crate::store::redis::RedisStore;
use crate::store::redis::cause::{Cause, Code};
use crate::store::redis::command::command_of;
use crate::store::redis::commands::read::read_fault;
use crate::store::redis::net::node_connections::Lane;

/// A script that may write, and does not. A server refuses to begin it while it takes no writes. It names no key, so that
/// any node of a cluster can be asked.
const MAY_WRITE: &str = "#!lua\nreturn 1";

impl RedisStore {
    /// Whether each server takes writes: a full memory, too few replicas and disks that fail stop them.
    ///
    /// Asked aside, in the background: while writes are paused it gets no answer, and no session is to wait behind it.
    pub(crate) async fn takes_writes(&self) -> Result<(), StoreError> {
        let store = self.clone();
        let asked = background::spawn(async move { store.each_takes_writes().await }).await;
        asked.unwrap_or_else(|_| Err(StoreError::unavailable(Cause::Lost)))
    }

    async fn each_takes_writes(&self) -> Result<(), StoreError> {
        let question = command_of(&["EVAL", MAY_WRITE, "0"]);
        let asked = self.servers.ask_each(&question, Lane::Aside, self.servers.deadline()).await;
        let replies = asked.map_err(read_fault)?;
        // Other errors tell nothing: of a server that has no such scripts, or a permission that is missing.
        match replies.iter().filter_map(Code::of).find(|code| code.stops_writes()) {
            Some(code) => Err(code.into()),
            None => Ok(()),
        }
    }
}
