//! Connecting a store to Redis, and the errors when this fails.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::Duration;

use session_runtime::store::{Lookup, Refresh, SessionStore};
use session_runtime::{Error, RedisStore};
use session_tests::server::RedisServer;
use session_tests::store_suite::fresh_key;
use session_tests::store_suite::{create, set};
use session_tests::until;

const SECRET: &str = "Tr0ub4dor";

#[tokio::test]
async fn tcp_unix_socket_and_database_number() {
    let server = RedisServer::start();
    let first = connect(&server.url()).await.unwrap();
    let key = fresh_key();
    create(&first, &key, &[set("a", "1")]).await;
    let unix = connect(&server.unix_url()).await.unwrap();
    assert_eq!(unix.get(&key, "a", Refresh::No).await.unwrap(), Lookup::Found(Some("1".into())));
    let other = [format!("{}/3", server.url()), format!("{}?db=3", server.unix_url())];
    let (tcp, unix) = (connect(&other[0]).await.unwrap(), connect(&other[1]).await.unwrap());
    let hour = Refresh::To(Duration::from_secs(3600));
    assert_eq!(tcp.get(&key, "a", hour).await.unwrap(), Lookup::Missing);
    create(&tcp, &key, &[set("a", "3")]).await;
    assert_eq!(unix.get(&key, "a", hour).await.unwrap(), Lookup::Found(Some("3".into())));
    assert_eq!(first.get(&key, "a", hour).await.unwrap(), Lookup::Found(Some("1".into())));
}

#[tokio::test]
async fn password_and_user() {
    let server = RedisServer::start();
    let password = format!(">{SECRET}");
    let _: String = server.cli(&["ACL", "SETUSER", "app", "on", &password, "~test:*", "+@all"]);
    let _: String = server.cli(&["ACL", "SETUSER", "default", "off"]);
    let at = format!("127.0.0.1:{}", server.port());
    let store = connect(&format!("redis://app:{SECRET}@{at}")).await.unwrap();
    let key = fresh_key();
    create(&store, &key, &[set("a", "1")]).await;
    let by_socket = format!("{}?user=app&pass={SECRET}", server.unix_url());
    let store = connect(&by_socket).await.unwrap();
    assert_eq!(store.get(&key, "a", Refresh::No).await.unwrap(), Lookup::Found(Some("1".into())));

    let refused = connect(&format!("redis://{at}")).await.unwrap_err();
    assert!(
        refused.is_config() && refused.to_string().contains("requires a password"),
        "{refused}"
    );
    for wrong in [format!("app:wrong-{SECRET}"), format!("nobody:{SECRET}")] {
        let refused = connect(&format!("redis://{wrong}@{at}")).await.unwrap_err();
        assert!(
            refused.is_config() && refused.to_string().contains("the user or the password"),
            "{refused}"
        );
        assert_tells_no_secret(&refused);
    }
}

/// Without a password, the client would log in as the user `default`, who has all permissions.
#[tokio::test]
async fn a_user_without_a_password_logs_in_as_that_user_or_is_refused() {
    let server = RedisServer::start();
    let _: String = server.cli(&["ACL", "SETUSER", "app", "on", "nopass", "~test:*", "+@all"]);
    let at = format!("127.0.0.1:{}", server.port());
    let by_socket = server.unix_url();
    for url in [
        format!("redis://app@{at}"),
        format!("redis://app:@{at}"),
        format!("{by_socket}?user=app"),
        format!("{by_socket}?user=app&pass="),
    ] {
        let store = connect(&url).await.unwrap();
        assert!(users(&server).contains(&"app".to_owned()), "{url}");
        drop(store);
        until("the end of the connection", async || !users(&server).contains(&"app".to_owned()))
            .await;
    }
    let _: String =
        server.cli(&["ACL", "SETUSER", "locked", "on", ">of another", "~test:*", "+@all"]);
    for user in ["nobody", "locked"] {
        for url in [
            format!("redis://{user}@{at}"),
            format!("redis://{user}:@{at}"),
            format!("{by_socket}?user={user}"),
            format!("redis+sentinel://{at}/m?sentinel_user={user}"),
        ] {
            let refused = connect(&url).await.unwrap_err();
            assert!(
                refused.is_config() && refused.to_string().contains("the user or the password"),
                "{refused}"
            );
        }
    }
    let builder = || RedisStore::builder(&format!("redis://locked@{at}"));
    let refused = builder().login(Some("locked"), "").connect().await.unwrap_err();
    assert!(refused.is_config(), "{refused}");
    builder().login(None, "").connect().await.unwrap();
}

/// Returns the users of all connections, including the test's own.
fn users(server: &RedisServer) -> Vec<String> {
    let clients: String = server.cli(&["CLIENT", "LIST"]);
    let user = |client: &str| {
        client.split(' ').find_map(|property| property.strip_prefix("user="))?.to_owned().into()
    };
    clients.lines().filter_map(user).collect()
}

#[tokio::test]
async fn a_database_that_is_not_there() {
    let server = RedisServer::start();
    let refused = connect(&format!("{}/99", server.url())).await.unwrap_err();
    assert!(refused.is_config() && refused.to_string().contains("database number"), "{refused}");
}

