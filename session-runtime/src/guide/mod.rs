//! How to use this library well, by subject.

#[cfg(feature = "redis")]
#[doc = include_str!("deployment.md")]
pub mod deployment {}

#[doc = include_str!("login.md")]
pub mod login {}

#[doc = include_str!("servers.md")]
pub mod servers {}
