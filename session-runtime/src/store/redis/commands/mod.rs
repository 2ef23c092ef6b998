//! Commands and scripts that read and change sessions.

#[cfg(feature = "cli")]
mod broadcast;
#[cfg(feature = "cli")]
pub(crate) mod census;
mod expiry;
mod index;
#[cfg(feature = "cli")]
pub(crate) mod key_state;
mod key_walk;
mod look;
mod near;
pub(crate) mod preflight;
mod query;
mod read;
mod refresh;
mod scan;
pub(super) mod script;
pub(crate) mod tombstone;
mod write;
mod write_check;
