//! The commands and scripts by which sessions are read and changed.

mod expiry;
mod preflight;
mod query;
mod read;
mod refresh;
pub(super) mod script;
mod tombstone;
mod write;
mod write_check;
