//! The replication from a master to its replicas.

use crate::server::RedisServer;
use crate::wait_for;

/// Serves replicas at once, without the default delay of five seconds for further replicas.
pub(super) const SETTINGS: [&str; 4] =
    ["--repl-diskless-sync-delay", "0", "--repl-ping-replica-period", "1"];

/// Returns the number of the master's replicas that are in sync, from
/// `slave0:ip=…,port=…,state=online,offset=…,lag=…`.
pub(super) fn in_step(master: &RedisServer) -> usize {
    let info = info(master).unwrap_or_default();
    info.lines().filter(|line| line.starts_with("slave") && line.contains("state=online")).count()
}

pub(super) fn is_master(node: &RedisServer) -> bool {
    info(node).is_some_and(|info| info.contains("role:master"))
}

/// Waits until the replicas have all writes of the master up to now. A replica in sync may still be
/// processing the latest, and `WAIT` covers the writes of its own connection alone.
pub(super) fn wait_for_copies(master: &RedisServer, replicas: &[&RedisServer]) {
    let offset_of_master = || number(&info(master)?, "master_repl_offset:");
    let written = wait_for("the offset of the master", offset_of_master);
    let has_copied = |replica: &&RedisServer| {
        info(replica).is_some_and(|info| {
            info.contains("master_link_status:up")
                && number(&info, "slave_repl_offset:") >= Some(written)
        })
    };
    wait_for("the writes on each replica", || replicas.iter().all(has_copied).then_some(()));
}

/// Asks a server. A server whose role changes closes its connections without an answer.
fn info(node: &RedisServer) -> Option<String> {
    node.try_cli(&["INFO", "replication"]).ok()
}

fn number(info: &str, field: &str) -> Option<u64> {
    info.lines().find_map(|line| line.strip_prefix(field))?.parse().ok()
}
