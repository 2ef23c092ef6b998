//! How to use this library well, by subject.

#[doc = include_str!("login.md")]
pub mod login {}

#[doc = include_str!("servers.md")]
pub mod servers {}
