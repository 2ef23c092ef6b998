//! Two connections of one store, of which one is behind.

use std::time::{Duration, Instant};

use session_runtime::store::{Lookup, Refresh, SessionKey, SessionStore};
use session_runtime::{NearCache, RedisStore, Sessions};
use session_tests::until;
use tokio::time::sleep;

use super::stage::{Client, Stage};
use crate::{MAX_STALENESS, Visitor, config};

/// The old value is read while the write is under way, and the news of the write comes late.
#[tokio::test]
async fn a_write_over_another_connection_is_seen_at_once() {
    let stage = Stage::start().await;
    stage.warm().await;
    let request = stage.hold_write_of_twin();
    let twin = stage.twin.clone();
    let writing = tokio::spawn(async move { twin.incr().await });
    request.reached().await;
    for _ in 0..3 {
        assert_eq!(stage.near.count().await, 1);
    }
    let push = stage.hold_push();
    request.release();
    writing.await.unwrap();
    assert_eq!(stage.count_before(push).await, 2);
    stage.assert_legal_from_here().await;
}

/// The read begins before the write, and its answer comes after the write.
#[tokio::test]
async fn an_answer_from_before_an_own_write_is_not_kept() {
    let stage = Stage::start().await;
    stage.drop_from_cache().await;
    let (reply, push) = (stage.hold_reply(), stage.hold_push());
    let reading = stage.near.begin_count().await;
    reply.reached().await;
    stage.twin.incr().await;
    reply.release();
    assert_eq!(reading.await.unwrap(), 2);
    assert_eq!(stage.count_before(push).await, 3);
    stage.assert_legal_from_here().await;
}

/// Nobody waits for the write, which is carried out later.
#[tokio::test]
async fn a_write_that_nobody_waits_for_is_noticed() {
    let stage = Stage::start().await;
    stage.warm().await;
    let request = stage.hold_write_of_twin();
    let twin = stage.twin.clone();
    let writing = tokio::spawn(async move { twin.incr().await });
    request.reached().await;
    writing.abort();
    assert!(writing.await.unwrap_err().is_cancelled());
    // The cache keeps the session again.
    stage.warm().await;
    let begun = Instant::now();
    request.release();
    until("the write", async || stage.other.fresh().await == 2).await;
    stage.other.wrote_count(begun, 2);
    stage.read_for(MAX_STALENESS).await;
    stage.warm().await;
    stage.assert_legal_from_here().await;
}

/// The ways to read a field of a session over another connection.
#[derive(Debug, Clone, Copy)]
enum Way {
    Fresh,
    Raw,
    Batch,
    Load,
    Peek,
    CompareAndSet,
    Walk,
}

const WAYS: [Way; 6] = [Way::Fresh, Way::Raw, Way::Batch, Way::Load, Way::Peek, Way::CompareAndSet];

async fn read(client: &Client, way: Way) {
    let (begun, session) = (Instant::now(), client.session());
    let count = match way {
        Way::Fresh => session.count().fresh().await.unwrap(),
        Way::Raw => {
            let raw = session.count().fresh().raw().await.unwrap().unwrap();
            std::str::from_utf8(&raw).unwrap().parse().unwrap()
        }
        Way::Batch => session.read((session.uncached(), session.count())).await.unwrap().1,
        Way::Load => session.load().await.unwrap().count,
        Way::Peek => client.sessions.peek::<Visitor>(&client.id).await.unwrap().unwrap().count,
        Way::CompareAndSet => {
            let is_two = session.count().compare_and_set(2, 2).await.unwrap();
            if is_two { 2 } else { return }
        }
        Way::Walk => {
            let entry = client.sessions.all::<Visitor>().next().await.unwrap().unwrap();
            entry.data().unwrap().count
        }
    };
    client.saw_fresh(begun, count);
    assert_eq!(count, 2, "{way:?}");
}

#[tokio::test]
async fn a_value_in_the_cache_is_not_returned_after_a_newer_one() {
    values_are_not_returned_after_newer_ones(&WAYS).await;
}

/// A walk reads over any of the connections.
#[tokio::test]
async fn a_value_in_the_cache_is_not_returned_after_a_newer_one_of_a_walk() {
    values_are_not_returned_after_newer_ones(&[Way::Walk]).await;
}

async fn values_are_not_returned_after_newer_ones(ways: &[Way]) {
    for &way in ways {
        let stage = Stage::start().await;
        stage.warm().await;
        let push = stage.hold_push();
        stage.other.incr().await;
        push.reached().await;
        read(&stage.twin, way).await;
        assert_eq!(stage.count_before(push).await, 2, "after {way:?}");
        stage.assert_legal_from_here().await;
    }
}

#[tokio::test]
async fn an_answer_is_not_kept_after_a_newer_one() {
    answers_are_not_kept_after_newer_ones(&WAYS).await;
}

#[tokio::test]
async fn an_answer_is_not_kept_after_a_newer_one_of_a_walk() {
    answers_are_not_kept_after_newer_ones(&[Way::Walk]).await;
}

async fn answers_are_not_kept_after_newer_ones(ways: &[Way]) {
    for &way in ways {
        let stage = Stage::start().await;
        stage.warm().await;
        let value = stage.near.count().await;
        assert_eq!(value, 1);
        // Drops the value, and leaves the count.
        stage.other.session().set_uncached(1).await.unwrap();
        stage.near.fresh().await;
        let (reply, push) = (stage.hold_reply(), stage.hold_push());
        let reading = stage.near.begin_count().await;
        reply.reached().await;
        stage.other.incr().await;
        read(&stage.twin, way).await;
        reply.release();
        assert_eq!(reading.await.unwrap(), 1);
        assert_eq!(stage.count_before(push).await, 2, "after {way:?}");
        stage.assert_legal_from_here().await;
    }
}

