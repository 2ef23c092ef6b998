//! The index of sessions on Redis: full servers, missing permissions, lost connections, killed
//! servers, and the expiry of the lists.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use session_runtime::find::Surplus;
use session_runtime::store::{
    Action, Change, Destroyed, Ending, IndexChange, IndexEntry, IndexKey, IndexProof, IndexedValue,
    Indexing, LoginGuard, Lookup, Modify, Refresh, Rotation, SessionKey, SessionStore, Stale,
    StaleEntry, StoreError, Write, WriteMode,
};
use session_runtime::testing::store_suite::{
    Successor, create, fresh_id, key_of, logout, remove, set, try_write,
};
use session_runtime::{
    Bytes, Error, Lifetime, RedisStore, Session, SessionConfig, SessionHandle, SessionId, Sessions,
};
use session_tests::cookies::SECRET;
use session_tests::deployment::Shared;
use session_tests::proxy::Proxy;
use session_tests::server::{Make, RedisServer};
use session_tests::until;

#[derive(Session)]
struct Auth {
    #[session(index)]
    user: Option<u64>,
    visits: u64,
}

const HOUR: Duration = Duration::from_secs(3600);
/// Time for an operation on a busy machine.
const GENEROUSLY: Duration = Duration::from_secs(5);
/// The field with the label.
const LABEL: &str = "\0";

/// A user, with the name of the list.
struct User {
    value: Bytes,
    indexed: IndexedValue,
    list: IndexKey,
}

impl User {
    fn new(value: &'static str) -> Self {
        let list = IndexKey::new("test", "user", value.as_bytes());
        Self { value: value.into(), indexed: IndexedValue::exact(value.into()), list }
    }

    fn change(&self) -> IndexChange<'_> {
        let guard = LoginGuard::default();
        let entry = IndexEntry { key: self.list.clone(), value: self.indexed.clone(), guard };
        IndexChange { index: "user", field: "user", entry: Some(entry) }
    }

    fn proof(&self) -> IndexProof<'_> {
        IndexProof { field: "user", alias: None, value: &self.indexed }
    }

    fn ending(&self) -> Ending<'_> {
        Ending { proof: self.proof(), pending_at: None, destruction: logout(HOUR) }
    }

    async fn write(&self, store: &RedisStore, id: &SessionId) -> Result<Lookup<u64>, StoreError> {
        let changes = [Change::Set { field: "user", value: self.value.clone(), ttl: None }];
        let index = Indexing { session: id, deadline_in: HOUR, changes: &[self.change()] };
        let (mode, index) = (WriteMode::Create, Some(index));
        let write = Write { mode, changes: &changes, expires_in: HOUR, index };
        store.write(&key_of(id), write).await
    }

    fn members(&self, server: &RedisServer) -> Vec<String> {
        let mut members: Vec<String> = server.cli(&["ZRANGE", self.list.as_str(), "0", "-1"]);
        members.retain(|member| member != "ended");
        members
    }
}

async fn removed(store: &RedisStore, id: &SessionId) -> Result<Lookup<u64>, StoreError> {
    let change = IndexChange { index: "user", field: "user", entry: None };
    let index = Some(Indexing { session: id, deadline_in: HOUR, changes: &[change] });
    let (mode, changes) = (WriteMode::Existing, &[remove("user")][..]);
    store.write(&key_of(id), Write { mode, changes, expires_in: HOUR, index }).await
}

async fn store_on(server: &RedisServer) -> RedisStore {
    RedisStore::builder(&server.url()).timeout(GENEROUSLY).connect().await.unwrap()
}

fn fill(server: &RedisServer) {
    for setting in [["maxmemory-policy", "noeviction"], ["maxmemory", "1"]] {
        let _: String = server.cli(&["CONFIG", "SET", setting[0], setting[1]]);
    }
}

fn content(server: &RedisServer, key: &str) -> BTreeMap<String, String> {
    server.cli(&["HGETALL", key])
}

/// A key of a server, with the milliseconds until it expires, and the fields of a hash.
pub(super) struct Stored {
    pub(super) key: String,
    pub(super) left: i64,
    pub(super) content: BTreeMap<String, String>,
}

