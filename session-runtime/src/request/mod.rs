//! One request's session: plans of the life cycle, carried out on the store.

pub(crate) mod contention;
pub(crate) mod handle;
pub(crate) mod manager;
mod plain_http_search;
#[cfg_attr(
    not(any(feature = "actix", feature = "tower")),
    allow(dead_code, reason = "adapters keep handles in requests")
)]
pub(crate) mod shared;
mod size_limits;
mod unknown_lifetimes;
