//! The store that the options or the environment name.

use std::fmt;

use super::failure::Failure;
use super::safe::Safe;
use super::secret::new_secret;
use crate::config::SessionConfig;
use crate::session::sessions::Sessions;
use crate::store::{AnyStore, RedisStore};

#[derive(Clone, clap::Args)]
pub(super) struct StoreArgs {
    /// URL of the session store: redis://, redis+sentinel:// or redis+cluster://, and rediss… for
    /// TLS. Pass a URL with a password in the environment, hidden from other users [default:
    /// redis://127.0.0.1:6379] [env: SESSION_REDIS]
    #[arg(long, global = true, value_name = "URL", display_order = 100)]
    store: Option<String>,

    /// Prefix of the session store's keys [default: app] [env: SESSION_REDIS_PREFIX]
    #[arg(long, global = true, value_name = "TEXT", display_order = 101)]
    prefix: Option<String>,
}

/// The sessions of an application, and their place.
pub(super) struct Opened {
    pub(super) sessions: Sessions,
    pub(super) place: Place,
    /// Keys of encrypted fields are configured. Without one, the keys come from a random secret.
    pub(super) has_keys: bool,
}

/// The place of the sessions, as messages show it. The user and the password of the URL are left
/// out.
#[derive(Debug)]
pub(super) struct Place {
    prefix: Box<str>,
    server: String,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "under the prefix `{}` on {}", Safe(&self.prefix), Safe(&self.server))
    }
}

impl StoreArgs {
    /// Connects to the store. The store is not checked.
    pub(super) async fn open(self) -> Result<Opened, Failure> {
        let (config, has_secret) = self.config()?;
        let settings = config.clone().resolve()?;
        let Some(url) = settings.store.redis_url() else { return Err(Failure::MemoryStore) };
        let has_keys = has_secret || !settings.encryption_keys.is_empty();
        let place = Place { prefix: settings.prefix, server: without_login(url) };
        let store = RedisStore::builder(url).timeout(settings.timeout).connect().await?;
        Ok(Opened { sessions: Sessions::with_store(config, store)?, place, has_keys })
    }

    /// Returns the configuration, and whether it has a secret. An operator need not have the secret
    /// of the cookies, nor know the lifetimes of the application.
    fn config(self) -> Result<(SessionConfig, bool), Failure> {
        let mut config = SessionConfig::from_env()?.with_longest_lifetimes();
        if let Some(url) = self.store {
            config = config.store(url);
        }
        if let Some(prefix) = self.prefix {
            config = config.prefix(prefix);
        }
        match config.has_secret() {
            true => Ok((config, true)),
            false => Ok((config.secret(new_secret()?), false)),
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

/// Returns a URL without user, password and parameters.
fn without_login(url: &str) -> String {
    let url = url.split('?').next().unwrap_or_default();
    match url.split_once("://") {
        Some((scheme, rest)) => {
            let servers = rest.rsplit_once('@').map_or(rest, |(_, servers)| servers);
            format!("{scheme}://{servers}")
        }
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_shown_without_login() {
        for (url, shown) in [
            ("redis://127.0.0.1:6379", "redis://127.0.0.1:6379"),
            ("rediss://ada:p%40ss@host/2?ca=ca.pem", "rediss://host/2"),
            ("redis://:p@ss@host", "redis://host"),
            ("redis+unix:///run/redis.sock?user=ada&pass=secret", "redis+unix:///run/redis.sock"),
            ("redis+cluster://ada:pass@one:1,two:2", "redis+cluster://one:1,two:2"),
            ("redis+sentinel://:pass@one:1,two:2/main", "redis+sentinel://one:1,two:2/main"),
            ("nonsense", ""),
        ] {
            assert_eq!(without_login(url), shown);
        }
    }
}
