//! A real browser: the example that logs in, and requests that another site causes.

#![allow(clippy::unwrap_used, reason = "a failure is a failed test")]

mod browser;
mod cross_site;
