//! Checks a server for a schema with an index.

use super::required::RequiredCommand;
use super::{Missing, evicting_policy};
use crate::error::Error;
use crate::id::IndexKey;
use crate::store::redis::RedisStore;

impl RedisStore {
    /// Checks that the user has the permissions that an index needs, and warns of a server that may
    /// evict lists. Takes one round trip. The commands use this list, which must not exist.
    ///
    /// # Errors
    ///
    /// Fails with [`Error::is_config`] if something is missing, and names the missing parts. Fails
    /// with [`Error::is_unavailable`] if the server does not answer.
    pub(crate) async fn check_index(&self, list: &IndexKey) -> Result<(), Error> {
        let mut asked = RequiredCommand::for_index(list.as_str());
        let required = asked.len();
        asked.push(RequiredCommand::of_memory());
        let mut replies = self.ask_each(&asked).await?;
        let memory: Vec<_> =
            replies.iter_mut().flat_map(|of_one| of_one.drain(required..)).collect();
        Missing::among(&asked[..required], &replies).refuse_for("indexes", list.prefix())?;
        if let Some(policy) = memory.iter().find_map(evicting_policy) {
            tracing::warn!(
                policy,
                "the session store may evict lists of indexes when its memory is full, and \
                 `end_all` then misses live sessions: set `maxmemory-policy noeviction`. \
                 `Sessions::reindex` restores evicted lists"
            );
        }
        Ok(())
    }
}
