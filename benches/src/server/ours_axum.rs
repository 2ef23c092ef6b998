//! session-runtime on axum.

use axum::Router;
use session_runtime::Sessions;

use super::ours::{
    Near, counter, five, five_batched, incr, login, login_listed, read, read_and_write, seed_five,
    seed_large, seed_one, sessions, write,
};
use crate::Failure;

pub(crate) async fn pages(redis: &str, near: Near) -> Result<Router, Failure> {
    Ok(routes(&sessions(redis, near).await?))
}

/// Returns the pages with connections that belong to the current runtime.
pub(crate) fn pages_of_this_runtime(sessions: Sessions) -> Router {
    routes(&sessions.for_current_runtime())
}

fn routes(sessions: &Sessions) -> Router {
    axum_pages!(login_listed, read_and_write).layer(sessions.layer())
}
