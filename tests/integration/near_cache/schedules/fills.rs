//! Answers that must not be kept.

use redis::cmd;
use session_tests::server::RedisServer;
use tokio::time::sleep;

use super::stage::Stage;
use crate::MAX_STALENESS;

/// The reply and the push arrive together. The push is handled first, because the reader has to be
/// woken.
#[tokio::test]
async fn an_answer_that_a_change_overtakes_is_not_kept() {
    let stage = Stage::start().await;
    stage.drop_from_cache().await;
    let reply = stage.hold_reply();
    let reading = stage.near.begin_count().await;
    reply.reached().await;
    stage.other.incr().await;
    sleep(MAX_STALENESS / 5).await;
    reply.release();
    assert_eq!(reading.await.unwrap(), 2);
    stage.assert_legal_from_here().await;
}

#[tokio::test]
async fn an_answer_that_a_flush_overtakes_is_not_kept() {
    let stage = Stage::start().await;
    stage.drop_from_cache().await;
    let reply = stage.hold_reply();
    let reading = stage.near.begin_count().await;
    reply.reached().await;
    let begun = std::time::Instant::now();
    cmd("FLUSHALL").exec(&mut stage.server.connection()).unwrap();
    stage.other.ended(begun);
    sleep(MAX_STALENESS / 5).await;
    reply.release();
    assert_eq!(reading.await.unwrap(), 2);
    stage.assert_legal_from_here().await;
}

/// The server refuses to tell of changes, and each read asks.
#[tokio::test]
async fn an_answer_of_a_server_that_tells_no_changes_is_not_kept() {
    for refused in ["-client|tracking", "-client|caching"] {
        let server = RedisServer::start();
        let _: String = server.cli(&["ACL", "SETUSER", "default", refused]);
        let stage = Stage::start_on(server).await;
        for _ in 0..5 {
            stage.near.count().await;
        }
        stage.other.incr().await;
        stage.assert_legal_from_here().await;
    }
}

/// The left value is in the cache when both are asked for.
#[tokio::test]
async fn a_batch_comes_from_one_moment() {
    let stage = Stage::start().await;
    let left = async || assert_eq!(stage.near.session().left().await.unwrap(), 1);
    stage.until_hit(left).await;
    let own = stage.own;
    let request = stage.network.hold(move |message| {
        message.connection == own && (message.requests("HGET") || message.requests("HMGET"))
    });
    let near = stage.near.clone();
    let reading = tokio::spawn(async move { near.pair().await });
    request.reached().await;
    stage.other.set_pair(7).await;
    request.release();
    assert_eq!(reading.await.unwrap(), [7, 7]);
    stage.assert_legal_from_here().await;
}

/// The left value is in the cache when the right one is kept.
#[tokio::test]
async fn values_of_two_moments_are_not_kept_together() {
    let stage = Stage::start().await;
    let left = async || assert_eq!(stage.near.session().left().await.unwrap(), 1);
    stage.until_hit(left).await;
    let push = stage.hold_push();
    stage.other.set_pair(7).await;
    let near = stage.near.clone();
    let reading = tokio::spawn(async move { near.session().right().await.unwrap() });
    push.reached().await;
    let twin = stage.twin.session().right().await.unwrap();
    let pair = tokio::spawn({
        let near = stage.near.clone();
        async move { near.pair().await }
    });
    sleep(MAX_STALENESS / 5).await;
    push.release();
    assert_eq!((twin, reading.await.unwrap()), (7, 7));
    pair.await.unwrap();
    stage.near.pair().await;
    stage.assert_legal_from_here().await;
}

/// Nothing tells that the left value is of an earlier moment.
#[tokio::test]
async fn values_of_two_moments_are_not_returned_together_although_the_news_is_lost() {
    let stage = Stage::start().await;
    stage.network.swallow_pushes(true);
    let left = async || assert_eq!(stage.near.session().left().await.unwrap(), 1);
    stage.until_hit(left).await;
    stage.other.set_pair(7).await;
    let right = async || assert_eq!(stage.near.session().right().await.unwrap(), 7);
    stage.until_hit(right).await;
    let [left, right] = stage.near.pair().await;
    assert_eq!(left, right);
}
