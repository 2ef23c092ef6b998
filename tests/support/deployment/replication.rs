//! The replication from a master to its replicas.

use crate::server::RedisServer;
use crate::wait_for;

/// Serves replicas at once, without the default delay of five seconds for further replicas.
pub(super) const SETTINGS: [&str; 4] =
    ["--repl-diskless-sync-delay", "0", "--repl-ping-replica-period", "1"];

/// Returns the number of the master's replicas that are in sync, from
/// `slave0:ip=…,port=…,state=online,offset=…,lag=…`.
pub(super) fn in_step(master: &RedisServer) -> usize {
    let info = info(master);
    info.lines().filter(|line| line.starts_with("slave") && line.contains("state=online")).count()
}

/// Waits until the replicas have all writes of the master up to now. A replica in sync may still be
/// processing the latest, and `WAIT` covers the writes of its own connection alone.
pub(super) fn wait_for_copies(master: &RedisServer, replicas: &[&RedisServer]) {
    let written = number(&info(master), "master_repl_offset:").expect("a master has an offset");
    let has_copied = |replica: &&RedisServer| {
        let info = info(replica);
        info.contains("master_link_status:up")
            && number(&info, "slave_repl_offset:") >= Some(written)
    };
    wait_for("the writes on each replica", || replicas.iter().all(has_copied).then_some(()));
}

fn info(node: &RedisServer) -> String {
    node.cli(&["INFO", "replication"])
}

fn number(info: &str, field: &str) -> Option<u64> {
    info.lines().find_map(|line| line.strip_prefix(field))?.parse().ok()
}
