//! Walks over all sessions on Redis: missing permissions, other processes, and nodes that change.

use std::collections::HashSet;
use std::time::Duration;

use session_runtime::find::AllSessions;
use session_runtime::store::{IndexKey, SessionKey};
use session_runtime::testing::ManualClock;
use session_runtime::{Lifetime, RedisStore, Session, SessionConfig, Sessions};
use session_tests::cookies::SECRET;
use session_tests::deployment::Cluster;
use session_tests::server::RedisServer;
use session_tests::until;

#[derive(Session)]
struct Visitor {
    count: u64,
}

/// More than a page.
const MANY: usize = 1_300;

async fn sessions_on(url: &str) -> Sessions {
    let store = RedisStore::builder(url).timeout(Duration::from_secs(5)).connect().await.unwrap();
    Sessions::with_store(SessionConfig::new().secret(SECRET), store).unwrap()
}

/// Returns the tags.
async fn create(sessions: &Sessions, count: usize) -> HashSet<String> {
    let created = (0..count).map(|_| async {
        let session = sessions.create::<Visitor>().await.unwrap();
        session.session_id().unwrap().tag().to_owned()
    });
    futures::future::join_all(created).await.into_iter().collect()
}

/// Takes this many sessions, or the rest.
async fn take(all: &mut AllSessions<Visitor>, count: usize) -> HashSet<String> {
    let mut tags = HashSet::new();
    for _ in 0..count {
        let Some(entry) = all.next().await.unwrap() else { break };
        tags.insert(entry.tag().to_owned());
    }
    tags
}

/// A server that refuses a walk keeps sessions all the same.
#[tokio::test]
async fn a_missing_permission_is_named_by_the_walk() {
    let server = RedisServer::start();
    for permission in ["scan", "info"] {
        let _: String = server.cli(&["ACL", "SETUSER", "default", &format!("-{permission}")]);
        let config = SessionConfig::new().secret(SECRET).store(server.url());
        let sessions = Sessions::new(config).await.unwrap();
        create(&sessions, 1).await;
        let error = sessions.all::<Visitor>().next().await.unwrap_err();
        assert!(error.to_string().contains("+scan +info") && !error.is_unavailable(), "{error}");
        let _: String = server.cli(&["ACL", "SETUSER", "default", &format!("+{permission}")]);
    }
    let renamed = RedisServer::start_with(&["--rename-command", "SCAN", ""]);
    let error = sessions_on(&renamed.url()).await.all::<Visitor>().next().await.unwrap_err();
    assert!(error.to_string().contains("+scan"), "{error}");
}

/// Another process has the keys in another order, so the former place means nothing there.
#[tokio::test(flavor = "multi_thread")]
async fn a_restart_in_the_middle_hides_no_session() {
    let mut server = RedisServer::start();
    let sessions = sessions_on(&server.url()).await;
    let tags = create(&sessions, MANY).await;
    let mut all = sessions.all::<Visitor>();
    let mut seen = take(&mut all, 600).await;
    let _: String = server.cli(&["SAVE"]);
    server.restart();
    until("the server is back", async || sessions.ping().await.is_ok()).await;
    seen.extend(take(&mut all, usize::MAX).await);
    assert_eq!(tags.difference(&seen).count(), 0);
}

/// After an error, the walk goes on where it was.
#[tokio::test(flavor = "multi_thread")]
async fn a_walk_goes_on_after_a_node_was_lost() {
    let mut cluster = Cluster::start();
    let sessions = sessions_on(&cluster.url()).await;
    let tags = create(&sessions, 2 * MANY).await;
    cluster.wait_for_copies();
    let mut all = sessions.all::<Visitor>();
    let mut seen = take(&mut all, 1).await;
    for master in cluster.masters().into_iter().take(1) {
        let slot = cluster.slot_at(master);
        cluster.node_mut(master).kill();
        let mut failed = 0;
        loop {
            match all.next().await {
                Ok(Some(entry)) => drop(seen.insert(entry.tag().to_owned())),
                Ok(None) => break,
                Err(error) => {
                    assert!(error.is_unavailable(), "{error}");
                    assert!(!tags.iter().any(|tag| error.to_string().contains(tag)), "{error}");
                    failed += 1;
                    if failed == 1 {
                        cluster.wait_for_new_owner(slot, master);
                    }
                }
            }
        }
    }
    assert_eq!(tags.difference(&seen).count(), 0);
}

