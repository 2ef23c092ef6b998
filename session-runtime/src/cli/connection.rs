//! The store that the options or the environment name.

use super::failure::Failure;
use super::key;
use crate::config::SessionConfig;
use crate::session::sessions::Sessions;
use crate::store::{AnyStore, RedisStore};

#[derive(clap::Args)]
pub(super) struct StoreArgs {
    /// URL of the session store: redis://, redis+sentinel:// or redis+cluster://, and rediss… for
    /// TLS. Pass a URL with a password in the environment, hidden from other users [default:
    /// redis://127.0.0.1:6379] [env: SESSION_REDIS]
    #[arg(long, global = true, value_name = "URL", hide_default_value = true)]
    store: Option<String>,

    /// Prefix of the session store's keys [default: app] [env: SESSION_REDIS_PREFIX]
    #[arg(long, global = true, value_name = "TEXT")]
    prefix: Option<String>,
}

impl StoreArgs {
    /// Connects to the store. The store is not checked.
    pub(super) async fn connect(self) -> Result<Sessions, Failure> {
        let config = self.config()?;
        let settings = config.clone().resolve()?;
        let Some(url) = settings.store.redis_url() else { return Err(Failure::MemoryStore) };
        let store = RedisStore::builder(url).timeout(settings.timeout).connect().await?;
        Ok(Sessions::with_store(config, store)?)
    }

    /// Returns the configuration. An operator need not have the secret of the cookies.
    fn config(self) -> Result<SessionConfig, Failure> {
        let mut config = SessionConfig::from_env()?;
        if let Some(url) = self.store {
            config = config.store(url);
        }
        if let Some(prefix) = self.prefix {
            config = config.prefix(prefix);
        }
        match config.has_secret() {
            true => Ok(config),
            false => Ok(config.secret(key::new_secret()?)),
        }
    }
}

/// Returns the store of the sessions, which is never in memory here.
pub(super) fn redis_store(sessions: &Sessions) -> Result<&RedisStore, Failure> {
    match sessions.manager().store() {
        AnyStore::Redis(store) => Ok(store),
        _ => Err(Failure::MemoryStore),
    }
}
