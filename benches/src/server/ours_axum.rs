//! Ours on axum.

use axum::Router;

use super::ours::{
    counter, five, five_batched, incr, login, read, seed_five, seed_large, seed_one, sessions, write,
};
use crate::Failure;

pub(crate) async fn pages(redis: &str) -> Result<Router, Failure> {
    Ok(axum_pages!().layer(sessions(redis).await?.layer()))
}
