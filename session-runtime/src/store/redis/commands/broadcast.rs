//! The states of all sessions that change, for an operator's program.

use std::collections::HashMap;

use redis::Value;

use super::key_state::{AT_ONCE, AnyKey, KeyState};
use crate::store::StoreError;
use crate::store::redis::RedisStore;
use crate::store::redis::commands::query::read_error;
use crate::store::redis::net::broadcast::{Broadcast, News};
use crate::store::redis::net::node_connections::Route;
use crate::store::redis::protocol::command::command_of;

impl RedisStore {
    /// Returns the same store with separate connections, which tell of all changes under the
    /// prefix. The connections are not open yet.
    pub(crate) fn with_broadcast(&self, prefix: &str) -> (Self, News) {
        let (broadcast, news) = Broadcast::new(&format!("{prefix}:sessions:"));
        (Self::new(self.deployment.fork_for(broadcast)), news)
    }

    /// Asks every server for a sign of life, and opens connections that are not open. With `anew`,
    /// a cluster is asked for its masters first.
    ///
    /// `HELLO` needs no permission.
    pub(crate) async fn ask_each_for_life(&self, anew: bool) -> Result<(), StoreError> {
        self.servers(anew).await?;
        let deadline = self.deployment.deadline();
        let hello = command_of(&["HELLO"]);
        let sent = self.deployment.send_to_each(&hello, Route::Session, deadline).await;
        sent.map(drop).map_err(read_error)
    }

    /// Returns the state of each key. Changes nothing.
    pub(crate) async fn states(
        &self,
        keys: impl IntoIterator<Item = String>,
    ) -> Result<Vec<(String, KeyState)>, StoreError> {
        let mut of_servers = HashMap::<_, Vec<AnyKey>>::new();
        for key in keys.into_iter().map(AnyKey) {
            of_servers.entry(self.deployment.server_of(&key)).or_default().push(key);
        }
        let mut states = Vec::new();
        for (server, keys) in of_servers {
            let server = server.unwrap_or_default();
            for keys in keys.chunks(AT_ONCE) {
                let asked = self.ask_about(&server, keys, |commands, key| {
                    commands.add_command(KeyState::question(key));
                });
                for (key, replies) in keys.iter().zip(asked.await?) {
                    let state =
                        KeyState::from_reply(replies.into_iter().next().unwrap_or(Value::Nil))?;
                    states.push((key.0.clone(), state));
                }
            }
        }
        Ok(states)
    }
}
