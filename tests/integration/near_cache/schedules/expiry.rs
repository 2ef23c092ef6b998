//! Expiries that no push tells, because the server deletes expired values only when it is asked.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use session_tests::server::{Make, RedisServer};
use tokio::time::{sleep, sleep_until};

use super::stage::Stage;
use crate::{MAX_STALENESS, key_of};

/// Longer than a value may be old.
const TIME_LEFT: Duration = Duration::from_secs(1);
/// The resolution of the server's clock, with some reserve.
const TICK: Duration = Duration::from_millis(5);

fn start(make: Make) -> Option<RedisServer> {
    let server = RedisServer::start_make_with(make, &["--enable-debug-command", "local"])?;
    let _: String = server.cli(&["DEBUG", "SET-ACTIVE-EXPIRE", "0"]);
    Some(server)
}

#[tokio::test]
async fn a_field_is_not_returned_after_its_expiry() {
    for make in [Make::Redis8, Make::Valkey9] {
        let Some(server) = start(make) else { continue };
        let stage = Stage::start_on(server).await;
        let read = async || assert_eq!(stage.near.fleeting().await, 1);
        stage.until_hit(read).await;
        let (key, begun) = (key_of(&stage.near.id), Instant::now());
        let left = TIME_LEFT.as_millis().to_string();
        let set: Vec<i64> = stage.server.cli(&["HPEXPIRE", &key, &left, "FIELDS", "1", "fleeting"]);
        assert_eq!(set, [1]);
        let gone = Instant::now() + TIME_LEFT + TICK;
        stage.other.expires("fleeting", begun, gone);
        stage.until_hit(read).await;
        read_until(&stage, gone + MAX_STALENESS).await;
        stage.assert_legal();
    }
}

/// The store that sets the expiry knows it at once.
#[tokio::test]
async fn a_field_is_not_returned_after_an_expiry_of_its_own() {
    for make in [Make::Redis8, Make::Valkey9] {
        let Some(server) = start(make) else { continue };
        let stage = Stage::start_on(server).await;
        let read = async || assert_eq!(stage.near.fleeting().await, 1);
        stage.until_hit(read).await;
        let (push, begun) = (stage.hold_push(), Instant::now());
        assert!(stage.twin.session().fleeting().expire_in(TIME_LEFT).await.unwrap());
        let gone = Instant::now() + TIME_LEFT + TICK;
        stage.twin.expires("fleeting", begun, gone);
        sleep(MAX_STALENESS / 2).await;
        push.release();
        stage.until_hit(read).await;
        read_until(&stage, gone + MAX_STALENESS).await;
        stage.assert_legal();
    }
}

/// The server refuses to prolong the session.
#[tokio::test]
async fn a_session_is_not_returned_after_its_expiry() {
    for make in [Make::Usual, Make::Redis8, Make::Valkey9] {
        let Some(server) = start(make) else { continue };
        let stage = Stage::start_on(server).await;
        stage.warm().await;
        let _: String = stage.server.cli(&["ACL", "SETUSER", "default", "-pexpire"]);
        let (key, begun) = (key_of(&stage.near.id), Instant::now());
        let at = (SystemTime::now() + TIME_LEFT).duration_since(UNIX_EPOCH).unwrap();
        let set: i64 = stage.server.cli(&["PEXPIREAT", &key, &at.as_millis().to_string()]);
        assert_eq!(set, 1);
        let gone = Instant::now() + TIME_LEFT + TICK;
        stage.other.expires("count", begun, gone);
        stage.warm().await;
        while Instant::now() < gone + MAX_STALENESS {
            let _ = stage.near.try_count().await;
            sleep(TICK).await;
        }
        stage.assert_legal();
    }
}

/// The field is there when the server reads it, and has expired when the server is asked for the
/// time left.
#[tokio::test]
async fn a_field_that_expires_during_the_answer_is_not_kept() {
    for make in [Make::Redis8, Make::Valkey9] {
        let Some(server) = start(make) else { continue };
        let stage = Stage::start_on(server).await;
        stage.until_hit(async || assert_eq!(stage.near.fleeting().await, 1)).await;
        // The sign of life still counts afterwards.
        let gone = expire(&stage, "fleeting", MAX_STALENESS / 3);
        stage.near.fresh().await;
        let own = stage.own;
        let request = stage
            .network
            .hold(move |message| message.connection == own && message.requests("HPTTL"));
        let near = stage.near.clone();
        let reading = tokio::spawn(async move { near.fleeting().await });
        request.reached().await;
        sleep_until((gone + TICK).into()).await;
        request.release();
        assert_eq!(reading.await.unwrap(), 1);
        read_until(&stage, gone + 2 * MAX_STALENESS).await;
        stage.assert_legal();
    }
}

/// Without the permission to ask for the time left, nothing is known of expiries.
#[tokio::test]
async fn a_field_without_a_known_expiry_is_not_kept() {
    for make in [Make::Redis8, Make::Valkey9] {
        let Some(server) = start(make) else { continue };
        let _: String = server.cli(&["ACL", "SETUSER", "default", "-hpttl"]);
        let stage = Stage::start_on(server).await;
        let gone = expire(&stage, "fleeting", TIME_LEFT);
        read_until(&stage, gone + 2 * MAX_STALENESS).await;
        stage.assert_legal();
    }
}

/// Has another client expire the field, and returns the moment from which it is gone.
fn expire(stage: &Stage, field: &'static str, left: Duration) -> Instant {
    let (key, begun) = (key_of(&stage.near.id), Instant::now());
    let millis = left.as_millis().to_string();
    let set: Vec<i64> = stage.server.cli(&["HPEXPIRE", &key, &millis, "FIELDS", "1", field]);
    assert_eq!(set, [1]);
    let gone = Instant::now() + left + TICK;
    stage.other.expires(field, begun, gone);
    gone
}

async fn read_until(stage: &Stage, end: Instant) {
    while Instant::now() < end {
        stage.near.fleeting().await;
        sleep(TICK).await;
    }
}
