//! A real browser: the examples `login` and `chat`, and cross-site requests.

#![allow(clippy::unwrap_used, reason = "a failure is a failed test")]

mod browser;
mod chat;
mod cross_site;
