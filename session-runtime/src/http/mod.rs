//! The cookies of requests and the headers of responses.

pub(crate) mod cache_control;
pub(crate) mod cookie_header;
pub(crate) mod cookie_value;
pub(crate) mod fetch_metadata;
pub(crate) mod formats;
pub(crate) mod forwarded;
pub(crate) mod plain_http;
#[cfg(feature = "redis-session-compat")]
pub(crate) mod python;
pub(crate) mod response;
pub(crate) mod same_origin;
pub(crate) mod set_cookie;
pub(crate) mod signing;
