//! The settings of the near cache.

use std::ops::RangeInclusive;
use std::time::Duration;

use serde::Deserialize;

use super::{milliseconds, seconds};
use crate::error::{Error, Setting};

/// A near cache: values of sessions on Redis, kept in this process for reads without a round trip.
///
/// Only fields with the attribute `#[session(cached)]` are kept. A value from the cache was current
/// on the server at some moment within [`max_staleness`](Self::max_staleness) before the read.
/// [`Field::fresh`](crate::Field::fresh) asks the server. [The guide] says which fields to mark,
/// and when these limits do not hold.
///
/// With `serde`, a near cache is a map with the keys `max_bytes`, `max_staleness_ms` and `max_age`,
/// which take whole bytes, milliseconds and seconds. Missing keys have the defaults.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use session_runtime::{NearCache, SessionConfig};
///
/// let cache = NearCache::new().max_bytes(32 << 20).max_staleness(Duration::from_millis(500));
/// let config = SessionConfig::new().near_cache(cache);
/// ```
///
/// The same from JSON:
///
/// ```
/// # use session_runtime::SessionConfig;
/// let config: SessionConfig = serde_json::from_str(r#"{
///     "near_cache": { "max_bytes": 33554432, "max_staleness_ms": 500 }
/// }"#)?;
/// # Ok::<(), serde_json::Error>(())
/// ```
#[cfg_attr(feature = "derive", doc = "\n\n[The guide]: crate::guide::near_cache\n")]
#[cfg_attr(not(feature = "derive"), doc = "\n\n[The guide]: crate#features\n")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[must_use]
pub struct NearCache {
    pub(crate) max_bytes: usize,
    #[serde(rename = "max_staleness_ms", deserialize_with = "milliseconds")]
    pub(crate) max_staleness: Duration,
    #[serde(deserialize_with = "seconds")]
    pub(crate) max_age: Duration,
}

const SIZES: RangeInclusive<u64> = 1 << 20..=(1 << 40);
const STALENESS: RangeInclusive<Duration> = Duration::from_millis(10)..=Duration::from_secs(60);
const AGES: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(60 * 60);

impl NearCache {
    /// Creates a near cache of 64 MiB, with a staleness of 1 second and an age of 30 seconds at
    /// most.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the maximum size of all kept values together, in bytes: 1 MiB to 1 TiB. Default: 64
    /// MiB. With 0, there is no near cache.
    ///
    /// The size includes names and an estimate of the overhead. Values that were not used for the
    /// longest time go first. Several [`Sessions`](crate::Sessions) on the same
    /// [`RedisStore`](crate::store) share a near cache. The largest of their sizes then counts.
    pub fn max_bytes(self, bytes: usize) -> Self {
        Self { max_bytes: bytes, ..self }
    }

    /// Sets the time within which a change by another process is noticed: 10 milliseconds to 1
    /// minute. Default: 1 second.
    ///
    /// Usually the server tells of a change at once. This is the limit if the news is delayed, or
    /// if the connection fails silently. The limit cannot exceed [`max_age`](Self::max_age).
    pub fn max_staleness(self, staleness: Duration) -> Self {
        Self { max_staleness: staleness, ..self }
    }

    /// Sets the time after which a kept value is read again in any case: 1 second to 1 hour.
    /// Default: 30 seconds.
    ///
    /// This is the limit if news of a change is lost without a trace. A proxy that drops pushes is
    /// an example.
    pub fn max_age(self, age: Duration) -> Self {
        Self { max_age: age, ..self }
    }

    /// Checks the settings. Returns nothing if the near cache is switched off.
    pub(super) fn resolve(given: Option<Self>) -> Result<Option<Self>, Error> {
        let cache = given.filter(|cache| cache.max_bytes > 0);
        cache.iter().try_for_each(Self::check)?;
        Ok(cache)
    }

    fn check(&self) -> Result<(), Error> {
        let bytes = u64::try_from(self.max_bytes).unwrap_or(u64::MAX);
        Setting::NEAR_CACHE.check_range(bytes, SIZES, "1 MiB to 1 TiB, or 0 for no near cache")?;
        Setting::NEAR_CACHE_MAX_AGE.check_range(self.max_age, AGES, "1 second to 1 hour")?;
        let staleness = Setting::NEAR_CACHE_MAX_STALENESS;
        staleness.check_range(self.max_staleness, STALENESS, "10 milliseconds to 1 minute")?;
        let up_to_age = Duration::ZERO..=self.max_age;
        staleness.check_range(self.max_staleness, up_to_age, "no longer than `near_cache.max_age`")
    }
}

impl Default for NearCache {
    fn default() -> Self {
        Self {
            max_bytes: 64 << 20,
            max_staleness: Duration::from_secs(1),
            max_age: Duration::from_secs(30),
        }
    }
}
