//! The kinds of errors, and their messages.

use std::borrow::Cow;

use super::{InvalidValue, Setting, StoreError};

#[derive(Debug, thiserror::Error)]
pub(crate) enum Kind {
    #[error("the stored field `{field}` is not a valid `{type_name}`")]
    Decode { field: &'static str, type_name: &'static str, source: InvalidValue },
    #[error("the value for the field `{field}` cannot be stored as `{type_name}`")]
    Encode { field: &'static str, type_name: &'static str, source: InvalidValue },
    #[error("{what} would take {size} bytes, the limit is {limit}")]
    TooLarge { what: String, size: usize, limit: usize },
    #[error("the field `{field}` would leave the range of `{type_name}`")]
    OutOfRange { field: &'static str, type_name: &'static str },
    #[error("the field `{field}` was changed by others again and again")]
    Contended { field: &'static str },
    #[error("the session was ended by another request")]
    Gone,
    #[error("the session expired while the request held it")]
    Expired,
    #[error(
        "the session store still has this session, but this process holds it to be over: compare \
         the configured lifetimes, and the clocks of the machines"
    )]
    Disputed,
    #[error(
        "the request went on without its session, because the session store was unavailable: \
         nothing is written"
    )]
    WithoutSession,
    #[error(
        "another site caused this request, and it came without the session's cookie: a new \
         session would take the place of the one that the browser may have. `allow_cross_site` on \
         the layer of the route lets it begin"
    )]
    CrossSite,
    #[error("the response's head was sent already, the session's cookie cannot change any more")]
    HeadersSent,
    #[error(
        "the response's head was sent as one that does not depend on the session: take a \
         `Session` before it is sent"
    )]
    #[cfg_attr(
        not(any(feature = "tower", feature = "actix")),
        allow(dead_code, reason = "adapters say it")
    )]
    TooLate,
    #[error("no session in this request: {}", MISSING_LAYER)]
    #[cfg_attr(
        not(any(feature = "tower", feature = "actix")),
        allow(dead_code, reason = "adapters say it")
    )]
    MissingLayer,
    #[error("a batch holds a field of another request's session")]
    OtherRequest,
    #[cfg(feature = "blocking")]
    #[error(
        "this thread drives an async runtime and must not wait: await the operation, or wait for \
         it in `spawn_blocking`"
    )]
    DrivesRuntime,
    #[cfg(feature = "blocking")]
    #[error("no thread could be started for what sessions do in the background")]
    NoThread(#[source] std::io::Error),
    #[error("a field cannot expire at once: `remove` ends it")]
    ExpiryOfZero,
    #[error(
        "the schema `{schema}` has fields with a `ttl`, and the session store cannot expire \
         single fields: Redis 7.4 or later, Valkey 9 or later, or `memory:` can"
    )]
    SchemaNeedsFieldExpiry { schema: &'static str },
    #[error(
        "the session store cannot expire single fields: Redis 7.4 or later, Valkey 9 or later, or \
         `memory:` can"
    )]
    NoFieldExpiry(#[source] StoreError),
    #[error("the operating system gave no random numbers")]
    NoRandomness,
    #[error("the setting {setting} {reason}")]
    Setting { setting: Setting, reason: Cow<'static, str> },
    #[error("{0}")]
    Config(Cow<'static, str>),
    #[error(transparent)]
    Store(StoreError),
    /// The store cannot be reached when the application starts, when the setting to look at is
    /// known.
    #[cfg(feature = "redis")]
    #[error("{error}. The setting {setting} says where it is; `memory:` needs no server")]
    NotConnected { setting: Setting, error: StoreError },
}

/// The advice for a missing layer, for each enabled adapter.
const MISSING_LAYER: &str = if cfg!(all(feature = "tower", feature = "actix")) {
    "add `.layer(sessions.layer())` to the router, after the routes that use sessions, or with \
     actix-web `.wrap(sessions.middleware())`"
} else if cfg!(feature = "actix") {
    "add `.wrap(sessions.middleware())` to the `App`, or to the scope whose routes use sessions"
} else {
    "add `.layer(sessions.layer())` to the router, after the routes that use sessions"
};
