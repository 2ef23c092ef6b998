//! Typed sessions for axum, actix-web and tower.
//!
//! Declare your session as a struct: a typo is a compile error, and each field is read and written
//! on its own, in Redis or in memory.
//!
//! ```no_run
//! # #[cfg(all(feature = "axum", feature = "derive"))] {
//! use axum::{Router, routing::get};
//! use session_runtime::{Error, Session, Sessions};
//!
//! #[derive(Session)]
//! struct Visitor {
//!     count: u64,
//!     name: String,
//! }
//!
//! async fn index(session: Session<Visitor>) -> Result<String, Error> {
//!     let count = session.count().incr(1).await?; // atomic
//!     Ok(format!("hello {}, visit {count}\n", session.name().await?))
//! }
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let sessions = Sessions::from_env().await?; // SESSION_REDIS, SESSION_SECRET, …
//!     let app = Router::new().route("/", get(index)).layer(sessions.layer());
//!     axum::serve(tokio::net::TcpListener::bind("127.0.0.1:3000").await?, app).await?;
//!     Ok(())
//! }
//! # }
//! ```
//!
//! Run the program without a Redis server:
//!
//! ```sh
//! SESSION_REDIS=memory: SESSION_COOKIE_SECURE=false cargo run
//! ```
//!
#![cfg_attr(
    feature = "derive",
    doc = r#"
# The guide

Begin with the [quick start](guide::quick_start). Then read about [types](guide::types), the
[life cycle](guide::lifecycle), [concurrency](guide::concurrency), [login](guide::login), [forged
requests](guide::forged_requests), [the sessions of a user](guide::user_sessions), [callbacks from
other sites](guide::cross_site) and [security](guide::security). Pages on
[frameworks](guide::frameworks), [live connections](guide::live_connections),
[errors](guide::errors), [tests], [deployment], [production], [operations],
[observability](guide::observability), [performance](guide::performance) and the [near
cache](guide::near_cache) follow. The [FAQ](guide::faq) answers questions by symptom.

There are pages for users of [tower-sessions](guide::tower_sessions),
[actix-session](guide::actix_session) and [Python's `redis_session`]."#
)]
//!
//! # Fields
//!
//! [`#[derive(Session)]`][derive] makes a struct the schema of a session. Each field gets a
//! getter and a setter. The getter returns a [`Field`], which you await to read the value. Methods
//! of [`Field`] count, compare, take and replace values in one atomic step.
//!
//! A field has any type that implements [`FieldValue`], or any type of serde with
//! `#[session(json)]`.
//!
//! # Life cycle
//!
//! [`Sessions`] is the application's manager. Build the manager once, from a [`SessionConfig`] or
//! from the environment. Handlers receive a [`Session`](struct@Session) from the layer or
//! middleware of their web framework.
//!
//! The first write creates the session and sets a signed cookie. Each request that uses the session
//! postpones its expiry. A [login](guide::login) is a batch with
//! [`renew`](batch::WriteBatch::renew), and a change of privilege is a batch with
//! [`rotate`](batch::WriteBatch::rotate). Call [`destroy`](struct@Session#method.destroy) at logout.
//!
//! An [`Error`] is a response with the right status in all supported web frameworks. Ask the error
//! questions such as [`is_gone`](Error::is_gone) to handle it yourself.
//!
//! # Modules
//!
//! - [`guide`] has a page for each topic.
//! - [`store`] has the stores, and the trait for custom stores.
//! - [`adapter`] has the types of each web framework.
//! - [`admin`] has pages for administrators.
//! - [`testing`] has tools for your tests.
//! - [`redis_session`] has the cookie formats of the Python package.
//! - [`find`] has the sessions of a user.
//! - [`batch`] and [`field`] have types that applications rarely name.
//!
//! # Features
//!
//! | feature | default | content |
//! | --- | --- | --- |
//! | `derive` | yes | the macros |
//! | `redis` | yes | [`RedisStore`]: one server, Sentinel, Cluster |
//! | `tls` | no | TLS to Redis servers, by rustls |
//! | `axum` | yes | the extractor, and errors as responses |
//! | `tower` | with `axum`, `poem` | the layer for tower services over `http` types |
//! | `actix` | no | middleware, extractor and errors for actix-web 4 |
//! | `poem` | no | middleware, extractor and errors for poem 3 |
//! | `tower-sessions-0_14`, `tower-sessions-0_15` | no | the `Session` of tower-sessions |
//! | `axum-login-0_18` | no | the layer of axum-login 0.18 |
//! | `admin` | no | pages for administrators, on axum |
//! | `blocking` | no | `wait` on every operation, for programs without `async` |
//! | `redis-session-compat` | no | sessions shared with Python's `redis_session` |
//! | `clap` | no | [`SessionArgs`]: the settings as command-line options |
//! | `cli` | no | the program `sessionctl` for operators. Not for applications |
//! | `uuid`, `time`, `chrono`, `jiff` | no | types of these crates as fields |
//! | `metrics` | no | metrics of the crate `metrics` |
//! | `encryption` | no | fields that are encrypted before they reach the store |
//! | `testing` | no | a movable clock, a browser and other tools for your tests |
//!
//! # Tests
//!
//! `SessionConfig::new().store("memory:")` needs no server. The module [`testing`] has tools that
//! put a session into any state. The guide shows [how to test handlers][tests].
//!
// Targets of links, which depend on the features.
#![cfg_attr(
    all(feature = "derive", feature = "redis"),
    doc = r#"
