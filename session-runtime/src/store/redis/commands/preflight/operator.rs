//! Checks for an operator's program, beyond those of the start.

use super::Missing;
use super::required::RequiredCommand;
use crate::error::Error;
use crate::id::IndexKey;
use crate::store::SessionKey;
use crate::store::redis::RedisStore;

/// The use of commands that an application may do without.
pub(crate) enum Purpose<'a> {
    /// Indexed fields. The list must not exist.
    Index(&'a IndexKey),
    /// Walks over all sessions.
    Walk,
    /// All values of a session. The session must not exist.
    Values(&'a SessionKey),
    /// News of changes of sessions that were read.
    News,
    /// News of changes of all sessions, and looks at these sessions. The session must not exist.
    Watch(&'a SessionKey),
}

impl RedisStore {
    /// Asks each server for the commands and permissions of a purpose. Returns all problems.
    ///
    /// # Errors
    ///
    /// Fails with [`Error::is_unavailable`] if a server does not answer.
    pub(crate) async fn check_purpose(&self, purpose: Purpose<'_>) -> Result<Vec<String>, Error> {
        let (name, commands) = match purpose {
            Purpose::Index(list) => ("indexes", RequiredCommand::for_index(list.as_str())),
            Purpose::Walk => ("walks over all sessions", RequiredCommand::for_walk()),
            Purpose::Values(key) => {
                ("values in `sessionctl show`", RequiredCommand::for_values(key))
            }
            Purpose::News => ("news of changes", RequiredCommand::for_news()),
            Purpose::Watch(key) => ("watches", RequiredCommand::for_watch(key)),
        };
        let prefix = match purpose {
            Purpose::Index(list) => list.prefix(),
            Purpose::Values(key) | Purpose::Watch(key) => key.prefix(),
            Purpose::Walk | Purpose::News => "",
        };
        let missing = Missing::among(&commands, &self.ask_each(&commands).await?);
        Ok(missing.problems_for(name, prefix))
    }

    /// Returns each server as `redis 7.0.15 at 127.0.0.1:6379`.
    pub(crate) fn server_list(&self) -> String {
        let servers = self.deployment.server_infos();
        let names = servers.iter().map(|server| format!("{server} at {}", server.address));
        names.collect::<Vec<_>>().join(", ")
    }
}
