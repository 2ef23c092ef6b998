//! A real browser: the examples `login` and `chat`, cross-site requests, and requests of other
//! origins.

#![allow(clippy::unwrap_used, reason = "a failure is a failed test")]

mod browser;
mod chat;
mod cross_site;
mod same_origin;
