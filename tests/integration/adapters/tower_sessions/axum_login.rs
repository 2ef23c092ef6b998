//! axum-login and axum-messages.