[deployment]: guide::deployment
[production]: guide::production
[operations]: guide::runbook"#
)]
#![cfg_attr(
    not(feature = "redis"),
    doc = r#"
[deployment]: crate#features
[production]: crate#features
[operations]: crate#features
[`RedisStore`]: crate#features"#
)]
#![cfg_attr(all(feature = "derive", feature = "testing"), doc = "\n[tests]: guide::testing\n")]
#![cfg_attr(not(all(feature = "derive", feature = "testing")), doc = "\n[tests]: crate#features\n")]
#![cfg_attr(
    all(feature = "derive", feature = "redis-session-compat"),
    doc = "\n[Python's `redis_session`]: guide::redis_session\n"
)]
#![cfg_attr(
    not(all(feature = "derive", feature = "redis-session-compat")),
    doc = "\n[Python's `redis_session`]: crate#features\n"
)]
#![cfg_attr(feature = "derive", doc = "\n[derive]: macro@Session\n")]
#![cfg_attr(not(feature = "derive"), doc = "\n[derive]: crate#features\n")]
#![cfg_attr(not(feature = "derive"), doc = "\n[`guide`]: crate#features\n")]
#![cfg_attr(not(feature = "admin"), doc = "\n[`admin`]: crate#features\n")]
#![cfg_attr(not(feature = "testing"), doc = "\n[`testing`]: crate#features\n")]
#![cfg_attr(not(feature = "redis-session-compat"), doc = "\n[`redis_session`]: crate#features\n")]
#![cfg_attr(not(feature = "clap"), doc = "\n[`SessionArgs`]: crate#features\n")]
#![forbid(unsafe_code)]
// docs.rs writes beside each item which feature it needs.
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod adapter;
#[cfg(feature = "admin")]
pub mod admin;
mod background;
#[cfg(feature = "blocking")]
mod blocking;
#[cfg(feature = "cli")]
mod cli;
mod clock;
mod config;
mod encryption;
mod error;
mod example;
#[cfg(test)]
mod floors;
// Its examples declare schemas.
#[cfg(feature = "derive")]
pub mod guide;
mod http;
mod id;
#[cfg(any(feature = "admin", feature = "cli"))]
mod invisible;
mod lifecycle;
mod operation;
mod private;
mod random;
mod request;
mod session;
pub mod store;
mod telemetry;
#[cfg(feature = "testing")]
pub mod testing;
mod value;

/// The names that the output of the derive macros uses.
#[doc(hidden)]
pub mod __private {
    pub use crate::private::*;
}

/// The program `sessionctl`.
#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod __sessionctl {
    pub use crate::cli::main;
}

pub use bytes::Bytes;
#[cfg(feature = "derive")]
#[doc(inline)]
#[doc = include_str!("derive.md")]
#[cfg_attr(
    feature = "encryption",
    doc = "\n\n[`encryption_keys`]: crate::SessionConfig::encryption_keys\n"
)]
#[cfg_attr(not(feature = "encryption"), doc = "\n\n[`encryption_keys`]: crate#features\n")]
pub use session_derive::Session;

#[cfg(feature = "derive")]
#[doc(inline)]
#[doc = include_str!("derive_value.md")]
pub use session_derive::FieldValue;

#[cfg(feature = "clap")]
pub use config::SessionArgs;
pub use config::{Lifetime, NearCache, SameSite, SessionConfig, Transport};
pub use error::{Error, InvalidValue};
pub use http::response::SessionHeaders;
pub use id::SessionId;
pub use lifecycle::EndReason;
pub use operation::Operation;
pub use request::ended::Ended;
pub use request::handle::SessionHandle;
pub use session::Session;
pub use session::field::Field;
pub use session::form_token::FormToken;
pub use session::health::Health;
pub use session::schema::Schema;
pub use session::sessions::Sessions;
pub use session::token::SessionToken;
#[doc(inline)]
pub use store::MemoryStore;
#[cfg(feature = "redis")]
#[doc(inline)]
pub use store::RedisStore;
pub use value::FieldValue;

/// Batches of fields: several reads or writes in one round trip.
///
/// [`Session::read`](struct@crate::Session#method.read) and
/// [`Session::write`](struct@crate::Session#method.write) make them.
pub mod batch {
    pub use crate::session::batch::{ReadBatch, WriteBatch};
}

/// The sessions of a user, found by an indexed field: lists, ends and limits.
///
/// [`Sessions::find`] finds them.
pub mod find {
    pub use crate::session::found::{
        AllSessions, Checkpoint, FoundSessions, LastUsed, SessionEntry, Surplus,
    };
    #[cfg(feature = "encryption")]
    pub use crate::session::found::{Reencrypted, Reencryption};
    pub use crate::session::index_query::IndexQuery;
}

/// Traits and types of single fields, which applications rarely name.
///
/// [`Field`] has the operations of a field, and [`FieldValue`] is the trait of types that can be
/// stored.
pub mod field {
    #[cfg(feature = "encryption")]
    pub use crate::encryption::Encryption;
    pub use crate::session::form::{Encrypted, Plain, StoreReadable};
    pub use crate::session::increment::Increment;
    pub use crate::value::{FieldDefault, FieldSpec, IndexValue, IntoField};
}

/// Cookies of the Python package `redis_session`, for applications that share its sessions.
///
/// [`SessionConfig::cookie_formats`] takes them.
#[cfg(feature = "redis-session-compat")]
pub mod redis_session {
    pub use crate::config::{CookieFormat, FlaskCookie, TornadoCookie};
}
