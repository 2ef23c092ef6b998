//! Commands and scripts that read and change sessions.

mod expiry;
mod index;
mod look;
mod near;
mod preflight;
mod query;
mod read;
mod refresh;
mod scan;
pub(super) mod script;
mod tombstone;
mod write;
mod write_check;
