//! Typed, lazy, race-safe web sessions.
//!
#![cfg_attr(feature = "derive", doc = "[The guide](guide) has what to do at login and logout.")]
#![forbid(unsafe_code)]

mod adapter;
mod batch;
mod cache_control;
mod clock;
mod config;
mod cookie_header;
mod error;
mod field;
// Its examples declare schemas.
#[cfg(feature = "derive")]
pub mod guide;
mod handle;
mod id;
mod keyring;
mod lifecycle;
mod random;
mod record;
mod response;
mod schema;
mod session;
mod sessions;
mod set_cookie;
mod store;
mod subject;
#[cfg(feature = "testing")]
#[doc(hidden)]
pub mod testing;
mod value;

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;

pub use bytes::Bytes;
#[cfg(feature = "derive")]
#[doc(inline)]
#[doc = include_str!("derive.md")]
pub use session_derive::Session;

#[cfg(feature = "derive")]
#[doc(inline)]
#[doc = include_str!("derive_value.md")]
pub use session_derive::FieldValue;

#[cfg(feature = "tower")]
pub use adapter::{ResponseFuture, SessionLayer, SessionService};
pub use batch::{ReadBatch, WriteBatch};
pub use config::{Lifetime, SameSite, SessionConfig};
pub use error::Error;
pub use field::{Field, Operation};
pub use handle::SessionHandle;
pub use id::SessionId;
pub use response::SessionHeaders;
pub use schema::{FieldSpec, Schema};
pub use session::Session;
pub use sessions::Sessions;
pub use store::{
    Action, BoxFuture, Change, Destroyed, Lookup, MemoryStore, Modified, Modify, PERMANENT_FIELD, Refresh,
    Rotation, SessionKey, SessionStore, StoreError, Write, WriteMode,
};
#[cfg(feature = "redis")]
pub use store::{RedisStore, RedisStoreBuilder};
pub use value::{FieldDefault, FieldValue, Increment, IntoField, InvalidValue};
