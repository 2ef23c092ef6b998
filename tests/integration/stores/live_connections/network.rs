//! Faults of a single server and of the network to it.

use redis::cmd;
use session_runtime::EndReason;
use session_runtime::store::ConnectionState;
use session_tests::proxy::Proxy;
use session_tests::server::{Make, RedisServer};
use session_tests::until;

use super::{
    REASONS, Servers as _, Waiter, assert_ends_are_noticed, assert_waits, begin, connect,
    connect_another, connect_without_trust, end, wait_for_each,
};

/// More sessions than are looked at together, three times.
#[tokio::test]
async fn after_a_flush_each_session_has_expired() {
    const MANY: usize = 1_200;
    for make in [Make::Usual, Make::Redis8, Make::Valkey9] {
        let Some(server) = RedisServer::start_make(make) else { continue };
        let (own, another) = (connect(&server.url()).await, connect_another(&server.url()).await);
        let ids = begin(&another, MANY + 1).await;
        let mut waiters = wait_for_each(&own, &server, ids).await;
        let live = waiters.pop().unwrap();
        let (before, looks) = (server.counts(), server.looks());
        flush_all_but(&server, &live.key());
        for waiter in waiters {
            assert_eq!(waiter.reason().await, EndReason::Expired);
        }
        until("a look at the live session", async || {
            (server.counts() - before.clone()).calls("client|caching") > MANY as u64
        })
        .await;
        assert!(server.looks() > looks);
        assert!(live.still_waits());
        assert_waits(live, &server, &another).await;
    }
}

/// Flushes the server, which has this session again at once.
fn flush_all_but(server: &RedisServer, key: &str) {
    let mut connection = server.connection();
    let stored: Vec<u8> = cmd("DUMP").arg(key).query(&mut connection).unwrap();
    let mut commands = redis::pipe();
    commands.atomic().cmd("FLUSHALL").ignore();
    commands.cmd("RESTORE").arg(key).arg(3_600_000).arg(stored).ignore();
    commands.exec(&mut connection).unwrap();
}

#[tokio::test]
async fn an_end_right_after_the_loss_of_the_connection_is_noticed() {
    for make in [Make::Usual, Make::Redis8, Make::Valkey9] {
        let Some(server) = RedisServer::start_make(make) else { continue };
        let (own, another) = (connect(&server.url()).await, connect_another(&server.url()).await);
        let ids = begin(&another, 9).await;
        let mut waiters = wait_for_each(&own, &server, ids).await;
        let rest = waiters.split_off(4);
        for (waiter, reason) in waiters.into_iter().zip(REASONS) {
            let looks = server.looks();
            let _: i64 = server.cli(&["CLIENT", "KILL", "TYPE", "normal"]);
            if reason != EndReason::Expired {
                // The outcome of a write would be unknown.
                until("a new connection", async || another.ping().await.is_ok()).await;
            }
            end(&another, &server, &waiter.id, reason).await;
            assert_eq!(waiter.reason().await, reason);
            until("the other looks", async || server.looks() >= looks + 5).await;
        }
        assert_ends_are_noticed(rest, &server, &another).await;
    }
}

#[tokio::test]
async fn an_end_while_the_network_is_down_is_noticed_afterwards() {
    let server = RedisServer::start();
    let proxy = Proxy::start(server.port());
    let (own, another) = (connect(&proxy.url()).await, connect_another(&server.url()).await);
    let ids = begin(&another, 9).await;
    let mut waiters = wait_for_each(&own, &server, ids).await;
    let rest = waiters.split_off(4);
    proxy.black_hole();
    proxy.cut();
    until("an outage", async || own.connection_state() == ConnectionState::Disconnected).await;
    for (waiter, reason) in waiters.iter().zip(REASONS) {
        end(&another, &server, &waiter.id, reason).await;
    }
    assert!(waiters.iter().chain(&rest).all(Waiter::still_waits));
    proxy.clear_up();
    for (waiter, reason) in waiters.into_iter().zip(REASONS) {
        assert_eq!(waiter.reason().await, reason);
    }
    assert_ends_are_noticed(rest, &server, &another).await;
}

/// Nothing tells that the connection is lost.
#[tokio::test]
async fn a_silent_network_is_noticed_within_the_interval() {
    let server = RedisServer::start();
    let proxy = Proxy::start(server.port());
    let own = connect_without_trust(&proxy.url()).await;
    let another = connect_another(&server.url()).await;
    let ids = begin(&another, 5).await;
    let waiters = wait_for_each(&own, &server, ids).await;
    proxy.black_hole_existing();
    assert_ends_are_noticed(waiters, &server, &another).await;
}

#[tokio::test]
async fn an_end_after_a_standstill_of_the_server_is_noticed() {
    for trusts in [true, false] {
        let server = RedisServer::start();
        let own = match trusts {
            true => connect(&server.url()).await,
            false => connect_without_trust(&server.url()).await,
        };
        let another = connect_another(&server.url()).await;
        let ids = begin(&another, 5).await;
        let waiters = wait_for_each(&own, &server, ids).await;
        server.pause();
        until("a failure", async || own.ping().await.is_err()).await;
        until("an outage", async || own.connection_state() == ConnectionState::Disconnected).await;
        assert!(waiters.iter().all(Waiter::still_waits));
        server.resume();
        assert_ends_are_noticed(waiters, &server, &another).await;
    }
}
