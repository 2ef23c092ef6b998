//! A check that servers accept writes, without writing.

use crate::background;
use crate::store::StoreError;
use crate::store::redis::RedisStore;
use crate::store::redis::cause::{Cause, Code};
use crate::store::redis::commands::query::read_error;
use crate::store::redis::net::node_connections::Route;
use crate::store::redis::protocol::command::command_of;

/// A script that may write, but does not. A server that accepts no writes refuses to run the
/// script. The script names no key, so any node of a cluster can run it.
const MAY_WRITE: &str = "#!lua\nreturn 1";

impl RedisStore {
    /// Checks that each server accepts writes. Full memory, too few replicas and failing disks stop
    /// writes.
    ///
    /// The check uses the background connection. A server that pauses writes does not answer the
    /// check, and no session should wait behind it.
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
        // Other errors prove nothing: the server may not support such scripts, or a permission may
        // be missing.
        match replies.iter().filter_map(Code::in_reply).find(|code| code.refuses_writes()) {
            Some(code) => Err(code.into()),
            None => Ok(()),
        }
    }
}
