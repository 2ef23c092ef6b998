//! The stores: the contract for every store, and details of Redis.
//!
//! The Redis tests cover commands, deployments, faults, and the runtimes of the caller.

#![allow(clippy::unwrap_used, reason = "a failure is a failed test")]

mod cluster_index;
mod demotion;
mod health;
mod live_connections;
mod memory_full;
mod near_cache;
mod overwriting;
mod parked_runtimes;
mod redis_commands;
mod redis_connect;
mod redis_deployments;
mod redis_endings;
mod redis_faults;
mod redis_index;
mod redis_login;
mod redis_login_faults;
mod redis_modify;
mod redis_prefixes;
mod redis_require;
mod redis_walks;
mod redis_wire;
mod runtimes;
mod stores;
mod stores_agree;
