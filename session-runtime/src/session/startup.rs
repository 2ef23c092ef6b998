//! The checks of the store when the application starts.

#[cfg(feature = "redis")]
use std::sync::Arc;
use std::time::Duration;
#[cfg(feature = "redis")]
use std::time::Instant;

use crate::error::Error;
use crate::id::LifetimeId;
use crate::lifecycle::{RotationReason, SessionMetadata};
use crate::operation::Operation;
use crate::request::clock_log::MAX_DISTANCE;
use crate::request::manager::Manager;
#[cfg(feature = "redis")]
use crate::request::watch::Watch;
use crate::session::sessions::Sessions;
use crate::store::{
    Action, Change, DestroyReason, Destruction, Lookup, Modified, Modify, Refresh, Rotation,
    StoreError, TombstoneKind, Write, WriteMode,
};
#[cfg(feature = "redis")]
use crate::store::{AnyStore, SessionKey};

/// The probe session and its tombstones expire after this time.
const PROBE_EXPIRES_IN: Duration = Duration::from_secs(10);
const PROBE_FIELD: &str = "probe";
/// The time between two attempts to reach a store that is unavailable.
#[cfg(feature = "redis")]
const BETWEEN_CHECKS: Duration = Duration::from_secs(1);

impl Sessions {
    /// Checks that the store can keep sessions, and reports the first problem. [`new`](Self::new)
    /// calls this. If you use [`with_store`](Self::with_store), you can call this when the
    /// application starts.
    ///
    /// The following has to hold:
    ///
    /// - The store's clock and this machine's clock differ by at most two and a half minutes. A
    ///   difference above half a minute is logged as a warning. So the clocks of any two machines
    ///   differ by at most five minutes, which is the tolerance for ids from the future.
    ///   [`ping`](Self::ping) keeps comparing the clocks.
    /// - Scripts on a Redis server can check permissions before the first write. This needs Redis 7
    ///   or later, or Valkey.
    /// - A Redis server has every command that sessions need, and the user may run each command on
    ///   the sessions' keys. The error names the missing commands and permissions.
    /// - A probe session is created, read, incremented, rotated and destroyed.
    /// - A Redis server with a memory limit and an eviction policy is logged as a warning. Such a
    ///   server may end live sessions at any time.
    ///
    /// # Errors
    ///
    /// Fails with [`Error::is_config`] and says what to change, or with [`Error::is_unavailable`]
    /// if the store cannot be reached. Any other error means that the store refused to keep the
    /// probe session. The store's memory may be full, for example.
    ///
    /// # Examples
    ///
    /// ```
    /// # session_runtime::__example!({
    /// use session_runtime::{MemoryStore, SessionConfig, Sessions};
    ///
    /// let config = SessionConfig::new().store("memory:");
    /// let sessions = Sessions::with_store(config, MemoryStore::new())?;
    /// sessions.check().await?;
    /// # });
    /// ```
    pub fn check(&self) -> Operation<'_, ()> {
        Operation::new(check(self.manager()))
    }

    /// Runs the checks in a background task as soon as the store is available, and logs any
    /// problem.
    #[cfg(feature = "redis")]
    pub(crate) fn check_later(&self) {
        let manager = Arc::downgrade(self.manager());
        tokio::spawn(async move {
            while let Some(manager) = manager.upgrade() {
                match check(&manager).await {
                    Ok(()) => return,
                    Err(error) if error.is_unavailable() => {}
                    Err(error) => {
                        tracing::error!(
                            error = &error as &dyn std::error::Error,
                            "the session store cannot be used"
                        );
                        return;
                    }
                }
                drop(manager);
                tokio::time::sleep(BETWEEN_CHECKS).await;
            }
        });
    }
}

async fn check(manager: &Manager) -> Result<(), Error> {
    let probe = Probe::new(manager)?;
    #[cfg(feature = "redis")]
    if let AnyStore::Redis(store) = manager.store() {
        store.preflight(probe.key()).await?.check()?;
        store.warn_of_eviction().await;
    }
    manager.clock_log().record(distance_of_clocks(manager).await?);
    probe.check(manager).await
}

