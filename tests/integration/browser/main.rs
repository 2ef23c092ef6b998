//! A real browser: the examples `api`, `chat` and `login`, the pages for administrators, cross-site
//! requests, and requests of other origins.

#![allow(clippy::unwrap_used, reason = "a failure is a failed test")]

mod accessibility;
mod admin;
mod api;
mod browser;
mod chat;
mod cross_site;
mod same_origin;