/// Returns the content of a server, as it is at one moment.
pub(super) fn contents(server: &RedisServer) -> Vec<Stored> {
    const LOOK: &str = "local found = {} for _, key in ipairs(redis.call('KEYS', '*')) do \
                        local is_hash = redis.call('TYPE', key).ok == 'hash' table.insert(found, \
                        {key, redis.call('PTTL', key), is_hash and redis.call('HGETALL', key) or \
                        {}}) end return found";
    let found: Vec<(String, i64, BTreeMap<String, String>)> = server.cli(&["EVAL", LOOK, "0"]);
    found.into_iter().map(|(key, left, content)| Stored { key, left, content }).collect()
}

/// Asserts that all keys expire, that no label is without a value, and that every session with a
/// user is in the list of the user.
fn assert_sound(server: &RedisServer, prefix: &str, what: &str) {
    for Stored { key, left, content } in contents(server) {
        assert!(left > 0, "{what}: {key} has no expiry");
        let user = content.get("user");
        if let Some(label) = content.get(LABEL) {
            assert_eq!(label.contains(r#"user":["#), user.is_some(), "{what}: {content:?}");
        }
        let Some(user) = user else { continue };
        let list = IndexKey::new(prefix, "user", user.as_bytes());
        let (_, id) = key.rsplit_once(':').unwrap();
        let id = id.replace(['{', '}'], "");
        let score: Option<f64> = server.cli(&["ZSCORE", list.as_str(), &*id]);
        assert!(score.is_some(), "{what}: {key} is not in the list");
        assert!(content.contains_key(LABEL), "{what}: {key} has no label");
    }
}

#[tokio::test]
async fn a_full_server_refuses_a_login_and_carries_ends_out() {
    let server = RedisServer::start();
    let store = store_on(&server).await;
    let (ada, grace) = (User::new("ada"), User::new("grace"));
    let [id, other, third] = [(); 3].map(|()| fresh_id());
    for id in [&id, &other] {
        ada.write(&store, id).await.unwrap();
    }
    fill(&server);
    let error = grace.write(&store, &third).await.unwrap_err();
    assert!(!error.is_unavailable(), "{error:?}");
    let successor = Successor::fresh();
    let (changes, index) = ([set("user", "grace")], [grace.change()]);
    let login = Rotation { changes: &changes, index: &index, ..successor.rotation() };
    let error = store.rotate(&key_of(&id), login).await.unwrap_err();
    assert!(!error.is_unavailable(), "{error:?}");
    assert!(grace.members(&server).is_empty());
    assert_eq!(content(&server, key_of(&id).expose_secret())["user"], "ada");
    assert_eq!(ada.members(&server).len(), 2);
    assert_sound(&server, "test", "refused");

    assert_eq!(removed(&store, &id).await.unwrap(), Lookup::Found(1));
    assert!(!content(&server, key_of(&id).expose_secret()).contains_key(LABEL));
    let index = store.index().unwrap();
    assert!(index.entries(&ada.list, true).await.unwrap().sessions().any(|id| id == other));
    let ended = index.destroy_if(&key_of(&other), ada.ending()).await.unwrap();
    assert_eq!(ended, Some(Destroyed::Ended));
    let read_at = index.list_time(&ada.list).await.unwrap();
    let stale = [StaleEntry { session: id, key: key_of(&id), is_dead: true }];
    let stale = Stale { read_at, entries: &stale };
    index.remove_stale(&ada.list, ada.proof(), stale).await.unwrap();
    assert!(!index.entries(&ada.list, false).await.unwrap().sessions().any(|one| one == id));
    assert_sound(&server, "test", "ended");
}

/// The session of another value leaves the list, however much the stored bytes have in common.
#[tokio::test]
async fn entries_with_another_beginning_leave_the_list() {
    let server = RedisServer::start();
    let store = store_on(&server).await;
    let indexed = IndexedValue::beginning("k2:ada:".into(), ["k1:ada:".into()]);
    let ada = User { value: "k2:ada:1".into(), indexed, ..User::new("ada") };
    let mut stale = Vec::new();
    for stored in ["k2:ada:", "k2:ada:2", "k1:ada:1", "k2:ada", "k2:bob:1", "", "1k2:ada:1"] {
        let id = fresh_id();
        ada.write(&store, &id).await.unwrap();
        try_write(&store, &key_of(&id), &[set("user", stored)]).await.unwrap();
        stale.push(StaleEntry { session: id, key: key_of(&id), is_dead: false });
    }
    assert_eq!(ada.members(&server).len(), stale.len());
    let index = store.index().unwrap();
    let read_at = index.list_time(&ada.list).await.unwrap();
    index.remove_stale(&ada.list, ada.proof(), Stale { read_at, entries: &stale }).await.unwrap();
    let expected = stale[..2].iter().map(|entry| entry.session.expose_secret().to_owned());
    assert_eq!(BTreeSet::from_iter(ada.members(&server)), expected.collect());
}

/// Without any one permission, an operation works, or fails and leaves nothing half done.
#[tokio::test]
async fn a_missing_permission_leaves_nothing_half_done() {
    const COMMANDS: [&str; 25] = [
        "hset",
        "hget",
        "hdel",
        "hkeys",
        "hexists",
        "hmget",
        "exists",
        "rename",
        "set",
        "get",
        "unlink",
        "pexpire",
        "pttl",
        "time",
        "zadd",
        "zrem",
        "zrange",
        "zscore",
        "zremrangebyscore",
        "zremrangebyrank",
        "zcard",
        "zcount",
        "expire",
        "type",
        "del",
    ];
    for make in [Make::Usual, Make::Redis8, Make::Valkey9] {
        let Some(server) = RedisServer::start_make(make) else { continue };
        let store = store_on(&server).await;
        let (ada, grace) = (User::new("ada"), User::new("grace"));
        for command in COMMANDS {
            for operation in 0..6 {
                let _: String = server.cli(&["FLUSHALL"]);
                let (id, successor) = (fresh_id(), Successor::fresh());
                ada.write(&store, &id).await.unwrap();
                let key = key_of(&id);
                // A label that stays when the user is removed.
                let label: String = server.cli(&["HGET", key.expose_secret(), LABEL]);
                let more = label.replace('{', r#"{"other":["h","other",1],"#);
                let _: i64 = server.cli(&["HSET", key.expose_secret(), LABEL, &more, "other", "1"]);
                let _: String = server.cli(&["ACL", "SETUSER", "default", &format!("-{command}")]);
                let (changes, index) = ([set("user", "grace")], [grace.change()]);
                let indexing = Indexing { session: &id, deadline_in: HOUR, changes: &index };
                let failed = match operation {
                    0 => grace.write(&store, &fresh_id()).await.err(),
                    1 => {
                        let modify = Modify {
                            mode: WriteMode::Existing,
                            field: "user",
                            alias: None,
                            action: Action::Replace(Some("grace".into())),
                            ttl: None,
                            expires_in: HOUR,
                            index: Some(indexing),
                            keeps_times: false,
                        };
                        store.modify(&key, modify).await.err()
                    }
                    2 => {
                        let (changes, index) = (&changes[..], &index[..]);
                        let keep_only = Some(&["other"][..]);
                        let login = Rotation { changes, index, keep_only, ..successor.rotation() };
                        store.rotate(&key, login).await.err()
                    }
                    3 => store.rotate(&key, successor.rotation()).await.err(),
                    4 => removed(&store, &id).await.err(),
                    _ => {
                        let empty = IndexKey::new("test", "user", b"nobody");
                        store.index().unwrap().entries(&empty, true).await.err()
                    }
                };
                let _: String = server.cli(&["ACL", "SETUSER", "default", &format!("+{command}")]);
                let what = format!("{make:?}, {command}, operation {operation}, {failed:?}");
                assert!(!failed.is_some_and(|error| error.is_unavailable()), "{what}");
                assert_sound(&server, "test", &what);
            }
        }
    }
}

/// The clocks of several machines differ, and so do the expiries that they set.
#[tokio::test]
async fn a_list_outlives_the_last_deadline_of_its_sessions() {
    let server = RedisServer::start();
    let store = store_on(&server).await;
    let ada = User::new("ada");
    ada.write(&store, &fresh_id()).await.unwrap();
    let list_left: u64 = server.cli(&["PTTL", ada.list.as_str()]);
    assert!(Duration::from_millis(list_left) >= HOUR + Duration::from_secs(300), "{list_left}");
    // A shorter deadline shortens nothing, not even for the same session.
    let id = fresh_id();
    ada.write(&store, &id).await.unwrap();
    let score = || server.cli::<f64>(&["ZSCORE", ada.list.as_str(), id.expose_secret()]);
    let before = score();
    let (changes, index) = ([set("user", "ada")], [ada.change()]);
    let deadline_in = Duration::from_millis(1);
    let index = Some(Indexing { session: &id, deadline_in, changes: &index });
    let (mode, changes) = (WriteMode::Existing, &changes[..]);
    store.write(&key_of(&id), Write { mode, changes, expires_in: HOUR, index }).await.unwrap();
    assert!(score() >= before);
    let later: u64 = server.cli(&["PTTL", ada.list.as_str()]);
    assert!(later + 60_000 > list_left);
}

/// A key of another type is no reason to call a live session dead.
#[tokio::test]
async fn a_list_of_another_type_is_an_error() {
    let server = RedisServer::start();
    let store = store_on(&server).await;
    let (ada, id) = (User::new("ada"), fresh_id());
    let _: String = server.cli(&["SET", ada.list.as_str(), "1", "PX", "100000"]);
    let error = ada.write(&store, &id).await.expect_err("an error");
    assert!(!error.is_unavailable(), "{error:?}");
    let index = store.index().unwrap();
    for mark in [false, true] {
        assert!(!index.entries(&ada.list, mark).await.unwrap_err().is_unavailable());
    }
    assert_eq!(store.expires_in(&key_of(&id)).await.unwrap(), Lookup::Missing);
}

/// Another program has overwritten the label.
#[tokio::test]
async fn an_invalid_label_does_no_harm() {
    let server = RedisServer::start();
    let store = store_on(&server).await;
    let ada = User::new("ada");
    for label in ["", "no JSON", "1", "null", "[]", "{\"user\":1}", "{\"user\":[1]}"] {
        let (id, successor) = (fresh_id(), Successor::fresh());
        ada.write(&store, &id).await.unwrap();
        let key = key_of(&id);
        let _: i64 = server.cli(&["HSET", key.expose_secret(), LABEL, label]);
        assert_eq!(store.rotate(&key, successor.rotation()).await.unwrap(), Lookup::Found(()));
        let _: i64 = server.cli(&["HSET", successor.key.expose_secret(), LABEL, label]);
        ada.write(&store, &successor.id).await.unwrap();
        assert_sound(&server, "test", label);
        let _: i64 = server.cli(&["HSET", successor.key.expose_secret(), LABEL, label]);
        removed(&store, &successor.id).await.unwrap();
        store.destroy(&successor.key, logout(HOUR)).await.unwrap();
    }
}

/// A cluster may hold the data of a single server.
#[tokio::test(flavor = "multi_thread")]
async fn a_session_with_a_label_keeps_working_in_a_cluster() {
    let cluster = Shared::cluster().await;
    let store = RedisStore::builder(&cluster.url()).timeout(GENEROUSLY).connect().await.unwrap();
    let (id, successor) = (fresh_id(), Successor::fresh());
    let label = r#"{"user":["2-xPorlu_EqeiAgT3dSf-g","user",1795951227422]}"#;
    create(&store, &key_of(&id), &[set("user", "ada"), set(LABEL, label)]).await;
    store.rotate(&key_of(&id), successor.rotation()).await.unwrap();
    let values = store.get_many(&successor.key, &["user"], Refresh::No).await.unwrap();
    assert_eq!(values, Lookup::Found(vec![Some("ada".into())]));
    assert_eq!(store.destroy(&successor.key, logout(HOUR)).await.unwrap(), Destroyed::Ended);
}

/// Two releases of a program use two fields for the same index.
#[tokio::test]
async fn the_removal_of_another_field_keeps_the_label() {
    let server = RedisServer::start();
    let store = store_on(&server).await;
    let (ada, id, successor) = (User::new("ada"), fresh_id(), Successor::fresh());
    ada.write(&store, &id).await.unwrap();
    let change = IndexChange { index: "user", field: "former", entry: None };
    let index = Some(Indexing { session: &id, deadline_in: HOUR, changes: &[change] });
    let (mode, changes) = (WriteMode::Existing, &[remove("former")][..]);
    store.write(&key_of(&id), Write { mode, changes, expires_in: HOUR, index }).await.unwrap();
    store.rotate(&key_of(&id), successor.rotation()).await.unwrap();
    assert_sound(&server, "test", "rotated");
}

/// Two cookies from Python may name the same session with different times.
#[tokio::test]
async fn a_session_from_python_is_one_session() {
    let server = RedisServer::start();
    let sessions = sessions(&server.url()).await;
    let id = |time: u64| -> SessionId {
        let uuid = "0f8fad5b-d9cb-469f-a165-70867728950e";
        format!("{uuid}{uuid}.{time}").parse().unwrap()
    };
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let (one, other) = (id(now.as_secs() - 60), id(now.as_secs() - 50));
    let key = SessionKey::new("app", &one);
    let _: i64 = server.cli(&["HSET", key.expose_secret(), "theme", "dark"]);
    let _: i64 = server.cli(&["EXPIRE", key.expose_secret(), "3600"]);
    for id in [&one, &other] {
        sessions.open_id::<Auth>(id).set_user(7).await.unwrap();
    }
    let found = sessions.find(Auth::by_user(7));
    assert_eq!(found.count().await.unwrap(), 1);
    // The login of this very session takes no further place.
    let session: Session<Auth> = sessions.open_id(&one);
    let login = session.write().set(session.user(), 7).renew(Lifetime::normal());
    login.at_most(1, Surplus::Refuse).commit().await.unwrap();
    assert_eq!(found.count().await.unwrap(), 1);
    assert_eq!(found.end_all().await.unwrap(), 1);
}

/// Entries of sessions that have expired do not count.
#[tokio::test]
async fn sessions_that_have_expired_do_not_refuse_a_login() {
    let server = RedisServer::start();
    let sessions = sessions(&server.url()).await;
    for surplus in [Surplus::Refuse, Surplus::EndOldest] {
        let mut expired = Vec::new();
        for _ in 0..3 {
            expired.push(sign_in(&sessions, 7).await.unwrap());
        }
        let is_refused = |error: Error| error.is_too_many();
        assert!(log_in_beside(&sessions, 7, 3, Surplus::Refuse).await.is_err_and(is_refused));
        for session in &expired {
            let id = session.session_id().unwrap();
            let key = SessionKey::new("app", &id);
            assert_eq!(server.cli::<i64>(&["PEXPIRE", key.expose_secret(), "1"]), 1);
        }
        until("the sessions have expired", async || {
            let is_left = |session: &Session<Auth>| {
                let key = SessionKey::new("app", &session.session_id().unwrap());
                server.cli::<i64>(&["EXISTS", key.expose_secret()]) == 1
            };
            !expired.iter().any(is_left)
        })
        .await;
        log_in_beside(&sessions, 7, 1, surplus).await.unwrap();
        assert_eq!(sessions.find(Auth::by_user(7)).end_all().await.unwrap(), 1);
    }
}

/// Entries that are no longer true go with the next look, or with a logout.
#[tokio::test]
async fn entries_that_are_no_longer_true_are_removed() {
    let server = RedisServer::start();
    let sessions = sessions(&server.url()).await;
    let list = IndexKey::new("app", "user", b"7");
    let length = || server.cli::<usize>(&["ZCARD", list.as_str()]);
    let (one, other) = (sign_in(&sessions, 7).await.unwrap(), sign_in(&sessions, 7).await.unwrap());
    other.set_user(8).await.unwrap();
    assert_eq!(length(), 2);
    assert_eq!(sessions.find(Auth::by_user(7)).count().await.unwrap(), 1);
    assert_eq!(length(), 1);
    one.destroy().await.unwrap();
    until("the entry is gone", async || length() == 0).await;
}

/// A list is a read. A server that refuses writes still answers.
#[tokio::test]
async fn sessions_are_listed_on_a_server_that_refuses_writes() {
    let server = RedisServer::start();
    let sessions = sessions(&server.url()).await;
    let (_one, other) =
        (sign_in(&sessions, 7).await.unwrap(), sign_in(&sessions, 7).await.unwrap());
    other.set_user(8).await.unwrap();
    let _: String = server.cli(&["CONFIG", "SET", "min-replicas-to-write", "1"]);
    assert_eq!(sessions.find(Auth::by_user(7)).count().await.unwrap(), 1);
}

/// An end follows a long chain of ids in few round trips, and ends the last.
#[tokio::test]
async fn an_end_overtakes_a_session_that_changes_its_id_all_the_time() {
    const IDS: usize = 2_500;
    let server = RedisServer::start();
    let sessions = sessions(&server.url()).await;
    let store = store_on(&server).await;
    let session = sign_in(&sessions, 7).await.unwrap();
    let first = session.session_id().unwrap();
    for _ in 0..IDS {
        session.rotate().await.unwrap();
    }
    let user = User::new("7");
    let ending = user.ending();
    let (index, mut key) = (store.index().unwrap(), SessionKey::new("app", &first));
    let mut trips = 0;
    loop {
        trips += 1;
        match index.destroy_if(&key, ending).await.unwrap() {
            Some(Destroyed::Dead(kind)) => {
                key = SessionKey::new("app", &kind.successor().expect("a successor"));
            }
            ended => break assert_eq!(ended, Some(Destroyed::Ended)),
        }
    }
    assert!(trips <= 3, "{trips}");
    assert!(!session.exists().await.unwrap());
    // The last id leaves the list.
    let list = IndexKey::new("app", "user", b"7");
    until("the entry is gone", async || server.cli::<usize>(&["ZCARD", list.as_str()]) == 0).await;
    // Another user's session under a later id stays.
    let session = sign_in(&sessions, 7).await.unwrap();
    let key = SessionKey::new("app", &session.session_id().unwrap());
    session.write().set(session.user(), 8).rotate().commit().await.unwrap();
    assert_eq!(index.destroy_if(&key, ending).await.unwrap(), None);
    assert!(session.exists().await.unwrap());
}

/// The connection is lost in the request or in the reply, after each number of bytes.
#[tokio::test]
async fn lost_connections_lose_no_entry() {
    for break_after in [Proxy::break_in_request_after, Proxy::break_after] {
        let server = RedisServer::start();
        let proxy = Proxy::start(server.port());
        let (direct, sessions) = (sessions(&server.url()).await, sessions(&proxy.url()).await);
        for bytes in 0.. {
            let user = 1_000 + bytes as u64;
            let cookie = visit(&direct, user % 2).await;
            until("a connection", async || sessions.ping().await.is_ok()).await;
            let handle = sessions.open([cookie.as_bytes()]);
            break_after(&proxy, 7 * bytes);
            let failed = log_in(&handle, user).await.err();
            assert_sound(&server, "app", &format!("{bytes}: {failed:?}"));
            if failed.is_none() {
                break;
            }
            until("a login", async || log_in(&handle, user).await.is_ok()).await;
            assert_sound(&server, "app", "again");
            assert_eq!(direct.find(Auth::by_user(user)).count().await.unwrap(), 1, "{bytes}");
        }
    }
}

/// A server that writes every change to its disk is killed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_server_loses_no_entry() {
    let mut server = RedisServer::start_with(&["--appendonly", "yes", "--appendfsync", "always"]);
    let sessions = sessions(&server.url()).await;
    for _ in 0..3 {
        let over = Arc::<AtomicBool>::default();
        let clients = (0..8_u64).map(|client| {
            let (sessions, over) = (sessions.clone(), Arc::clone(&over));
            tokio::spawn(async move {
                let mut number = client;
                while !over.load(Ordering::Relaxed) {
                    number += 8;
                    let handle = sessions.open([]);
                    let session: Session<Auth> = handle.session();
                    let _ = session.set_user(number % 10).await;
                    let _ = log_in(&handle, number % 7).await;
                    let _ = session.rotate().await;
                }
            })
        });
        let clients: Vec<_> = clients.collect();
        let enough = server.cli::<i64>(&["DBSIZE"]) + 300;
        until("logins", async || server.cli::<i64>(&["DBSIZE"]) > enough).await;
        server.restart();
        over.store(true, Ordering::Relaxed);
        futures::future::join_all(clients).await;
        assert_sound(&server, "app", "killed");
    }
}

/// A browser logs in fifty times at once, with the same cookie.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn logins_of_one_browser_at_once_keep_to_the_limit() {
    let server = RedisServer::start();
    let sessions = sessions(&server.url()).await;
    let cookie = visit(&sessions, 0).await;
    let logins = (0..30).map(|_| {
        let (sessions, cookie) = (sessions.clone(), cookie.clone());
        tokio::spawn(async move {
            let handle = sessions.open([cookie.as_bytes()]);
            let session: Session<Auth> = handle.session();
            let login = session.write().set(session.user(), 7).renew(Lifetime::normal());
            login.at_most(3, Surplus::EndOldest).commit().await
        })
    });
    for login in futures::future::join_all(logins).await {
        login.unwrap().unwrap();
    }
    assert_eq!(sessions.find(Auth::by_user(7)).count().await.unwrap(), 3);
    assert_sound(&server, "app", "after the logins");
}

/// The first cookie of several may name a session that is over.
#[tokio::test]
async fn all_others_are_ended_whichever_cookie_is_live() {
    let server = RedisServer::start();
    let sessions = sessions(&server.url()).await;
    let (stale, live) = (visit(&sessions, 7).await, visit(&sessions, 7).await);
    let session: Session<Auth> = sessions.open([stale.as_bytes()]).session();
    session.destroy().await.unwrap();
    let another = visit(&sessions, 7).await;
    let both = format!("{stale}; {live}");
    let session: Session<Auth> = sessions.open([both.as_bytes()]).session();
    assert_eq!(sessions.find(Auth::by_user(7)).end_others(&session).await.unwrap(), 1);
    assert!(session.exists().await.unwrap());
    let session: Session<Auth> = sessions.open([another.as_bytes()]).session();
    assert!(!session.exists().await.unwrap());
}

async fn sessions(url: &str) -> Sessions {
    let store = RedisStore::builder(url).timeout(GENEROUSLY).connect().await.unwrap();
    Sessions::with_store(SessionConfig::new().secret(SECRET), store).unwrap()
}

async fn sign_in(sessions: &Sessions, user: u64) -> Result<Session<Auth>, Error> {
    let session: Session<Auth> = sessions.open([]).session();
    session.set_user(user).await?;
    Ok(session)
}

async fn log_in_beside(
    sessions: &Sessions,
    user: u64,
    most: u32,
    surplus: Surplus,
) -> Result<(), Error> {
    let session: Session<Auth> = sessions.open([]).session();
    let login = session.write().set(session.user(), user).renew(Lifetime::normal());
    login.at_most(most, surplus).commit().await
}

/// Returns the cookie of a session of this user.
async fn visit(sessions: &Sessions, user: u64) -> String {
    let handle = sessions.open([]);
    let session: Session<Auth> = handle.session();
    session.set_user(user).await.unwrap();
    let headers = handle.finish();
    headers.set_cookie().expect("a cookie").split(';').next().unwrap().to_owned()
}

async fn log_in(handle: &SessionHandle, user: u64) -> Result<(), Error> {
    let session: Session<Auth> = handle.session();
    let login = session.write().set(session.user(), user).set(session.visits(), 1);
    login.keep_only((session.visits(),)).renew(Lifetime::remembered()).commit().await
}
