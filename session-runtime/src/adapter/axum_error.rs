//! Errors as responses of axum.

use std::any::Any;

use axum_core::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::RETRY_AFTER;

use crate::error::Error;

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        super::report(&self);
        response(&self)
    }
}

/// Replaces a response by the error's response, if the body is axum's.
pub(super) fn fill<Body: 'static>(given: &mut http::Response<Body>, error: &Error) {
    if let Some(given) = (given as &mut dyn Any).downcast_mut() {
        *given = response(error);
    }
}

fn response(error: &Error) -> Response {
    let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = (status, status.canonical_reason().unwrap_or_default()).into_response();
    if let Some(seconds) = super::retry_after(error) {
        response.headers_mut().insert(RETRY_AFTER, seconds.into());
    }
    response
}
