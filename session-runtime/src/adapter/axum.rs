//! The extractor, and errors as responses, for axum.

use axum_core::extract::FromRequestParts;
use axum_core::response::{IntoResponse, Response};
use http::StatusCode;
use http::request::Parts;

use crate::error::Error;
use crate::handle::SessionHandle;
use crate::schema::Schema;
use crate::session::Session;

impl<S: Schema, State: Sync> FromRequestParts<State> for Session<S> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &State) -> Result<Self, Error> {
        SessionHandle::from_extensions(&parts.extensions).map(SessionHandle::session)
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let status = if self.is_gone() {
            StatusCode::CONFLICT
        } else if self.is_unavailable() {
            StatusCode::SERVICE_UNAVAILABLE
        } else {
            StatusCode::INTERNAL_SERVER_ERROR
        };
        if status.is_server_error() {
            tracing::error!(error = &self as &dyn std::error::Error, %status, "a session error became the response");
        }
        (status, status.canonical_reason().unwrap_or_default()).into_response()
    }
}
