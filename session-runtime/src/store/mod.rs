//! Stores, which keep the sessions, and the contract of a custom store.
//!
//! - [`MemoryStore`] keeps sessions in the memory of the process. This store suits tests,
//!   development and a single process that may lose sessions.
//! - [`RedisStore`], with the feature `redis`, keeps sessions on Redis or Valkey: on one server,
//!   behind sentinels or on a cluster.
//! - A custom store is any type that implements [`SessionStore`].
//!
//! You rarely name a store yourself. [`Sessions::new`](crate::Sessions::new) creates the store that
//! [`SessionConfig::store`](crate::SessionConfig::store) names. Pass a store to
//! [`Sessions::with_store`](crate::Sessions::with_store) if the store is custom, or if you set its
//! options with a builder.
//!
//! # Examples
//!
//! ```
//! use session_runtime::store::WhenFull;
//! use session_runtime::{MemoryStore, SessionConfig, Sessions};
//!
//! let store = MemoryStore::builder().max_entries(10_000).when_full(WhenFull::Evict).build();
//! let sessions = Sessions::with_store(SessionConfig::new().store("memory:"), store)?;
//! # Ok::<(), session_runtime::Error>(())
//! ```
//!
//! # Custom stores
//!
//! 1. Implement [`SessionStore`]. The page of the trait states the contract. The other types of
//!    this module are arguments and results of the methods.
//! 2. Test your store with [`testing::store_suite!`], which the feature `testing` provides. The
//!    macro generates a test for each point of the contract.
//! 3. Pass your store to [`Sessions::with_store`](crate::Sessions::with_store).
//!
//! Each method returns a [`BoxFuture`], so the body is usually an `async` block in a box. The
//! example shows `get` for a store that wraps another store:
//!
//! ```
//! use session_runtime::Bytes;
//! use session_runtime::store::{
//!     BoxFuture, Lookup, Refresh, SessionKey, SessionStore, StoreError,
//! };
//!
//! fn get<'a>(
//!     inner: &'a dyn SessionStore,
//!     key: &'a SessionKey,
//!     field: &'a str,
//!     refresh: Refresh,
//! ) -> BoxFuture<'a, Result<Lookup<Option<Bytes>>, StoreError>> {
//!     Box::pin(async move {
//!         let found = inner.get(key, field, refresh).await?;
//!         if found == Lookup::Missing {
//!             println!("no session under {key:?}"); // shows no secret
//!         }
//!         Ok(found)
//!     })
//! }
//! ```
#![cfg_attr(not(feature = "redis"), doc = "\n\n[`RedisStore`]: crate#features\n")]
#![cfg_attr(
    feature = "testing",
    doc = "\n\n[`testing::store_suite!`]: macro@crate::testing::store_suite\n"
)]
#![cfg_attr(not(feature = "testing"), doc = "\n\n[`testing::store_suite!`]: crate#features\n")]

mod any;
mod boxed;
pub(crate) mod connection_state;
mod contract;
mod index;
mod indexed_value;
mod indexing;
pub(crate) mod memory;
mod near;
mod near_cache_state;
#[cfg(feature = "redis")]
pub(crate) mod redis;
mod scan;
pub(crate) mod timeout;
mod watchlist;

pub use crate::error::StoreError;
pub use crate::id::{IndexKey, SessionKey};
pub use crate::operation::BoxFuture;
pub use contract::{
    Action, Change, DestroyReason, Destroyed, Destruction, Lookup, Modified, Modify,
    PERMANENT_FIELD, Refresh, Rotation, Tombstone, TombstoneKind, Write, WriteMode,
};

pub use index::{
    Ending, IndexProof, ListEntry, Listing, Look, MissingEntry, Seen, SessionIndex, Stale,
    StaleEntry,
};
pub use indexed_value::IndexedValue;
pub use indexing::{IndexChange, IndexEntry, Indexing, LoginGuard};
pub use scan::{Scan, ScanCursor, ScanPage};

