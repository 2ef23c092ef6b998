//! Operations of a session, prepared for measurement.
//!
//! `benches/operations.rs` measures them and compares the costs with the committed numbers.
//! `README.md` lists the measurements by hand.

#![allow(clippy::unwrap_used, reason = "a failure ends the measurement")]

mod ignored;
mod operation;

pub use ignored::{Around, Cookies, ignored_on_actix, ignored_on_axum};
pub use operation::{Operation, Repeat, verify_cookie};
