//! A request's session. Carries out the plans of the life cycle on the store.

#[cfg(any(feature = "tower-sessions-0_14", feature = "tower-sessions-0_15"))]
mod adoption;
pub(crate) mod change_set;
pub(crate) mod clock_log;
pub(crate) mod contention;
mod cookies;
mod destroy;
pub(crate) mod encrypted;
mod end_wait;
pub(crate) mod ended;
mod form_token;
pub(crate) mod freshness;
pub(crate) mod handle;
pub(crate) mod index_list;
pub(crate) mod indexed;
mod lifecycle_guard;
pub(crate) mod manager;
#[cfg_attr(
    not(any(feature = "actix", feature = "tower")),
    allow(dead_code, reason = "adapters have layers")
)]
mod outer;
mod plain_http_search;
mod read;
mod report;
pub(crate) mod rotate;
#[cfg_attr(
    not(any(feature = "actix", feature = "tower")),
    allow(dead_code, reason = "adapters keep handles in requests")
)]
mod shared;
mod sign_of_life;
mod size_limits;
mod token;
mod unknown_lifetimes;
pub(crate) mod watch;
mod write;
