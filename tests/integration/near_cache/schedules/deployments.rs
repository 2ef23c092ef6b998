//! A slot that moves.

use std::time::{Duration, Instant};

use session_runtime::{SessionId, Sessions};
use session_tests::deployment::Cluster;
use session_tests::near_history::{History, Recorder, Store, Version};
use session_tests::server::Make;
use session_tests::until;
use tokio::time::sleep;

use crate::{MAX_STALENESS, Visitor, begin, connect_another, connect_with, key_of};

const HOUR: Duration = Duration::from_secs(3600);

/// The node that answers has not promised to tell of a change, because `ASKING` comes between.
#[tokio::test]
async fn an_answer_behind_asking_is_not_kept() {
    for make in [Make::Usual, Make::Redis8, Make::Valkey9] {
        let Some(cluster) = Cluster::start_make(make) else { continue };
        let near = connect_with(&cluster.url(), HOUR).await;
        let another = connect_another(&cluster.url()).await;
        let id = begin(&another).await.unwrap();
        let mut own = Recorder::new(Store::new(0, MAX_STALENESS));
        let mut other = Recorder::new(Store::new(1, Duration::ZERO));
        let moving = cluster.move_slot(&key_of(&id));
        let beside = begin_at(&another, &cluster, moving.target_index()).await;
        moving.begin();
        moving.move_key(&key_of(&id));
        read_for(&near, id, beside, &mut own, MAX_STALENESS / 2).await;
        for version in 2..5 {
            let begun = Instant::now();
            another.open_id::<Visitor>(&id).count().incr(1).await.unwrap();
            other.wrote(begun, 0, "count", Version(version));
            read_for(&near, id, beside, &mut own, MAX_STALENESS * 3 / 2).await;
        }
        let mut history = History::default();
        history.append(own.finish());
        history.append(other.finish());
        history.assert_legal("a slot that moves");
        moving.finish();
        let asked = || -> u64 {
            let counts = cluster.nodes().iter().map(|node| node.counts());
            counts.map(|counts| counts.calls("hget") + counts.calls("hmget")).sum()
        };
        until("a read from the cache", async || {
            let before = asked();
            near.open_id::<Visitor>(&id).count().await.unwrap();
            asked() == before
        })
        .await;
    }
}

/// Reads the session for a while, and more often another session, for which the node of that
/// session gives signs of life.
async fn read_for(
    near: &Sessions,
    id: SessionId,
    beside: SessionId,
    own: &mut Recorder,
    time: Duration,
) {
    let start = Instant::now();
    while start.elapsed() < time {
        let begun = Instant::now();
        let count = near.open_id::<Visitor>(&id).count().await.unwrap();
        own.read(begun, 0, "count", Version::of_counter(count));
        for _ in 0..10 {
            near.open_id::<Visitor>(&beside).count().await.unwrap();
            sleep(Duration::from_millis(1)).await;
        }
    }
}

/// Begins a session at this node.
async fn begin_at(sessions: &Sessions, cluster: &Cluster, node: usize) -> SessionId {
    loop {
        let id = begin(sessions).await.unwrap();
        if cluster.owner_of(&key_of(&id)) == node {
            return id;
        }
    }
}
