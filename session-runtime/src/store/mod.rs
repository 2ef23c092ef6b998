//! The stores of sessions, and the contract that a store of your own keeps.
//!
//! [`SessionStore`] says in prose all that a store has to keep to. The other types here are the
//! arguments and the results of its methods. [`Sessions::with_store`](crate::Sessions::with_store)
//! takes any type that implements it.
//!
//! Programs that use [`MemoryStore`] or `RedisStore` need nothing from this module.

mod any;
mod boxed;
pub(crate) mod connection_state;
mod contract;
pub(crate) mod memory;
#[cfg(feature = "redis")]
pub(crate) mod redis;
pub(crate) mod timeout;

pub use crate::error::StoreError;
pub use crate::id::SessionKey;
pub use crate::operation::BoxFuture;
pub use contract::{
    Action, Change, DestroyReason, Destroyed, Destruction, Lookup, Modified, Modify,
    PERMANENT_FIELD, Refresh, Rotation, Tombstone, TombstoneKind, Write, WriteMode,
};

pub(crate) use any::AnyStore;
pub use connection_state::ConnectionState;
pub(crate) use memory::Bounds;
pub use memory::{MemoryStore, MemoryStoreBuilder, WhenFull};
#[cfg(feature = "redis")]
pub use redis::{RedisStore, RedisStoreBuilder};

use std::fmt;
use std::time::{Duration, SystemTime};

use bytes::Bytes;

