//! Tests of the test support: deployments have the promised structure and survive the faults that
//! tests inject.

use std::path::Path;

use redis::{ErrorKind, ServerErrorKind, Value};
use session_runtime::RedisStore;
use session_tests::deployment::{Cluster, Deployment, Sentinel, Shared, Tls};
use session_tests::server::{Make, RedisServer};

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

#[tokio::test]
async fn a_tls_server_and_its_clients_have_certificates_of_one_authority() {
    let (Some(tls), Some(stranger)) = (Tls::start(), Tls::start()) else { return };
    assert!(RedisStore::connect(&tls.url()).await.is_ok());
    let (certificate, key) = stranger.client();
    let client = format!("&cert={}&key={}", certificate.display(), key.display());
    let with = |authority: &Path, client: &str| {
        format!("{}?ca={}{client}", tls.bare_url(), authority.display())
    };
    for refused in [
        with(&tls.authority(), ""),
        with(&tls.authority(), &client),
        with(&stranger.authority(), tls.url().split_once("pem").unwrap().1),
        tls.bare_url(),
        tls.server().url(),
    ] {
        assert!(RedisStore::connect(&refused).await.is_err(), "{refused}");
    }
    let open = Tls::start_open().unwrap();
    assert!(RedisStore::connect(&open.url()).await.is_ok());
    assert!(!open.url().contains("cert="));
}

#[test]
fn sentinels_make_another_server_the_master_when_the_master_is_killed() {
    let mut deployment = Sentinel::start();
    let old = deployment.master();
    let _: String = deployment.nodes()[old].cli(&["SET", "a", "1"]);
    deployment.wait_for_copies();
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
fn a_migrating_slot_replies_ask_tryagain_and_moved() {
    let cluster = Cluster::start();
    let [here, there] = ["{a}here", "{a}there"];
    let owner = cluster.owner_of(here);
    for key in [here, there] {
        let _: String = cluster.nodes()[owner].cli(&["SET", key, key]);
    }
    let slot_move = cluster.move_slot(here);
    let old = &cluster.nodes()[slot_move.source_index()];
    slot_move.begin();
    slot_move.move_key(there);
    assert_eq!(slot_move.keys(), [here]);
    assert_eq!(old.cli::<String>(&["GET", here]), here);
    assert_eq!(refusal(old, &["GET", there]), ServerErrorKind::Ask);
    assert_eq!(refusal(old, &["MGET", here, there]), ServerErrorKind::TryAgain);
    let new = slot_move.target_index();
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
async fn every_deployment_has_the_same_interface() {
    has_one_face(&Deployment::One(RedisServer::start()));
    if let Some(tls) = Tls::start() {
        has_one_face(&Deployment::Tls(tls));
    }
    for shared in [Shared::sentinel().await, Shared::cluster().await] {
        has_one_face(&shared);
    }
}

fn has_one_face(servers: &Deployment) {
    let names: Vec<_> = (0..20).map(|number| format!("key-{number:02}")).collect();
    let (before, monitor) = (servers.counts(), servers.monitor());
    for name in &names {
        let _: String = servers.cli(&["SET", name, name]);
    }
    let set = |name: &String| format!(r#""SET" "{name}" "{name}""#);
    let mut heard = monitor.finish();
    heard.retain(|command| command.starts_with("\"SET\""));
    assert_eq!(heard, names.iter().map(set).collect::<Vec<_>>());
    assert_eq!((servers.counts() - before).calls("set"), 20);
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
