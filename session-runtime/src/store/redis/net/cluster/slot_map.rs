//! The slots of a cluster and their masters.

use std::sync::Arc;

use redis::Value;

use crate::id::slot::SLOTS;
use crate::store::redis::cause::{Cause, Code};
use crate::store::redis::net::address::Address;
use crate::store::redis::net::node_connections::NodeConnections;
use crate::store::redis::protocol::reply::text;

/// A master of the cluster.
pub(crate) struct Node {
    pub(crate) address: Address,
    pub(crate) connections: NodeConnections,
}

/// The masters, and the master of each slot, if any.
#[derive(Default)]
pub(crate) struct SlotMap {
    nodes: Vec<Arc<Node>>,
    /// For each slot, the master's index in `nodes`. Empty before the slots are known.
    slots: Vec<Option<u16>>,
    /// The slots that were assigned to other masters by redirections.
    reassigned: Vec<u16>,
}

impl SlotMap {
    pub(crate) fn nodes(&self) -> impl Iterator<Item = &Arc<Node>> {
        self.nodes.iter()
    }

    pub(crate) fn node_of(&self, slot: u16) -> Option<&Arc<Node>> {
        let at = (*self.slots.get(usize::from(slot))?)?;
        self.nodes.get(usize::from(at))
    }

    pub(crate) fn node_at(&self, address: &Address) -> Option<&Arc<Node>> {
        self.nodes.iter().find(|node| node.address == *address)
    }

    /// Returns for each slot whether the master is another in the other map, or was another before
    /// a redirection. `None` if no slot has moved.
    pub(crate) fn moved_to(&self, other: &Self) -> Option<Vec<bool>> {
        let is_same = |slot| match (self.node_of(slot), other.node_of(slot)) {
            (Some(before), Some(after)) => Arc::ptr_eq(before, after),
            (before, _) => before.is_none(),
        };
        let mut moved: Vec<_> = (0..SLOTS).map(|slot| !is_same(slot as u16)).collect();
        self.reassigned.iter().for_each(|slot| moved[usize::from(*slot)] = true);
        moved.contains(&true).then_some(moved)
    }

    /// Assigns another master to a slot.
    pub(crate) fn reassign(&mut self, slot: u16, node: &Arc<Node>) {
        if !self.reassigned.contains(&slot) {
            self.reassigned.push(slot);
        }
        self.assign(&Range { first: slot, last: slot, master: node.address.clone() }, node);
    }

    /// Adds a master without slots. A known master keeps all slots.
    pub(crate) fn add(&mut self, node: &Arc<Node>) {
        self.index_of(node);
    }

    pub(crate) fn assign(&mut self, range: &Range, node: &Arc<Node>) {
        self.slots.resize(SLOTS, None);
        let index = self.index_of(node);
        let slots = self.slots.get_mut(usize::from(range.first)..=usize::from(range.last));
        slots.unwrap_or_default().fill(u16::try_from(index).ok());
    }

    fn index_of(&mut self, node: &Arc<Node>) -> usize {
        self.nodes.iter().position(|known| known.address == node.address).unwrap_or_else(|| {
            self.nodes.push(Arc::clone(node));
            self.nodes.len() - 1
        })
    }
}

/// Adjacent slots with the same master.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Range {
    pub(crate) first: u16,
    pub(crate) last: u16,
    pub(crate) master: Address,
}

/// Reads the reply to `CLUSTER SLOTS` by the node at this address, and skips replicas.
pub(crate) fn ranges_in(reply: Value, asked: &Address) -> Result<Vec<Range>, Cause> {
    if let Some(code) = Code::in_reply(&reply) {
        return Err(if code == Code::Other { Cause::NotCluster } else { Cause::Server(code) });
    }
    let Value::Array(entries) = reply else { return Err(Cause::Unexpected) };
    let ranges =
        entries.iter().map(|entry| range_in(entry, asked)).collect::<Result<Vec<_>, _>>()?;
    // A node that has lost the other nodes, or never met them, knows no slots.
    if ranges.is_empty() { Err(Cause::Server(Code::ClusterDown)) } else { Ok(ranges) }
}

/// `[first, last, [host, port, …] of the master, [host, port, …] of each replica]`
fn range_in(entry: &Value, asked: &Address) -> Result<Range, Cause> {
    let Value::Array(parts) = entry else { return Err(Cause::Unexpected) };
    let [Value::Int(first), Value::Int(last), Value::Array(master), ..] = &parts[..] else {
        return Err(Cause::Unexpected);
    };
    let number = |number: i64| u16::try_from(number).map_err(|_| Cause::Unexpected);
    Ok(Range { first: number(*first)?, last: number(*last)?, master: address_in(master, asked)? })
}

