//! A node's view of the cluster.

use crate::server::RedisServer;

/// The nodes of a cluster, as one node reports them (`CLUSTER NODES`).
pub(super) struct View(Vec<NodeView>);

pub(super) struct NodeView {
    pub(super) id: String,
    pub(super) port: u16,
    /// First and last slot of each range.
    pub(super) slots: Vec<(u16, u16)>,
    flags: Vec<String>,
    master: Option<String>,
    is_connected: bool,
}

impl View {
    pub(super) fn read(node: &RedisServer) -> Self {
        let nodes: String = node.cli(&["CLUSTER", "NODES"]);
        Self(nodes.lines().map(NodeView::parse).collect())
    }

    pub(super) fn knows(&self, nodes: usize) -> bool {
        self.0.len() == nodes
            && self.0.iter().all(|node| node.is_connected && !node.has_flag("handshake"))
    }

    /// Returns whether every master has slots and a replica, without any failure.
    pub(super) fn is_whole(&self) -> bool {
        let is_sound = |node: &NodeView| {
            node.is_connected && !node.has_flag("fail") && !node.has_flag("fail?")
        };
        let has_replica = |node: &NodeView| self.replica_of(&node.id).is_some();
        self.0.iter().all(is_sound)
            && self.masters().all(has_replica)
            && 2 * self.masters().count() == self.0.len()
    }

    pub(super) fn masters(&self) -> impl Iterator<Item = &NodeView> {
        self.0.iter().filter(|node| node.has_flag("master") && !node.slots.is_empty())
    }

    pub(super) fn owner_of(&self, slot: u16) -> Option<&NodeView> {
        self.0
            .iter()
            .find(|node| node.slots.iter().any(|(first, last)| (*first..=*last).contains(&slot)))
    }

    pub(super) fn replica_of(&self, master: &str) -> Option<&NodeView> {
        self.0.iter().find(|node| node.master.as_deref() == Some(master))
    }

    pub(super) fn by_port(&self, port: u16) -> &NodeView {
        self.0.iter().find(|node| node.port == port).expect("the node is in the cluster")
    }
}

impl NodeView {
    /// Parses `ID IP:PORT@BUS FLAG,… MASTER|- PING PONG EPOCH connected|disconnected SLOT
    /// FIRST-LAST [SLOT->-ID] …`.
    fn parse(line: &str) -> Self {
        let words: Vec<_> = line.split(' ').collect();
        let [id, address, flags, master, _, _, _, link, slots @ ..] = &words[..] else {
            panic!("{line}")
        };
        let (_, port) = address.split('@').next().unwrap().rsplit_once(':').unwrap();
        Self {
            id: (*id).to_owned(),
            port: port.parse().unwrap(),
            slots: slots
                .iter()
                .filter(|slots| !slots.starts_with('['))
                .map(|slots| range(slots))
                .collect(),
            flags: flags.split(',').map(str::to_owned).collect(),
            master: (*master != "-").then(|| (*master).to_owned()),
            is_connected: *link == "connected",
        }
    }

    fn has_flag(&self, flag: &str) -> bool {
        self.flags.iter().any(|given| given == flag)
    }
}

fn range(slots: &str) -> (u16, u16) {
    let (first, last) = slots.split_once('-').unwrap_or((slots, slots));
    (first.parse().unwrap(), last.parse().unwrap())
}
