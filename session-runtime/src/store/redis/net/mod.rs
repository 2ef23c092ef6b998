//! Connections to the servers that keep sessions, and the way of a request to one of them.

pub(super) mod cluster;
pub(super) mod connect_options;
pub(super) mod connection;
pub(super) mod connector;
pub(super) mod deployment;
pub(super) mod failure_probe;
pub(super) mod generation;
pub(super) mod link;
pub(super) mod node_connections;
pub(super) mod outage_log;
pub(super) mod per_runtime;
pub(super) mod request;
pub(super) mod sentinel;
