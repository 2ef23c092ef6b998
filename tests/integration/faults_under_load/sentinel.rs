//! A master behind Sentinel fails or hands over.

use std::time::Instant;

use session_tests::deployment::Sentinel;
use session_tests::load::{Load, Report};

use super::{DEADLINE, VISITORS, alone, assert_served_again, assert_sound, sessions};

/// Writes that had not reached the replica are lost and counted.
#[tokio::test(flavor = "multi_thread")]
async fn a_master_is_killed() {
    let _alone = alone().await;
    let mut deployment = Sentinel::start();
    let load = Load::start(&sessions(&deployment.url()).await, VISITORS).await;
    let old = deployment.master();
    deployment.node_mut(old).kill();
    let new = deployment.wait_for_new_master(old);
    let elected = Instant::now();
    load.served(20).await;
    end(load, "sentinel: master killed, measured from the election", &deployment, new, elected)
        .await;
}

/// The old master comes back as a replica, and its remaining data is never read.
#[tokio::test(flavor = "multi_thread")]
async fn a_master_freezes_and_comes_back_as_a_replica() {
    let _alone = alone().await;
    let deployment = Sentinel::start();
    let load = Load::start(&sessions(&deployment.url()).await, VISITORS).await;
    let old = deployment.master();
    deployment.nodes()[old].pause();
    let new = deployment.wait_for_new_master(old);
    let elected = Instant::now();
    load.served(10).await;
    deployment.nodes()[old].resume();
    deployment.wait_for_replicas();
    load.served(10).await;
    end(load, "sentinel: master frozen, measured from the election", &deployment, new, elected)
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_master_hands_over() {
    let _alone = alone().await;
    let deployment = Sentinel::start();
    let load = Load::start(&sessions(&deployment.url()).await, VISITORS).await;
    let new = deployment.failover();
    let elected = Instant::now();
    load.served(20).await;
    end(load, "sentinel: planned failover", &deployment, new, elected).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_of_three_sentinels_are_killed() {
    let _alone = alone().await;
    let mut deployment = Sentinel::start();
    for sentinel in [0, 1] {
        deployment.sentinel_mut(sentinel).kill();
    }
    let begun = Instant::now();
    let load = Load::start(&sessions(&deployment.url()).await, VISITORS).await;
    load.served(20).await;
    let master = deployment.master();
    let report =
        end(load, "sentinel: two of three sentinels killed", &deployment, master, begun).await;
    assert_eq!(report.failed(), 0);
}

async fn end(
    load: Load,
    fault: &str,
    deployment: &Sentinel,
    master: usize,
    elected: Instant,
) -> Report {
    let report = load.stop().await;
    report.print(fault, DEADLINE, Some(elected));
    assert_sound(&report, &[&deployment.nodes()[master]]);
    assert_served_again(&report, elected);
    report
}
