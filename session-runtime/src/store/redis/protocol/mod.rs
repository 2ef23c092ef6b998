//! Helpers for `commands` and `net` that build commands and read replies.

pub(super) mod command;
pub(super) mod reply;
