//! Where the life cycle meets a framework. Adapters add nothing to it: they hand over the request's cookies and apply the response's headers.

#[cfg(feature = "actix")]
mod actix;
#[cfg(feature = "axum")]
mod axum;
#[cfg(any(feature = "actix", feature = "tower"))]
mod headers;
#[cfg(any(feature = "actix", feature = "tower"))]
mod opening;
#[cfg(feature = "poem")]
mod poem;
#[cfg(feature = "tower")]
mod tower;

#[cfg(feature = "actix")]
pub use actix::{MiddlewareFuture, MiddlewareService, SessionMiddleware};
#[cfg(feature = "poem")]
pub use poem::SessionEndpoint;
#[cfg(feature = "tower")]
pub use tower::{ResponseFuture, SessionLayer, SessionService};

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
