//! The commands and scripts by which sessions are read and changed.

pub(super) mod preflight;
mod read;
pub(super) mod script;
mod tombstone;
mod write;
mod write_check;
