//! The middleware for each web framework.
//!
//! | feature | framework | put around your routes |
//! | --- | --- | --- |
//! | `axum` | axum | [`Sessions::layer`](crate::Sessions) |
//! | `actix` | actix-web 4 | [`Sessions::middleware`](crate::Sessions) |
//! | `poem` | poem 3 | [`Sessions::layer`](crate::Sessions) |
//! | `tower` | every server of tower services | [`Sessions::layer`](crate::Sessions) |
//!
//! With the first three, handlers take a [`Session`](struct@crate::Session) as an extractor, and an
//! [`Error`](crate::Error) is a response. A framework that is missing here takes three calls of a
//! [`SessionHandle`](crate::SessionHandle).

// Adapters add nothing to the life cycle. They hand over the request's cookies and apply the
// response's headers.

#[cfg(feature = "actix")]
pub mod actix;
#[cfg(feature = "axum")]
mod axum;
#[cfg(any(feature = "actix", feature = "tower"))]
mod headers;
#[cfg(feature = "poem")]
pub mod poem;
#[cfg(any(feature = "actix", feature = "tower"))]
mod session_opener;
#[cfg(feature = "tower")]
pub mod tower;

/// For the log, when an error becomes a response: its body says nothing.
#[cfg(any(feature = "actix", feature = "axum", feature = "poem"))]
fn report(error: &crate::Error) {
    let status = error.status();
    if status >= 500 {
        tracing::error!(
            error = error as &dyn std::error::Error,
            status,
            "a session error became the response"
        );
    } else if error.is_cross_site() {
        // Whoever wrote the route looks here for the reason. Strangers can cause it, so that it is
        // no alarm.
        tracing::info!(error = error as &dyn std::error::Error, status, "a session was not begun");
    }
}

/// The value of `Retry-After`, if the error has one.
#[cfg(any(feature = "actix", feature = "axum", feature = "poem"))]
fn retry_after(error: &crate::Error) -> Option<u64> {
    error.retry_after().map(|wait| wait.as_secs())
}
