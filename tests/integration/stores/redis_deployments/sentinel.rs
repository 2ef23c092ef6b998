//! Sentinel: finding the master.

use std::time::Duration;

use session_runtime::RedisStore;
use session_runtime::store::Lookup;
use session_runtime::store::RedisStoreBuilder;
use session_tests::deployment::Sentinel;
use session_tests::server::RedisServer;
use session_tests::store_suite::{set, try_write};

use super::{assert_serves, assert_was_not_asked, connect, serves_again, session};

#[tokio::test(flavor = "multi_thread")]
async fn the_master_is_asked_and_the_replicas_are_left_alone() {
    let deployment = Sentinel::start();
    let store = connect(&deployment.url()).await.unwrap();
    for _ in 0..20 {
        let key = session(&store).await;
        assert_serves(&store, &key).await;
    }
    let master = deployment.master();
    for (number, node) in deployment.nodes().iter().enumerate() {
        if number != master {
            assert_was_not_asked(node);
        }
    }
}

/// The other sentinels are down, or know no master of this name.
#[tokio::test(flavor = "multi_thread")]
async fn one_sentinel_that_knows_the_master_is_enough() {
    let mut deployment = Sentinel::start();
    let other = RedisServer::start();
    for sentinel in [0, 1] {
        deployment.sentinel_mut(sentinel).kill();
    }
    let url = deployment.url().replacen(
        "redis+sentinel://",
        &format!("redis+sentinel://127.0.0.1:{},", other.port()),
        1,
    );
    let store = connect(&url).await.unwrap();
    let key = session(&store).await;
    assert_serves(&store, &key).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_master_is_found() {
    let deployment = Sentinel::start();
    let store = connect(&deployment.url()).await.unwrap();
    let key = session(&store).await;
    for _ in 0..2 {
        deployment.wait_for_copies();
        deployment.failover();
        serves_again(&store, &key).await;
        assert_eq!(try_write(&store, &key, &[set("b", "1")]).await.unwrap(), Lookup::Found(0));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_for_the_sentinels_is_their_own() {
    let deployment = Sentinel::start();
    let master = &deployment.nodes()[deployment.master()];
    for sentinel in deployment.sentinels() {
        let permissions = ["resetkeys", "-@all", "+sentinel|get-master-addr-by-name"];
        let _: String = sentinel.cli(
            &[&["ACL", "SETUSER", "sessions", "on", ">of sentinels"], &permissions[..]].concat(),
        );
    }
    let _: String = master.cli(&["ACL", "SETUSER", "app", "on", ">of master", "~*", "+@all"]);
    let builder = || RedisStore::builder(&deployment.url()).login(Some("app"), "of master");
    let store = builder().sentinel_login(Some("sessions"), "of sentinels").connect().await.unwrap();
    let key = session(&store).await;
    assert_serves(&store, &key).await;

    let url = deployment.url().replacen("://", "://app:of%20master@", 1);
    let url = format!("{url}?sentinel_user=sessions&sentinel_pass=of%20sentinels");
    assert_serves(&connect(&url).await.unwrap(), &key).await;

    let assert_refused = async |builder: RedisStoreBuilder, says: &str| {
        let refused = builder.connect().await.unwrap_err();
        assert!(refused.is_config() && refused.to_string().contains(says), "{says}: {refused}");
    };
    let allowed = || builder().sentinel_login(Some("sessions"), "of sentinels");
    assert_refused(
        builder().sentinel_login(Some("sessions"), "wrong"),
        "the sentinel refused the user",
    )
    .await;
    assert_refused(allowed().login(Some("app"), "wrong"), "the Redis server at").await;
    for sentinel in deployment.sentinels() {
        let _: String = sentinel.cli(&["ACL", "SETUSER", "sessions", "-@all"]);
    }
    assert_refused(allowed(), "+sentinel|get-master-addr-by-name").await;
    for sentinel in deployment.sentinels() {
        let _: String = sentinel.cli(&["ACL", "SETUSER", "default", "resetpass", ">another"]);
    }
    assert_refused(builder(), "the sentinel requires a password").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_masters_and_sentinels_are_named() {
    let mut deployment = Sentinel::start();
    let url = deployment.url();
    let (hosts, _) = url.rsplit_once('/').unwrap();
    let error = connect(&format!("{hosts}/another")).await.unwrap_err();
    assert!(error.is_config() && error.to_string().contains("do not know a master"), "{error}");
    let server = RedisServer::start();
    let error =
        connect(&format!("redis+sentinel://127.0.0.1:{}/name", server.port())).await.unwrap_err();
    assert!(error.is_config() && error.to_string().contains("is not a sentinel"), "{error}");
    for sentinel in 0..3 {
        deployment.sentinel_mut(sentinel).kill();
    }
    let error =
        RedisStore::builder(&url).timeout(Duration::from_millis(300)).connect().await.unwrap_err();
    assert!(error.is_unavailable(), "{error}");
}
