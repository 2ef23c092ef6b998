//! How to use this library well. Each page is read in five minutes; all code that uses it compiles.
//!
//! | page | answers |
//! | --- | --- |
//! | [`quick_start`] | How do I get from nothing to a page that knows its visitor? |
//! | [`lifecycle`] | When does a session begin, expire and end, and what does that cost? |
//! | [`types`] | Which type does a field get, and how may it change while sessions live? |
//! | [`races`] | What do requests at the same moment do to each other? |
//! | [`login`] | What is to be done at login, logout, "remember me", and with forms? |
//! | [`errors`] | What went wrong, what does the client get, what do I do? |
//! | [`servers`] | How does it go with my web server, with WebSockets, without `async`? |
#![cfg_attr(
    feature = "redis",
    doc = "| [`deployment`] | Where are sessions kept, what does the server have to permit, what happens when it fails? |"
)]
//! | [`observability`] | What can be seen from outside, and under which names? |
//! | [`security`] | What do OWASP's cheat sheet and ASVS ask for, and who does it? |
#![cfg_attr(feature = "testing", doc = "| [`testing`] | How do I test my own handlers? |")]
//! | [`tower_sessions`] | How do I move from tower-sessions? |
//! | [`actix_session`] | How do I move from actix-session? |
#![cfg_attr(
    feature = "redis-session-compat",
    doc = "| [`redis_session`] | How do I move from Python's `redis_session`, route by route? |"
)]
//!
//! All attributes of a schema are listed at the [macro](macro@crate::Session).

#[doc = include_str!("actix_session.md")]
pub mod actix_session {}

#[cfg(feature = "redis")]
#[doc = include_str!("deployment.md")]
pub mod deployment {}

#[doc = include_str!("errors.md")]
pub mod errors {}

#[doc = include_str!("lifecycle.md")]
pub mod lifecycle {}

#[doc = include_str!("login.md")]
pub mod login {}

#[doc = include_str!("observability.md")]
pub mod observability {}

#[doc = include_str!("quick_start.md")]
pub mod quick_start {}

#[doc = include_str!("races.md")]
pub mod races {}

#[cfg(feature = "redis-session-compat")]
#[doc = include_str!("redis_session.md")]
pub mod redis_session {}

#[doc = include_str!("security.md")]
pub mod security {}

#[doc = include_str!("servers.md")]
pub mod servers {}

#[cfg(feature = "testing")]
#[doc = include_str!("testing.md")]
pub mod testing {}

#[doc = include_str!("tower_sessions.md")]
pub mod tower_sessions {}

#[doc = include_str!("types.md")]
pub mod types {}
