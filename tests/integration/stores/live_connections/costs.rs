//! The commands that a waiter costs.

use std::time::Instant;

use redis::{Connection, cmd};
use session_runtime::EndReason;
use session_tests::server::RedisServer;
use session_tests::until;

use super::{
    Servers as _, Visitor, Waiter, begin, change, connect, connect_another, connect_without_trust,
    end, look_again, wait_for_each,
};

#[tokio::test]
async fn a_session_that_changes_often_is_looked_at_once_a_second() {
    let server = RedisServer::start();
    let (own, another) = (connect(&server.url()).await, connect_another(&server.url()).await);
    let ids = begin(&another, 1).await;
    let looks = || server.counts().calls("client|caching");
    let (begun, before) = (Instant::now(), looks());
    let waiter = wait_for_each(&own, &server, ids).await.pop().unwrap();
    let session = another.open_id::<Visitor>(&waiter.id);
    for count in 0..200 {
        session.set_count(count).await.unwrap();
    }
    until("a look at the changes", async || looks() >= before + 2).await;
    for count in 0..200 {
        session.set_count(count).await.unwrap();
    }
    let seen = looks() - before;
    assert!(seen <= begun.elapsed().as_secs() + 2, "{seen}");
    assert!(waiter.still_waits());
    end(&another, &server, &waiter.id, EndReason::EndedElsewhere).await;
    assert_eq!(waiter.reason().await, EndReason::EndedElsewhere);
}

/// A waiter of another program looks every second, as the clock of this test.
#[tokio::test]
async fn while_nothing_happens_nothing_is_sent() {
    let (server, clock) = (RedisServer::start(), RedisServer::start());
    let (own, another) = (connect(&server.url()).await, connect_another(&server.url()).await);
    let ids = begin(&another, 200).await;
    let mut waiters = wait_for_each(&own, &server, ids).await;
    let ticking = connect_without_trust(&clock.url()).await;
    let ticks = begin(&ticking, 1).await;
    let _ticks = wait_for_each(&ticking, &clock, ticks).await;

    let mut connection = server.connection();
    let (before, seconds) = (commands(&mut connection), clock.looks());
    until("three seconds", async || clock.looks() >= seconds + 3).await;
    for _ in 0..50 {
        cmd("PING").exec(&mut connection).unwrap();
    }
    // The other command asks for the number.
    assert_eq!(commands(&mut connection) - before, 51);

    let one = waiters.pop().unwrap();
    end(&another, &server, &one.id, EndReason::LoggedOut).await;
    assert_eq!(one.reason().await, EndReason::LoggedOut);
    assert!(waiters.iter().all(Waiter::still_waits));
}

fn commands(connection: &mut Connection) -> u64 {
    let info: String = cmd("INFO").arg("stats").query(connection).unwrap();
    let number = info.lines().find_map(|line| line.strip_prefix("total_commands_processed:"));
    number.unwrap().parse().unwrap()
}

#[tokio::test]
async fn without_a_waiter_a_session_is_not_looked_at() {
    let server = RedisServer::start();
    let (own, another) = (connect(&server.url()).await, connect_another(&server.url()).await);
    let ids = begin(&another, 20).await;
    let mut waiters = wait_for_each(&own, &server, ids).await;
    let last = waiters.pop().unwrap();
    let looks = server.looks();
    let keys: Vec<_> = waiters.iter().map(Waiter::key).collect();
    for waiter in waiters {
        waiter.ended.abort();
        assert!(waiter.ended.await.unwrap_err().is_cancelled());
    }
    keys.iter().for_each(|key| change(&server, key));
    look_again(&server, &last.key()).await;
    assert_eq!(server.looks(), looks + 1);
    assert!(last.still_waits());
    end(&another, &server, &last.id, EndReason::EndedElsewhere).await;
    assert_eq!(last.reason().await, EndReason::EndedElsewhere);
}
