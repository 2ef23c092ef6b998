//! Changes of an expiry in the background.

use std::error::Error;
use std::time::Duration;

use redis::{Pipeline, Value};

use crate::background;
use crate::store::redis::RedisStore;
use crate::store::redis::cause::{Cause, Code};
use crate::store::redis::commands::expiry::expire_command;
use crate::store::redis::commands::script::RESTORE;
use crate::store::redis::net::node_connections::Route;
use crate::store::redis::net::request::{GuardedPipeline, RequestError};
use crate::store::redis::protocol::command::{Capacity, command_of};
use crate::store::{PERMANENT_FIELD, SessionKey, StoreError};

impl RedisStore {
    /// Refreshes a session's expiry in the background.
    ///
    /// The reader does not wait. The refresh continues if the reader is dropped or the reader's
    /// runtime is parked. If the session has ended meanwhile, the tombstone's own expiry is
    /// restored.
    pub(super) fn refresh_unawaited(&self, key: &SessionKey, expires_in: Duration) {
        let (store, key) = (self.clone(), key.clone());
        let mut commands = Pipeline::with_capacity(2);
        commands.add_command(expire_command(&key, expires_in));
        // Sent behind `PEXPIRE`. A tombstone that shows here was refreshed, or was stored since.
        commands.add_command(command_of(&["HEXISTS", key.expose_secret(), PERMANENT_FIELD]));
        background::spawn(async move {
            let deadline = store.deployment.deadline();
            match store
                .deployment
                .send(&key, Route::Background, &GuardedPipeline(commands), deadline)
                .await
            {
                Ok(replies) => {
                    match (
                        replies.first().and_then(Code::in_reply),
                        replies.get(1).and_then(Code::in_reply),
                    ) {
                        (None, Some(Code::WrongType)) => store.restore_unawaited(&key),
                        (Some(code), _) => store.deployment.log_unrefreshed(&Cause::Server(code)),
                        _ => {}
                    }
                }
                Err(RequestError::NotSent(cause) | RequestError::NoReply(cause)) => {
                    store.deployment.log_unrefreshed(&cause);
                }
            }
        });
    }

    /// Restores the expiry of a tombstone in the background, after an operation has mistaken the
    /// tombstone for a session.
    pub(super) fn restore_unawaited(&self, key: &SessionKey) {
        let (store, key) = (self.clone(), key.clone());
        background::spawn(async move {
            let (deployment, deadline) = (&store.deployment, store.deployment.deadline());
            let restored =
                RESTORE.run(deployment, deadline, &key, None, Capacity::default(), |_| {});
            let error: StoreError = match restored.await {
                Ok(Value::ServerError(error)) => Code::from(&error).into(),
                Ok(_) => return,
                Err(error) => error,
            };
            let cause = error.source().map(tracing::field::display);
            tracing::warn!(
                cause,
                "the expiry of an ended session's tombstone could not be restored, so the \
                 tombstone stays for longer"
            );
        });
    }
}
