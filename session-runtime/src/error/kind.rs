//! The kinds of errors, and their messages.

use std::borrow::Cow;

use super::{InvalidValue, Setting, StoreError};

#[derive(Debug, thiserror::Error)]
pub(crate) enum Kind {
    #[error("the stored field `{field}` is not a valid `{type_name}`")]
    Decode { field: &'static str, type_name: &'static str, source: InvalidValue },
    #[cfg(any(feature = "tower-sessions-0_14", feature = "tower-sessions-0_15"))]
    #[error("the value for the field `{field}` cannot be stored")]
    UnwritableJson { field: String, source: InvalidValue },
    #[cfg(any(feature = "tower-sessions-0_14", feature = "tower-sessions-0_15"))]
    #[error("the prefix of the fields of tower-sessions is empty: set one such as `ts.`")]
    EmptyPrefix,
    #[cfg(any(feature = "tower-sessions-0_14", feature = "tower-sessions-0_15"))]
    #[error("the store with the former sessions of tower-sessions does not answer")]
    FormerStore,
    #[cfg(any(feature = "tower-sessions-0_14", feature = "tower-sessions-0_15"))]
    #[error(
        "the expiry of a session is a setting: set `SessionConfig::lifetime`, and not \
         `set_expiry` of the session of tower-sessions"
    )]
    OwnExpiry,
    #[error("the stored field `{field}` cannot be decrypted: {reason}")]
    Decrypt { field: &'static str, reason: &'static str },
    #[error(
        "the field `{field}` is encrypted, and there is no key: set the secret or the encryption \
         keys"
    )]
    NoEncryptionKey { field: &'static str },
    #[error("the value for the field `{field}` cannot be stored as `{type_name}`")]
    Encode { field: &'static str, type_name: &'static str, source: InvalidValue },
    #[error("{what} is too large: {size} bytes, the limit is {limit}")]
    TooLarge { what: String, size: usize, limit: usize },
    #[error("the result for the field `{field}` is out of the range of `{type_name}`")]
    OutOfRange { field: &'static str, type_name: &'static str },
    #[error("other requests kept changing the field `{field}` until the deadline: try again later")]
    Contended { field: &'static str },
    #[error("the session was ended by another request")]
    Gone,
    #[error("the session expired during the request")]
    Expired,
    #[error(
        "the session store still has this session, but by the clock and the lifetimes of this \
         process it has expired: compare the configured lifetimes, and the clocks of the \
         machines"
    )]
    Disputed,
    #[error(
        "nothing was written: the request continues without its session, because the session store \
         was unavailable"
    )]
    WithoutSession,
    #[error(
        "no session was created: another site caused this request, and a new session could replace \
         a session that the browser already has. To create sessions in such requests, set \
         `allow_cross_site` on the layer of the route"
    )]
    CrossSite,
    #[error(
        "the form token is not of this session: the form is from another session, or from before \
         a login, or another site has forged the request"
    )]
    InvalidFormToken,
    #[error(
        "the request was refused: by its header `{header}`, a page of another origin caused it. To \
         accept such pages, add their origin to `trusted_origins`. If the page is of this \
         application, let the proxy pass on the `Host` with its port, or send `X-Forwarded-Host`"
    )]
    CrossOrigin { header: &'static str },
    #[error(
        "the response headers were already sent, so the session cookie can no longer change: \
         change the session earlier"
    )]
    HeadersSent,
    #[error(
        "the configuration accepts no bearer tokens: set `transport` (SESSION_TRANSPORT) to \
         `CookieOrBearer` or `Bearer`"
    )]
    NoTokens,
    #[error(
        "the response headers were already sent, as those of a response that does not depend on \
         the session: take a `Session` before they are sent"
    )]
    #[cfg_attr(
        not(any(feature = "tower", feature = "actix")),
        allow(dead_code, reason = "only adapters create this error")
    )]
    TooLate,
    #[error("no session in this request: {}", MISSING_LAYER)]
    #[cfg_attr(
        not(any(feature = "tower", feature = "actix")),
        allow(dead_code, reason = "only adapters create this error")
    )]
    MissingLayer,
    #[error(
        "the batch contains a field of another request's session: use a batch for each session"
    )]
    OtherRequest,
    #[error("`keep_only` needs a new id: call `renew` or `rotate` on the batch too")]
    KeptWithoutNewId,
    #[error(
        "the session store cannot change fields and the id in one step: `destroy` the session of \
         another user, call `renew` or `rotate`, and then write"
    )]
    NoChangesInRotation,
    #[error(
        "the session store cannot find sessions by a field: use Redis, Valkey or `memory:`, or \
         implement `SessionStore::index`"
    )]
    NoIndex,
    #[cfg(feature = "encryption")]
    #[error("no field of `{schema}` has `#[session(encrypt)]`, so there is nothing to reencrypt")]
    SchemaWithoutEncryption { schema: &'static str },
    #[cfg(feature = "encryption")]
    #[error(
        "the session store cannot change a field without a use of the session: implement \
         `Modify::keeps_times` and `SessionStore::supports_keeping_times`"
    )]
    NoKeepingTimes,
    #[error("no field of `{schema}` has `#[session(index)]`, so there is nothing to reindex")]
    SchemaWithoutIndex { schema: &'static str },
    #[error(
        "`unless_ended_since` and `at_most` need the user in the same batch: set exactly one field \
         with `#[session(index)]`. With a checkpoint, set the field of the checkpoint to the same \
         value"
    )]
    GuardWithoutLogin,
    #[cfg(feature = "blocking")]
    #[error(
        "this thread drives an async runtime and must not block: await the operation, or call \
         `wait` in `spawn_blocking`"
    )]
    DrivesRuntime,
    #[cfg(feature = "blocking")]
    #[error("could not start a thread for the background work of sessions")]
    NoThread(#[source] std::io::Error),
    #[error("the expiry of a field must not be zero: call `remove` to remove the field")]
    ExpiryOfZero,
    #[error(
        "the schema `{schema}` has fields with a `ttl`, but the session store cannot expire single \
         fields: use Redis 7.4 or later, Valkey 9 or later, or `memory:`"
    )]
    SchemaNeedsFieldExpiry { schema: &'static str },
    #[error(
        "the session store cannot expire single fields: use Redis 7.4 or later, Valkey 9 or later, \
         or `memory:`"
    )]
    NoFieldExpiry(#[source] StoreError),
    #[error("the operating system returned no random numbers")]
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
    #[error("{error}. Check the setting {setting}, or use `memory:`, which needs no server")]
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
