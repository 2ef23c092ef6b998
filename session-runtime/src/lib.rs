//! Typed, lazy, race-safe web sessions: a struct is the schema, every field is one field of a Redis
//! hash, a misspelt field does not compile.
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
//!     let count = session.count().incr(1).await?; // exact, however many requests at once
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
//! It runs without a server too: `SESSION_REDIS=memory: SESSION_COOKIE_SECURE=false cargo run`.
//!
//! # The guide
#![cfg_attr(
    feature = "derive",
    doc = "[The guide](guide) begins with a [quick start](guide::quick_start). It goes on to \
           [types](guide::types), the [life cycle](guide::lifecycle), \
           [concurrency](guide::concurrency), [login](guide::login), [security](guide::security), \
           [frameworks](guide::frameworks) and [errors](guide::errors), then to tests, deployment \
           and [observability](guide::observability). [Questions and answers](guide::faq) go by \
           what you see."
)]
//!
#![cfg_attr(
    feature = "derive",
    doc = "You come from [tower-sessions](guide::tower_sessions), \
           [actix-session](guide::actix_session) or Python's `redis_session`? Each has a page."
)]
//!
//! # The types
//!
//! - [`Session`](struct@Session) is what a handler takes; [`macro@Session`] makes a struct a
//!   session, and lists all attributes.
//! - [`Field`] is one field of it: read it by awaiting it, or count, compare, take and replace it.
//! - [`Sessions`] is the application's manager, [`SessionConfig`] its configuration, `SessionLayer`
//!   what goes around the router.
//! - [`Error`] answers questions about what went wrong. It is told to `tracing` too, with what the
//!   library does about its connection.
//! - [`store`] has the stores, and the contract for a store of your own. [`adapter`] has the types
//!   of each framework.
//!
//! # Features
//!
//! | feature | default | what it adds |
//! | --- | --- | --- |
//! | `derive` | yes | the macros |
//! | `redis` | yes | [`RedisStore`]: one server, sentinels, a cluster |
//! | `tls` | no | TLS to them, by rustls |
//! | `axum` | yes | the extractor, and errors as responses |
//! | `tower` | with `axum` and `poem` | [`SessionLayer`](adapter::tower::SessionLayer), for any server that speaks tower's `Service` over `http` types |
//! | `actix` | no | `SessionMiddleware`, the extractor, and errors as responses, for actix-web 4 |
//! | `poem` | no | [`SessionLayer`](adapter::tower::SessionLayer) as a middleware, the extractor, and errors as responses, for poem 3 |
//! | `blocking` | no | `wait` on every operation, for servers and scripts without `async` |
//! | `redis-session-compat` | no | `CookieFormat`: sessions shared with the Python package `redis_session`, see `guide::redis_session` |
//! | `clap` | no | `SessionArgs`: the settings as options of the command line, to flatten into one's own parser of clap 4 |
//! | `uuid`, `time`, `chrono`, `jiff` | no | their types as fields |
//! | `metrics` | no | what operations and sessions come to, and connections, as metrics of the crate `metrics`: see `guide::observability` |
//! | `testing` | no | `testing`: a clock to move, a browser without a server, checks of one's own store; for `[dev-dependencies]` |
//!
//! # Tests
//!
//! In tests, `SessionConfig::new().store("memory:")` needs no server. The feature `testing` gives a
//! session in any state its cookie.

#![forbid(unsafe_code)]
// docs.rs writes beside each item which feature it needs.
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod adapter;
#[cfg(any(feature = "blocking", feature = "redis"))]
mod background;
#[cfg(feature = "blocking")]
mod blocking;
mod clock;
mod config;
mod error;
#[cfg(test)]
mod floors;
// Its examples declare schemas.
#[cfg(feature = "derive")]
pub mod guide;
mod http;
mod id;
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

pub use bytes::Bytes;
#[cfg(feature = "derive")]
#[doc(inline)]
#[doc = include_str!("derive.md")]
pub use session_derive::Session;

#[cfg(feature = "derive")]
#[doc(inline)]
#[doc = include_str!("derive_value.md")]
pub use session_derive::FieldValue;

#[cfg(feature = "clap")]
pub use config::SessionArgs;
pub use config::{Lifetime, SameSite, SessionConfig};
pub use error::{Error, InvalidValue};
pub use http::response::SessionHeaders;
pub use id::SessionId;
pub use operation::Operation;
pub use request::handle::SessionHandle;
pub use session::Session;
pub use session::field::Field;
pub use session::schema::Schema;
pub use session::sessions::Sessions;
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

/// Traits and types of single fields, which applications rarely name.
///
/// [`Field`] has the operations of a field, and [`FieldValue`] is the trait of types that can be
/// stored.
pub mod field {
    pub use crate::session::increment::Increment;
    pub use crate::value::{FieldDefault, FieldSpec, IntoField};
}

/// Cookies of the Python package `redis_session`, for applications that share its sessions.
///
/// [`SessionConfig::cookie_formats`] takes them.
#[cfg(feature = "redis-session-compat")]
pub mod redis_session {
    pub use crate::config::{CookieFormat, FlaskCookie, TornadoCookie};
}
