//! Commands put together, and replies taken apart, for `commands` and `net` alike.

pub(super) mod command;
pub(super) mod reply;
