//! A cluster: slots, redirections, and servers that are no cluster.

use std::time::{Duration, Instant};

use session_runtime::store::{
    Destroyed, Lookup, Refresh, Rotation, SessionKey, SessionStore, StoreError,
};
use session_runtime::{RedisStore, SessionId};
use session_tests::cookies;
use session_tests::deployment::Cluster;
use session_tests::server::RedisServer;
use session_tests::store_suite::{create, logout, remove, set, try_write};
use session_tests::wait_for;

use super::{HOUR, assert_serves, assert_was_not_asked, connect, fresh_key, serves_again, session};

#[tokio::test(flavor = "multi_thread")]
async fn sessions_are_spread_and_replicas_are_left_alone() {
    let cluster = Cluster::start();
    let store = connect(&cluster.url()).await.unwrap();
    let mut keys = Vec::new();
    for _ in 0..60 {
        keys.push(session(&store).await);
    }
    for key in &keys {
        assert_serves(&store, key).await;
    }
    for master in cluster.masters() {
        assert!(cluster.nodes()[master].cli::<i64>(&["DBSIZE"]) > 0, "{master}");
        assert_was_not_asked(&cluster.nodes()[cluster.replica_of(master)]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_node_that_is_up_is_enough_to_begin_with() {
    let cluster = Cluster::start();
    let port = cluster.nodes()[4].port();
    let mut gone = RedisServer::start();
    let dead = gone.port();
    gone.kill();
    // Replicas also know the slots.
    let store =
        connect(&format!("redis+cluster://127.0.0.1:{dead},127.0.0.1:{port}")).await.unwrap();
    for _ in 0..10 {
        let key = session(&store).await;
        assert_serves(&store, &key).await;
    }
}

/// The old master keeps its connections and redirects to the new master. This also works when a
/// read asks for the role, which happens after a second without proof.
#[tokio::test(flavor = "multi_thread")]
async fn a_planned_failover_fails_no_operation() {
    let cluster = Cluster::start();
    let mut stores = Vec::new();
    for connections in [1, 4] {
        let builder = RedisStore::builder(&cluster.url()).connections(connections);
        let store = builder.timeout(Duration::from_secs(10)).connect().await.unwrap();
        let mut keys = Vec::new();
        for _ in 0..60 {
            keys.push(session(&store).await);
        }
        stores.push((store, keys));
    }
    for writes in [false, true] {
        let master = cluster.masters()[0];
        cluster.failover(master);
        tokio::time::sleep(Duration::from_millis(1_100)).await;
        for (store, keys) in &stores {
            let asked = keys.iter().map(async |key| match writes {
                true => try_write(store, key, &[set("b", "1")]).await.map(|_| ()),
                false => store.get(key, "a", Refresh::No).await.map(|_| ()),
            });
            for answer in futures::future::join_all(asked).await {
                answer.unwrap();
            }
        }
        cluster.wait_until_whole();
    }
}

/// Every operation at every stage of the move. The sessions have already moved, have not moved yet,
/// or are new.
#[tokio::test(flavor = "multi_thread")]
async fn sessions_in_a_slot_that_moves_go_on() {
    let cluster = Cluster::start();
    let store = connect(&cluster.url()).await.unwrap();
    let (moved, [stays, begins, ends]) = in_one_slot();
    for key in [&moved, &stays, &ends] {
        create(&store, key, &[set("a", "1")]).await;
    }
    let moving = cluster.move_slot(moved.expose_secret());
    moving.begin();
    moving.move_key(moved.expose_secret());
    create(&store, &begins, &[set("a", "1")]).await;
    for key in [&moved, &stays, &begins] {
        assert_serves(&store, key).await;
        assert_eq!(
            try_write(&store, key, &[set("b", "2"), remove("c")]).await.unwrap(),
            Lookup::Found(0)
        );
        assert_eq!(
            store.get(key, "b", Refresh::No).await.unwrap(),
            Lookup::Found(Some("2".into()))
        );
        let under = store.get_all(key, "b", Refresh::To(HOUR)).await.unwrap();
        assert_eq!(under, Lookup::Found(vec![("b".to_owned(), "2".into())]));
    }
    for key in [&begins, &ends] {
        assert_eq!(store.destroy(key, logout(HOUR)).await.unwrap(), Destroyed::Ended);
        assert_eq!(store.get(key, "a", Refresh::No).await.unwrap(), Lookup::Dead);
    }
    // A rotation needs two keys, but one key is on the source node and none is on the target node.
    // So the rotation works only after the whole slot has moved.
    let impatient = RedisStore::builder(&cluster.url()).timeout(Duration::from_millis(300));
    let refused = rotate(&impatient.connect().await.unwrap(), &stays).await.unwrap_err();
    assert!(refused.is_unavailable() && !refused.is_outcome_unknown(), "{refused:?}");
    let rotating = tokio::spawn({
        let (store, stays) = (store.clone(), stays.clone());
        async move { rotate(&store, &stays).await }
    });
    for key in moving.keys() {
        moving.move_key(&key);
    }
    moving.finish();
    let successor = rotating.await.unwrap().unwrap();
    assert_serves(&store, &successor).await;
    assert_serves(&store, &moved).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_master_is_found() {
    let mut cluster = Cluster::start();
    let store = connect(&cluster.url()).await.unwrap();
    let key = session(&store).await;
    let old = cluster.owner_of(key.expose_secret());
    cluster.wait_for_copies();
    let slot = cluster.slot_of(key.expose_secret());
    cluster.node_mut(old).kill();
    cluster.wait_for_new_owner(slot, old);
    serves_again(&store, &key).await;
    assert_eq!(try_write(&store, &key, &[set("b", "1")]).await.unwrap(), Lookup::Found(0));
}

/// `time` alone is enough to learn of a new master, also as the first operation of a store.
#[tokio::test(flavor = "multi_thread")]
async fn a_health_check_is_enough_to_read_the_slots() {
    let mut cluster = Cluster::start();
    let builder = || RedisStore::builder(&cluster.url()).timeout(Duration::from_millis(500));
    let lazy = builder().connect_lazily().unwrap();
    lazy.time().await.unwrap();
    let store = builder().connect().await.unwrap();
    let slot = cluster.slot_at(0);
    cluster.node_mut(0).kill();
    assert!(store.time().await.unwrap_err().is_unavailable());
    cluster.wait_for_new_owner(slot, 0);
    let limit = Instant::now() + Duration::from_secs(20);
    while store.time().await.is_err() {
        assert!(Instant::now() < limit, "timed out waiting for the new master");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slot_without_a_node_is_unavailable() {
    let cluster = Cluster::start();
    let key = fresh_key();
    let owner = &cluster.nodes()[cluster.owner_of(key.expose_secret())];
    let slot = cluster.slot_of(key.expose_secret()).to_string();
    let store = RedisStore::builder(&cluster.url()).timeout(Duration::from_millis(300));
    let store = store.connect().await.unwrap();
    let _: String = owner.cli(&["CLUSTER", "DELSLOTS", &slot]);
    let error = try_write(&store, &key, &[set("a", "1")]).await.unwrap_err();
    assert!(error.is_unavailable() && !error.is_outcome_unknown(), "{error:?}");
    let _: String = owner.cli(&["CLUSTER", "ADDSLOTS", &slot]);
    serves_missing(&store, &key).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_node_flushes_its_scripts_for_itself() {
    let cluster = Cluster::start();
    let store = connect(&cluster.url()).await.unwrap();
    for master in cluster.masters() {
        let _: String = cluster.nodes()[master].cli(&["SCRIPT", "FLUSH"]);
    }
    for _ in 0..20 {
        let key = session(&store).await;
        assert_serves(&store, &key).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_and_a_single_server_are_not_confused() {
    let server = RedisServer::start();
    let address = format!("127.0.0.1:{}", server.port());
    let error = connect(&format!("redis+cluster://{address}")).await.unwrap_err();
    assert!(error.is_config() && error.to_string().contains("not a node of a cluster"), "{error}");
    let cluster = Cluster::start();
    let error = connect(&cluster.nodes()[0].url()).await.unwrap_err();
    assert!(error.is_config() && error.to_string().contains("redis+cluster://"), "{error}");
}

/// Nodes without names, or behind a proxy, may announce no host or a question mark.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_names_no_host_is_found_all_the_same() {
    for kind in ["ip", "unknown-endpoint", "hostname"] {
        let settings = ["--cluster-enabled", "yes", "--cluster-preferred-endpoint-type", kind];
        let server = RedisServer::start_with(
            &[&settings[..], &["--cluster-announce-ip", "127.0.0.1"]].concat(),
        );
        let _: String = server.cli(&["CLUSTER", "ADDSLOTSRANGE", "0", "16383"]);
        wait_for("the cluster", || {
            server.cli::<String>(&["CLUSTER", "INFO"]).contains("cluster_state:ok").then_some(())
        });
        let store =
            connect(&server.url().replacen("redis://", "redis+cluster://", 1)).await.unwrap();
        let key = session(&store).await;
        assert_serves(&store, &key).await;
    }
}

/// The node announces neither a name nor an address.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_without_an_announced_address_is_reported_at_the_start() {
    let settings = ["--cluster-enabled", "yes", "--cluster-preferred-endpoint-type", "hostname"];
    let server = RedisServer::start_with(&settings);
    let _: String = server.cli(&["CLUSTER", "ADDSLOTSRANGE", "0", "16383"]);
    let url = server.url().replacen("redis://", "redis+cluster://", 1);
    let error = connect(&url).await.unwrap_err();
    assert!(
        error.is_config() && error.to_string().contains("cluster-announce-hostname"),
        "{error}"
    );
}

async fn serves_missing(store: &RedisStore, key: &SessionKey) {
    let limit = Instant::now() + Duration::from_secs(20);
    while store.get(key, "a", Refresh::To(HOUR)).await.ok() != Some(Lookup::Missing) {
        assert!(Instant::now() < limit, "timed out waiting for the slot");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Rotates a live session and returns the new key.
async fn rotate(store: &RedisStore, key: &SessionKey) -> Result<SessionKey, StoreError> {
    let successor = sibling_of(key);
    let successor_key = SessionKey::new("test", &successor);
    let rotation = Rotation {
        successor_key: &successor_key,
        successor: &successor,
        expires_in: HOUR,
        tombstone_for: HOUR,
        renews: false,
        changes: &[],
        keep_only: None,
        deadline_in: Duration::from_secs(3_600),
        index: &[],
    };
    assert_eq!(store.rotate(key, rotation).await?, Lookup::Found(()));
    Ok(successor_key)
}

/// Returns keys with the same tag.
fn in_one_slot() -> (SessionKey, [SessionKey; 3]) {
    let first = fresh_key();
    let others = [(); 3].map(|()| SessionKey::new("test", &sibling_of(&first)));
    (first, others)
}

/// Returns an id with the tag of this key.
fn sibling_of(key: &SessionKey) -> SessionId {
    let tag = key.expose_secret().split(['{', '}']).nth(1).unwrap();
    let id = cookies::id(std::time::SystemTime::now(), 0);
    SessionId::parse(&format!("{tag}{}", &id[8..])).unwrap()
}
