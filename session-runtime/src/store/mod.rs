//! Where sessions are kept: the contract, and the stores that fulfil it.

mod any;
mod error;
mod key;
mod memory;
#[cfg(feature = "redis")]
mod redis;

pub use error::StoreError;
pub use key::SessionKey;
pub use memory::MemoryStore;
#[cfg(feature = "redis")]
pub use redis::{RedisStore, RedisStoreBuilder};

pub(crate) use any::AnyStore;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;

/// The name of the permanent field that every live session holds, with an empty value.
///
/// A hash that loses its last field is deleted by Redis; this one keeps a session alive that has no other field. The schema cannot have a
/// field of this name.
pub const PERMANENT_FIELD: &str = "";

/// A boxed future, as the methods of [`SessionStore`] return it.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A place to keep sessions.
///
/// # The contract
///
/// A **key** is in one of three states:
///
/// - *missing*: nothing is stored under it;
/// - *live*: a session, that is fields with values, the [permanent field](PERMANENT_FIELD) among them, and a time at which it expires;
/// - *dead*: a tombstone of a session that was ended. It too has a time at which it expires, a minute away or more.
///
/// From live or dead, a key becomes missing when its time has come, exactly as if it had never been there. Every operation is atomic: no
/// other operation on the same key sees or leaves a part of it. What an operation reports as done can be read by every operation that begins
/// after the report.
///
/// An operation that fails with [`StoreError::unavailable`] has changed nothing. One that fails with [`StoreError::outcome_unknown`] was
/// carried out once or not at all. A store never carries out a write twice.
///
/// A store checks no limits, knows nothing of cookies and interprets no value.
pub trait SessionStore: fmt::Debug + Send + Sync + 'static {
    /// Reads one field. With `refresh`, a live session expires that long from now.
    ///
    /// Without `refresh` a store that cannot tell cheaply may report a missing key as found, with no value.
    fn get<'a>(
        &'a self,
        key: &'a SessionKey,
        field: &'a str,
        refresh: Option<Duration>,
    ) -> BoxFuture<'a, Result<Lookup<Option<Bytes>>, StoreError>>;

    /// Whether a field is there. Otherwise as [`get`](Self::get).
    fn contains<'a>(
        &'a self,
        key: &'a SessionKey,
        field: &'a str,
        refresh: Option<Duration>,
    ) -> BoxFuture<'a, Result<Lookup<bool>, StoreError>>;

    /// Carries out all changes of one write, or none; the session then expires `write.expires_in` from now.
    ///
    /// On a missing key, [`WriteMode::Existing`] changes nothing and reports it missing; [`WriteMode::Create`] makes a live session with the
    /// permanent field and these changes. On a dead key nothing is changed in either mode. Reports how many of the removed fields were there.
    fn write<'a>(
        &'a self,
        key: &'a SessionKey,
        write: Write<'a>,
    ) -> BoxFuture<'a, Result<Lookup<u64>, StoreError>>;
}

/// What a store knows of a key, and the operation's result if it is a live session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lookup<T> {
    /// A live session.
    Found(T),
    /// Nothing is stored under this key.
    Missing,
    /// The session was ended: a tombstone.
    Dead,
}

/// One write of a session: some changes, carried out together.
#[derive(Debug, Clone, Copy)]
pub struct Write<'a> {
    /// Whether the session has to be there already.
    pub mode: WriteMode,
    /// What to change. No field stands in it twice, none is the [permanent field](PERMANENT_FIELD).
    pub changes: &'a [Change<'a>],
    /// How long from now the session is kept; more than zero.
    pub expires_in: Duration,
}

/// Whether a write may begin a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteMode {
    /// Only a live session is written.
    Existing,
    /// A missing session is begun, a live one is written.
    Create,
}

/// One change of one field. `Debug` shows the field's name alone.
#[derive(Clone)]
pub enum Change<'a> {
    /// Gives a field a value.
    Set {
        /// The field's stored name.
        field: &'a str,
        /// Its new value.
        value: Bytes,
    },
    /// Removes a field, if it is there.
    Remove {
        /// The field's stored name.
        field: &'a str,
    },
}

impl fmt::Debug for Change<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, field) = match self {
            Self::Set { field, .. } => ("Set", field),
            Self::Remove { field } => ("Remove", field),
        };
        f.debug_struct(name).field("field", field).finish_non_exhaustive()
    }
}
