//! The test support itself: deployments are what they say, and take what tests do to them.

#![allow(clippy::unwrap_used, reason = "a failure is a failed test")]

use redis::{ErrorKind, ServerErrorKind, Value};
use session_tests::deployment::{Cluster, Sentinel, Servers, Shared, Tls};
use session_tests::server::{Make, RedisServer};
use session_tests::wait_for;

#[test]
fn every_make_of_server_starts() {
    for make in [Make::Usual, Make::Redis8, Make::Valkey9] {
        let Some(server) = RedisServer::start_make(make) else { continue };
        let monitor = server.monitor();
        let _: String = server.cli(&["SET", "a", "1"]);
        let _: i64 = server.cli(&["EVAL", "redis.call('DEL', KEYS[1]) return 1", "1", "a"]);
        let commands = monitor.finish();
        assert_eq!(
            commands,
            [
                r#""SET" "a" "1""#,
                r#""EVAL" "redis.call('DEL', KEYS[1]) return 1" "1" "a""#,
                r#"lua "DEL" "a""#
            ],
            "{make:?}"
        );
    }
}

#[test]
fn a_tls_server_lets_in_who_has_a_certificate_of_its_authority() {
    let Some(tls) = Tls::start() else { return };
    let (certificate, key) = tls.client();
    let authority = tls.authority();
    let trusts = ["--tls-ca-cert-file", authority.to_str().unwrap()];
    let shows = ["--tls-cert-file", certificate.to_str().unwrap(), "--tls-key-file", key.to_str().unwrap()];
    assert!(replicates(&tls, &[&trusts[..], &shows].concat()));
    let stranger = Tls::start().unwrap();
    let (certificate, key) = stranger.client();
    let shows = ["--tls-cert-file", certificate.to_str().unwrap(), "--tls-key-file", key.to_str().unwrap()];
    assert!(!replicates(&tls, &[&trusts[..], &shows].concat()));
}

/// Whether a replica with these settings gets through: a server is a TLS client too.
fn replicates(tls: &Tls, args: &[&str]) -> bool {
    let replica = RedisServer::start_with(&[&["--tls-replication", "yes"], args].concat());
    let _: String = replica.cli(&["REPLICAOF", "127.0.0.1", &tls.server().port().to_string()]);
    wait_for("the replica to get through or not", || {
        let info: String = replica.cli(&["INFO", "replication"]);
        let log = std::fs::read_to_string(replica.directory().join("log")).unwrap();
        let refused = log.contains("Error condition on socket") || log.contains("Failed to");
        info.contains("master_link_status:up").then_some(true).or(refused.then_some(false))
    })
}

#[test]
fn sentinels_make_another_server_the_master_when_the_master_is_killed() {
    let mut deployment = Sentinel::start();
    let old = deployment.master();
    let _: String = deployment.nodes()[old].cli(&["SET", "a", "1"]);
    let _: i64 = deployment.nodes()[old].cli(&["WAIT", "2", "0"]);
    deployment.node_mut(old).kill();
    let new = deployment.wait_for_new_master(old);
    assert_eq!(deployment.nodes()[new].cli::<String>(&["GET", "a"]), "1");
    deployment.node_mut(old).restart();
    deployment.wait_for_replicas();
}

#[test]
fn sentinels_change_the_master_on_demand_again_and_again() {
    let deployment = Sentinel::start();
    for _ in 0..2 {
        let old = deployment.master();
        let new = deployment.failover();
        assert_ne!(old, new);
        deployment.wait_for_replicas();
    }
}

#[test]
fn a_frozen_master_is_replaced_and_follows_when_it_goes_on() {
    let deployment = Sentinel::start();
    let old = deployment.master();
    deployment.nodes()[old].pause();
    deployment.wait_for_new_master(old);
    deployment.nodes()[old].resume();
    deployment.wait_for_replicas();
}

#[test]
fn a_clusters_replica_takes_the_place_of_a_master_that_is_killed() {
    let mut cluster = Cluster::start();
    assert_eq!((cluster.masters(), cluster.replica_of(1)), (vec![0, 1, 2], 4));
    let slot = cluster.slot_at(1);
    cluster.node_mut(1).kill();
    assert_eq!(cluster.wait_for_new_owner(slot, 1), 4);
    cluster.node_mut(1).restart();
    cluster.wait_until_whole();
    assert_eq!(cluster.replica_of(4), 1);
    assert_eq!(cluster.failover(4), 1);
    cluster.wait_until_whole();
}

#[test]
fn a_slot_on_its_way_asks_tries_again_and_has_moved() {
    let cluster = Cluster::start();
    let [here, there] = ["{a}here", "{a}there"];
    let owner = cluster.owner_of(here);
    for key in [here, there] {
        let _: String = cluster.nodes()[owner].cli(&["SET", key, key]);
    }
    let slot_move = cluster.move_slot(here);
    let old = &cluster.nodes()[slot_move.from()];
    slot_move.begin();
    slot_move.move_key(there);
    assert_eq!(slot_move.keys(), [here]);
    assert_eq!(old.cli::<String>(&["GET", here]), here);
    assert_eq!(refusal(old, &["GET", there]), ServerErrorKind::Ask);
    assert_eq!(refusal(old, &["MGET", here, there]), ServerErrorKind::TryAgain);
    let new = slot_move.to();
    slot_move.finish();
    assert_eq!(refusal(old, &["GET", here]), ServerErrorKind::Moved);
    assert_eq!(cluster.owner_of(there), new);
    assert_eq!(cluster.nodes()[new].cli::<Vec<String>>(&["MGET", here, there]), [here, there]);
}

fn refusal(server: &RedisServer, command: &[&str]) -> ServerErrorKind {
    let error = server.try_cli::<Value>(command).unwrap_err();
    let ErrorKind::Server(kind) = error.kind() else { panic!("{error}") };
    kind
}

#[tokio::test]
async fn every_deployment_has_one_face() {
    has_one_face(&Servers::One(RedisServer::start()));
    if let Some(tls) = Tls::start() {
        has_one_face(&Servers::Tls(tls));
    }
    for shared in [Shared::sentinel().await, Shared::cluster().await] {
        has_one_face(&shared);
    }
}

fn has_one_face(servers: &Servers) {
    let names: Vec<_> = (0..20).map(|number| format!("key-{number:02}")).collect();
    let (before, monitor) = (servers.counts(), servers.monitor());
    for name in &names {
        let _: String = servers.cli(&["SET", name, name]);
    }
    let set = |name: &String| format!(r#""SET" "{name}" "{name}""#);
    let mut heard = monitor.finish();
    heard.retain(|command| command.starts_with("\"SET\""));
    assert_eq!(heard, names.iter().map(set).collect::<Vec<_>>());
    assert_eq!((servers.counts() - before).of("set"), 20);
    let mut keys = servers.keys();
    keys.sort_unstable();
    assert_eq!(keys, names);
    assert_eq!(servers.cli::<String>(&["GET", &names[7]]), names[7]);
    servers.on_every_master(&["FLUSHALL"]);
    assert!(servers.keys().is_empty());
}

#[tokio::test]
async fn a_shared_deployment_is_empty_for_the_next_test() {
    let shared = Shared::cluster().await;
    let _: String = shared.cli(&["SET", "left", "behind"]);
    drop(shared);
    assert!(Shared::cluster().await.keys().is_empty());
}
