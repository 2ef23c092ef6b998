//! Helpers of the checks.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::OnceLock;
use std::task::Poll;
use std::time::Instant;

pub(super) use std::time::Duration;

pub(super) use bytes::Bytes;

pub(super) use super::StoreUnderTest;
use crate::id::LifetimeId;
pub(super) use crate::id::SessionId;
pub(super) use crate::store::{
    Action, Change, DestroyReason, Destroyed, Destruction, Lookup, Modified, Modify,
    PERMANENT_FIELD, Refresh, Rotation, SessionKey, SessionStore, StoreError, TombstoneKind, Write,
    WriteMode,
};

pub(super) const HOUR: Duration = Duration::from_secs(3600);
pub(super) const MINUTE: Duration = Duration::from_secs(60);
/// An expiry that a check can wait for.
pub(super) const MOMENT: Duration = Duration::from_millis(40);
/// A time after which that expiry is over.
pub(super) const LATER: Duration = Duration::from_millis(60);

/// Returns a key that no other check uses.
pub fn fresh_key() -> SessionKey {
    key_of(&fresh_id())
}

/// Returns an id that no other check uses. All ids of a process have the same tag, because a
/// session and its successor share a cluster's slot.
pub fn fresh_id() -> SessionId {
    static FIRST: OnceLock<SessionId> = OnceLock::new();
    let now = std::time::SystemTime::now();
    FIRST
        .get_or_init(|| SessionId::generate(now, LifetimeId::default()).unwrap())
        .generate_successor(now, LifetimeId::default())
        .unwrap()
}

/// Returns an id with a tag of its own, such as that of another browser.
pub(super) fn fresh_id_with_own_tag() -> SessionId {
    SessionId::generate(std::time::SystemTime::now(), LifetimeId::default()).unwrap()
}

/// Returns the key of this id, with the prefix of these checks.
pub fn key_of(id: &SessionId) -> SessionKey {
    SessionKey::new("test", id)
}

/// Returns a change that sets a field.
pub fn set<'a>(field: &'a str, value: &str) -> Change<'a> {
    Change::Set { field, value: Bytes::copy_from_slice(value.as_bytes()), ttl: None }
}

/// Returns a change that removes a field.
pub fn remove(field: &str) -> Change<'_> {
    Change::Remove { field }
}

