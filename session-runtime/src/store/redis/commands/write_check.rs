//! A check for servers that take writes, which writes nothing.

use crate::background;
use crate::store::StoreError;
use crate::store::redis::RedisStore;
use crate::store::redis::cause::{Cause, Code};
use crate::store::redis::commands::query::read_error;
use crate::store::redis::net::node_connections::Route;
use crate::store::redis::protocol::command::command_of;

/// A script that may write, and does not. A server refuses to begin it while it takes no writes. It
/// names no key, so that any node of a cluster can be asked.
const MAY_WRITE: &str = "#!lua\nreturn 1";

impl RedisStore {
    /// Checks that each server takes writes: a full memory, too few replicas and disks that fail
    /// stop them.
    ///
    /// It goes by the connection for the background: while writes are paused it gets no answer, and
    /// no session is to wait behind it.
    pub(crate) async fn takes_writes(&self) -> Result<(), StoreError> {
        let store = self.clone();
        let checked = background::spawn(async move { store.each_takes_writes().await }).await;
        checked.unwrap_or_else(|_| Err(StoreError::unavailable(Cause::Lost)))
    }

    async fn each_takes_writes(&self) -> Result<(), StoreError> {
        let question = command_of(&["EVAL", MAY_WRITE, "0"]);
        let sent = self
            .deployment
            .send_to_each(&question, Route::Background, self.deployment.deadline())
            .await;
        let replies = sent.map_err(read_error)?;
        // Other errors tell nothing: of a server that has no such scripts, or a permission that is
        // missing.
        match replies.iter().filter_map(Code::in_reply).find(|code| code.refuses_writes()) {
            Some(code) => Err(code.into()),
            None => Ok(()),
        }
    }
}
