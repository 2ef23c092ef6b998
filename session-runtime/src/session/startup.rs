//! What is asked of the store when the application starts.

#[cfg(feature = "redis")]
use std::sync::Arc;
use std::time::Duration;

use crate::error::Error;
use crate::id::LifetimeId;
use crate::lifecycle::{RotationReason, SessionMetadata};
use crate::operation::Operation;
use crate::request::manager::Manager;
use crate::session::clock_log::{self, ClockLog};
use crate::session::sessions::Sessions;
use crate::store::{
    Action, AnyStore, Change, DestroyReason, Destruction, Lookup, Modified, Modify, Refresh,
    Rotation, StoreError, TombstoneKind, Write, WriteMode,
};

/// The probe session and its tombstones are gone soon.
const PROBE_EXPIRES_IN: Duration = Duration::from_secs(10);
const PROBE_FIELD: &str = "probe";
/// How long to wait for a store that is away.
#[cfg(feature = "redis")]
const BETWEEN_CHECKS: Duration = Duration::from_secs(1);

impl Sessions {
    /// Makes sure that the store can keep sessions, and says what is in the way. [`new`](Self::new)
    /// does it by itself; for a manager [with a store of one's own](Self::with_store) it may be
    /// called when the application starts.
    ///
    /// - The store's clock and ours are at most two and a half minutes apart. More than half a
    ///   minute is a warning. So any two machines are at most five apart, as far as an id may be
    ///   from the future; [`ping`](Self::ping) goes on comparing.
    /// - The scripts of a Redis server can ask for permissions before they write, as from Redis 7
    ///   on and on Valkey.
    /// - A Redis server has every command that sessions need, and its user may run it, on their
    ///   keys too. What is missing is named.
    /// - A probe session is begun, read, counted in, moved and ended.
    /// - A Redis server that has a limit of its memory and evicts is a warning: it may end live
    ///   sessions at any time.
    ///
    /// # Errors
    ///
    /// [`Error::is_config`] with what to change, [`Error::is_unavailable`] if the store cannot be
    /// reached. Otherwise the store refused to keep the probe session: its memory is full, say.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// use session_runtime::{MemoryStore, SessionConfig, Sessions};
    ///
    /// let sessions = Sessions::with_store(SessionConfig::new().store("memory:"), MemoryStore::new())?;
    /// sessions.check().await?;
    /// # Ok::<(), session_runtime::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn check(&self) -> Operation<'_, ()> {
        Operation::new(check(self.manager(), self.clock_log()))
    }

    /// Checks as soon as the store is there, in a task of its own, and logs what is in the way.
    #[cfg(feature = "redis")]
    pub(crate) fn check_later(&self) {
        let (manager, clock_log) = (Arc::downgrade(self.manager()), Arc::clone(self.clock_log()));
        tokio::spawn(async move {
            while let Some(manager) = manager.upgrade() {
                match check(&manager, &clock_log).await {
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

async fn check(manager: &Manager, clock_log: &ClockLog) -> Result<(), Error> {
    let (store, now) = (manager.store(), manager.now());
    let probe = manager.generate(LifetimeId::default(), now)?;
    #[cfg(feature = "redis")]
    if let AnyStore::Redis(store) = store {
        store.check_server(&probe.key).await?;
        store.warn_of_eviction().await;
    }
    check_clock(manager, clock_log).await?;
    let successor = manager.generate_successor(&probe, RotationReason::Rotate, now)?;
    if !passes_probe(store, &probe, &successor).await? {
        return Err(Error::config("the session store does not keep what it is given"));
    }
    Ok(())
}

/// Deadlines are told by the time in an id, which several machines write and read: a clock that is
/// far off ends sessions early, or refuses them.
async fn check_clock(manager: &Manager, clock_log: &ClockLog) -> Result<(), Error> {
    let distance = clock_log::distance_to_store(manager).await?;
    if distance > clock_log::MAX_DISTANCE {
        return Err(Error::config(format!(
            "this machine's clock and the store's are {} seconds apart, at most {} are allowed: \
             set them right, by NTP say",
            distance.as_secs(),
            clock_log::MAX_DISTANCE.as_secs()
        )));
    }
    clock_log.record(distance);
    Ok(())
}

/// Has the probe session go through the operations that ask most of a store, and returns whether
/// each had its outcome.
async fn passes_probe(
    store: &AnyStore,
    probe: &SessionMetadata,
    successor: &SessionMetadata,
) -> Result<bool, StoreError> {
    let (key, expires_in) = (&probe.key, PROBE_EXPIRES_IN);
    let changes = [Change::Set { field: PROBE_FIELD, value: "1".into(), ttl: None }];
    let creation = Write { mode: WriteMode::Create, changes: &changes, expires_in };
    let count = Modify {
        mode: WriteMode::Existing,
        field: PROBE_FIELD,
        alias: None,
        action: Action::AddInteger { by: 1, default: 0, min: 0, max: 9 },
        ttl: None,
        expires_in,
    };
    let rotation = Rotation {
        successor_key: &successor.key,
        successor: &successor.id,
        expires_in,
        tombstone_for: PROBE_EXPIRES_IN,
        renews: false,
    };
    let reason = DestroyReason::EndedElsewhere;
    let destruction = Destruction { reason, tombstone_for: PROBE_EXPIRES_IN };
    store.write(key, creation, false).await?;
    let read = store.get(key, PROBE_FIELD, Refresh::To(expires_in)).await?;
    let counted = store.modify(key, count).await?;
    let rotated = store.rotate(key, rotation).await?;
    store.destroy(&successor.key, destruction).await?;
    let tombstone = store.tombstone(&successor.key).await?;
    Ok(read == Lookup::Found(Some("1".into()))
        && counted == Lookup::Found(Modified::Sum("2".into()))
        && rotated == Lookup::Found(())
        && tombstone.is_some_and(|tombstone| tombstone.kind == TombstoneKind::Destroyed(reason)))
}