/// Creates a session that expires in an hour.
pub async fn create(
    store: &dyn SessionStore,
    key: &SessionKey,
    changes: &[Change<'_>],
) -> Lookup<u64> {
    create_for(store, key, changes, HOUR).await
}

/// Writes to an existing session, which expires in an hour.
pub async fn try_write(
    store: &dyn SessionStore,
    key: &SessionKey,
    changes: &[Change<'_>],
) -> Result<Lookup<u64>, StoreError> {
    store
        .write(key, Write { mode: WriteMode::Existing, changes, expires_in: HOUR, index: None })
        .await
}

pub(super) async fn create_for(
    store: &dyn SessionStore,
    key: &SessionKey,
    changes: &[Change<'_>],
    expires_in: Duration,
) -> Lookup<u64> {
    store
        .write(key, Write { mode: WriteMode::Create, changes, expires_in, index: None })
        .await
        .unwrap()
}

pub(super) async fn write(
    store: &dyn SessionStore,
    key: &SessionKey,
    changes: &[Change<'_>],
) -> Lookup<u64> {
    try_write(store, key, changes).await.unwrap()
}

pub(super) async fn get(store: &dyn SessionStore, key: &SessionKey, field: &str) -> Option<Bytes> {
    match store.get(key, field, Refresh::No).await.unwrap() {
        Lookup::Found(value) => value,
        other => panic!("the session is live, not {other:?}"),
    }
}

/// Reads all fields under a prefix. `None` for a store that cannot list the fields of a session.
pub(super) async fn all_under(
    store: &dyn SessionStore,
    key: &SessionKey,
    prefix: &str,
    refresh: Refresh,
) -> Option<Lookup<Vec<(String, Bytes)>>> {
    match store.get_all(key, prefix, refresh).await {
        Err(error) if error.is_unsupported() => None,
        read => Some(read.unwrap()),
    }
}

/// Asserts that every operation reports a dead key, and that none changes this.
pub async fn assert_is_dead(store: &dyn SessionStore, key: &SessionKey) {
    for refresh in [Refresh::No, Refresh::Below { below: HOUR, expires_in: HOUR }] {
        assert_eq!(store.get(key, "a", refresh).await.unwrap(), Lookup::Dead);
        assert_eq!(store.contains(key, "a", refresh).await.unwrap(), Lookup::Dead);
    }
    let read = all_under(store, key, "a", Refresh::No).await;
    assert!(matches!(read, Some(Lookup::Dead) | None), "{read:?}");
    for changes in [&[set("a", "1")][..], &[remove("a")], &[]] {
        assert_eq!(write(store, key, changes).await, Lookup::Dead);
        assert_eq!(create(store, key, changes).await, Lookup::Dead);
    }
    assert_eq!(store.get_many(key, &["a"], Refresh::No).await.unwrap(), Lookup::Dead);
    assert_eq!(store.modify(key, modify(replace(None))).await.unwrap(), Lookup::Dead);
    let elsewhere = Successor::fresh();
    assert_eq!(store.rotate(key, elsewhere.rotation()).await.unwrap(), Lookup::Dead);
    let destroyed = store.destroy(key, logout(HOUR)).await.unwrap();
    assert!(matches!(destroyed, Destroyed::Dead(_)), "{destroyed:?}");
    assert_eq!(store.expires_in(key).await.unwrap(), Lookup::Dead);
    assert_eq!(store.expires_in(&elsewhere.key).await.unwrap(), Lookup::Missing);
}

/// Returns a destruction by a logout.
pub fn logout(tombstone_for: Duration) -> Destruction {
    Destruction { reason: DestroyReason::LoggedOut, tombstone_for }
}

pub(super) const LOGGED_OUT: TombstoneKind = TombstoneKind::Destroyed(DestroyReason::LoggedOut);

/// Leaves a tombstone under a key that is not dead yet.
pub(super) async fn bury(store: &dyn SessionStore, key: &SessionKey, tombstone_for: Duration) {
    create(store, key, &[]).await;
    assert_eq!(store.destroy(key, logout(tombstone_for)).await.unwrap(), Destroyed::Ended);
}

/// Returns the remaining time of a live session.
pub(super) async fn expires_in(store: &dyn SessionStore, key: &SessionKey) -> Duration {
    match store.expires_in(key).await.unwrap() {
        Lookup::Found(left) => left,
        other => panic!("the session is live, not {other:?}"),
    }
}

/// Allows for the time that a busy machine may have needed since.
pub(super) async fn assert_expires_in(
    store: &dyn SessionStore,
    key: &SessionKey,
    expected: Duration,
) {
    let actual = expires_in(store, key).await;
    assert!(
        actual <= expected && actual + Duration::from_secs(30) > expected,
        "{actual:?}, not {expected:?}"
    );
}

pub(super) async fn assert_is_missing(store: &dyn SessionStore, key: &SessionKey) {
    assert_eq!(store.expires_in(key).await.unwrap(), Lookup::Missing);
}

/// Waits for background work of a store.
pub(super) async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let limit = Instant::now() + Duration::from_secs(20);
    while !is_so().await {
        assert!(Instant::now() < limit, "timed out waiting until {what}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// Runs all futures concurrently.
pub(super) async fn all<T>(futures: impl IntoIterator<Item = impl Future<Output = T>>) -> Vec<T> {
    let mut pending: Vec<_> =
        futures.into_iter().map(|future| (Some(Box::pin(future)), None)).collect();
    poll_fn(|context| {
        for (future, output) in &mut pending {
            let Some(running) = future else { continue };
            if let Poll::Ready(ready) = running.as_mut().poll(context) {
                (*future, *output) = (None, Some(ready));
            }
        }
        if pending.iter().all(|(future, _)| future.is_none()) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await;
    pending.into_iter().filter_map(|(_, output)| output).collect()
}

/// Runs both futures concurrently, in this order.
pub(super) async fn both<A, B>(
    one: impl Future<Output = A>,
    other: impl Future<Output = B>,
) -> (A, B) {
    let (mut first, mut second) = (None, None);
    let sides: [Pin<Box<dyn Future<Output = ()> + '_>>; 2] = [
        Box::pin(async { first = Some(one.await) }),
        Box::pin(async { second = Some(other.await) }),
    ];
    all(sides).await;
    (first.unwrap(), second.unwrap())
}

/// Returns a modification of the field `a`, without an alias. The session has to exist, and expires
/// in an hour.
pub fn modify(action: Action) -> Modify<'static> {
    Modify {
        mode: WriteMode::Existing,
        field: "a",
        alias: None,
        action,
        ttl: None,
        expires_in: HOUR,
        index: None,
        keeps_times: false,
    }
}

/// Returns an action that sets or removes a field.
pub fn replace(value: Option<&'static str>) -> Action {
    Action::Replace(value.map(Bytes::from))
}

/// Returns an addition in the range of an `i64`. A missing field counts as zero.
pub fn add(by: i128) -> Action {
    Action::AddInteger { by, default: 0, min: i64::MIN.into(), max: i64::MAX.into() }
}

/// Returns an addition of a 64-bit float. A missing field counts as zero.
pub fn add_float(by: f64) -> Action {
    Action::AddFloat { by, default: 0.0, single: false }
}

/// Returns an exchange of the expected value.
pub fn exchange(expected: Option<&'static str>, value: Option<&'static str>) -> Action {
    let [expected, value] = [expected, value].map(|text| text.map(Bytes::from));
    Action::CompareAndSet { expected, or_missing: false, value }
}

/// The result of an exchange of the expected value.
pub(super) const SWAPPED: Lookup<Modified> = Lookup::Found(Modified::Swapped(true));

/// Returns an exchange of the expected value of the field `a` that keeps all times.
pub fn keeping_times(expected: Option<&'static str>, value: &'static str) -> Modify<'static> {
    Modify { keeps_times: true, ..modify(exchange(expected, Some(value))) }
}

pub(super) async fn carry_out(
    store: &dyn SessionStore,
    key: &SessionKey,
    action: Action,
) -> Modified {
    match store.modify(key, modify(action)).await.unwrap() {
        Lookup::Found(modified) => modified,
        other => panic!("the session is live, not {other:?}"),
    }
}

pub(super) fn value(value: Option<&str>) -> Modified {
    Modified::Value(value.map(|value| Bytes::copy_from_slice(value.as_bytes())))
}

pub(super) fn sum(sum: &str) -> Modified {
    Modified::Sum(Bytes::copy_from_slice(sum.as_bytes()))
}

/// The successor of a rotated session.
#[derive(Debug)]
pub struct Successor {
    /// The successor's id.
    pub id: SessionId,
    /// The key of that id.
    pub key: SessionKey,
}

impl Successor {
    /// Creates a successor that no other test uses.
    pub fn fresh() -> Self {
        let id = fresh_id();
        Self { key: key_of(&id), id }
    }

    /// Returns a rotation. The session expires in an hour, and the tombstone stays for a minute.
    pub fn rotation(&self) -> Rotation<'_> {
        Rotation {
            successor_key: &self.key,
            successor: &self.id,
            expires_in: HOUR,
            tombstone_for: MINUTE,
            renews: false,
            changes: &[],
            keep_only: None,
            deadline_in: HOUR,
            index: &[],
        }
    }
}