#[tokio::test]
async fn an_end_over_another_connection_is_seen_at_once() {
    for rotates in [false, true] {
        for is_kept in [false, true] {
            let stage = Stage::start().await;
            if is_kept {
                stage.warm().await;
            } else {
                stage.drop_from_cache().await;
            }
            let reply = stage.hold_reply();
            let push = stage.hold_push();
            let reading = stage.near.begin_count().await;
            if rotates {
                stage.twin.rotate().await;
            } else {
                stage.twin.destroy().await;
            }
            reply.release();
            assert!(reading.await.unwrap() > 0);
            assert_eq!(stage.count_before(push).await, 0);
            stage.assert_legal_from_here().await;
        }
    }
}

/// The ways to notice the end of a session.
#[derive(Debug, Clone, Copy)]
enum Notice {
    Fresh,
    Exists,
    ExpiresIn,
    EndReason,
    Ended,
    Peek,
    Write,
}

/// Another store ends the session, and the clone notices.
#[tokio::test]
async fn an_end_that_was_noticed_is_not_hidden_by_the_cache() {
    use Notice::*;
    for notice in [Fresh, Exists, ExpiresIn, EndReason, Ended, Peek, Write] {
        let stage = Stage::start().await;
        stage.warm().await;
        let push = stage.hold_push();
        let session = stage.twin.session();
        let ended = session.ended();
        let begun = Instant::now();
        stage.other.destroy().await;
        match notice {
            Fresh => assert_eq!(session.count().fresh().await.unwrap(), 0),
            Exists => assert!(!session.exists().await.unwrap()),
            ExpiresIn => assert_eq!(session.expires_in().await.unwrap(), None),
            EndReason => assert!(session.end_reason().await.unwrap().is_some()),
            Ended => drop(ended.await),
            Peek => {
                let peeked = stage.twin.sessions.peek::<Visitor>(&stage.twin.id).await;
                assert!(peeked.unwrap().is_none());
            }
            Write => assert!(session.set_count(9).await.unwrap_err().is_gone()),
        }
        stage.twin.saw_fresh(begun, 0);
        assert_eq!(stage.count_before(push).await, 0, "after {notice:?}");
        stage.assert_legal_from_here().await;
    }
}

/// The store does not hear of the end of its connection.
#[tokio::test]
async fn a_lost_connection_ends_its_values() {
    for hears in [true, false] {
        let stage = Stage::start().await;
        stage.warm().await;
        let own = stage.own;
        if hears {
            stage.network.cut();
            stage.other.incr().await;
            stage.assert_legal_from_here().await;
        } else {
            // All replies of the connection are held.
            let end = stage.network.hold(move |message| message.connection == own);
            let _: i64 = stage.server.cli(&["CLIENT", "KILL", "TYPE", "normal"]);
            until("a new connection", async || stage.other.sessions.ping().await.is_ok()).await;
            stage.other.incr().await;
            let reading = stage.near.clone();
            let reading = tokio::spawn(async move {
                for _ in 0..100 {
                    let _ = reading.try_count().await;
                    sleep(MAX_STALENESS / 50).await;
                }
            });
            sleep(2 * MAX_STALENESS).await;
            end.release();
            reading.await.unwrap();
            stage.assert_legal_from_here().await;
        }
    }
}

/// The network swallows the news, and both reads go over the same connection.
#[tokio::test]
async fn a_fresh_value_is_not_undone_although_the_news_is_lost() {
    let stage = Stage::start().await;
    stage.warm().await;
    stage.network.swallow_pushes(true);
    stage.other.incr().await;
    assert_eq!(stage.near.fresh().await, 2);
    assert_eq!(stage.near.count().await, 2);
}

/// A read of all fields notices another value, and a field that is gone.
#[tokio::test]
async fn a_read_of_all_fields_is_not_undone_although_the_news_is_lost() {
    let always = Duration::from_secs(60);
    let cache = || NearCache::new().max_staleness(always).max_age(always);
    for is_removed in [false, true] {
        let stage = Stage::start().await;
        let (url, key) = (stage.network.url(), SessionKey::new("test", &stage.near.id));
        let store = RedisStore::connect(&url).await.unwrap();
        let near = Sessions::with_store(config(&url).near_cache(cache()), store.clone());
        let near = near.unwrap();
        let count = async || near.open_id::<Visitor>(&stage.near.id).count().await.unwrap();
        stage.until_hit(async || assert_eq!(count().await, 1)).await;
        stage.network.swallow_pushes(true);
        let other = stage.other.session();
        if is_removed {
            other.count().remove().await.unwrap();
        } else {
            other.set_count(2).await.unwrap();
        }
        assert_eq!(count().await, 1);
        let left = store.get_all(&key, "left", Refresh::No).await.unwrap();
        assert!(matches!(left, Lookup::Found(left) if left.len() == 1));
        assert_eq!(count().await, 1, "the reply was not about this field");
        let all = store.get_all(&key, "coun", Refresh::No).await.unwrap();
        assert!(matches!(all, Lookup::Found(all) if all.is_empty() == is_removed));
        assert_eq!(count().await, if is_removed { 0 } else { 2 });
    }
}
