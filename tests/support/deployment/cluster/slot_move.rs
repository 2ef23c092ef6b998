//! The move of a slot from one master to another.

use super::Cluster;
use crate::server::RedisServer;

/// A move of a slot in steps: [`begin`](Self::begin), [`move_key`](Self::move_key) for every key,
/// and [`finish`](Self::finish).
///
/// In between, the old master answers `ASK` for missing keys. To a command on several keys, of
/// which only some are missing, it answers `TRYAGAIN`. After the move, it answers `MOVED`.
#[derive(Debug)]
pub struct SlotMove<'a> {
    cluster: &'a Cluster,
    slot: String,
    from: usize,
    to: usize,
}

impl<'a> SlotMove<'a> {
    pub(super) fn new(cluster: &'a Cluster, slot: u16, from: usize, to: usize) -> Self {
        Self { cluster, slot: slot.to_string(), from, to }
    }

    /// Returns the node that has the slot until the end.
    pub fn source_index(&self) -> usize {
        self.from
    }

    /// Returns the node that receives the slot.
    pub fn target_index(&self) -> usize {
        self.to
    }

    /// Starts the move. From now on, keys that the old master lacks belong to the new master.
    pub fn begin(&self) {
        self.set_slot(self.target(), &["IMPORTING", &id(self.source())]);
        self.set_slot(self.source(), &["MIGRATING", &id(self.target())]);
    }

    /// Moves one key. Does nothing if the old master lacks the key.
    pub fn move_key(&self, key: &str) {
        let port = self.target().port().to_string();
        let _: String = self.source().cli(&["MIGRATE", "127.0.0.1", &port, key, "0", "5000"]);
    }

    /// Returns the keys that the old master still has.
    pub fn keys(&self) -> Vec<String> {
        self.source().cli(&["CLUSTER", "GETKEYSINSLOT", &self.slot, "1000000"])
    }

    /// Moves all remaining keys, and assigns the slot to the new master.
    pub fn finish(self) {
        self.keys().iter().for_each(|key| self.move_key(key));
        let new = id(self.target());
        // The new master comes first. While both masters disown the slot, a client would be
        // redirected back and forth.
        for node in [self.to, self.from].into_iter().chain(self.cluster.masters()) {
            self.set_slot(&self.cluster.nodes()[node], &["NODE", &new]);
        }
        self.cluster.wait_for_new_owner(self.slot.parse().unwrap(), self.from);
    }

    fn set_slot(&self, node: &RedisServer, state: &[&str]) {
        let _: String = node.cli(&[&["CLUSTER", "SETSLOT", &self.slot], state].concat());
    }

    fn source(&self) -> &RedisServer {
        &self.cluster.nodes()[self.from]
    }

    fn target(&self) -> &RedisServer {
        &self.cluster.nodes()[self.to]
    }
}

fn id(node: &RedisServer) -> String {
    node.cli(&["CLUSTER", "MYID"])
}
