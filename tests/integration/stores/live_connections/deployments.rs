//! Failovers behind sentinels and in a cluster, and slots that move.

use session_runtime::store::SessionKey;
use session_runtime::{EndReason, RedisStore, SessionId};
use session_tests::deployment::{Cluster, Sentinel, SlotMove};
use session_tests::server::Make;
use session_tests::store_suite::{create, set};

use super::{
    REASONS, Waiter, assert_ends_are_noticed, begin, connect, connect_another,
    connect_without_trust, end, in_one_slot, key_of, look_again, wait_for_each,
};

#[tokio::test(flavor = "multi_thread")]
async fn ends_after_a_planned_failover_are_noticed() {
    let sentinel = Sentinel::start();
    let own = connect(&sentinel.url()).await;
    let ids = begin(&own, 5).await;
    let waiters = wait_for_each(&own, &sentinel, ids).await;
    sentinel.wait_for_copies();
    sentinel.failover();
    sentinel.wait_for_replicas();
    let another = connect_another(&sentinel.url()).await;
    assert_ends_are_noticed(waiters, &sentinel, &another).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ends_after_the_loss_of_the_master_are_noticed() {
    let mut sentinel = Sentinel::start();
    let own = connect(&sentinel.url()).await;
    let ids = begin(&own, 5).await;
    let waiters = wait_for_each(&own, &sentinel, ids).await;
    sentinel.wait_for_copies();
    let old = sentinel.master();
    sentinel.node_mut(old).kill();
    sentinel.wait_for_new_master(old);
    sentinel.wait_for_replicas();
    let another = connect_another(&sentinel.url()).await;
    assert_ends_are_noticed(waiters, &sentinel, &another).await;
}

/// The connections to the old master stay open, and nothing arrives there.
#[tokio::test(flavor = "multi_thread")]
async fn a_master_that_stands_still_is_noticed_within_the_interval() {
    let sentinel = Sentinel::start();
    let own = connect_without_trust(&sentinel.url()).await;
    let ids = begin(&own, 5).await;
    let waiters = wait_for_each(&own, &sentinel, ids).await;
    sentinel.wait_for_copies();
    let old = sentinel.master();
    sentinel.nodes()[old].pause();
    sentinel.wait_for_new_master(old);
    // Another failover may follow, which loses writes that no replica has.
    sentinel.wait_for_replicas();
    let another = connect_another(&sentinel.url()).await;
    assert_ends_are_noticed(waiters, &sentinel, &another).await;
    sentinel.nodes()[old].resume();
}

#[tokio::test(flavor = "multi_thread")]
async fn ends_in_a_slot_that_moves_are_noticed() {
    for make in [Make::Usual, Make::Redis8, Make::Valkey9] {
        let Some(cluster) = Cluster::start_make(make) else { continue };
        let (own, another) = (connect(&cluster.url()).await, connect_another(&cluster.url()).await);
        let ids = begin_in_one_slot(&cluster, 8).await;
        let waiters = wait_for_each(&own, &cluster, ids).await;
        let [at_source, at_target, afterwards, rest @ ..]: [Waiter; 8] =
            waiters.try_into().ok().unwrap();

        let moving = cluster.move_slot(&at_source.key());
        moving.begin();
        end(&another, &cluster, &at_source.id, EndReason::LoggedOut).await;
        assert_eq!(at_source.reason().await, EndReason::LoggedOut);
        moving.move_key(&at_target.key());
        moving.move_key(&rest[0].key());
        end(&another, &cluster, &at_target.id, EndReason::EndedElsewhere).await;
        assert_eq!(at_target.reason().await, EndReason::EndedElsewhere);
        moving.finish();
        end(&another, &cluster, &afterwards.id, EndReason::EndedElsewhere).await;
        assert_eq!(afterwards.reason().await, EndReason::EndedElsewhere);
        // The new node sends the news from here on.
        for waiter in &rest {
            look_again(&cluster, &waiter.key()).await;
        }
        assert_ends_are_noticed(rest.into(), &cluster, &another).await;
    }
}

/// The node that loses the slot deletes the sessions. Some servers tell of this, and some do not.
#[tokio::test(flavor = "multi_thread")]
async fn ends_after_the_silent_loss_of_a_slot_are_noticed_within_the_interval() {
    for make in [Make::Usual, Make::Redis8, Make::Valkey9] {
        let Some(cluster) = Cluster::start_make(make) else { continue };
        let own = connect_without_trust(&cluster.url()).await;
        let ids = begin_in_one_slot(&cluster, 5).await;
        let waiters = wait_for_each(&own, &cluster, ids).await;
        let moving = cluster.move_slot(&waiters[0].key());
        copy_and_take(&cluster, &moving, &waiters);
        let another = connect_another(&cluster.url()).await;
        assert_ends_are_noticed(waiters, &cluster, &another).await;
    }
}

/// Has the next master take the slot. The former master hears of this by gossip, like a master that
/// was cut off.
fn copy_and_take(cluster: &Cluster, moving: &SlotMove<'_>, waiters: &[Waiter]) {
    let (from, to) = (moving.source_index(), moving.target_index());
    let (source, target) = (&cluster.nodes()[from], &cluster.nodes()[to]);
    let slot = cluster.slot_of(&waiters[0].key());
    moving.begin();
    for waiter in waiters {
        let (key, port) = (waiter.key(), target.port().to_string());
        let _: String = source.cli(&["MIGRATE", "127.0.0.1", &port, &key, "0", "5000", "COPY"]);
    }
    let id: String = target.cli(&["CLUSTER", "MYID"]);
    let _: String = target.cli(&["CLUSTER", "SETSLOT", &slot.to_string(), "NODE", &id]);
    cluster.wait_for_new_owner(slot, from);
}

/// First a planned failover, then the loss of the new master.
#[tokio::test(flavor = "multi_thread")]
async fn ends_after_a_failover_in_a_cluster_are_noticed() {
    let mut cluster = Cluster::start();
    let (own, another) = (connect(&cluster.url()).await, connect_another(&cluster.url()).await);
    let ids = begin_in_one_slot(&cluster, 9).await;
    let mut waiters = wait_for_each(&own, &cluster, ids).await;
    let rest = waiters.split_off(4);
    let key = key_of(&rest[0].id);
    let slot = cluster.slot_of(&key);
    cluster.wait_for_copies();
    cluster.failover(Cluster::owner_of(&cluster, &key));
    for (waiter, reason) in waiters.into_iter().zip(REASONS) {
        end(&another, &cluster, &waiter.id, reason).await;
        assert_eq!(waiter.reason().await, reason);
    }
    assert!(rest.iter().all(Waiter::still_waits));
    cluster.wait_until_whole();
    let old = Cluster::owner_of(&cluster, &key);
    cluster.node_mut(old).kill();
    cluster.wait_for_new_owner(slot, old);
    let another = connect_another(&cluster.url()).await;
    assert_ends_are_noticed(rest, &cluster, &another).await;
}

/// Begins sessions whose keys move together.
async fn begin_in_one_slot(cluster: &Cluster, number: usize) -> Vec<SessionId> {
    let store = RedisStore::builder(&cluster.url()).connect().await.unwrap();
    let ids = in_one_slot(number);
    for id in &ids {
        create(&store, &SessionKey::new("test", id), &[set("count", "1")]).await;
    }
    ids
}
