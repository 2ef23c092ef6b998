//! The URL of the session store.

use std::fmt;

use serde::Deserialize;

use super::memory_url;
use crate::error::Error;
use crate::error::Setting;
use crate::store::Bounds;

/// The store's URL as given. `Debug` shows only the scheme, because the URL may contain a password.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub(super) struct StoreText(String);

impl From<String> for StoreText {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for StoreText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match Scheme::from_url(&self.0) {
            Some(Scheme::Memory) => "memory:",
            Some(_) => "redis…://…",
            None => "…",
        })
    }
}

/// The store that the application asked for.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum StoreUrl {
    /// The memory of this process, with these bounds.
    Memory(Bounds),
    /// Redis or Valkey servers, by the URL as given.
    #[cfg(feature = "redis")]
    Redis(String),
}

impl StoreUrl {
    /// Returns the URL of Redis servers.
    #[cfg(feature = "cli")]
    pub(crate) fn redis_url(&self) -> Option<&str> {
        match self {
            Self::Redis(url) => Some(url),
            Self::Memory(_) => None,
        }
    }

    pub(super) fn resolve(given: Option<StoreText>) -> Result<Self, Error> {
        let Some(StoreText(text)) = given else { return Ok(Self::default()) };
        match Scheme::from_url(&text) {
            Some(Scheme::Memory) => memory_url::bounds(&text["memory:".len()..]).map(Self::Memory),
            #[cfg(feature = "redis")]
            Some(Scheme::Redis) => Ok(Self::Redis(text)),
            #[cfg(not(feature = "redis"))]
            Some(Scheme::Redis) => Err(Setting::STORE
                .invalid("is the URL of a Redis server, which needs the crate feature `redis`")),
            None => Err(Setting::STORE.invalid(EXPECTED)),
        }
    }
}

/// The local server, or the memory store without the feature `redis`.
impl Default for StoreUrl {
    fn default() -> Self {
        #[cfg(feature = "redis")]
        return Self::Redis("redis://127.0.0.1:6379".into());
        #[cfg(not(feature = "redis"))]
        return Self::Memory(Bounds::default());
    }
}

impl fmt::Debug for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Memory(_) => "Memory",
            #[cfg(feature = "redis")]
            Self::Redis(_) => "Redis(…)",
        })
    }
}

enum Scheme {
    Memory,
    Redis,
}

impl Scheme {
    fn from_url(url: &str) -> Option<Self> {
        let (scheme, rest) = url.split_once(':')?;
        let names_a_server = rest.starts_with("//") && rest.len() > 2;
        // Schemes are case-insensitive (RFC 3986, section 3.1).
        match scheme.to_ascii_lowercase().as_str() {
            "memory" if rest.is_empty() || rest.starts_with('?') => Some(Self::Memory),
            "redis" | "rediss" | "redis+unix" | "redis+cluster" | "rediss+cluster"
            | "redis+sentinel" | "rediss+sentinel"
                if names_a_server =>
            {
                Some(Self::Redis)
            }
            _ => None,
        }
    }
}

const EXPECTED: &str = "must be `memory:`, or the URL of a server such as \
                        `redis://127.0.0.1:6379`: the URL starts with `redis://`, `rediss://`, \
                        `redis+unix://`, `redis+cluster://` or `redis+sentinel://`";

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(text: &str) -> Result<StoreUrl, Error> {
        StoreUrl::resolve(Some(text.to_owned().into()))
    }

    #[test]
    fn memory_is_known() {
        for url in ["memory:", "MEMORY:"] {
            assert_eq!(resolve(url).unwrap(), StoreUrl::Memory(Bounds::default()));
        }
        let bounds = Bounds { entries: 5, ..Bounds::default() };
        assert_eq!(resolve("Memory:?max_entries=5").unwrap(), StoreUrl::Memory(bounds));
    }

    #[cfg(feature = "redis")]
    #[test]
    fn servers_are_known() {
        for url in [
            "redis://h",
            "rediss://:p@h:1/2",
            "redis+unix:///run/redis.sock?db=1",
            "redis+cluster://h1:1,h2:2",
            "redis+sentinel://h1:1,h2:2/master",
            "Redis://h",
        ] {
            assert_eq!(resolve(url).unwrap(), StoreUrl::Redis(url.into()));
        }
        assert_eq!(
            StoreUrl::resolve(None).unwrap(),
            StoreUrl::Redis("redis://127.0.0.1:6379".into())
        );
    }

    #[cfg(not(feature = "redis"))]
    #[test]
    fn without_redis_there_is_memory() {
        assert_eq!(StoreUrl::resolve(None).unwrap(), StoreUrl::Memory(Bounds::default()));
        assert!(
            resolve("redis://h")
                .unwrap_err()
                .to_string()
                .contains("needs the crate feature `redis`")
        );
    }

    #[test]
    fn other_urls_are_refused_without_being_quoted() {
        for url in [
            "",
            "HUNTER2",
            "memory",
            "memory:HUNTER2",
            "redis:",
            "redis://",
            "redis:HUNTER2",
            "http://HUNTER2",
            "127.0.0.1:6379",
            " redis://HUNTER2",
        ] {
            let error = resolve(url).unwrap_err();
            assert!(error.is_config());
            let shown = format!("{error} {error:?}");
            assert!(shown.contains("SESSION_REDIS") && shown.contains("`redis://`"), "{shown}");
            assert!(!shown.contains("HUNTER2"), "{shown}");
        }
    }

    #[test]
    fn debug_shows_no_password() {
        for url in ["redis://user:HUNTER2@h", "HUNTER2", "redis+cluster://:HUNTER2@h"] {
            let text = StoreText::from(url.to_owned());
            assert!(
                !format!("{text:?} {:?}", StoreUrl::resolve(Some(text.clone())))
                    .contains("HUNTER2")
            );
        }
    }
}
