//! What an application's own tests need: a clock to move, a browser without a server, a store that
//! fails on demand. Not for programs.
//!
//! - [`sessions`] makes a manager on memory, whose time passes by a [`ManualClock`].
//! - [`Browser`] keeps the session's cookie from one request to the next, and brings a session into
//!   the state that a test needs.
//! - [`FailingStore`] is away, refuses, or ends the session when a test says so: for the paths to a
//!   503, a 500 and a 409.
//! - [`overridden_by_variables`] configures by variables that are not the process's own.
//! - [`store_suite!`](macro@store_suite) holds a [`SessionStore`](crate::store::SessionStore) of
//!   one's own to the contract.
//!
//! In `Cargo.toml`, for tests alone, with `path` or `version` as among the dependencies:
//!
//! ```toml
//! [dev-dependencies]
//! session-runtime = { path = "…", features = ["testing"] }
//! ```
//!
//! [The guide](crate::guide::testing) has the lines for actix-web, and a test there.
//!
//! # Examples
//!
//! A whole test of an axum handler, without a server:
//!
//! ```
//! # #[cfg(all(feature = "axum", feature = "derive"))] {
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
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
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
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # }).unwrap();
//! # }
//! ```
//!
//! The same as a program with its tests is `examples/testing.rs` of this project.

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

/// A manager with this configuration, on a store of its own in memory; for both, time passes by
/// this clock. The store that the configuration names is not used.
///
/// For a store that the test keeps, or another one, there are [`Sessions::with_store`] and
/// [`Sessions::with_clock`].
///
/// # Errors
///
/// [`Error::is_config`] if a setting cannot be used, with what to change.
pub fn sessions(config: SessionConfig, clock: &ManualClock) -> Result<Sessions, Error> {
    let sessions = Sessions::with_store(config.store("memory:"), MemoryStore::with_clock(clock))?;
    Ok(sessions.with_clock(clock))
}

/// This configuration, changed as [`SessionConfig::overridden_by_env`] does it, by variables that
/// the test gives: to set the process's own is `unsafe`, and for all tests at once.
///
/// # Errors
///
/// As [`SessionConfig::from_env`].
///
/// # Examples
///
/// ```
/// use session_runtime::SessionConfig;
/// use session_runtime::testing::overridden_by_variables;
///
/// let expire = |value: &'static str| move |name: &str| (name == "SESSION_EXPIRE").then(|| value.into());
/// assert!(overridden_by_variables(SessionConfig::new(), expire("3600")).is_ok());
/// assert!(overridden_by_variables(SessionConfig::new(), expire("1h")).is_err());
/// ```
pub fn overridden_by_variables(
    config: SessionConfig,
    variable: impl Fn(&str) -> Option<OsString>,
) -> Result<SessionConfig, Error> {
    config.overridden_by(|_| None, variable)
}
