//! Lua scripts. While a script runs, the server serves no other client.

use std::time::Duration;

use bytes::Bytes;
use session_runtime::RedisStore;
use session_runtime::store::{
    Action, Change, Lookup, Modified, Modify, Refresh, SessionKey, SessionStore, StoreError, Write,
    WriteMode,
};
use session_tests::server::{Make, RedisServer};
use session_tests::store_suite::{
    Successor, add, add_float, create, fresh_key, logout, modify, set,
};

use super::texts;

const MINUTE: Duration = Duration::from_secs(60);

/// The longest allowed time for a script, as measured by the server. Scripts take about ten
/// milliseconds. With quadratic time, a script would take more than half an hour.
const MOST_MICROS: u64 = 2_000_000;

#[tokio::test]
async fn on_the_usual_server() {
    let server = RedisServer::start();
    on_fields(&server).await;
    on_tombstones(&server).await;
    on_many_fields(&server).await;
}

#[tokio::test]
async fn on_redis_8() {
    let Some(server) = RedisServer::start_make(Make::Redis8) else { return };
    on_fields(&server).await;
    on_tombstones(&server).await;
    on_many_fields(&server).await;
}

#[tokio::test]
async fn on_valkey_9() {
    let Some(server) = RedisServer::start_make(Make::Valkey9) else { return };
    on_fields(&server).await;
    on_tombstones(&server).await;
    on_many_fields(&server).await;
}

/// A field, or the alias under which the field was stored, holds such a text. The new value is also
/// such a text.
async fn on_fields(server: &RedisServer) {
    let store = connect(server).await;
    for (name, text) in texts() {
        let value = Bytes::from(text.clone());
        for (call, action) in [
            ("add", add(1)),
            ("add_float", add_float(1.0)),
            ("add_float, 32 bits", Action::AddFloat { by: 1.0, default: 0.0, single: true }),
            ("get_or_set", Action::GetOrSet(value.clone())),
            ("replace", Action::Replace(Some(value.clone()))),
            ("compare", same(&value)),
        ] {
            for held in ["a", "former"] {
                let key = fresh_key();
                create(&store, &key, &[set(held, &text)]).await;
                let modify = Modify { alias: Some("former"), ..modify(action.clone()) };
                let modified =
                    timed(server, &format!("{call} on {name}"), store.modify(&key, modify)).await;
                assert_eq!(modified, Lookup::Found(expected(&action, &value)), "{call} on {name}");
                drop_key(server, &key);
            }
        }
    }
}

/// A key holds such a text in place of a tombstone.
async fn on_tombstones(server: &RedisServer) {
    let store = connect(server).await;
    for (name, text) in texts() {
        let key = &fresh_key();
        let _: String = server.cli(&["SET", key.expose_secret(), &text]);
        let write =
            Write { mode: WriteMode::Create, changes: &[], expires_in: MINUTE, index: None };
        timed(server, &format!("destroy of {name}"), store.destroy(key, logout(MINUTE))).await;
        let successor = Successor::fresh();
        timed(server, &format!("rotate of {name}"), store.rotate(key, successor.rotation())).await;
        timed(server, &format!("write of {name}"), store.write(key, write)).await;
        timed(server, &format!("modify of {name}"), store.modify(key, modify(add(1)))).await;
        // A refreshing read does not wait for the script, so the test runs another command
        // afterwards.
        let refreshed = async {
            store.get(key, "a", Refresh::To(MINUTE)).await.unwrap();
            store.destroy(key, logout(MINUTE)).await
        };
        timed(server, &format!("restore of {name}"), refreshed).await;
        drop_key(server, key);
    }
}

/// Sets as many fields as fit in a megabyte, with an expiry if supported, and removes them.
async fn on_many_fields(server: &RedisServer) {
    let (store, key) = (connect(server).await, fresh_key());
    let names: Vec<_> = (0..100_000).map(|at| format!("{at:010}")).collect();
    let ttl = store.supports_field_expiry().then_some(MINUTE);
    let setting: Vec<_> =
        names.iter().map(|field| Change::Set { field, value: Bytes::new(), ttl }).collect();
    let removing: Vec<_> = names.iter().map(|field| Change::Remove { field }).collect();
    for (call, changes, removed) in [("set", setting, 0), ("remove", removing, 100_000)] {
        let write =
            Write { mode: WriteMode::Create, changes: &changes, expires_in: MINUTE, index: None };
        server.reset_micros();
        assert_eq!(store.write(&key, write).await.unwrap(), Lookup::Found(removed));
        report(&format!("{call} of 100,000 fields"), server.micros("evalsha"), 2 * MOST_MICROS);
    }
}

async fn connect(server: &RedisServer) -> RedisStore {
    RedisStore::builder(&server.url()).timeout(MINUTE).connect().await.unwrap()
}

/// Carries out a call and fails if the server worked too long on the script. A server still working
/// on the script would not reply.
async fn timed<T>(
    server: &RedisServer,
    call: &str,
    operation: impl Future<Output = Result<T, StoreError>>,
) -> T {
    server.reset_micros();
    let done = operation.await.unwrap_or_else(|error| panic!("{call}: {error}"));
    report(call, server.micros("evalsha"), MOST_MICROS);
    done
}

fn report(call: &str, micros: u64, most: u64) {
    println!("| {call} | {micros} µs |");
    assert!(micros < most, "{call}: the server worked {micros} µs on it");
}

fn same(value: &Bytes) -> Action {
    let value = Some(value.clone());
    Action::CompareAndSet { expected: value.clone(), or_missing: false, value }
}

/// No text here is a number.
fn expected(action: &Action, value: &Bytes) -> Modified {
    match action {
        Action::AddInteger { .. } | Action::AddFloat { .. } => Modified::NotANumber,
        Action::CompareAndSet { .. } => Modified::Swapped(true),
        Action::Replace(_) | Action::GetOrSet(_) => Modified::Value(Some(value.clone())),
    }
}

fn drop_key(server: &RedisServer, key: &SessionKey) {
    let _: i64 = server.cli(&["DEL", key.expose_secret()]);
}
