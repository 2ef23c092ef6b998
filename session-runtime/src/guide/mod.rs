//! How to use this library well, by subject.

#[cfg(feature = "redis")]
#[doc = include_str!("deployment.md")]
pub mod deployment {}

#[doc = include_str!("login.md")]
pub mod login {}

#[cfg(feature = "redis-session-compat")]
#[doc = include_str!("redis_session.md")]
pub mod redis_session {}

#[doc = include_str!("servers.md")]
pub mod servers {}
