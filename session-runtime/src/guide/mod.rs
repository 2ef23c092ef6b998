//! The guide, in reading order.
//!
//! Each page takes about five minutes. All examples compile.
//!
//! | page | question |
//! | --- | --- |
//! | [`quick_start`] | How do you get from an empty folder to a page that knows its visitors? |
//! | [`types`] | Which type does a field get, and how may the type change later? |
//! | [`lifecycle`] | When does a session start, expire and end? |
//! | [`concurrency`] | How do requests at the same moment affect each other? |
//! | [`login`] | How do you write login, logout and "remember me"? |
//! | [`forged_requests`] | How do forms prove that no other site has sent them? |
//! | [`user_sessions`] | How do you list and end the sessions of a user, and limit their number? |
#![cfg_attr(
    feature = "admin",
    doc = "| [`admin`] | How do support and operations find and end sessions, on pages? |"
)]
//! | [`cross_site`] | How do callbacks of payment and login providers work? |
//! | [`bearer`] | How do mobile applications and other clients without cookies use sessions? |
//! | [`security`] | How do OWASP's cheat sheet and ASVS apply? |
#![cfg_attr(
    feature = "encryption",
    doc = "| [`encryption`] | How does a copy of the database tell nothing of a field? |"
)]
//! | [`frameworks`] | How do other web frameworks, WebSockets and blocking programs use sessions? |
//! | [`live_connections`] | How does a WebSocket notice that its session has ended? |
//! | [`errors`] | Which errors are there, and how do you handle each? |
#![cfg_attr(feature = "testing", doc = "| [`testing`] | How do you test your handlers? |")]
#![cfg_attr(
    feature = "redis",
    doc = "| [`deployment`] | How do you set up the Redis server, its permissions and failover? |"
)]
#![cfg_attr(
    feature = "redis",
    doc = "| [`production`] | Is the application ready for production? |"
)]
#![cfg_attr(
    feature = "redis",
    doc = "| [`runbook`] | How do you inspect, count and end sessions, and act on a failure? |"
)]
#![cfg_attr(
    feature = "redis",
    doc = "| [`sessionctl`] | How do operators list, show and end sessions by a program? |"
)]
//! | [`observability`] | Which spans, events and metrics are there? |
//! | [`performance`] | How many round trips does each call make? |
//! | [`near_cache`] | How do reads get by without a round trip? |
//! | [`faq`] | Why does the counter stay at 1, why does the login page return, and why 409? |
//!
//! Moving from another library:
//!
//! | page | from |
//! | --- | --- |
//! | [`tower_sessions`] | tower-sessions |
//! | [`actix_session`] | actix-session |
#![cfg_attr(
    feature = "redis-session-compat",
    doc = "| [`redis_session`] | Python's `redis_session`, route by route |"
)]
//!
//! The page of the [macro](macro@crate::Session) lists all attributes of a schema.

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
#[doc = "\n---\nNext: [forged requests](crate::guide::forged_requests)."]
#[doc(alias = "flash")]
#[doc(alias = "logout")]
#[doc(alias = "user_id")]
pub mod login {}

#[doc = include_str!("forged_requests.md")]
#[doc = "\n---\nNext: [the sessions of a user](crate::guide::user_sessions)."]
#[doc(alias = "csrf")]
#[doc(alias = "form_token")]
#[doc(alias = "xsrf")]
pub mod forged_requests {}

#[doc = include_str!("user_sessions.md")]
#[cfg_attr(feature = "admin", doc = "\n---\nNext: [administration](crate::guide::admin).")]
#[doc(alias = "backchannel")]
#[doc(alias = "devices")]
#[doc(alias = "logout_everywhere")]
#[doc(alias = "user_id")]
pub mod user_sessions {}

#[cfg(feature = "admin")]
#[doc = include_str!("admin.md")]
#[doc = "\n---\nNext: [other sites](crate::guide::cross_site)."]
#[doc(alias = "dashboard")]
#[doc(alias = "support")]
pub mod admin {}

#[doc = include_str!("cross_site.md")]
#[doc = "\n---\nNext: [clients without cookies](crate::guide::bearer)."]
#[doc(alias = "403")]
#[doc(alias = "callback")]
#[doc(alias = "form_post")]
#[doc(alias = "oauth")]
#[doc(alias = "samesite")]
pub mod cross_site {}

#[doc = include_str!("bearer.md")]
#[doc = "\n---\nNext: [security](crate::guide::security)."]
#[doc(alias = "authorization")]
#[doc(alias = "cors")]
#[doc(alias = "jwt")]
#[doc(alias = "mobile")]
#[doc(alias = "token")]
pub mod bearer {}

#[doc = include_str!("security.md")]
#[cfg_attr(feature = "encryption", doc = "\n---\nNext: [encryption](crate::guide::encryption).")]
#[doc(alias = "owasp")]
#[doc(alias = "user_id")]
pub mod security {}

#[cfg(feature = "encryption")]
#[doc = include_str!("encryption.md")]
#[doc = "\n---\nNext: [frameworks](crate::guide::frameworks)."]
#[doc(alias = "at_rest")]
#[doc(alias = "encrypt")]
pub mod encryption {}

#[doc = include_str!("frameworks.md")]
#[doc = "\n---\nNext: [live connections](crate::guide::live_connections)."]
#[doc(alias = "bearer")]
#[doc(alias = "websocket")]
pub mod frameworks {}

#[doc = include_str!("live_connections.md")]
#[doc = "\n---\nNext: [errors](crate::guide::errors)."]
#[doc(alias = "sse")]
#[doc(alias = "websocket")]
pub mod live_connections {}

#[doc = include_str!("errors.md")]
#[cfg_attr(feature = "testing", doc = "\n---\nNext: [tests](crate::guide::testing).")]
pub mod errors {}

#[cfg(feature = "testing")]
#[doc = include_str!("testing.md")]
#[cfg_attr(feature = "redis", doc = "\n---\nNext: [deployment](crate::guide::deployment).")]
pub mod testing {}

#[cfg(feature = "redis")]
#[doc = include_str!("deployment.md")]
#[doc = "\n---\nNext: [the production checklist](crate::guide::production)."]
#[doc(alias = "health")]
pub mod deployment {}

#[cfg(feature = "redis")]
#[doc = include_str!("production.md")]
#[doc = "\n---\nNext: [the runbook](crate::guide::runbook)."]
#[doc(alias = "checklist")]
pub mod production {}

#[cfg(feature = "redis")]
#[doc = include_str!("runbook.md")]
#[doc = "\n---\nNext: [the program for operators](crate::guide::sessionctl)."]
#[doc(alias = "operations")]
pub mod runbook {}

#[cfg(feature = "redis")]
#[doc = include_str!("sessionctl.md")]
#[doc = "\n---\nNext: [observability](crate::guide::observability)."]
#[doc(alias = "cli")]
#[doc(alias = "operations")]
pub mod sessionctl {}

#[doc = include_str!("observability.md")]
#[doc = "\n---\nNext: [performance](crate::guide::performance)."]
#[doc(alias = "health")]
#[doc(alias = "metrics")]
pub mod observability {}

#[doc = include_str!("performance.md")]
#[doc = "\n---\nNext: [the near cache](crate::guide::near_cache)."]
#[doc(alias = "hsetex")]
#[doc(alias = "round trip")]
pub mod performance {}

#[doc = include_str!("near_cache.md")]
#[doc = "\n---\nNext: [the FAQ](crate::guide::faq)."]
#[doc(alias = "client_side_caching")]
#[doc(alias = "round trip")]
pub mod near_cache {}

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
