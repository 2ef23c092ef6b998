//! A cluster.

mod slot_move;
mod view;

pub use slot_move::SlotMove;

use self::view::{NodeView, View};
use super::sentinel::{REPLICATION, in_step};
use crate::server::{Make, Recipe, RedisServer};
use crate::wait_for;

/// Three masters with a third of the slots each, and a replica for each. Nodes are numbered from 0;
/// at first the masters are 0 to 2, and the replica of master `n` is `n + 3`.
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
    /// Starts one of the usual servers, up to where every node knows the whole and the replicas are
    /// in step.
    pub fn start() -> Self {
        Self::start_make(Make::Usual).expect("a server, which most tests need")
    }

    /// The same of servers of this make, or nothing where there are none.
    pub fn start_make(make: Make) -> Option<Self> {
        let program = make.program()?;
        let recipe = Recipe::server(program, &[&SETTINGS[..], &REPLICATION].concat());
        let cluster = Self { nodes: RedisServer::prepare_all(vec![recipe; NODES]) };
        cluster.meet();
        cluster.replicate();
        cluster.wait_until_whole();
        Some(cluster)
    }

    /// `redis+cluster://127.0.0.1:PORT,…` with all nodes.
    pub fn url(&self) -> String {
        let addresses: Vec<_> =
            self.nodes.iter().map(|node| format!("127.0.0.1:{}", node.port())).collect();
        format!("redis+cluster://{}", addresses.join(","))
    }

    /// The servers.
    pub fn nodes(&self) -> &[RedisServer] {
        &self.nodes
    }

    /// A server, to be killed and started again.
    pub fn node_mut(&mut self, node: usize) -> &mut RedisServer {
        &mut self.nodes[node]
    }

    /// The nodes that have slots, in the order of their numbers.
    pub fn masters(&self) -> Vec<usize> {
        let mut masters: Vec<_> = self.view().masters().map(|node| self.number(node)).collect();
        masters.sort_unstable();
        masters
    }

    /// The slot of this key.
    pub fn slot_of(&self, key: &str) -> u16 {
        self.any().cli(&["CLUSTER", "KEYSLOT", key])
    }

    /// The node that has this key's slot.
    pub fn owner_of(&self, key: &str) -> usize {
        self.owner_by(self.any(), self.slot_of(key)).expect("the slot has an owner")
    }

    /// The replica of this master.
    pub fn replica_of(&self, master: usize) -> usize {
        let view = self.view();
        let replica = view.replica_of(&view.by_port(self.nodes[master].port()).id);
        self.number(replica.expect("the master has a replica"))
    }

    /// Has this master's replica take its place, without any fault, and gives the new master.
    pub fn failover(&self, master: usize) -> usize {
        let (slot, replica) = (self.slot_at(master), self.replica_of(master));
        let _: String = self.nodes[replica].cli(&["CLUSTER", "FAILOVER"]);
        self.wait_for_new_owner(slot, master)
    }

    /// A slot that this master has.
    pub fn slot_at(&self, master: usize) -> u16 {
        self.view().by_port(self.nodes[master].port()).slots[0].0
    }

    /// Waits until every node that is up says that the slot has another owner than this one, and
    /// that the cluster serves. Gives it.
    pub fn wait_for_new_owner(&self, slot: u16, old: usize) -> usize {
        wait_for("a new owner", || {
            let new = self.owner_by(self.any(), slot)?;
            let agreed =
                self.up().all(|node| serves(node) && self.owner_by(node, slot) == Some(new));
            (new != old && agreed).then_some(new)
        })
    }

    /// Waits until all nodes are up, know each other so, and the replicas are in step.
    pub fn wait_until_whole(&self) {
        wait_for("a whole cluster", || {
            let known = self.nodes.iter().all(|node| serves(node) && View::read(node).is_whole());
            let masters = known.then(|| self.masters())?;
            masters.into_iter().all(|master| in_step(&self.nodes[master]) == 1).then_some(())
        });
    }

    /// A move of this key's slot to the next master, to be taken step by step.
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
            // Masters that begin alike would have to settle first who gives way to whom.
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
