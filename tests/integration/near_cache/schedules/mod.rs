//! Orders of messages that a random test rarely meets. Each order would break a promise if one of
//! the cache's rules were missing.

mod connections;
mod deployments;
mod expiry;
mod fills;
mod lease;
mod stage;
