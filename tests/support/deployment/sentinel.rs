//! A master, its replicas, and sentinels that monitor them.

use std::collections::HashMap;

use super::replication::{self, in_step, is_master};
use crate::server::{Make, Recipe, RedisServer, Role, SENTINEL_FILE};
use crate::wait_for;

/// A master, two replicas, and three sentinels with a quorum of two. Servers are numbered from 0,
/// and the first master is 0.
#[derive(Debug)]
pub struct Sentinel {
    nodes: Vec<RedisServer>,
    sentinels: Vec<RedisServer>,
}

const MASTER_NAME: &str = "sessions";
const REPLICAS: usize = 2;
const SENTINELS: usize = 3;

impl Sentinel {
    /// Starts the servers. Waits until the replicas are in sync and every sentinel knows the
    /// others.
    pub fn start() -> Self {
        let program = Make::Usual.program().expect("a server, which most tests need");
        let sentinel = Recipe {
            role: Role::Sentinel,
            files: vec![(SENTINEL_FILE, String::new())],
            ..Recipe::server(program.clone(), &[])
        };
        let nodes = vec![Recipe::server(program, &replication::SETTINGS); 1 + REPLICAS];
        let mut nodes = RedisServer::prepare_all([nodes, vec![sentinel; SENTINELS]].concat());
        let sentinels = nodes.split_off(1 + REPLICAS);
        let deployment = Self { nodes, sentinels };
        deployment.replicate();
        deployment.watch();
        deployment
    }

    /// Returns `redis+sentinel://127.0.0.1:PORT,…/NAME`.
    pub fn url(&self) -> String {
        let addresses: Vec<_> = self
            .sentinels
            .iter()
            .map(|sentinel| format!("127.0.0.1:{}", sentinel.port()))
            .collect();
        format!("redis+sentinel://{}/{MASTER_NAME}", addresses.join(","))
    }

    /// Returns the name of the master for the sentinels.
    pub fn master_name(&self) -> &'static str {
        MASTER_NAME
    }

    /// Returns the current master, as reported by the sentinels.
    pub fn master(&self) -> usize {
        self.master_by(self.up().next().expect("a sentinel is up"))
    }

    /// Returns the servers, of any role.
    pub fn nodes(&self) -> &[RedisServer] {
        &self.nodes
    }

    /// Returns a server, so that the test can kill and restart the server.
    pub fn node_mut(&mut self, node: usize) -> &mut RedisServer {
        &mut self.nodes[node]
    }

    /// Returns the sentinels.
    pub fn sentinels(&self) -> &[RedisServer] {
        &self.sentinels
    }

    /// Returns a sentinel, so that the test can kill and restart the sentinel.
    pub fn sentinel_mut(&mut self, sentinel: usize) -> &mut RedisServer {
        &mut self.sentinels[sentinel]
    }

    /// Makes the sentinels promote a replica without a fault, and returns the new master.
    pub fn failover(&self) -> usize {
        let old = self.master();
        let sentinel = self.up().next().expect("a sentinel is up");
        // Soon after another failover, the sentinel does not know the replicas yet.
        wait_for("a replica to be master", || {
            sentinel.try_cli::<()>(&["SENTINEL", "FAILOVER", MASTER_NAME]).ok()
        });
        self.wait_for_new_master(old)
    }

    /// Waits until every running sentinel reports another master, which accepts its role. Returns
    /// the new master.
    pub fn wait_for_new_master(&self, old: usize) -> usize {
        wait_for("a new master", || {
            let new = self.master();
            let agreed = self.up().all(|sentinel| self.master_by(sentinel) == new);
            (new != old && agreed && self.nodes[new].is_up() && is_master(&self.nodes[new]))
                .then_some(new)
        })
    }

    /// Waits until all running servers follow the master and are in sync.
    pub fn wait_for_replicas(&self) {
        let replicas = self.nodes.iter().filter(|node| node.is_up()).count() - 1;
        wait_for("the replicas", || {
            (in_step(&self.nodes[self.master()]) == replicas).then_some(())
        });
    }

    /// Waits until all running servers have the writes of the master up to now.
    pub fn wait_for_copies(&self) {
        let master = &self.nodes[self.master()];
        let replicas =
            self.nodes.iter().filter(|node| node.is_up() && node.port() != master.port());
        replication::wait_for_copies(master, &replicas.collect::<Vec<_>>());
    }

    fn up(&self) -> impl Iterator<Item = &RedisServer> {
        self.sentinels.iter().filter(|sentinel| sentinel.is_up())
    }

    fn master_by(&self, sentinel: &RedisServer) -> usize {
        let (_, port): (String, u16) =
            sentinel.cli(&["SENTINEL", "GET-MASTER-ADDR-BY-NAME", MASTER_NAME]);
        self.nodes
            .iter()
            .position(|node| node.port() == port)
            .expect("the master is one of the nodes")
    }

    fn replicate(&self) {
        let port = self.nodes[0].port().to_string();
        for replica in &self.nodes[1..] {
            let _: String = replica.cli(&["REPLICAOF", "127.0.0.1", &port]);
        }
        wait_for("the replicas", || (in_step(&self.nodes[0]) == REPLICAS).then_some(()));
    }

    /// Starts the sentinels after the replicas. A sentinel asks a master for replicas at once, and
    /// again only after ten seconds.
    fn watch(&self) {
        let port = self.nodes[0].port().to_string();
        for sentinel in &self.sentinels {
            let _: String = sentinel.cli(&[&["SENTINEL", "DEBUG"], &TIMES[..]].concat());
            let _: String =
                sentinel.cli(&["SENTINEL", "MONITOR", MASTER_NAME, "127.0.0.1", &port, "2"]);
            let _: String =
                sentinel.cli(&[&["SENTINEL", "SET", MASTER_NAME], &SETTINGS[..]].concat());
        }
        wait_for("the sentinels to know each other", || {
            self.sentinels.iter().all(knows_all).then_some(())
        });
    }
}

const SETTINGS: [&str; 6] =
    ["down-after-milliseconds", "500", "failover-timeout", "3000", "parallel-syncs", "2"];

/// Values in milliseconds. After a stall of two seconds, as on a busy machine, a sentinel stays
/// passive for the last value. The default is thirty seconds.
const TIMES: [&str; 6] = ["PUBLISH-PERIOD", "200", "INFO-PERIOD", "500", "TILT-PERIOD", "1000"];

fn knows_all(sentinel: &RedisServer) -> bool {
    let master: HashMap<String, String> = sentinel.cli(&["SENTINEL", "MASTER", MASTER_NAME]);
    let replicas: Vec<HashMap<String, String>> =
        sentinel.cli(&["SENTINEL", "REPLICAS", MASTER_NAME]);
    master["flags"] == "master"
        && master["num-other-sentinels"] == (SENTINELS - 1).to_string()
        && replicas.iter().filter(|replica| replica["master-link-status"] == "ok").count()
            == REPLICAS
}
