//! The adapters for web frameworks: middleware, extractors and responses.
//!
//! An adapter opens the session of each request, hands the session to your handlers, and adds the
//! session's headers to the response. Create a [`Sessions`](crate::Sessions) when your application
//! starts, and put the adapter around your routes:
//!
//! | feature | framework | around your routes |
//! | --- | --- | --- |
//! | `axum` | axum | [`Sessions::layer`](crate::Sessions) |
//! | `actix` | actix-web 4 | [`Sessions::middleware`](crate::Sessions) |
//! | `poem` | poem 3 | [`Sessions::layer`](crate::Sessions) |
//! | `tower` | hyper, tonic, warp, salvo and any other tower service | [`Sessions::layer`](crate::Sessions) |
//!
//! With the first three features, handlers take a [`Session`](struct@crate::Session) as an
//! extractor, and an [`Error`](crate::Error) converts into a response. The manager,
//! [`Sessions`](crate::Sessions), is an extractor too. For other frameworks, an adapter takes three
//! calls. See [`SessionHandle`](crate::SessionHandle).
//!
//! # Examples
//!
//! A program for axum. The modules below have programs for the other frameworks.
//!
//! ```no_run
//! # #[cfg(all(feature = "axum", feature = "derive"))] {
//! use axum::{Router, routing::get};
//! use session_runtime::{Error, Session, Sessions};
//!
//! #[derive(Session)]
//! struct Visitor {
//!     count: u64,
//! }
//!
//! async fn index(session: Session<Visitor>) -> Result<String, Error> {
//!     let count = session.count().incr(1).await?;
//!     Ok(format!("visit {count}\n"))
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

// Adapters add nothing to the life cycle. They pass on the request's cookies and apply the
// session's headers to the response.

#[cfg(feature = "actix")]
pub mod actix;
#[cfg(feature = "axum")]
mod axum;
#[cfg(feature = "axum")]
mod axum_error;
#[cfg(any(feature = "actix", feature = "tower"))]
mod headers;
#[cfg(feature = "poem")]
pub mod poem;
#[cfg(any(feature = "actix", feature = "tower"))]
mod session_opener;
#[cfg(feature = "tower")]
pub mod tower;
#[cfg(any(feature = "tower-sessions-0_14", feature = "tower-sessions-0_15"))]
pub mod tower_sessions;

/// Logs an error that becomes a response, because the response body says nothing.
#[cfg(any(feature = "actix", feature = "tower"))]
pub(crate) fn report(error: &crate::Error) {
    let status = error.status();
    if status >= 500 {
        tracing::error!(
            error = error as &dyn std::error::Error,
            status,
            "a session error was sent as the response"
        );
    } else if error.is_cross_site() {
        // Developers look for the reason here. Strangers can cause this error, so the level is low.
        tracing::info!(
            error = error as &dyn std::error::Error,
            status,
            "no session was created for a request from another site"
        );
    } else if error.is_invalid_form_token() {
        tracing::info!(
            error = error as &dyn std::error::Error,
            status,
            "a form was refused because of its token"
        );
    } else if error.is_cross_origin() {
        tracing::info!(
            error = error as &dyn std::error::Error,
            status,
            "a request from another origin was refused"
        );
    }
}

/// Checks that no page of another origin caused the request, trusted or not.
#[cfg(feature = "admin")]
pub(crate) fn check_own_origin(request: &::http::request::Parts) -> Result<(), crate::Error> {
    let header = tower::values(&request.uri, &request.headers);
    crate::SessionHandle::check_own_origin(request.method.as_str(), header)
}

/// Returns the value of `Retry-After`, if the error has such a value.
#[cfg(any(feature = "actix", feature = "axum", feature = "poem"))]
fn retry_after(error: &crate::Error) -> Option<u64> {
    error.retry_after().map(|wait| wait.as_secs())
}
