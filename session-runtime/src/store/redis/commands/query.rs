//! Requests that only read, or that may be carried out twice.

use redis::{Cmd, Value};

use crate::id::slot::StoredKey;
use crate::store::redis::RedisStore;
use crate::store::redis::cause::Code;
use crate::store::redis::net::node_connections::Route;
use crate::store::redis::net::request::{Exchange, Request, RequestError};
use crate::store::{SessionKey, StoreError};

impl RedisStore {
    /// Sends a request, and retries once if the connection was lost. A server that closes idle
    /// connections, or was restarted, should not cause an error.
    pub(super) async fn query<R: Request>(
        &self,
        key: &impl StoredKey,
        request: &R,
    ) -> Result<R::Reply, StoreError> {
        let deadline = self.deployment.deadline();
        self.deployment.ask(key, Route::Session, request, deadline).await.map_err(read_error)
    }

    /// Sends a request as [`query`](Self::query) does, and tells which connection replied.
    pub(super) async fn query_exchange<R: Request>(
        &self,
        key: &SessionKey,
        request: &R,
    ) -> Result<Exchange<R::Reply>, StoreError> {
        let deadline = self.deployment.deadline();
        let sent = self.deployment.exchange_again(key, Route::Session, request, deadline);
        sent.await.map_err(read_error)
    }

    /// Sends a command to every server. Fails if any server returns an error.
    pub(super) async fn query_each(&self, command: &Cmd) -> Result<Vec<Value>, StoreError> {
        let sent =
            self.deployment.send_to_each(command, Route::Session, self.deployment.deadline()).await;
        let replies = sent.map_err(read_error)?;
        match replies.iter().find_map(Code::in_reply) {
            Some(code) => Err(code.into()),
            None => Ok(replies),
        }
    }
}

/// Returns the error of a read without a reply.
pub(super) fn read_error(
    (RequestError::NotSent(cause) | RequestError::NoReply(cause)): RequestError,
) -> StoreError {
    StoreError::unavailable(cause)
}
