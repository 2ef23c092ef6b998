//! Operations of a session, ready to be repeated while their cost is measured.
//!
//! `benches/operations.rs` measures them and holds their committed costs.
//! `README.md` lists the measurements by hand.

#![allow(clippy::unwrap_used, reason = "a failure ends the measurement")]

mod ignored;
mod operation;

pub use ignored::{Around, Cookies, ignored_on_actix, ignored_on_axum};
pub use operation::{Operation, Repeat, verify_cookie};