#[tokio::test]
async fn an_unreachable_address_is_unavailable_and_named() {
    let mut server = RedisServer::start();
    let urls = [server.url(), server.unix_url()];
    server.kill();
    for url in urls {
        let error = connect(&url).await.unwrap_err();
        assert!(error.is_unavailable(), "{error:?}");
        let source = sources(&error);
        let address = url.split_once("://").unwrap().1;
        assert!(source.contains(address) && source.contains("no server is listening"), "{source}");
    }
    let error = connect("redis://no-such-host.invalid").await.unwrap_err();
    assert!(sources(&error).contains("the host name is unknown"), "{error:?}");
}

#[tokio::test]
async fn a_server_that_is_not_redis_is_named() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let answering = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let _ = stream.read(&mut [0; 1024]);
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
    });
    let error = connect(&format!("redis://{address}")).await.unwrap_err();
    assert!(
        error.is_config() && error.to_string().contains("not from a Redis server"),
        "{error:?}"
    );
    answering.join().unwrap();
}

/// The client reports none of these replies except the last two.
#[tokio::test]
async fn a_server_that_refuses_connections_is_reported_with_the_reason() {
    for (says, answer) in [
        (
            "protected mode",
            "-DENIED Redis is running in protected mode because protected mode is enabled\r\n",
        ),
        ("HELLO", "-NOPROTO unsupported protocol version\r\n"),
        ("HELLO", "-ERR unknown command `HELLO`, with args beginning with: `3`, \r\n"),
        ("HELLO", "-ERR unknown command 'HELLO', with args beginning with: '3' \r\n"),
    ] {
        let url = always_answering(answer);
        let error = connect(&url).await.unwrap_err();
        assert!(error.is_config() && error.to_string().contains(says), "{answer}: {error}");
        assert!(!error.to_string().contains("database"), "{error}");
    }
}

#[tokio::test]
async fn a_server_with_too_many_connections_is_reported() {
    let server = RedisServer::start_with(&["--maxclients", "1"]);
    let _only = server.connection();
    for url in [server.url(), server.unix_url()] {
        let error = connect(&url).await.unwrap_err();
        assert!(
            error.is_unavailable() && error.to_string().contains("maxclients"),
            "{url}: {error}"
        );
    }
}

/// Starts a listener and returns the URL. The listener sends the answer at once and closes the
/// connection, or sends the answer once for each command.
fn always_answering(answer: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("redis://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            if answer.starts_with("-DENIED") {
                let _ = stream.write_all(answer.as_bytes());
                continue;
            }
            let commands = stream.read(&mut [0; 1024]).unwrap_or(0).min(3);
            let _ = stream.write_all(answer.repeat(commands).as_bytes());
        }
    });
    url
}

#[tokio::test]
async fn a_frozen_server_is_unavailable_within_the_deadline() {
    let server = RedisServer::start();
    server.pause();
    let connecting =
        RedisStore::builder(&server.url()).timeout(Duration::from_millis(100)).connect();
    let error =
        tokio::time::timeout(Duration::from_secs(5), connecting).await.unwrap().unwrap_err();
    assert!(error.is_unavailable(), "{error:?}");
}

#[tokio::test]
async fn urls_that_cannot_be_used_are_refused_and_not_shown() {
    for url in [
        "",
        "localhost",
        "redis://",
        "http://127.0.0.1",
        "redis://127.0.0.1/one",
        "redis://127.0.0.1:port",
        &format!("redis://app:{SECRET}@/"),
        &format!("nonsense://app:{SECRET}@127.0.0.1"),
    ] {
        let error = connect(url).await.unwrap_err();
        assert!(error.is_config() && error.to_string().contains("redis://"), "{url}: {error}");
        assert_tells_no_secret(&error);
    }
    for bad in [Duration::ZERO, Duration::from_nanos(1), Duration::from_millis(9), Duration::MAX] {
        let error =
            RedisStore::builder("redis://127.0.0.1").timeout(bad).connect().await.unwrap_err();
        assert!(
            error.is_config() && error.to_string().contains("10 milliseconds to 1 hour"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn debug_shows_the_address_and_no_secret() {
    let server = RedisServer::start();
    let _: String = server.cli(&["CONFIG", "SET", "requirepass", SECRET]);
    let url = format!("redis://:{SECRET}@127.0.0.1:{}", server.port());
    let store = connect(&url).await.unwrap();
    let shown = format!("{store:?} {:?}", RedisStore::builder(&url));
    assert!(shown.contains(&server.port().to_string()) && !shown.contains(SECRET), "{shown}");
}

async fn connect(url: &str) -> Result<RedisStore, Error> {
    RedisStore::builder(url).timeout(Duration::from_secs(10)).connect().await
}

fn assert_tells_no_secret(error: &Error) {
    let told = format!("{error:?} {}", sources(error));
    assert!(!told.contains(SECRET), "{told}");
}

/// Returns the messages of the error and of all its sources.
fn sources(error: &Error) -> String {
    let mut told = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        told += &format!(": {error}");
        source = error.source();
    }
    told
}
