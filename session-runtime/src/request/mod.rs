//! One request's session: plans of the life cycle, carried out on the store.

pub(crate) mod contention;
pub(crate) mod handle;
#[cfg_attr(
    not(any(feature = "actix", feature = "tower")),
    allow(dead_code, reason = "adapters keep handles in requests")
)]
pub(crate) mod shared;
