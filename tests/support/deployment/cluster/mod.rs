//! A cluster.

mod slot_move;
mod view;

pub use slot_move::SlotMove;

use self::view::{NodeView, View};
use super::replication::{self, in_step};
use crate::server::{Make, Recipe, RedisServer};
use crate::wait_for;

/// Three masters with a third of the slots each, and a replica for each. Nodes are numbered from 0.
/// At first the masters are 0 to 2, and the replica of master `n` is `n + 3`.
#[derive(Debug)]
pub struct Cluster {
    nodes: Vec<RedisServer>,
}

const MASTERS: usize = 3;
const NODES: usize = 2 * MASTERS;
const SLOTS: usize = 16_384;

const SETTINGS: [&str; 6] = [
    "--cluster-enabled",
    "yes",
    "--cluster-node-timeout",
    "1000",
    // A replica stays with its master.
    "--cluster-allow-replica-migration",
    "no",
];

impl Cluster {
    /// Starts a cluster of the usual servers. Waits until every node knows the whole cluster and
    /// the replicas are in sync.
    pub fn start() -> Self {
        Self::start_make(Make::Usual).expect("a server, which most tests need")
    }

    /// Starts a cluster of servers of this make. Returns `None` if this server is missing.
    pub fn start_make(make: Make) -> Option<Self> {
        let program = make.program()?;
        let recipe = Recipe::server(program, &[&SETTINGS[..], &replication::SETTINGS].concat());
        let cluster = Self { nodes: RedisServer::prepare_all(vec![recipe; NODES]) };
        cluster.meet();
        cluster.replicate();
        cluster.wait_until_whole();
        Some(cluster)
    }

    /// Returns `redis+cluster://127.0.0.1:PORT,…` with all nodes.
    pub fn url(&self) -> String {
        let addresses: Vec<_> =
            self.nodes.iter().map(|node| format!("127.0.0.1:{}", node.port())).collect();
        format!("redis+cluster://{}", addresses.join(","))
    }

    /// Returns the servers.
    pub fn nodes(&self) -> &[RedisServer] {
        &self.nodes
    }

    /// Returns a server, so that the test can kill and restart the server.
    pub fn node_mut(&mut self, node: usize) -> &mut RedisServer {
        &mut self.nodes[node]
    }

    /// Returns the nodes with slots, ordered by number.
    pub fn masters(&self) -> Vec<usize> {
        let mut masters: Vec<_> = self.view().masters().map(|node| self.number(node)).collect();
        masters.sort_unstable();
        masters
    }

    /// Returns the slot of this key.
    pub fn slot_of(&self, key: &str) -> u16 {
        self.any().cli(&["CLUSTER", "KEYSLOT", key])
    }

    /// Returns the node that owns this key's slot.
    pub fn owner_of(&self, key: &str) -> usize {
        self.owner_by(self.any(), self.slot_of(key)).expect("the slot has an owner")
    }

    /// Returns the replica of this master.
    pub fn replica_of(&self, master: usize) -> usize {
        let view = self.view();
        let replica = view.replica_of(&view.by_port(self.nodes[master].port()).id);
        self.number(replica.expect("the master has a replica"))
    }

    /// Promotes this master's replica without a fault, and returns the new master.
    pub fn failover(&self, master: usize) -> usize {
        let (slot, replica) = (self.slot_at(master), self.replica_of(master));
        let _: String = self.nodes[replica].cli(&["CLUSTER", "FAILOVER"]);
        self.wait_for_new_owner(slot, master)
    }

    /// Returns a slot of this master.
    pub fn slot_at(&self, master: usize) -> u16 {
        self.view().by_port(self.nodes[master].port()).slots[0].0
    }

    /// Waits until every running node reports another owner of the slot and a working cluster.
    /// Returns the new owner.
    pub fn wait_for_new_owner(&self, slot: u16, old: usize) -> usize {
        wait_for("a new owner", || {
            let new = self.owner_by(self.any(), slot)?;
            let agreed =
                self.up().all(|node| serves(node) && self.owner_by(node, slot) == Some(new));
            (new != old && agreed).then_some(new)
        })
    }

    /// Waits until all nodes are running and known to each other, and the replicas are in sync.
    pub fn wait_until_whole(&self) {
        wait_for("a whole cluster", || {
            let known = self.nodes.iter().all(|node| serves(node) && View::read(node).is_whole());
            let masters = known.then(|| self.masters())?;
            masters.into_iter().all(|master| in_step(&self.nodes[master]) == 1).then_some(())
        });
    }

    /// Waits until each replica has the writes of its master up to now.
    pub fn wait_for_copies(&self) {
        for master in self.masters() {
            let replica = &self.nodes[self.replica_of(master)];
            replication::wait_for_copies(&self.nodes[master], &[replica]);
        }
    }

    /// Prepares a move of this key's slot to the next master, step by step.
    pub fn move_slot(&self, key: &str) -> SlotMove<'_> {
        let (from, masters) = (self.owner_of(key), self.masters());
        let next = masters.iter().position(|master| *master == from).unwrap() + 1;
        SlotMove::new(self, self.slot_of(key), from, masters[next % masters.len()])
    }

    fn up(&self) -> impl Iterator<Item = &RedisServer> {
        self.nodes.iter().filter(|node| node.is_up())
    }

    fn any(&self) -> &RedisServer {
        self.up().next().expect("a node is up")
    }

    fn view(&self) -> View {
        View::read(self.any())
    }

    fn owner_by(&self, node: &RedisServer, slot: u16) -> Option<usize> {
        View::read(node).owner_of(slot).map(|owner| self.number(owner))
    }

    fn number(&self, node: &NodeView) -> usize {
        self.nodes.iter().position(|server| server.port() == node.port).expect("one of the nodes")
    }

    fn meet(&self) {
        for (number, master) in self.nodes[..MASTERS].iter().enumerate() {
            let (first, end) = (number * SLOTS / MASTERS, (number + 1) * SLOTS / MASTERS);
            let range = [first.to_string(), (end - 1).to_string()];
            let _: String = master.cli(&["CLUSTER", "ADDSLOTSRANGE", &range[0], &range[1]]);
            // With equal epochs, the masters would first have to resolve the conflict.
            let _: String = master.cli(&["CLUSTER", "SET-CONFIG-EPOCH", &(number + 1).to_string()]);
        }
        for node in &self.nodes[1..] {
            let _: String =
                self.nodes[0].cli(&["CLUSTER", "MEET", "127.0.0.1", &node.port().to_string()]);
        }
        wait_for("the nodes to meet", || {
            self.nodes.iter().all(|node| View::read(node).knows(NODES)).then_some(())
        });
    }

    fn replicate(&self) {
        for (master, replica) in self.nodes[..MASTERS].iter().zip(&self.nodes[MASTERS..]) {
            let id: String = master.cli(&["CLUSTER", "MYID"]);
            let _: String = replica.cli(&["CLUSTER", "REPLICATE", &id]);
        }
    }
}

fn serves(node: &RedisServer) -> bool {
    node.is_up() && node.cli::<String>(&["CLUSTER", "INFO"]).contains("cluster_state:ok")
}
