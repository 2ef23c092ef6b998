//! Realistic deployments of servers: behind TLS, behind sentinels, as a cluster. The servers are
//! real processes, each in a separate directory.
//!
//! A [`Sentinel`] or a [`Cluster`] takes seconds to start. Tests that do not damage the deployment
//! share it in turn through [`Shared`]. A test that damages it starts its own.

mod certificates;
mod cluster;
mod replication;
mod sentinel;
mod shared;
mod tls;

pub use cluster::{Cluster, SlotMove};
pub use sentinel::Sentinel;
pub use shared::Shared;
pub use tls::Tls;

use redis::{FromRedisValue, ToRedisArgs, cmd};

use crate::server::{CommandCounts, Monitor, RedisServer};

/// The servers of a store, in one of several deployments.
#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "each test has only a single value")]
pub enum Deployment {
    /// A single server.
    One(RedisServer),
    /// A single server that speaks TLS.
    Tls(Tls),
    /// A master behind sentinels.
    Sentinel(Sentinel),
    /// A cluster.
    Cluster(Cluster),
}

impl Deployment {
    /// Returns the URL for a store.
    pub fn url(&self) -> String {
        match self {
            Self::One(server) => server.url(),
            Self::Tls(tls) => tls.url(),
            Self::Sentinel(sentinel) => sentinel.url(),
            Self::Cluster(cluster) => cluster.url(),
        }
    }

    /// Returns the servers that accept writes.
    pub fn masters(&self) -> Vec<&RedisServer> {
        match self {
            Self::One(server) => vec![server],
            Self::Tls(tls) => vec![tls.server()],
            Self::Sentinel(sentinel) => vec![&sentinel.nodes()[sentinel.master()]],
            Self::Cluster(cluster) => {
                cluster.masters().into_iter().map(|master| &cluster.nodes()[master]).collect()
            }
        }
    }

    /// Runs a command on the master that has its key, and returns the reply. In a cluster, a
    /// command without a key has no such master: use [`keys`](Self::keys) and
    /// [`on_every_master`](Self::on_every_master).
    pub fn cli<T: FromRedisValue>(&self, command: &[impl ToRedisArgs]) -> T {
        match self {
            Self::Cluster(cluster) => {
                cluster.nodes()[cluster.owner_of(&key_of(cluster, command))].cli(command)
            }
            _ => self.masters()[0].cli(command),
        }
    }

    /// Runs a command on every master.
    pub fn on_every_master(&self, command: &[&str]) {
        for master in self.masters() {
            let _: redis::Value = master.cli(command);
        }
    }

    /// Returns all keys.
    pub fn keys(&self) -> Vec<String> {
        self.masters()
            .into_iter()
            .flat_map(|master| master.cli::<Vec<String>>(&["KEYS", "*"]))
            .collect()
    }

    /// Returns the number of calls of each command so far, on all masters. Subtract the counts from
    /// before.
    pub fn counts(&self) -> CommandCounts {
        self.masters().into_iter().map(RedisServer::counts).sum()
    }

    /// Records every command that the masters execute from now on.
    pub fn monitor(&self) -> Monitor {
        Monitor::begin(&self.masters())
    }
}

fn key_of(cluster: &Cluster, command: &[impl ToRedisArgs]) -> String {
    let node = &cluster.nodes()[cluster.masters()[0]];
    let keys =
        cmd("COMMAND").arg("GETKEYS").arg(command).query::<Vec<String>>(&mut node.connection());
    keys.unwrap_or_else(|error| panic!("no command on a key: {error}")).swap_remove(0)
}
