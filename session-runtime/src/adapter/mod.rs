//! Where the life cycle meets a framework. Adapters add nothing to it: they hand over the request's cookies and apply the response's headers.

#[cfg(feature = "axum")]
mod axum;
#[cfg(feature = "tower")]
mod tower;

#[cfg(feature = "tower")]
pub use tower::{ResponseFuture, SessionLayer, SessionService};
