//! The stores: the contract over each of them, and Redis in particular.
//!
//! The commands that it is sent, its deployments, its faults, and the runtimes that ask it.

#![allow(clippy::unwrap_used, reason = "a failure is a failed test")]

mod demotion;
mod health;
mod memory_full;
mod overwriting;
mod parked_runtimes;
mod redis_commands;
mod redis_connect;
mod redis_deployments;
mod redis_endings;
mod redis_faults;
mod redis_modify;
mod redis_wire;
mod runtimes;
mod stores;
mod stores_agree;
