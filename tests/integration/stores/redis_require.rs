//! The check of a server for a schema with an index.

use session_runtime::{Session, SessionConfig, Sessions};
use session_tests::cookies::SECRET;
use session_tests::deployment::Shared;
use session_tests::log::logged;
use session_tests::server::RedisServer;

#[derive(Session)]
struct Auth {
    #[session(index)]
    user: Option<u64>,
}

#[derive(Session)]
struct Visitor {
    _count: u64,
}

fn config(url: &str) -> SessionConfig {
    SessionConfig::new().secret(SECRET).store(url)
}

/// The server is good enough for a schema without an index.
#[tokio::test(flavor = "multi_thread")]
async fn each_permission_of_an_index_that_is_missing_is_named() {
    let server = RedisServer::start();
    let set = |rules: &[&str]| {
        let _: String = server.cli(&[&["ACL", "SETUSER", "default"], rules].concat());
    };
    let sessions = Sessions::new(config(&server.url())).await.unwrap();
    sessions.require::<Auth>().await.unwrap();
    let permissions = ["zadd", "zrem", "zrange", "zscore", "zremrangebyscore"];
    for permission in permissions {
        set(&[&format!("-{permission}")]);
        let sessions = Sessions::new(config(&server.url())).await.unwrap();
        sessions.require::<Visitor>().await.unwrap();
        let error = sessions.require::<Auth>().await.unwrap_err();
        let (says, lacks) = (error.to_string(), format!(" +{permission}"));
        assert!(error.is_config() && says.contains("indexes") && says.ends_with(&lacks), "{says}");
        set(&[&format!("+{permission}")]);
    }
    set(&permissions.map(|permission| format!("-{permission}")).each_ref().map(String::as_str));
    let error = sessions.require::<Auth>().await.unwrap_err();
    assert!(error.to_string().ends_with(&permissions.join(" +")), "{error}");
    set(&["+@all", "resetkeys", "~app:sessions:{*"]);
    let error = sessions.require::<Auth>().await.unwrap_err();
    assert!(error.is_config() && error.to_string().ends_with("~app:sessions:*"), "{error}");
}

#[tokio::test]
async fn a_renamed_command_of_an_index_is_named() {
    let server = RedisServer::start_with(&["--rename-command", "ZSCORE", ""]);
    let sessions = Sessions::new(config(&server.url())).await.unwrap();
    sessions.require::<Visitor>().await.unwrap();
    let error = sessions.require::<Auth>().await.unwrap_err();
    assert!(error.is_config() && error.to_string().ends_with("ZSCORE"), "{error}");
}

/// The check leaves nothing behind.
#[tokio::test(flavor = "multi_thread")]
async fn only_a_schema_with_an_index_asks_the_server() {
    let server = RedisServer::start();
    let sessions = Sessions::new(config(&server.url())).await.unwrap();
    let monitor = server.monitor();
    sessions.require::<Visitor>().await.unwrap();
    assert!(monitor.finish().is_empty());
    let _: String = server.cli(&["FLUSHALL"]);
    let monitor = server.monitor();
    sessions.require::<Auth>().await.unwrap();
    assert_eq!(monitor.finish().len(), 6);
    assert_eq!(server.cli::<i64>(&["DBSIZE"]), 0);
    let sentinel = Shared::sentinel().await;
    let sessions = Sessions::new(config(&sentinel.url())).await.unwrap();
    sessions.require::<Auth>().await.unwrap();
    let cluster = Shared::cluster().await;
    let sessions = Sessions::new(config(&cluster.url())).await.unwrap();
    sessions.require::<Visitor>().await.unwrap();
}

/// All lists have an expiry, so each evicting policy may take them.
#[tokio::test]
async fn lists_that_may_be_evicted_are_one_warning() {
    let server = RedisServer::start();
    let sessions = Sessions::new(config(&server.url())).await.unwrap();
    let (log, _guard) = logged();
    let warnings = || log.text().matches("`end_all` then misses live sessions").count();
    let mut expected = 0;
    for (policy, evicts) in [
        ("noeviction", false),
        ("allkeys-lru", true),
        ("volatile-lru", true),
        ("volatile-ttl", true),
    ] {
        for (setting, value) in [("maxmemory", "1gb"), ("maxmemory-policy", policy)] {
            let _: String = server.cli(&["CONFIG", "SET", setting, value]);
        }
        sessions.require::<Visitor>().await.unwrap();
        sessions.require::<Auth>().await.unwrap();
        expected += usize::from(evicts);
        assert_eq!(warnings(), expected, "{policy}: {}", log.text());
    }
    // The policy is known only with this permission.
    let _: String = server.cli(&["ACL", "SETUSER", "default", "-info"]);
    sessions.require::<Auth>().await.unwrap();
    assert_eq!(warnings(), expected);
}

#[tokio::test]
async fn a_program_that_connects_lazily_starts_without_the_server() {
    let mut server = RedisServer::start();
    server.kill();
    let config = config(&server.url()).connect_lazily(true);
    Sessions::new(config).await.unwrap().require::<Auth>().await.unwrap();
}