/// A master that joins during the walk is walked too.
#[tokio::test(flavor = "multi_thread")]
async fn a_planned_failover_hides_no_session() {
    let cluster = Cluster::start();
    let sessions = sessions_on(&cluster.url()).await;
    let tags = create(&sessions, 2 * MANY).await;
    for at in 0..3 {
        let mut all = sessions.all::<Visitor>();
        let mut seen = take(&mut all, 1 + 800 * at).await;
        cluster.failover(cluster.masters()[at]);
        cluster.wait_until_whole();
        seen.extend(take(&mut all, usize::MAX).await);
        assert_eq!(tags.difference(&seen).count(), 0);
    }
}

/// Sessions that have already moved from their slot's node are read where they are.
#[tokio::test(flavor = "multi_thread")]
async fn a_walk_follows_a_session_on_the_move() {
    let cluster = Cluster::start();
    let sessions = sessions_on(&cluster.url()).await;
    let session = sessions.create::<Visitor>().await.unwrap();
    session.set_count(7).await.unwrap();
    let id = session.session_id().unwrap();
    let key = SessionKey::new("app", &id);
    let moving = cluster.move_slot(key.expose_secret());
    moving.begin();
    moving.move_key(key.expose_secret());
    let mut all = sessions.all::<Visitor>();
    let entry = all.next().await.unwrap().expect("the session that moves");
    assert_eq!((entry.tag(), entry.data().unwrap().count), (id.tag(), 7));
    assert!(all.next().await.unwrap().is_none());
    moving.finish();
}

#[derive(Session)]
struct Auth {
    #[session(index)]
    user: Option<u64>,
}

/// The other sessions are added first.
#[tokio::test(flavor = "multi_thread")]
async fn reindex_goes_on_after_a_failure_and_returns_it() {
    let server = RedisServer::start();
    let sessions = sessions_on(&server.url()).await;
    for user in [7, 8, 9] {
        sessions.create::<Auth>().await.unwrap().set_user(user).await.unwrap();
    }
    let list = |user: &str| IndexKey::new("app", "user", user.as_bytes());
    for user in ["7", "8", "9"] {
        let _: i64 = server.cli(&["DEL", list(user).as_str()]);
    }
    let _: String = server.cli(&["SET", list("8").as_str(), "no list"]);
    sessions.reindex::<Auth>().await.unwrap_err();
    for (user, expected) in [("7", 1), ("9", 1)] {
        assert_eq!(server.cli::<i64>(&["ZCARD", list(user).as_str()]), expected);
    }
    let _: i64 = server.cli(&["DEL", list("8").as_str()]);
    assert_eq!(sessions.reindex::<Auth>().await.unwrap(), 1);
}

/// A refusal leaves nothing half done.
#[tokio::test(flavor = "multi_thread")]
async fn reindex_without_a_permission_changes_nothing() {
    let server = RedisServer::start();
    let sessions = sessions_on(&server.url()).await;
    let session = sessions.create::<Auth>().await.unwrap();
    session.set_user(7).await.unwrap();
    let list = IndexKey::new("app", "user", b"7");
    let key = SessionKey::new("app", &session.session_id().unwrap());
    let _: i64 = server.cli(&["DEL", list.as_str()]);
    let _: i64 = server.cli(&["HDEL", key.expose_secret(), "\0"]);
    for permission in ["zadd", "pexpire", "pttl", "hset", "zscore"] {
        let _: String = server.cli(&["ACL", "SETUSER", "default", &format!("-{permission}")]);
        sessions.reindex::<Auth>().await.expect_err(permission);
        let _: String = server.cli(&["ACL", "SETUSER", "default", &format!("+{permission}")]);
        assert_eq!(server.cli::<i64>(&["EXISTS", list.as_str()]), 0, "{permission}");
        assert_eq!(server.cli::<i64>(&["HEXISTS", key.expose_secret(), "\0"]), 0, "{permission}");
    }
    let _: String = server.cli(&["CONFIG", "SET", "maxmemory", "1"]);
    sessions.reindex::<Auth>().await.unwrap_err();
    let _: String = server.cli(&["CONFIG", "SET", "maxmemory", "0"]);
    assert_eq!(server.cli::<i64>(&["HEXISTS", key.expose_secret(), "\0"]), 0);
    assert_eq!(sessions.reindex::<Auth>().await.unwrap(), 1);
}

