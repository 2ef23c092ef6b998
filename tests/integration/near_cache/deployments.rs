//! Failovers behind sentinels and in a cluster, and slots that move, under load.
//!
//! Writers rest during a failover, so that no acknowledged write is lost.

use std::time::Duration;

use session_tests::deployment::{Cluster, Sentinel};
use session_tests::near_history::History;
use session_tests::random::Random;
use session_tests::server::{Make, RedisServer};
use tokio::time::sleep;

use super::load::Load;
use super::{MAX_STALENESS, alone};

const HITS: u64 = 500;
/// The time for which a store trusts that a server is the master.
const PROOF_OF_ROLE: Duration = Duration::from_secs(1);

#[tokio::test(flavor = "multi_thread")]
async fn a_master_hands_over() {
    let _alone = alone().await;
    let sentinel = Sentinel::start();
    let load = start(&sentinel.url(), sentinel.nodes()).await;
    load.rest().await;
    sentinel.wait_for_copies();
    sentinel.failover();
    load.go_on();
    load.hits(sentinel.nodes(), HITS).await;
    load.assert_legal(History::default()).await;
}

/// The old master keeps its connections. It comes back as a master at first, like after a
/// partition, and writers rest until it is a replica.
#[tokio::test(flavor = "multi_thread")]
async fn a_master_freezes_and_comes_back_as_a_replica() {
    let _alone = alone().await;
    let sentinel = Sentinel::start();
    let load = start(&sentinel.url(), sentinel.nodes()).await;
    load.rest().await;
    sentinel.wait_for_copies();
    let old = sentinel.master();
    sentinel.nodes()[old].pause();
    sentinel.wait_for_new_master(old);
    load.hits(sentinel.nodes(), HITS).await;
    sentinel.nodes()[old].resume();
    sentinel.wait_for_replicas();
    sleep(PROOF_OF_ROLE + MAX_STALENESS).await;
    load.go_on();
    load.hits(sentinel.nodes(), HITS).await;
    load.assert_legal(History::default()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn slots_move() {
    let _alone = alone().await;
    for make in [Make::Usual, Make::Redis8] {
        let Some(cluster) = Cluster::start_make(make) else { continue };
        let load = start(&cluster.url(), cluster.nodes()).await;
        for _ in 0..2 {
            let keys: Vec<String> = cluster
                .masters()
                .into_iter()
                .flat_map(|master| cluster.nodes()[master].cli::<Vec<String>>(&["KEYS", "*"]))
                .collect();
            for key in keys.iter().take(4) {
                let moving = cluster.move_slot(key);
                moving.begin();
                load.served(300).await;
                for key in moving.keys() {
                    moving.move_key(&key);
                }
                load.served(300).await;
                moving.finish();
            }
        }
        load.hits(cluster.nodes(), HITS).await;
        load.assert_legal(History::default()).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_master_of_a_cluster_hands_over() {
    let _alone = alone().await;
    let cluster = Cluster::start();
    let load = start(&cluster.url(), cluster.nodes()).await;
    for master in 0..2 {
        load.rest().await;
        cluster.failover(master);
        load.go_on();
        load.hits(cluster.nodes(), HITS).await;
    }
    load.assert_legal(History::default()).await;
}

async fn start(url: &str, nodes: &[RedisServer]) -> Load {
    let load = Load::start([url; 3], url, Random::seed()).await;
    load.hits(nodes, HITS).await;
    load
}
