//! The cookies and tokens of requests, and the headers of responses.

pub(crate) mod cache_control;
pub(crate) mod cookie_header;
pub(crate) mod cookie_value;
pub(crate) mod credentials;
pub(crate) mod fetch_metadata;
pub(crate) mod form_token;
pub(crate) mod formats;
pub(crate) mod forwarded;
mod mac_keys;
pub(crate) mod plain_http;
#[cfg(feature = "redis-session-compat")]
pub(crate) mod python;
pub(crate) mod response;
pub(crate) mod same_origin;
pub(crate) mod set_cookie;
pub(crate) mod signing;
pub(crate) mod token_header;
pub(crate) mod tokens;
pub(crate) mod vary;
