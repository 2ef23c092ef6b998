//! A real browser: the examples `api`, `chat` and `login`, and cross-site requests.

#![allow(clippy::unwrap_used, reason = "a failure is a failed test")]

mod api;
mod browser;
mod chat;
mod cross_site;
