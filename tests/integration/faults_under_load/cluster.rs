//! A master of a cluster fails, hands over, or gives a slot away.

use std::time::Instant;

use session_tests::deployment::Cluster;
use session_tests::load::{Load, Report};

use super::{DEADLINE, VISITORS, alone, assert_served_again, assert_sound, sessions};

/// Writes that had not reached the replica are lost and counted.
#[tokio::test(flavor = "multi_thread")]
async fn a_master_is_killed() {
    let _alone = alone().await;
    let mut deployment = Cluster::start();
    let load = Load::start(&sessions(&deployment.url()).await, VISITORS).await;
    let slot = deployment.slot_at(0);
    deployment.node_mut(0).kill();
    deployment.wait_for_new_owner(slot, 0);
    let elected = Instant::now();
    load.served(20).await;
    end(load, "cluster: master killed, measured from the election", &deployment, elected).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_master_freezes_and_comes_back_as_a_replica() {
    let _alone = alone().await;
    let deployment = Cluster::start();
    let load = Load::start(&sessions(&deployment.url()).await, VISITORS).await;
    let slot = deployment.slot_at(0);
    deployment.nodes()[0].pause();
    deployment.wait_for_new_owner(slot, 0);
    let elected = Instant::now();
    load.served(10).await;
    deployment.nodes()[0].resume();
    deployment.wait_until_whole();
    load.served(10).await;
    end(load, "cluster: master frozen, measured from the election", &deployment, elected).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_master_hands_over() {
    let _alone = alone().await;
    let deployment = Cluster::start();
    let load = Load::start(&sessions(&deployment.url()).await, VISITORS).await;
    deployment.failover(0);
    let elected = Instant::now();
    load.served(20).await;
    end(load, "cluster: planned failover", &deployment, elected).await;
}

/// Slots that hold sessions move one after another, with concurrent writes.
#[tokio::test(flavor = "multi_thread")]
async fn slots_are_moved_while_they_are_written_to() {
    let _alone = alone().await;
    let deployment = Cluster::start();
    let load = Load::start(&sessions(&deployment.url()).await, VISITORS).await;
    let keys: Vec<String> = deployment.nodes()[0].cli(&["KEYS", "*"]);
    let begun = Instant::now();
    for key in keys.iter().take(30) {
        let moving = deployment.move_slot(key);
        moving.begin();
        load.served(1).await;
        for key in moving.keys() {
            moving.move_key(&key);
        }
        load.served(1).await;
        moving.finish();
    }
    load.served(5).await;
    let report = end(load, "cluster: 30 slots moved while written to", &deployment, begun).await;
    assert_eq!((report.failed(), report.lost()), (0, 0));
}

async fn end(load: Load, fault: &str, deployment: &Cluster, elected: Instant) -> Report {
    let report = load.stop().await;
    report.print(fault, DEADLINE, Some(elected));
    let masters: Vec<_> =
        deployment.masters().into_iter().map(|at| &deployment.nodes()[at]).collect();
    assert_sound(&report, &masters);
    assert_served_again(&report, elected);
    report
}