/// `[host, port, id, [key, value, …]]`
fn address_in(node: &[Value], asked: &Address) -> Result<Address, Cause> {
    let [host, Value::Int(port), rest @ ..] = node else { return Err(Cause::Unexpected) };
    let of_metadata = || rest.get(1).and_then(ip_in);
    let host = match text(host) {
        // The node is configured not to announce an address, and can be reached as before.
        None if *host == Value::Nil => asked.host.clone(),
        // The node does not know the address yet.
        Some("") => of_metadata().unwrap_or_else(|| asked.host.clone()),
        // The node is configured to announce a host name, but has none.
        Some("?") => of_metadata().ok_or(Cause::NoAddress)?,
        Some(host) => host.to_owned(),
        None => return Err(Cause::Unexpected),
    };
    Ok(Address { host, port: u16::try_from(*port).map_err(|_| Cause::Unexpected)? })
}

/// Returns the address in a node's metadata, which exists since Redis 7.
fn ip_in(metadata: &Value) -> Option<String> {
    let ip = match metadata {
        Value::Map(entries) => {
            entries.iter().find(|(key, _)| text(key) == Some("ip")).map(|(_, ip)| ip)
        }
        Value::Array(words) => {
            words.chunks_exact(2).find(|pair| text(&pair[0]) == Some("ip")).map(|pair| &pair[1])
        }
        _ => None,
    };
    ip.and_then(text).filter(|ip| !ip.is_empty()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_and_replicas_passed_over() {
        let reply = concat!(
            "*2\r\n",
            "*4\r\n:0\r\n:100\r\n",
            "*4\r\n$1\r\na\r\n:1\r\n$2\r\nid\r\n*0\r\n",
            "*4\r\n$1\r\nb\r\n:2\r\n$2\r\nid\r\n*0\r\n",
            "*3\r\n:200\r\n:200\r\n*3\r\n_\r\n:3\r\n$2\r\nid\r\n",
        );
        let range =
            |first, last, host: &str, port| Range { first, last, master: address(host, port) };
        assert_eq!(read(reply).unwrap(), [range(0, 100, "a", 1), range(200, 200, "asked", 3)]);
    }

    #[test]
    fn a_node_without_a_name_has_the_address_of_its_metadata() {
        for (host, metadata, expected) in [
            ("$1\r\n?\r\n", "*2\r\n$2\r\nip\r\n$1\r\nb\r\n", "b"),
            ("$1\r\n?\r\n", "%1\r\n$2\r\nip\r\n$1\r\nb\r\n", "b"),
            ("$0\r\n\r\n", "*2\r\n$2\r\nip\r\n$1\r\nb\r\n", "b"),
            ("$0\r\n\r\n", "*0\r\n", "asked"),
            // Behind a proxy, for example, the node's own address cannot be used.
            ("_\r\n", "*2\r\n$2\r\nip\r\n$1\r\nb\r\n", "asked"),
        ] {
            let reply = format!("*1\r\n*3\r\n:0\r\n:1\r\n*4\r\n{host}:1\r\n$2\r\nid\r\n{metadata}");
            let ranges = read(&reply).unwrap();
            assert_eq!(ranges[0].master, address(expected, 1), "{reply}");
        }
        let nowhere = "*1\r\n*3\r\n:0\r\n:1\r\n*3\r\n$1\r\n?\r\n:1\r\n$2\r\nid\r\n";
        assert!(matches!(read(nowhere), Err(Cause::NoAddress)));
    }

    #[test]
    fn invalid_slot_lists_are_refused() {
        for reply in
            ["*1\r\n:1\r\n", "+OK\r\n", "*1\r\n*3\r\n:0\r\n:70000\r\n*2\r\n$1\r\na\r\n:1\r\n"]
        {
            assert!(matches!(read(reply), Err(Cause::Unexpected)), "{reply}");
        }
        assert!(matches!(read("*0\r\n"), Err(Cause::Server(Code::ClusterDown))));
        assert!(matches!(
            read("-ERR This instance has cluster support disabled\r\n"),
            Err(Cause::NotCluster)
        ));
    }

    fn read(reply: &str) -> Result<Vec<Range>, Cause> {
        ranges_in(redis::parse_redis_value(reply.as_bytes()).unwrap(), &address("asked", 9))
    }

    fn address(host: &str, port: u16) -> Address {
        Address { host: host.into(), port }
    }
}
