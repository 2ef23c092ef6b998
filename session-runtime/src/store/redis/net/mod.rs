//! Connections to the servers that keep sessions, and the way of a request to a server.
//!
//! This module does not know the commands of sessions. `commands` sends requests through a
//! [`Deployment`](deployment::Deployment).

pub(super) mod address;
mod backoff;
#[cfg(feature = "cli")]
pub(crate) mod broadcast;
pub(super) mod cluster;
pub(super) mod connect_options;
mod connection;
mod connector;
pub(super) mod deployment;
pub(super) mod endpoint;
pub(super) mod failure_probe;
mod generation;
pub(super) mod link;
pub(super) mod listeners;
pub(super) mod node_connections;
mod outage_log;
pub(super) mod per_runtime;
pub(super) mod request;
pub(super) mod sentinel;
mod servers;
