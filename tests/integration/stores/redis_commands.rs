//! Errors at the start if the server lacks a command or a requirement of the scripts. The list of
//! commands comes from the sources.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use session_runtime::store::{Lookup, Modify, Refresh, SessionStore, Write, WriteMode};
use session_runtime::{Error, RedisStore, Session, SessionConfig, Sessions};
use session_tests::cookies::SECRET;
use session_tests::deployment::Cluster;
use session_tests::log::logged;
use session_tests::proxy::Proxy;
use session_tests::server::{Make, RedisServer};
use session_tests::store_suite::{Successor, add, fresh_key, logout, modify, remove, replace, set};
use session_tests::until;

const MINUTE: Duration = Duration::from_secs(60);

#[derive(Debug, Session)]
struct Flash {
    #[session(ttl = "5m")]
    text: String,
}

/// Without these commands, all operations except field expiry work.
const OF_FIELDS: [&str; 2] = ["HPEXPIRE", "HPTTL"];
/// Only indexed fields need these. A write of such a field names what is missing.
const OF_INDEXES: [&str; 5] = ["ZADD", "ZRANGE", "ZREM", "ZREMRANGEBYSCORE", "ZSCORE"];
/// Only a walk over all sessions needs this. The error of the walk names what is missing.
const OF_WALKS: [&str; 1] = ["SCAN"];
/// Only the program `sessionctl` sends these, which no application needs.
const OF_SESSIONCTL: [&str; 4] = ["DBSIZE", "GETRANGE", "HELLO", "MEMORY"];
/// Without `CLIENT`, live connections look in intervals. Without `HSETEX`, the store runs a script.
/// Without `INFO`, the store does not warn of eviction.
const DISPENSABLE: [&str; 3] = ["CLIENT", "HSETEX", "INFO"];
/// Sent only to clusters and Sentinel, which report by themselves if they are something else.
const OF_DEPLOYMENTS: [&str; 3] = ["ASKING", "CLUSTER", "SENTINEL"];
/// Never sent. The code of an error and an option have the name of a command.
const NEVER_SENT: [&str; 2] = ["READONLY", "TYPE"];

#[tokio::test(flavor = "multi_thread")]
async fn each_command_of_the_sources_that_a_server_lacks_is_named_at_the_start() {
    let mut sent = sent_commands();
    let of_features = [&OF_FIELDS[..], &OF_INDEXES, &OF_WALKS, &OF_SESSIONCTL].concat();
    let exceptions = [&of_features[..], &DISPENSABLE, &OF_DEPLOYMENTS, &NEVER_SENT];
    for command in exceptions.concat() {
        assert!(sent.remove(command), "{command} is sent no more: it needs no exception");
    }
    assert!(sent.len() > 15, "{sent:?}");
    for command in sent {
        let server = RedisServer::start_with(&["--rename-command", &command, ""]);
        let error = start(&server.url()).await.expect_err(&command);
        assert!(error.is_config() && words(&error).contains(&command), "{command}: {error}");
    }
}

#[tokio::test]
async fn a_server_without_optional_commands_is_used() {
    for command in DISPENSABLE {
        let Some(server) =
            RedisServer::start_make_with(Make::Valkey9, &["--rename-command", command, ""])
        else {
            return;
        };
        start(&server.url()).await.unwrap();
    }
}

#[tokio::test]
async fn a_server_with_half_of_field_expiry_is_logged_and_has_no_support() {
    let (log, _guard) = logged();
    for command in OF_FIELDS {
        let Some(server) =
            RedisServer::start_make_with(Make::Valkey9, &["--rename-command", command, ""])
        else {
            return;
        };
        let sessions = start(&server.url()).await.unwrap();
        assert!(sessions.require::<Flash>().await.unwrap_err().is_unsupported());
        assert!(log.text().contains(&format!("lacks=\"{command}\"")), "{}", log.text());
    }
}

/// While a slot moves, the store sends this command to the target node.
#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_needs_one_command_more() {
    let cluster = Cluster::start();
    start(&cluster.url()).await.unwrap();
    for node in cluster.nodes() {
        let _: String = node.cli(&["ACL", "SETUSER", "default", "-asking"]);
    }
    let error = start(&cluster.url()).await.unwrap_err();
    assert!(error.is_config() && error.to_string().ends_with("+asking"), "{error}");
}

/// The scripts of this version cannot check permissions, so a refusal would leave a write half
/// done.
#[tokio::test]
async fn redis_6_is_refused_with_what_is_needed() {
    let Some(server) = RedisServer::start_make(Make::Redis6) else { return };
    for error in [
        start(&server.url()).await.unwrap_err(),
        RedisStore::connect(&server.url()).await.unwrap_err(),
    ] {
        let says = error.to_string();
        assert!(
            error.is_config() && says.contains("is Redis 6.") && says.contains("Redis 7"),
            "{says}"
        );
    }
    let lazy = Sessions::new(config(&server.url()).connect_lazily(true)).await.unwrap();
    let error = lazy.create::<Flash>().await.unwrap_err();
    assert!(error.is_unavailable() && error.to_string().contains("is Redis 6."), "{error}");
}

