//! The extractor and the error response for axum.
//!
//! Put [`Sessions::layer`](crate::Sessions) around your routes. Handlers then take a [`Session`] as
//! an extractor, and may return an [`Error`] as the response.
//!
//! ```
//! # #[cfg(feature = "derive")] {
//! use axum::{Router, routing::get};
//! use session_runtime::{Error, Session, Sessions};
//!
//! #[derive(Session)]
//! struct Visitor {
//!     name: String,
//! }
//!
//! async fn index(session: Session<Visitor>) -> Result<String, Error> {
//!     Ok(format!("hello {}", session.name().await?))
//! }
//!
//! fn app(sessions: &Sessions) -> Router {
//!     Router::new().route("/", get(index)).layer(sessions.layer())
//! }
//! # }
//! ```
//!
//! Handlers can also take the application's manager, [`Sessions`], as an extractor. Taking the
//! manager does not access the session:
//!
//! ```
//! use session_runtime::{Error, Sessions};
//!
//! async fn health(sessions: Sessions) -> Result<&'static str, Error> {
//!     sessions.ping().await?;
//!     Ok("ready")
//! }
//! # let _: axum::routing::MethodRouter = axum::routing::get(health);
//! ```

use axum_core::extract::FromRequestParts;
use http::request::Parts;

use super::tower;
use crate::error::Error;
use crate::request::handle::SessionHandle;
use crate::session::Session;
use crate::session::schema::Schema;
use crate::session::sessions::Sessions;

impl<S: Schema, State: Sync> FromRequestParts<State> for Session<S> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &State) -> Result<Self, Error> {
        SessionHandle::from_extensions(&parts.extensions).map(SessionHandle::session)
    }
}

/// The manager of the innermost layer. Taking the manager does not access the session.
impl<State: Sync> FromRequestParts<State> for Sessions {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &State) -> Result<Self, Error> {
        tower::handle(&parts.extensions).map(SessionHandle::sessions)
    }
}
