//! Typed, lazy, race-safe web sessions.

#![forbid(unsafe_code)]

mod error;
mod field;
mod handle;
mod id;
mod schema;
mod session;
mod store;
mod value;

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;

pub use bytes::Bytes;
#[cfg(feature = "derive")]
pub use session_derive::Session;

pub use error::Error;
pub use field::{Field, Operation};
pub use handle::SessionHandle;
pub use id::SessionId;
pub use schema::{FieldSpec, Schema};
pub use session::Session;
pub use store::{
    BoxFuture, Change, Lookup, MemoryStore, PERMANENT_FIELD, SessionKey, SessionStore, StoreError, Write,
    WriteMode,
};
#[cfg(feature = "redis")]
pub use store::{RedisStore, RedisStoreBuilder};
pub use value::{FieldDefault, FieldValue, IntoField, InvalidValue};
