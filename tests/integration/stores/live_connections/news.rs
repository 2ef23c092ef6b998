//! Servers and proxies that send no news.

use session_runtime::{EndReason, Lifetime, Sessions};
use session_tests::log::logged;
use session_tests::proxy::Proxy;
use session_tests::server::{Make, RedisServer};
use session_tests::until;

use super::{
    SECOND, assert_ends_are_noticed, assert_waits, begin, config, connect, connect_another,
    connect_without_trust, wait_for_each,
};

const WARNING: &str = "the session store does not tell of changes";

#[tokio::test]
async fn a_proxy_without_pushes_is_one_warning_and_ends_are_noticed() {
    for make in [Make::Usual, Make::Redis8, Make::Valkey9] {
        let Some(server) = RedisServer::start_make(make) else { continue };
        let proxy = Proxy::start(server.port());
        let (log, _guard) = logged();
        connect(&proxy.url()).await;
        assert_eq!(log.text().matches(WARNING).count(), 0, "{}", log.text());
        proxy.swallow_pushes();
        let own = connect_without_trust(&proxy.url()).await;
        assert_eq!(log.text().matches(WARNING).count(), 1, "{}", log.text());
        let another = connect_another(&server.url()).await;
        let ids = begin(&another, 5).await;
        let waiters = wait_for_each(&own, &server, ids).await;
        assert_ends_are_noticed(waiters, &server, &another).await;
        assert_eq!(log.text().matches(WARNING).count(), 1, "{}", log.text());
    }
}

#[tokio::test]
async fn a_user_without_permission_is_one_warning_and_ends_are_noticed() {
    for make in [Make::Usual, Make::Valkey9] {
        let Some(server) = RedisServer::start_make(make) else { continue };
        for missing in [&["-client|tracking"][..], &["-client|caching"]] {
            let user = ["ACL", "SETUSER", "app", "reset", "on", ">pass", "~*", "&*", "+@all"];
            let _: String = server.cli(&[&user[..], missing].concat());
            let url = server.url().replacen("://", "://app:pass@", 1);
            let (log, _guard) = logged();
            let own = connect_without_trust(&url).await;
            assert_eq!(log.text().matches(WARNING).count(), 1, "{missing:?} {}", log.text());
            let another = connect_another(&url).await;
            let ids = begin(&another, 5).await;
            let waiters = wait_for_each(&own, &server, ids).await;
            assert_ends_are_noticed(waiters, &server, &another).await;
        }
    }
}

/// The server tells of the expiry. Without news, the time left at the latest look is known.
#[tokio::test]
async fn an_expiry_is_noticed_with_and_without_news() {
    for make in [Make::Usual, Make::Redis8, Make::Valkey9] {
        let Some(server) = RedisServer::start_make(make) else { continue };
        let proxy = Proxy::start(server.port());
        proxy.swallow_pushes();
        for url in [server.url(), proxy.url()] {
            let brief = config(&url).lifetime(Lifetime::normal().idle(2 * SECOND));
            let own = Sessions::new(brief).await.unwrap();
            let ids = begin(&own, 3).await;
            let mut waiters = wait_for_each(&own, &server, ids).await;
            let live = waiters.pop().unwrap();
            let looks = || server.counts().calls("client|caching");
            let before = looks();
            // Used since, with a longer expiry than the program knows.
            let _: i64 = server.cli(&["PEXPIRE", &live.key(), "3600000"]);
            for waiter in waiters {
                assert_eq!(waiter.reason().await, EndReason::Expired);
            }
            until("a look at the live session", async || looks() >= before + 3).await;
            assert!(live.still_waits());
            if url == server.url() {
                assert_waits(live, &server, &connect_another(&url).await).await;
            }
        }
    }
}
