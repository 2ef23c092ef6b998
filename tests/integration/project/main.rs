//! The project itself: examples, documentation, features, fuzz corpora, and the test support.

#![allow(clippy::unwrap_used, reason = "a failure is a failed test")]

mod deployment;
mod documentation;
mod examples;
mod examples_api;
mod examples_opentelemetry;
mod features;
pub mod fuzz_corpora;
mod program;
mod server;