/// The key of a session from Python does not tell the creation time, so each walk makes up another.
#[tokio::test(flavor = "multi_thread")]
async fn sessions_from_python_are_walked_and_added_once() {
    let server = RedisServer::start();
    let clock = ManualClock::default();
    let sessions = sessions_on(&server.url()).await.with_clock(&clock);
    let id = "6f1d9a4e-0c57-4b3e-9d21-5a8c7e0f3b124c2b8e90-71da-4f6b-8a35-e9d0c1b2a374";
    let key = format!("app:sessions:{id}");
    let _: i64 = server.cli(&["HSET", &key, "user", "7"]);
    let _: i64 = server.cli(&["EXPIRE", &key, "1000"]);
    let entry = sessions.all::<Auth>().next().await.unwrap().unwrap();
    assert_eq!((entry.tag(), entry.data().unwrap().user), ("6f1d9a4e", Some(7)));
    assert!(clock.now().duration_since(entry.created_at()).unwrap() < Duration::from_secs(2));
    assert_eq!(sessions.reindex::<Auth>().await.unwrap(), 1);
    clock.advance(Duration::from_secs(60));
    assert_eq!(sessions.reindex::<Auth>().await.unwrap(), 0);
    let list = IndexKey::new("app", "user", b"7");
    assert_eq!(server.cli::<i64>(&["ZCARD", list.as_str()]), 1);
    assert_eq!(sessions.find(Auth::by_user(7)).end_all().await.unwrap(), 1);
}

/// In a cluster, the list is on another node.
#[tokio::test(flavor = "multi_thread")]
async fn sessions_from_python_are_added_once_in_a_cluster() {
    let cluster = Cluster::start();
    let clock = ManualClock::default();
    let sessions = sessions_on(&cluster.url()).await.with_clock(&clock);
    let id = "6f1d9a4e-0c57-4b3e-9d21-5a8c7e0f3b124c2b8e90-71da-4f6b-8a35-e9d0c1b2a374";
    let key = format!("app:sessions:{id}");
    let node = &cluster.nodes()[cluster.owner_of(&key)];
    let _: i64 = node.cli(&["HSET", &key, "user", "7"]);
    let _: i64 = node.cli(&["EXPIRE", &key, "1000"]);
    assert_eq!(sessions.reindex::<Auth>().await.unwrap(), 1);
    clock.advance(Duration::from_secs(60));
    assert_eq!(sessions.reindex::<Auth>().await.unwrap(), 0);
    let list = IndexKey::new("app", "user", b"7");
    let node = &cluster.nodes()[cluster.owner_of(list.as_str())];
    assert_eq!(node.cli::<i64>(&["ZCARD", list.as_str()]), 1);
    assert_eq!(sessions.find(Auth::by_user(7)).end_all().await.unwrap(), 1);
}

/// The absolute lifetime was made longer, and an entry must last as long as its session.
#[tokio::test(flavor = "multi_thread")]
async fn entries_in_a_cluster_get_the_new_deadline() {
    let cluster = Cluster::start();
    let store = RedisStore::builder(&cluster.url()).timeout(Duration::from_secs(5));
    let store = store.connect().await.unwrap();
    let lasting = |days: u64| {
        let max = Duration::from_secs(days * 86_400);
        let config = SessionConfig::new().secret(SECRET).lifetime(Lifetime::normal().max(max));
        Sessions::with_store(config, store.clone()).unwrap()
    };
    let session = lasting(2).create::<Auth>().await.unwrap();
    session.set_user(7).await.unwrap();
    let id = session.session_id().unwrap();
    let list = IndexKey::new("app", "user", b"7");
    let node = &cluster.nodes()[cluster.owner_of(list.as_str())];
    let score = || node.cli::<f64>(&["ZSCORE", list.as_str(), id.expose_secret()]);
    let before = score();
    assert_eq!(lasting(2).reindex::<Auth>().await.unwrap(), 0);
    assert_eq!(score(), before);
    assert_eq!(lasting(9).reindex::<Auth>().await.unwrap(), 0);
    assert!(score() - before > 6.9 * 86_400.0);
    assert!(node.cli::<u64>(&["TTL", list.as_str()]) > 8 * 86_400);
}