pub(crate) use any::AnyStore;
pub use connection_state::ConnectionState;
pub(crate) use memory::Bounds;
pub use memory::{MemoryStore, MemoryStoreBuilder, WhenFull};
pub(crate) use near::{NearRules, NearValues};
pub use near_cache_state::NearCacheState;
#[cfg(feature = "redis")]
pub use redis::{RedisStore, RedisStoreBuilder};
#[cfg(feature = "redis")]
pub(crate) use watchlist::Source;
pub(crate) use watchlist::{LookResult, Pace, PendingLook, Step, Watchlist};

use std::fmt;
use std::future::ready;
use std::time::{Duration, SystemTime};

use bytes::Bytes;

/// A store of sessions.
///
/// # The contract
///
/// A **key** is in one of three states:
///
/// - *missing*: nothing is stored under the key.
/// - *live*: the key holds a session, which consists of fields with values and an expiry. The
///   [permanent field](PERMANENT_FIELD) is among the fields.
/// - *dead*: the key holds the [tombstone](Tombstone) of an ended session. A tombstone has an
///   expiry as well, a minute away or more.
///
/// When the expiry has passed, a live or dead key becomes missing, as if nothing had ever been
/// stored there. Every operation is atomic: no other operation on the same key sees or leaves a
/// partial result. Once an operation has reported success, every operation that starts later sees
/// the change.
///
/// Every duration counts from the moment when the store carries out the operation. A store may
/// round durations to milliseconds, but never to zero. [`Duration::MAX`] stands for as long as the
/// store can. A read may prolong a tombstone for an instant, but no longer.
///
/// An operation that fails with [`StoreError::unavailable`] has changed nothing. An operation may
/// still be under way if it fails with [`StoreError::outcome_unknown`], or if its future is
/// dropped. The store carries out the operation once or not at all, possibly some moments later.
///
/// A store never carries out a write twice. No operation waits for long: if the store cannot finish
/// within the deadline, the operation fails.
///
/// A store checks no limits, handles no cookies and does not interpret values.
///
/// # Custom stores
///
/// With the feature `testing`, [`testing::store_suite!`] generates a test for each point of this
/// contract. The futures are boxed, so you can use `dyn SessionStore`.
/// [`Sessions::with_store`](crate::Sessions::with_store) accepts any store.
#[cfg_attr(
    feature = "testing",
    doc = "\n\n[`testing::store_suite!`]: macro@crate::testing::store_suite\n"
)]
#[cfg_attr(not(feature = "testing"), doc = "\n\n[`testing::store_suite!`]: crate#features\n")]
pub trait SessionStore: fmt::Debug + Send + Sync + 'static {
    /// Reads a field, and refreshes the expiry of a live session as `refresh` says.
    ///
    /// With [`Refresh::No`], a store may report a missing key as found without a value if the
    /// difference is expensive to detect.
    fn get<'a>(
        &'a self,
        key: &'a SessionKey,
        field: &'a str,
        refresh: Refresh,
    ) -> BoxFuture<'a, Result<Lookup<Option<Bytes>>, StoreError>>;

    /// Returns whether a field exists. Otherwise the same as [`get`](Self::get).
    fn contains<'a>(
        &'a self,
        key: &'a SessionKey,
        field: &'a str,
        refresh: Refresh,
    ) -> BoxFuture<'a, Result<Lookup<bool>, StoreError>>;

    /// Carries out all changes of one write, or none. The session then expires `write.expires_in`
    /// from now.
    ///
    /// On a missing key, [`WriteMode::Existing`] changes nothing and returns [`Lookup::Missing`].
    /// [`WriteMode::Create`] creates a live session with the permanent field and these changes. On
    /// a dead key, neither mode changes anything. Returns how many of the removed fields existed.
    fn write<'a>(
        &'a self,
        key: &'a SessionKey,
        write: Write<'a>,
    ) -> BoxFuture<'a, Result<Lookup<u64>, StoreError>>;

    /// Reads several fields as of the same moment, and returns the values in the order of `fields`.
    /// The slice may be empty or name the same field twice. Otherwise the same as
    /// [`get`](Self::get).
    fn get_many<'a>(
        &'a self,
        key: &'a SessionKey,
        fields: &'a [&'a str],
        refresh: Refresh,
    ) -> BoxFuture<'a, Result<Lookup<Vec<Option<Bytes>>>, StoreError>>;

    /// Reads all fields whose names begin with `prefix`, as of the same moment and in any order.
    /// The [permanent field](PERMANENT_FIELD) is among them if the prefix is empty. Fields that the
    /// store adds for its own use are not. Otherwise the same as [`get`](Self::get).
    ///
    /// A store that cannot list the fields of a session leaves this method as it is. Sessions of
    /// tower-sessions then fail with [`Error::is_unsupported`](crate::Error::is_unsupported).
    #[expect(clippy::type_complexity, reason = "the parts are clearer than another name")]
    fn get_all<'a>(
        &'a self,
        _key: &'a SessionKey,
        _prefix: &'a str,
        _refresh: Refresh,
    ) -> BoxFuture<'a, Result<Lookup<Vec<(String, Bytes)>>, StoreError>> {
        Box::pin(ready(Err(StoreError::unsupported(
            "the store cannot list the fields of a session",
        ))))
    }

    /// Changes a field depending on the current value. The session then expires `modify.expires_in`
    /// from now, even if nothing was changed. With [`Modify::keeps_times`], the expiry stays as it
    /// is.
    ///
    /// Missing and dead keys are treated as in [`write`](Self::write), and [`Lookup::Found`] always
    /// means that the session is live. [`WriteMode::Create`] therefore creates a session even to
    /// remove a field that does not exist.
    ///
    /// No session is created if the result would be [`Modified::NotANumber`],
    /// [`Modified::OutOfRange`] or [`Modified::Swapped`]`(false)`. A missing key is then reported
    /// as missing in both modes.
    ///
    /// A removal works even if the store is full.
    fn modify<'a>(
        &'a self,
        key: &'a SessionKey,
        modify: Modify<'a>,
    ) -> BoxFuture<'a, Result<Lookup<Modified>, StoreError>>;

    /// Returns the time until a field's own expiry, or `None` if the field has no expiry or does
    /// not exist. Refreshes nothing.
    fn field_expires_in<'a>(
        &'a self,
        key: &'a SessionKey,
        field: &'a str,
    ) -> BoxFuture<'a, Result<Lookup<Option<Duration>>, StoreError>>;

    /// Lets a field expire `ttl` from now, and returns whether the field exists. A live session
    /// then expires `expires_in` from now.
    fn expire_field<'a>(
        &'a self,
        key: &'a SessionKey,
        field: &'a str,
        ttl: Duration,
        expires_in: Duration,
    ) -> BoxFuture<'a, Result<Lookup<bool>, StoreError>>;

    /// Returns whether fields can have an expiry of their own. If not, operations that would set an
    /// expiry of a field fail with [`StoreError::refused`] and change nothing.
    fn supports_field_expiry(&self) -> bool;

    /// Returns the time until a session expires. Refreshes nothing.
    ///
    /// [`Duration::MAX`] means that the session never expires. Only another program can have
    /// created such a session.
    fn expires_in<'a>(
        &'a self,
        key: &'a SessionKey,
    ) -> BoxFuture<'a, Result<Lookup<Duration>, StoreError>>;

    /// Moves a live session, with everything stored in it, to another key. The session expires
    /// there `rotation.expires_in` from now.
    ///
    /// `rotation.changes` and `rotation.keep_only` belong to the same step. Nobody sees the changes
    /// under the old key, or the new key without the changes. Fields that stay keep their own
    /// expiry. A store without this ability leaves
    /// [`supports_changes_in_rotation`](Self::supports_changes_in_rotation) as it is, and then never
    /// receives such a rotation.
    ///
    /// The old key keeps a tombstone with the successor's id: [`TombstoneKind::Renewed`] if
    /// `rotation.renews`, otherwise [`TombstoneKind::Rotated`]. On a missing key nothing is
    /// changed. A rotation that sets no field works even if the store is full. A rotation for which
    /// there is no room changes nothing.
    ///
    /// If the old key already holds a tombstone with this successor's id, and the session is live
    /// there, the rotation succeeds and changes nothing. So an operation whose reply was lost can
    /// be repeated. With any other tombstone, or without a live session at the successor, the
    /// result is [`Lookup::Dead`].
    ///
    /// A rotation of a live session onto a live or dead key fails with [`StoreError::refused`] and
    /// changes nothing.
    fn rotate<'a>(
        &'a self,
        key: &'a SessionKey,
        rotation: Rotation<'a>,
    ) -> BoxFuture<'a, Result<Lookup<()>, StoreError>>;

    /// Returns whether [`rotate`](Self::rotate) can change fields in the same step. If not, a batch
    /// that changes the id fails with
    /// [`Error::is_unsupported`](crate::Error::is_unsupported).
    fn supports_changes_in_rotation(&self) -> bool {
        false
    }

    /// Returns whether [`modify`](Self::modify) obeys [`Modify::keeps_times`]. If not, encrypted
    /// values cannot be encrypted again in the background, which fails with
    /// [`Error::is_unsupported`](crate::Error::is_unsupported).
    fn supports_keeping_times(&self) -> bool {
        false
    }

    /// Returns the part of the store that finds sessions by a field. `None` if the store cannot.
    /// Then fields with `#[session(index)]` cannot be written, and
    /// [`Sessions::find`](crate::Sessions::find) finds nothing: both fail with
    /// [`Error::is_unsupported`](crate::Error::is_unsupported).
    fn index(&self) -> Option<&dyn SessionIndex> {
        None
    }

    /// Returns some of the live sessions of a prefix, and the place where the next step begins.
    /// Refreshes nothing.
    ///
    /// The steps from the first to the last are a walk. A walk ends, and each step holds a limited
    /// number of sessions. The walk contains every session that is live under the same key from
    /// the first step to the last. Other sessions may be missing, and any session may be there
    /// several times. Sessions of other prefixes are never there.
    ///
    /// A step that failed can be repeated from the same place.
    ///
    /// A store that cannot list its keys leaves this method as it is.
    /// [`Sessions::all`](crate::Sessions::all) then fails with
    /// [`Error::is_unsupported`](crate::Error::is_unsupported).
    fn scan<'a>(&'a self, _scan: Scan<'a>) -> BoxFuture<'a, Result<ScanPage, StoreError>> {
        Box::pin(ready(Err(StoreError::unsupported("the store cannot list its sessions"))))
    }

    /// Ends a live session: removes all fields and leaves a tombstone with the reason. On a missing
    /// or dead key nothing is changed. Works even if the store is full.
    fn destroy<'a>(
        &'a self,
        key: &'a SessionKey,
        destruction: Destruction,
    ) -> BoxFuture<'a, Result<Destroyed, StoreError>>;

    /// Reads the tombstone of a dead key. Returns `None` for a missing or live key. Changes
    /// nothing.
    fn tombstone<'a>(
        &'a self,
        key: &'a SessionKey,
    ) -> BoxFuture<'a, Result<Option<Tombstone>, StoreError>>;

    /// Returns the time of the store's clock. A clock that differs much from the local clock makes
    /// deadlines wrong.
    ///
    /// The method also serves as a health check, so the servers that keep the sessions must answer
    /// it.
    fn time(&self) -> BoxFuture<'_, Result<SystemTime, StoreError>>;

    /// Returns whether the store can be reached, as far as known without a request. A store that
    /// needs no connection is always [`Connected`](ConnectionState::Connected).
    fn connection_state(&self) -> ConnectionState {
        ConnectionState::Connected
    }
}