/// An older server takes over while the store is in use.
#[tokio::test]
async fn redis_6_is_not_used_after_a_failover() {
    let Some(old) = Make::Redis6.program() else { return };
    let mut server = RedisServer::start();
    let sessions = start(&server.url()).await.unwrap();
    server.restart_as(old);
    until("the refusal", async || match sessions.create::<Flash>().await {
        Err(error) => error.is_unavailable() && error.to_string().contains("is Redis 6."),
        Ok(_) => panic!("it was used"),
    })
    .await;
}

/// An emulator might claim to be a new version.
#[tokio::test]
async fn a_server_whose_scripts_cannot_ask_for_permissions_is_refused_at_the_start() {
    let Some(server) = RedisServer::start_make(Make::Redis6) else { return };
    let proxy = Proxy::start(server.port());
    proxy.replace(b"6.2.5", b"7.0.0");
    let error = start(&proxy.url()).await.unwrap_err();
    assert!(error.is_config() && error.to_string().contains("redis.acl_check_cmd"), "{error}");
}

/// Such a server may appear after a failover. All writes are refused as a whole, including those
/// that could fail half-way.
#[tokio::test]
async fn a_server_whose_scripts_cannot_ask_for_permissions_changes_nothing() {
    let Some(server) = RedisServer::start_make(Make::Redis6) else { return };
    let proxy = Proxy::start(server.port());
    proxy.replace(b"6.2.5", b"7.0.0");
    let store = RedisStore::connect(&proxy.url()).await.unwrap();
    let (key, new, successor) = (&fresh_key(), &fresh_key(), Successor::fresh());
    let _: i64 = server.cli(&["HSET", key.expose_secret(), "", "", "a", "1", "former", "1"]);
    let write =
        |changes| Write { mode: WriteMode::Create, changes, expires_in: MINUTE, index: None };
    let changes = [set("a", "2"), remove("former")];
    let refused = [
        store.write(new, write(&changes)).await.map(drop),
        store.write(key, write(&changes)).await.map(drop),
        store.write(key, write(&changes[1..])).await.map(drop),
        store.modify(key, modify(add(1))).await.map(drop),
        store.modify(new, Modify { mode: WriteMode::Create, ..modify(add(1)) }).await.map(drop),
        store
            .modify(key, Modify { alias: Some("former"), ..modify(replace(None)) })
            .await
            .map(drop),
        store.rotate(key, successor.rotation()).await.map(drop),
        store.destroy(key, logout(MINUTE)).await.map(drop),
    ];
    for refusal in refused {
        let says = format!("{:?}", refusal.unwrap_err());
        assert!(says.contains("NoAclCheck"), "{says}");
    }
    assert_eq!(server.cli::<Vec<String>>(&["KEYS", "*"]), [key.expose_secret()]);
    assert_eq!(server.cli::<Vec<String>>(&["HVALS", key.expose_secret()]), ["", "1", "1"]);
    assert_eq!(store.get(key, "a", Refresh::No).await.unwrap(), Lookup::Found(Some("1".into())));
}

fn config(url: &str) -> SessionConfig {
    SessionConfig::new().store(url).secret(SECRET)
}

async fn start(url: &str) -> Result<Sessions, Error> {
    Sessions::new(config(url)).await
}

/// Splits the text into whole words, because `HGET` contains `GET`.
fn words(error: &Error) -> BTreeSet<String> {
    error.to_string().split(|c: char| !c.is_ascii_alphanumeric()).map(str::to_owned).collect()
}

/// Returns each quoted word in the sources of the store that is a command of the newest servers.
fn sent_commands() -> BTreeSet<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../session-runtime/src/store/redis");
    let sources: String = files_below(&root).into_iter().map(|file| source(&file)).collect();
    let quoted = ['"', '\''].into_iter().flat_map(|quote| upper_case_between(&sources, quote));
    let known = known_commands();
    quoted.filter(|word| known.contains(word)).collect()
}

fn files_below(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] }).collect()
}

/// Returns the source without the tests at the end.
fn source(file: &Path) -> String {
    let text = fs::read_to_string(file).unwrap();
    text.split("#[cfg(test)]\nmod tests").next().unwrap().to_owned()
}

fn upper_case_between(text: &str, quote: char) -> Vec<String> {
    let pieces: Vec<_> = text.split(quote).collect();
    let is_word =
        |piece: &&str| !piece.is_empty() && piece.bytes().all(|byte| byte.is_ascii_uppercase());
    pieces.into_iter().filter(is_word).map(str::to_owned).collect()
}

fn known_commands() -> BTreeSet<String> {
    let newest = [Make::Redis8, Make::Valkey9, Make::Usual]
        .into_iter()
        .find_map(RedisServer::start_make)
        .unwrap();
    let known: Vec<String> = newest.cli(&["COMMAND", "LIST"]);
    let sentinels_own = "SENTINEL".to_owned();
    known.into_iter().map(|name| name.to_ascii_uppercase()).chain([sentinels_own]).collect()
}
