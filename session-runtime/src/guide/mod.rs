//! How to use this library well. Each page is read in five minutes; all code that uses it compiles.
//!
//! In reading order:
//!
//! | page | answers |
//! | --- | --- |
//! | [`quick_start`] | How do I get from nothing to a page that knows its visitor? |
//! | [`types`] | Which type does a field get, and how may it change while sessions live? |
//! | [`lifecycle`] | When does a session begin, expire and end, and what does that cost? |
//! | [`concurrency`] | What do requests at the same moment do to each other? |
//! | [`login`] | What is to be done at login, logout, "remember me", and with forms? |
//! | [`cross_site`] | How do payments and logins of other sites come back, and why is a write a 403? |
//! | [`security`] | What do OWASP's cheat sheet and ASVS ask for, and who does it? |
//! | [`frameworks`] | How does it go with my web server, with WebSockets, without `async`? |
//! | [`errors`] | What went wrong, what does the client get, what do I do? |
#![cfg_attr(feature = "testing", doc = "| [`testing`] | How do I test my own handlers? |")]
#![cfg_attr(
    feature = "redis",
    doc = "| [`deployment`] | Where are sessions kept, what does the server have to permit, what \
           happens when it fails? |"
)]
//! | [`observability`] | What can be seen from outside, and under which names? |
//! | [`faq`] | Why does my counter stay at 1, why do I see 409 or the login page again? |
//!
//! For those who come from elsewhere:
//!
//! | page | answers |
//! | --- | --- |
//! | [`tower_sessions`] | How do I move from tower-sessions? |
//! | [`actix_session`] | How do I move from actix-session? |
#![cfg_attr(
    feature = "redis-session-compat",
    doc = "| [`redis_session`] | How do I move from Python's `redis_session`, route by route? |"
)]
//!
//! All attributes of a schema are listed at the [macro](macro@crate::Session).

#[doc = include_str!("quick_start.md")]
#[doc = "\n---\nNext: [types](crate::guide::types)."]
pub mod quick_start {}

#[doc = include_str!("types.md")]
#[doc = "\n---\nNext: [the life cycle](crate::guide::lifecycle)."]
#[doc(alias = "serde")]
pub mod types {}

#[doc = include_str!("lifecycle.md")]
#[doc = "\n---\nNext: [concurrency](crate::guide::concurrency)."]
#[doc(alias = "expiry")]
#[doc(alias = "timeout")]
pub mod lifecycle {}

#[doc = include_str!("concurrency.md")]
#[doc = "\n---\nNext: [login](crate::guide::login)."]
pub mod concurrency {}

#[doc = include_str!("login.md")]
#[doc = "\n---\nNext: [other sites](crate::guide::cross_site)."]
#[doc(alias = "csrf")]
#[doc(alias = "flash")]
#[doc(alias = "logout")]
#[doc(alias = "user_id")]
pub mod login {}

#[doc = include_str!("cross_site.md")]
#[doc = "\n---\nNext: [security](crate::guide::security)."]
#[doc(alias = "403")]
#[doc(alias = "callback")]
#[doc(alias = "form_post")]
#[doc(alias = "oauth")]
#[doc(alias = "samesite")]
pub mod cross_site {}

#[doc = include_str!("security.md")]
#[doc = "\n---\nNext: [frameworks](crate::guide::frameworks)."]
#[doc(alias = "encrypt")]
#[doc(alias = "owasp")]
#[doc(alias = "user_id")]
pub mod security {}

#[doc = include_str!("frameworks.md")]
#[doc = "\n---\nNext: [errors](crate::guide::errors)."]
#[doc(alias = "bearer")]
#[doc(alias = "websocket")]
pub mod frameworks {}

#[doc = include_str!("errors.md")]
#[cfg_attr(feature = "testing", doc = "\n---\nNext: [tests](crate::guide::testing).")]
pub mod errors {}

#[cfg(feature = "testing")]
#[doc = include_str!("testing.md")]
#[cfg_attr(feature = "redis", doc = "\n---\nNext: [deployment](crate::guide::deployment).")]
pub mod testing {}

#[cfg(feature = "redis")]
#[doc = include_str!("deployment.md")]
#[doc = "\n---\nNext: [observability](crate::guide::observability)."]
#[doc(alias = "health")]
pub mod deployment {}

#[doc = include_str!("observability.md")]
#[doc = "\n---\nNext: [questions and answers](crate::guide::faq)."]
#[doc(alias = "health")]
#[doc(alias = "metrics")]
pub mod observability {}

#[doc = include_str!("faq.md")]
#[doc(alias = "409")]
#[doc(alias = "login loop")]
pub mod faq {}

#[doc = include_str!("tower_sessions.md")]
pub mod tower_sessions {}

#[doc = include_str!("actix_session.md")]
pub mod actix_session {}

#[cfg(feature = "redis-session-compat")]
#[doc = include_str!("redis_session.md")]
pub mod redis_session {}
