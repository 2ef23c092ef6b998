//! Tools for your application's tests: a manual clock, a browser without a server, and a store that
//! fails on demand. Not for production code.
//!
//! - [`sessions`] creates a manager on a memory store, with a [`ManualClock`] for both.
//! - [`Browser`] keeps the session's cookie or bearer token between requests, and brings a session
//!   into the state that a test needs.
//! - [`FailingStore`] is unavailable, refuses writes or ends the session on demand, at once or
//!   after some steps. Use this to test responses with status 503, 500 and 409.
//! - [`overridden_by_variables`] applies variables that the test gives, instead of the process's
//!   environment.
//! - [`store_suite!`](macro@store_suite) tests a custom
//!   [`SessionStore`](crate::store::SessionStore) against the contract.
//!
//! In `Cargo.toml`, enable the feature for tests only. Use the same `path` or `version` as in your
//! dependencies:
//!
//! ```toml
//! [dev-dependencies]
//! session-runtime = { path = "…", features = ["testing"] }
//! ```
//!
//! [The guide](crate::guide::testing) shows the dependencies for actix-web, and a test.
//!
//! # Examples
//!
//! A complete test of an axum handler, without a server:
//!
//! ```
//! # #[cfg(feature = "axum")] session_runtime::__example!({
//! use std::time::Duration;
//!
//! use axum::body::{Body, to_bytes};
//! use axum::http::Request;
//! use axum::{Router, routing::get};
//! use session_runtime::testing::{Browser, ManualClock, sessions};
//! use session_runtime::{Error, Session, SessionConfig, Sessions};
//!
//! #[derive(Session)]
//! struct Visitor {
//!     name: String,
//! }
//!
//! // The application.
//! fn app(sessions: &Sessions) -> Router {
//!     Router::new().route("/", get(greet)).layer(sessions.layer())
//! }
//!
//! async fn greet(session: Session<Visitor>) -> Result<String, Error> {
//!     Ok(format!("hello {}", session.name().await?))
//! }
//!
//! // The test, under `#[tokio::test]`.
//! let clock = ManualClock::default();
//! let sessions = sessions(SessionConfig::new(), &clock)?;
//! let mut browser = Browser::new(&sessions);
//! browser.visit(async |session: Session<Visitor>| session.set_name("Ada").await).await?;
//!
//! let request = || Request::get("/").body(Body::empty());
//! let response = browser.send(app(&sessions), request()?).await?;
//! assert_eq!(to_bytes(response.into_body(), usize::MAX).await?, "hello Ada");
//!
//! // A day without a request ends a session.
//! clock.advance(Duration::from_secs(24 * 3600));
//! let response = browser.send(app(&sessions), request()?).await?;
//! assert_eq!(to_bytes(response.into_body(), usize::MAX).await?, "hello ");
//! # });
//! ```
//!
//! `examples/testing.rs` in this project is a complete program with this test.

mod browser;
mod failing_store;
pub mod store_suite;

#[doc(inline)]
pub use crate::__store_suite as store_suite;
pub use crate::clock::ManualClock;
pub use browser::Browser;
pub use failing_store::{FailingStore, Failure};

use std::ffi::OsString;

use crate::config::SessionConfig;
use crate::error::Error;
use crate::session::sessions::Sessions;
use crate::store::MemoryStore;

/// Creates a manager with this configuration on a new memory store. Both use this clock. The store
/// in the configuration is ignored.
///
/// To keep access to the store, or to use another store, call [`Sessions::with_store`] and
/// [`Sessions::with_clock`].
///
/// # Errors
///
/// Fails with [`Error::is_config`] if a setting is invalid, and says what to change.
pub fn sessions(config: SessionConfig, clock: &ManualClock) -> Result<Sessions, Error> {
    let sessions = Sessions::with_store(config.store("memory:"), MemoryStore::with_clock(clock))?;
    Ok(sessions.with_clock(clock))
}

/// Applies variables from the test to this configuration, as [`SessionConfig::overridden_by_env`]
/// applies environment variables. Setting the process's own variables is `unsafe`, and affects all
/// tests at the same time.
///
/// # Errors
///
/// The same as for [`SessionConfig::from_env`].
///
/// # Examples
///
/// ```
/// use session_runtime::SessionConfig;
/// use session_runtime::testing::overridden_by_variables;
///
/// let expire = |value: &'static str| {
///     move |name: &str| (name == "SESSION_EXPIRE").then(|| value.into())
/// };
/// assert!(overridden_by_variables(SessionConfig::new(), expire("3600")).is_ok());
/// assert!(overridden_by_variables(SessionConfig::new(), expire("1h")).is_err());
/// ```
pub fn overridden_by_variables(
    config: SessionConfig,
    variable: impl Fn(&str) -> Option<OsString>,
) -> Result<SessionConfig, Error> {
    config.overridden_by(|_| None, variable)
}