/// Returns the difference between the clocks of this machine and of the store. Deadlines come from
/// the creation time in each id, which several machines write and read. A clock that is far off
/// ends sessions early, or refuses them.
pub(crate) async fn distance_of_clocks(manager: &Manager) -> Result<Duration, Error> {
    let distance = manager.distance_to_store().await?;
    if distance > MAX_DISTANCE {
        return Err(Error::config(format!(
            "the clocks of this machine and of the session store differ by {} seconds, at most {} \
             are allowed: synchronize them, for example with NTP",
            distance.as_secs(),
            MAX_DISTANCE.as_secs()
        )));
    }
    Ok(distance)
}

/// A session for the check alone.
pub(crate) struct Probe {
    session: SessionMetadata,
    successor: SessionMetadata,
}

impl Probe {
    pub(crate) fn new(manager: &Manager) -> Result<Self, Error> {
        let now = manager.now();
        let session = manager.generate(LifetimeId::default(), now)?;
        let successor = manager.generate_successor(&session, RotationReason::Rotate, now)?;
        Ok(Self { session, successor })
    }

    /// Returns the key of the session, which does not exist before the check.
    #[cfg(feature = "redis")]
    pub(crate) fn key(&self) -> &SessionKey {
        &self.session.key
    }

    /// Stores the session, and uses it in each way. The tombstones expire soon.
    pub(crate) async fn check(&self, manager: &Manager) -> Result<(), Error> {
        if passes_probe(manager, &self.session, &self.successor).await? {
            return Ok(());
        }
        Err(Error::config(
            "the session store failed the check at start: a test session was not stored and \
             returned as expected",
        ))
    }
}

/// The news of a change of the probe session, which a Redis server sends.
#[cfg(feature = "redis")]
struct ProbeNews<'a> {
    manager: &'a Manager,
    /// `None` if the store sends no news anyway.
    watch: Option<Watch>,
    is_promised: bool,
}

#[cfg(feature = "redis")]
impl<'a> ProbeNews<'a> {
    async fn begin(manager: &'a Manager, key: &SessionKey) -> Self {
        let store = manager.store();
        let watch =
            matches!(store, AnyStore::Redis(_)).then(|| Watch::new(store, key, manager.pace()));
        let is_promised = match &watch {
            Some(watch) => watch.look().await,
            None => false,
        };
        Self { manager, watch, is_promised }
    }

    /// Warns if the change was not told.
    async fn check(self) {
        let (Some(watch), AnyStore::Redis(store)) = (self.watch, self.manager.store()) else {
            return;
        };
        let by = Instant::now() + self.manager.timeout();
        store.record_told(self.is_promised && watch.has_news(by).await);
    }
}

/// Runs the probe session through the operations that demand most of a store. Returns whether each
/// had the expected outcome.
async fn passes_probe(
    manager: &Manager,
    probe: &SessionMetadata,
    successor: &SessionMetadata,
) -> Result<bool, StoreError> {
    let (store, key, expires_in) = (manager.store(), &probe.key, PROBE_EXPIRES_IN);
    let changes = [Change::Set { field: PROBE_FIELD, value: "1".into(), ttl: None }];
    let creation = Write { mode: WriteMode::Create, changes: &changes, expires_in, index: None };
    let count = Modify {
        mode: WriteMode::Existing,
        field: PROBE_FIELD,
        alias: None,
        action: Action::AddInteger { by: 1, default: 0, min: 0, max: 9 },
        ttl: None,
        expires_in,
        index: None,
        keeps_times: false,
    };
    let rotation = Rotation {
        successor_key: &successor.key,
        successor: &successor.id,
        expires_in,
        tombstone_for: PROBE_EXPIRES_IN,
        renews: false,
        changes: &[],
        keep_only: None,
        deadline_in: expires_in,
        index: &[],
    };
    let reason = DestroyReason::EndedElsewhere;
    let destruction = Destruction { reason, tombstone_for: PROBE_EXPIRES_IN };
    store.write(key, creation, false).await?;
    let read = store.get(key, PROBE_FIELD, Refresh::To(expires_in)).await?;
    #[cfg(feature = "redis")]
    let news = ProbeNews::begin(manager, key).await;
    let counted = store.modify(key, count).await?;
    #[cfg(feature = "redis")]
    news.check().await;
    let rotated = store.rotate(key, rotation).await?;
    store.destroy(&successor.key, destruction).await?;
    let tombstone = store.tombstone(&successor.key).await?;
    Ok(read == Lookup::Found(Some("1".into()))
        && counted == Lookup::Found(Modified::Sum("2".into()))
        && rotated == Lookup::Found(())
        && tombstone.is_some_and(|tombstone| tombstone.kind == TombstoneKind::Destroyed(reason)))
}
