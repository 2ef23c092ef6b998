//! Signs of life, which limit the age of values while the news of changes is late.

use std::thread;
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::task::spawn_blocking;
use tokio::time::{sleep, sleep_until};

use super::stage::{Client, Stage};
use crate::{MAX_AGE, MAX_STALENESS, connect_with};

const A_MOMENT: Duration = Duration::from_millis(5);
const BETWEEN_READS: Duration = Duration::from_micros(50);

/// The server answers, then the value changes, and the answer comes late.
#[tokio::test]
async fn a_sign_of_life_counts_from_its_sending() {
    let stage = Stage::start().await;
    stage.warm().await;
    let life = stage.hold_life();
    while !life.is_reached() {
        stage.read_for(A_MOMENT).await;
    }
    let push = stage.hold_push();
    stage.other.incr().await;
    let changed = Instant::now();
    sleep_until((changed + MAX_STALENESS * 9 / 10).into()).await;
    life.release();
    sleep_until((changed + MAX_STALENESS + A_MOMENT).into()).await;
    assert_eq!(stage.count_before(push).await, 2);
    stage.assert_legal_from_here().await;
}

/// Nothing arrives, and the value in the cache is not returned for longer than allowed.
#[tokio::test]
async fn without_a_sign_of_life_the_cache_is_not_used() {
    let stage = Stage::start().await;
    stage.warm().await;
    let push = stage.hold_push();
    stage.other.incr().await;
    let near = stage.near.clone();
    let reading = tokio::spawn(async move {
        while near.count().await == 1 {
            sleep(A_MOMENT).await;
        }
    });
    push.reached().await;
    sleep(MAX_STALENESS + 4 * A_MOMENT).await;
    assert!(!reading.is_finished(), "the news is held, and so is the answer of the server");
    push.release();
    reading.await.unwrap();
    stage.assert_legal_from_here().await;
}

/// The news and the sign of life arrive together, while reads are looking at the value.
#[tokio::test(flavor = "multi_thread")]
async fn a_sign_of_life_does_not_renew_a_value_that_was_looked_up_before() {
    let stage = Stage::start().await;
    stage.warm().await;
    let push = stage.hold_push();
    stage.other.incr().await;
    let changed = Instant::now();
    let own = stage.own;
    let life =
        stage.network.note(move |message| message.connection == own && message.requests("HEXISTS"));
    let near = stage.near.clone();
    let renewing = tokio::spawn(async move {
        while near.count().await == 1 {
            sleep(A_MOMENT).await;
        }
    });
    life.reached().await;
    let arrival = changed + MAX_STALENESS + A_MOMENT;
    sleep_until((arrival - A_MOMENT).into()).await;
    let (mut push, mut reads) = (Some(push), Vec::new());
    while Instant::now() < arrival + A_MOMENT {
        if Instant::now() > arrival {
            push.take();
        }
        let (near, handle) = (stage.near.clone(), Handle::current());
        // On a thread of its own, a read may be interrupted while the news arrives.
        reads.push(thread::spawn(move || handle.block_on(near.count())));
        thread::sleep(BETWEEN_READS);
    }
    drop(push);
    for read in reads {
        spawn_blocking(|| read.join().unwrap()).await.unwrap();
    }
    renewing.await.unwrap();
    stage.assert_legal_from_here().await;
}

/// The demoted master keeps its connections, and would still answer.
#[tokio::test]
async fn a_demoted_master_proves_nothing() {
    /// The store may trust a proof of the role for this long.
    const PROOF_LASTS: Duration = Duration::from_secs(1);
    let stage = Stage::start().await;
    stage.warm().await;
    let _: String = stage.server.cli(&["REPLICAOF", "127.0.0.1", "1"]);
    let demoted = Instant::now();
    while stage.near.try_count().await.is_ok() {
        let begun = Instant::now();
        if stage.near.try_count().await.is_ok() {
            assert!(begun < demoted + PROOF_LASTS + MAX_STALENESS, "a replica is believed");
        }
        sleep(A_MOMENT).await;
    }
}

/// The network swallows the news, and the server gives signs of life.
#[tokio::test]
async fn a_value_whose_news_is_lost_is_read_again_in_time() {
    let stage = Stage::start().await;
    let sessions = connect_with(&stage.network.url(), MAX_AGE).await;
    let near = Client::new(&sessions, stage.near.id, 2, MAX_AGE);
    stage.network.swallow_pushes(true);
    stage
        .until_hit(async || {
            near.count().await;
        })
        .await;
    stage.other.incr().await;
    let changed = Instant::now();
    while changed.elapsed() < MAX_AGE {
        near.count().await;
        sleep(A_MOMENT).await;
    }
    assert_eq!(near.count().await, 2);
}
