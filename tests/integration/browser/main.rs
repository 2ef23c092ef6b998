//! A real browser: the login example, and cross-site requests.

#![allow(clippy::unwrap_used, reason = "a failure is a failed test")]

mod browser;
mod cross_site;
