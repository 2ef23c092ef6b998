//! Servers as they are deployed: behind TLS, behind sentinels, as a cluster. Real processes, each
//! in a directory of its own.
//!
//! A [`Sentinel`] or a [`Cluster`] takes seconds to start. Tests that leave it whole share one, one
//! test after another, by [`Shared`]; a test that breaks it starts its own.

mod certificates;
mod cluster;
mod sentinel;
mod shared;
mod tls;

pub use cluster::{Cluster, SlotMove};
pub use sentinel::Sentinel;
pub use shared::Shared;
pub use tls::Tls;

use redis::{FromRedisValue, ToRedisArgs, cmd};

use crate::server::{CommandCounts, Monitor, RedisServer};

/// The servers of a store, deployed one way or another.
#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "there is one a test")]
pub enum Deployment {
    /// One server.
    One(RedisServer),
    /// One server that speaks TLS.
    Tls(Tls),
    /// A master behind sentinels.
    Sentinel(Sentinel),
    /// A cluster.
    Cluster(Cluster),
}

impl Deployment {
    /// Where a store connects to.
    pub fn url(&self) -> String {
        match self {
            Self::One(server) => server.url(),
            Self::Tls(tls) => tls.url(),
            Self::Sentinel(sentinel) => sentinel.url(),
            Self::Cluster(cluster) => cluster.url(),
        }
    }

    /// The servers that take writes.
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

    /// Carries out one command on the master that has its key, and gives the reply. A command
    /// without a key has no place in a cluster: see [`keys`](Self::keys) and
    /// [`on_every_master`](Self::on_every_master).
    pub fn cli<T: FromRedisValue>(&self, command: &[impl ToRedisArgs]) -> T {
        match self {
            Self::Cluster(cluster) => {
                cluster.nodes()[cluster.owner_of(&key_of(cluster, command))].cli(command)
            }
            _ => self.masters()[0].cli(command),
        }
    }

    /// Carries out one command on every master.
    pub fn on_every_master(&self, command: &[&str]) {
        for master in self.masters() {
            let _: redis::Value = master.cli(command);
        }
    }

    /// All keys.
    pub fn keys(&self) -> Vec<String> {
        self.masters()
            .into_iter()
            .flat_map(|master| master.cli::<Vec<String>>(&["KEYS", "*"]))
            .collect()
    }

    /// How often each command was carried out so far, by all masters together. Take it before and
    /// after, and subtract.
    pub fn counts(&self) -> CommandCounts {
        self.masters().into_iter().map(RedisServer::counts).sum()
    }

    /// Listens to every command that the masters carry out from now on.
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