/// A place to keep sessions.
///
/// # The contract
///
/// A **key** is in one of three states:
///
/// - *missing*: nothing is stored under it;
/// - *live*: a session, that is fields with values, the [permanent field](PERMANENT_FIELD) among
///   them, and a time at which it expires;
/// - *dead*: a [tombstone](Tombstone) of a session that was ended. It too has a time at which it
///   expires, a minute away or more.
///
/// From live or dead, a key becomes missing when its time has come, exactly as if it had never been
/// there. Every operation is atomic: no other operation on the same key sees or leaves a part of
/// it. What an operation reports as done can be read by every operation that begins
/// after the report.
///
/// Times count from the moment at which an operation is carried out. A store may round them to
/// milliseconds, but never to nothing, and it takes [`Duration::MAX`] for as long as it can. A read
/// that finds a tombstone prolongs it for no longer than an instant.
///
/// An operation that fails with [`StoreError::unavailable`] has changed nothing. One that fails
/// with [`StoreError::outcome_unknown`], or whose future is dropped, was carried out once, or not
/// at all, or will be within moments: it may still be under way. A store never carries out a write
/// twice, and no operation waits for long: what cannot be done within the store's deadline fails.
///
/// A store checks no limits, knows nothing of cookies and interprets no value.
///
/// # A store of one's own
///
/// With the feature `testing`, `testing::store_suite!` makes a test of every point of this
/// contract. The futures are boxed for it, so that `dyn SessionStore` works;
/// [`Sessions::with_store`](crate::Sessions::with_store) takes any.
pub trait SessionStore: fmt::Debug + Send + Sync + 'static {
    /// Reads one field, and refreshes a live session's expiry as `refresh` says.
    ///
    /// With [`Refresh::No`] a store that cannot tell cheaply may report a missing key as found,
    /// with no value.
    fn get<'a>(
        &'a self,
        key: &'a SessionKey,
        field: &'a str,
        refresh: Refresh,
    ) -> BoxFuture<'a, Result<Lookup<Option<Bytes>>, StoreError>>;

    /// Whether a field is there. Otherwise as [`get`](Self::get).
    fn contains<'a>(
        &'a self,
        key: &'a SessionKey,
        field: &'a str,
        refresh: Refresh,
    ) -> BoxFuture<'a, Result<Lookup<bool>, StoreError>>;

    /// Carries out all changes of one write, or none; the session then expires `write.expires_in`
    /// from now.
    ///
    /// On a missing key, [`WriteMode::Existing`] changes nothing and reports it missing;
    /// [`WriteMode::Create`] makes a live session with the permanent field and these changes.
    /// On a dead key nothing is changed in either mode. Reports how many of the removed fields were
    /// there.
    fn write<'a>(
        &'a self,
        key: &'a SessionKey,
        write: Write<'a>,
    ) -> BoxFuture<'a, Result<Lookup<u64>, StoreError>>;

    /// Reads several fields as they are at one moment, each value in its field's place. The same
    /// field may be asked for twice, or none at all. Otherwise as [`get`](Self::get).
    fn get_many<'a>(
        &'a self,
        key: &'a SessionKey,
        fields: &'a [&'a str],
        refresh: Refresh,
    ) -> BoxFuture<'a, Result<Lookup<Vec<Option<Bytes>>>, StoreError>>;

    /// Changes one field in a way that depends on what it holds; the session then expires
    /// `modify.expires_in` from now, also if nothing was changed.
    ///
    /// On missing and dead keys as [`write`](Self::write): where [`Lookup::Found`] is reported
    /// there is a live session, which [`WriteMode::Create`] begins also for a removal of what
    /// is not there. What would come to [`Modified::NotANumber`], [`Modified::OutOfRange`] or
    /// [`Modified::Swapped`]`(false)` begins none: a missing key is then reported missing in either
    /// mode. What only removes works when the store has no room left.
    fn modify<'a>(
        &'a self,
        key: &'a SessionKey,
        modify: Modify<'a>,
    ) -> BoxFuture<'a, Result<Lookup<Modified>, StoreError>>;

    /// How long from now a field is kept by its own expiry: `None` if it has none, or is not there.
    /// Refreshes nothing.
    fn field_expires_in<'a>(
        &'a self,
        key: &'a SessionKey,
        field: &'a str,
    ) -> BoxFuture<'a, Result<Lookup<Option<Duration>>, StoreError>>;

    /// Gives a field an expiry of its own, `ttl` from now, and says whether the field is there; a
    /// live session then expires `expires_in` from now.
    fn expire_field<'a>(
        &'a self,
        key: &'a SessionKey,
        field: &'a str,
        ttl: Duration,
        expires_in: Duration,
    ) -> BoxFuture<'a, Result<Lookup<bool>, StoreError>>;

    /// Whether fields can have an expiry of their own. If not, the operations that would give them
    /// one fail as [refused](StoreError::refused), and change nothing.
    fn supports_field_expiry(&self) -> bool;

    /// How long from now a session is kept; [`Duration::MAX`] if it never expires, which only
    /// another program's session may do. Refreshes nothing.
    fn expires_in<'a>(
        &'a self,
        key: &'a SessionKey,
    ) -> BoxFuture<'a, Result<Lookup<Duration>, StoreError>>;

    /// Puts a live session, with all that is stored in it, under another key, where it expires
    /// `rotation.expires_in` from now, and leaves a tombstone that holds the successor's id:
    /// [`TombstoneKind::Renewed`] if `rotation.renews`, else [`TombstoneKind::Rotated`]. On a
    /// missing key nothing is changed. Works when the store has no room left.
    ///
    /// A tombstone that holds this successor's id already is a success, and changes nothing, as
    /// long as the session is live there: an operation whose reply was lost can be repeated. If
    /// it is not, or for any other tombstone, the session is dead.
    ///
    /// A rotation of a live session onto a key that is live or dead is refused, and changes
    /// nothing.
    fn rotate<'a>(
        &'a self,
        key: &'a SessionKey,
        rotation: Rotation<'a>,
    ) -> BoxFuture<'a, Result<Lookup<()>, StoreError>>;

    /// Ends a live session: its fields go, and a tombstone stays that tells the reason. On a
    /// missing or dead key nothing is changed. Works when the store has no room left.
    fn destroy<'a>(
        &'a self,
        key: &'a SessionKey,
        destruction: Destruction,
    ) -> BoxFuture<'a, Result<Destroyed, StoreError>>;

    /// Reads the tombstone of a dead key. `None` for a key that is missing or live. Changes
    /// nothing.
    fn tombstone<'a>(
        &'a self,
        key: &'a SessionKey,
    ) -> BoxFuture<'a, Result<Option<Tombstone>, StoreError>>;

    /// What time the store's machine has: a clock that is far from ours makes deadlines wrong. It
    /// is the store's sign of life, too: what serves sessions answers.
    fn time(&self) -> BoxFuture<'_, Result<SystemTime, StoreError>>;

    /// Whether the store can be reached, as far as is known without asking. One that needs no
    /// connection always can.
    fn connection_state(&self) -> ConnectionState {
        ConnectionState::Connected
    }
}
