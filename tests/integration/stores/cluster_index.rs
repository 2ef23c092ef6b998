//! The index of sessions in a cluster, where a list and its sessions are on different nodes.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use session_runtime::find::Surplus;
use session_runtime::store::{
    Change, DestroyReason, Destroyed, Destruction, Ending, IndexChange, IndexEntry, IndexKey,
    IndexProof, IndexedValue, Indexing, LoginGuard, Lookup, SessionKey, SessionStore, StoreError,
    Write, WriteMode,
};
use session_runtime::testing::store_suite::{create, fresh_id, key_of, set};
use session_runtime::{Error, Lifetime, RedisStore, Session, SessionConfig, SessionId, Sessions};
use session_tests::cookies::SECRET;
use session_tests::deployment::{Cluster, Deployment, Shared};
use session_tests::server::RedisServer;
use session_tests::until;
use tokio::task::JoinSet;

use super::redis_index::{Stored, contents};

#[derive(Session)]
struct Auth {
    #[session(index)]
    user: Option<u64>,
    visits: u64,
}

const HOUR: Duration = Duration::from_secs(3600);
/// Time for an operation on a busy machine, and for a failover.
const GENEROUSLY: Duration = Duration::from_secs(15);
/// The seconds after which the time of an addition repeats in a score.
const CYCLE: f64 = 262_144.0;

/// A user of a store's own, with the name of the list.
struct User {
    value: &'static str,
    list: IndexKey,
}

impl User {
    fn new(value: &'static str) -> Self {
        Self { value, list: IndexKey::new("test", "user", value.as_bytes()) }
    }

    /// Writes the user to a session.
    async fn write(
        &self,
        store: &RedisStore,
        id: &SessionId,
        mode: WriteMode,
    ) -> Result<Lookup<u64>, StoreError> {
        self.write_unless(store, id, mode, LoginGuard::default()).await
    }

    /// Writes the user to a session, unless the guard refuses the login.
    async fn write_unless(
        &self,
        store: &RedisStore,
        id: &SessionId,
        mode: WriteMode,
        guard: LoginGuard,
    ) -> Result<Lookup<u64>, StoreError> {
        let value = IndexedValue::exact(self.value.into());
        let entry = IndexEntry { key: self.list.clone(), value, guard };
        let index = IndexChange { index: "user", field: "user", entry: Some(entry) };
        let index = Indexing { session: id, deadline_in: HOUR, changes: &[index] };
        let changes = [Change::Set { field: "user", value: self.value.into(), ttl: None }];
        let write = Write { mode, changes: &changes, expires_in: HOUR, index: Some(index) };
        store.write(&key_of(id), write).await
    }

    /// Adds an entry as the first step of a change does, some seconds ago.
    fn add(&self, servers: &Servers<'_>, id: &SessionId, ago: u64) {
        let node = servers.owner_of(self.list.as_str());
        let now: (u64, u64) = node.cli(&["TIME"]);
        let score = (now.0 + 3_600) as f64 + (now.0 - ago) as f64 % CYCLE / CYCLE;
        let _: i64 =
            node.cli(&["ZADD", self.list.as_str(), &score.to_string(), id.expose_secret()]);
        let _: i64 = node.cli(&["EXPIRE", self.list.as_str(), "5000"]);
    }

    fn score(&self, servers: &Servers<'_>, id: &SessionId) -> Option<f64> {
        servers.owner_of(self.list.as_str()).cli(&[
            "ZSCORE",
            self.list.as_str(),
            id.expose_secret(),
        ])
    }
}

/// The nodes of a cluster.
struct Servers<'a>(&'a Cluster);

impl Servers<'_> {
    fn owner_of(&self, key: &str) -> &RedisServer {
        &self.0.nodes()[self.0.owner_of(key)]
    }

    fn masters(&self) -> impl Iterator<Item = &RedisServer> {
        self.0.masters().into_iter().map(|node| &self.0.nodes()[node])
    }

    /// Asserts that every session with a user is in the list of the user, that no label is without
    /// a value, and that all keys expire.
    fn assert_sound(&self, prefix: &str) {
        for node in self.masters() {
            for Stored { key, left, content } in contents(node) {
                assert!(left > 0, "{key} has no expiry");
                let user = content.get("user");
                let label = content.get("\0");
                assert_eq!(label.is_some(), user.is_some(), "{key}: {content:?}");
                if let Some(user) = user {
                    let list = IndexKey::new(prefix, "user", user.as_bytes());
                    let member = key.rsplit(':').next().unwrap().replace(['{', '}'], "");
                    let owner = self.owner_of(list.as_str());
                    let score: Option<f64> = owner.cli(&["ZSCORE", list.as_str(), &member]);
                    assert!(score.is_some(), "{member} of user {user} is in no list");
                }
            }
        }
    }
}

fn cluster_of(shared: &Shared) -> &Cluster {
    match &**shared {
        Deployment::Cluster(cluster) => cluster,
        other => panic!("{other:?} is no cluster"),
    }
}

async fn store_on(cluster: &Cluster) -> RedisStore {
    RedisStore::builder(&cluster.url()).timeout(GENEROUSLY).connect().await.unwrap()
}

async fn sessions_on(cluster: &Cluster) -> Sessions {
    let store = store_on(cluster).await;
    Sessions::with_store(SessionConfig::new().secret(SECRET), store).unwrap()
}

/// Clients that sign in, change their user and their id, and sign out, until they are stopped.
struct Clients {
    running: JoinSet<Result<usize, Error>>,
    stop: Arc<AtomicBool>,
}

impl Clients {
    fn start(sessions: &Sessions) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let mut running = JoinSet::new();
        for client in 0..8 {
            let (sessions, stop) = (sessions.clone(), Arc::clone(&stop));
            running.spawn(async move {
                let mut visits = 0;
                while !stop.load(Ordering::Relaxed) {
                    visit(&sessions, client + visits as u64).await?;
                    visits += 1;
                }
                Ok(visits)
            });
        }
        Self { running, stop }
    }

    /// Returns the number of visits.
    async fn stop(mut self) -> usize {
        self.stop.store(true, Ordering::Relaxed);
        let mut visits = 0;
        while let Some(client) = self.running.join_next().await {
            visits += client.unwrap().unwrap();
        }
        visits
    }
}

/// A visit that ends signed in, signed out, or as another user.
async fn visit(sessions: &Sessions, number: u64) -> Result<(), Error> {
    let session: Session<Auth> = sessions.open([]).session();
    session.visits().incr(1).await?;
    let login = session.write().set(session.user(), number % 5).keep_only((session.visits(),));
    login.renew(Lifetime::normal()).commit().await?;
    session.rotate().await?;
    match number % 4 {
        0 => session.set_user(number % 3).await,
        1 => session.user().remove().await.map(drop),
        2 => session.destroy().await,
        _ => session.renew(Lifetime::normal()).await,
    }
}

/// Asserts that the lists have exactly the live sessions, and that all of them can be ended.
async fn assert_all_are_found(sessions: &Sessions, cluster: &Cluster) {
    let servers = Servers(cluster);
    servers.assert_sound("app");
    let mut live = 0;
    for node in servers.masters() {
        for key in node.cli::<Vec<String>>(&["KEYS", "app:sessions:{*"]) {
            let is_hash = node.cli::<String>(&["TYPE", &key]) == "hash";
            live += usize::from(is_hash && node.cli(&["HEXISTS", &key, "user"]));
        }
    }
    let mut listed = 0;
    for user in 0..5 {
        let entries = sessions.find(Auth::by_user(user)).list().await.unwrap();
        let tags: BTreeSet<_> = entries.iter().map(|entry| entry.tag().to_owned()).collect();
        assert_eq!(tags.len(), entries.len());
        listed += entries.len();
    }
    assert_eq!(listed, live);
    for user in 0..5 {
        let found = sessions.find(Auth::by_user(user));
        found.end_all().await.unwrap();
        assert_eq!(found.count().await.unwrap(), 0);
    }
}

/// Behaviour: the index of a cluster.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_entry_is_lost_while_slots_move() {
    let cluster = Cluster::start();
    let sessions = sessions_on(&cluster).await;
    let clients = Clients::start(&sessions);
    let list_of = |user: &str| IndexKey::new("app", "user", user.as_bytes());
    for user in ["0", "1", "2", "3", "4"] {
        let list = list_of(user);
        let begun = cluster.move_slot(list.as_str());
        begun.begin();
        sessions.create::<Auth>().await.unwrap().set_user(9).await.unwrap();
        begun.finish();
        // The slot of a session, with its tombstones.
        let keys: Vec<String> = cluster.nodes()[cluster.masters()[0]].cli(&["KEYS", "*{*"]);
        if let Some(key) = keys.first() {
            let moving = cluster.move_slot(key);
            moving.begin();
            sessions.create::<Auth>().await.unwrap().set_user(9).await.unwrap();
            moving.finish();
        }
    }
    assert!(clients.stop().await > 8);
    sessions.find(Auth::by_user(9)).end_all().await.unwrap();
    assert_all_are_found(&sessions, &cluster).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_entry_is_lost_in_a_planned_failover() {
    let cluster = Cluster::start();
    let sessions = sessions_on(&cluster).await;
    let clients = Clients::start(&sessions);
    for _ in 0..2 {
        for master in cluster.masters() {
            cluster.failover(master);
            cluster.wait_until_whole();
        }
    }
    assert!(clients.stop().await > 8);
    assert_all_are_found(&sessions, &cluster).await;
}

/// The first step was taken. The second step comes after the end.
#[tokio::test(flavor = "multi_thread")]
async fn an_end_of_all_sessions_ends_a_login_that_is_half_done() {
    let shared = Shared::cluster().await;
    let (cluster, user) = (cluster_of(&shared), User::new("half done"));
    let (store, servers) = (store_on(cluster).await, Servers(cluster));
    let config = || SessionConfig::new().secret(SECRET).prefix("test");
    let sessions = Sessions::with_store(config(), store.clone()).unwrap();
    // A login of somebody without a session, and of somebody with a session.
    let (without, with) = (fresh_id(), fresh_id());
    create(&store, &key_of(&with), &[set("theme", "dark")]).await;
    user.add(&servers, &without, 20);
    user.add(&servers, &with, 20);
    assert_eq!(sessions.find(Text::by_user(user.value)).end_all().await.unwrap(), 1);
    for (id, mode) in [(without, WriteMode::Create), (with, WriteMode::Existing)] {
        assert_eq!(user.write(&store, &id, mode).await.unwrap(), Lookup::Dead);
        let (key, owner) = (key_of(&id), servers.owner_of(key_of(&id).expose_secret()));
        let left: u64 = owner.cli(&["TTL", key.expose_secret()]);
        assert!((590..=600).contains(&left), "{left}");
        until("the entry is gone", async || user.score(&servers, &id).is_none()).await;
    }
}

/// The second step of an old entry would have been refused.
#[tokio::test(flavor = "multi_thread")]
async fn an_old_entry_is_no_login_and_goes() {
    let shared = Shared::cluster().await;
    let (cluster, user) = (cluster_of(&shared), User::new("long ago"));
    let (store, servers) = (store_on(cluster).await, Servers(cluster));
    let config = SessionConfig::new().secret(SECRET).prefix("test");
    let sessions = Sessions::with_store(config, store.clone()).unwrap();
    let found = sessions.find(Text::by_user(user.value));
    let (without, with, young) = (fresh_id(), fresh_id(), fresh_id());
    create(&store, &key_of(&with), &[set("theme", "dark")]).await;
    for (id, ago) in [(without, 700), (with, 700), (young, 500)] {
        user.add(&servers, &id, ago);
    }
    assert_eq!(found.count().await.unwrap(), 0);
    assert_eq!(user.score(&servers, &without), None);
    assert_eq!(user.score(&servers, &with), None);
    // The second step may still come, but until then the entry counts as no session.
    assert!(user.score(&servers, &young).unwrap() < 0.0);
    user.add(&servers, &with, 700);
    assert_eq!(found.end_all().await.unwrap(), 0);
    assert_ne!(store.expires_in(&key_of(&with)).await.unwrap(), Lookup::Dead);
    assert_eq!(
        user.write(&store, &with, WriteMode::Existing).await.unwrap(),
        Lookup::Found(0),
        "the session of another user stays"
    );
    assert_eq!(found.count().await.unwrap(), 1);
}

/// Entries of logins that never came do not refuse logins for longer than five minutes.
#[tokio::test(flavor = "multi_thread")]
async fn a_login_that_never_came_takes_a_place_for_minutes() {
    let shared = Shared::cluster().await;
    let (cluster, user) = (cluster_of(&shared), User::new("never came"));
    let (store, servers) = (store_on(cluster).await, Servers(cluster));
    let config = SessionConfig::new().secret(SECRET).prefix("test");
    let sessions = Sessions::with_store(config, store.clone()).unwrap();
    let log_in = async |surplus| {
        let session: Session<Text> = sessions.open([]).session();
        let login = session.write().set(session.user(), user.value).renew(Lifetime::normal());
        login.at_most(1, surplus).commit().await
    };
    user.add(&servers, &fresh_id(), 280);
    assert!(log_in(Surplus::Refuse).await.is_err_and(|error| error.is_too_many()));
    log_in(Surplus::EndOldest).await.unwrap();
    assert!(log_in(Surplus::Refuse).await.is_err_and(|error| error.is_too_many()));
    assert_eq!(sessions.find(Text::by_user(user.value)).end_all().await.unwrap(), 1);
    user.add(&servers, &fresh_id(), 320);
    log_in(Surplus::Refuse).await.unwrap();
}

/// One node does not answer. The sessions on all other nodes end.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_end_of_all_sessions_tries_every_node() {
    let cluster = Cluster::start();
    let (sessions, servers) = (sessions_on(&cluster).await, Servers(&cluster));
    for _ in 0..20 {
        sessions.create::<Auth>().await.unwrap().set_user(7).await.unwrap();
    }
    let list = cluster.owner_of(IndexKey::new("app", "user", b"7").as_str());
    let frozen = cluster.masters().into_iter().find(|master| *master != list).unwrap();
    let store = RedisStore::builder(&cluster.url());
    let store = store.timeout(Duration::from_millis(300)).connect().await.unwrap();
    let impatient = Sessions::with_store(SessionConfig::new().secret(SECRET), store).unwrap();
    let _: String = cluster.nodes()[frozen].cli(&["CLIENT", "PAUSE", "60000", "WRITE"]);
    let error = impatient.find(Auth::by_user(7)).end_all().await.unwrap_err();
    assert!(error.is_unavailable(), "{error}");
    for node in servers.masters() {
        let keys: Vec<String> = node.cli(&["KEYS", "app:sessions:{*"]);
        let is_live = |key: &&String| node.cli::<String>(&["TYPE", key]) == "hash";
        let live = keys.iter().filter(is_live).count();
        assert_eq!(live > 0, node.port() == cluster.nodes()[frozen].port());
    }
    let _: String = cluster.nodes()[frozen].cli(&["CLIENT", "UNPAUSE"]);
    sessions.find(Auth::by_user(7)).end_all().await.unwrap();
    assert_eq!(sessions.find(Auth::by_user(7)).count().await.unwrap(), 0);
}

/// The node of the list refuses a command. Nothing is written to the session.
#[tokio::test(flavor = "multi_thread")]
async fn a_refused_first_step_changes_no_session() {
    let cluster = Cluster::start();
    let (store, servers, user) =
        (store_on(&cluster).await, Servers(&cluster), User::new("refused"));
    let node = servers.owner_of(user.list.as_str());
    let allow = |rule: &str| node.cli::<String>(&["ACL", "SETUSER", "default", rule]);
    for command in ["zadd", "zscore", "pttl", "pexpire", "time"] {
        let id = fresh_id();
        allow(&format!("-{command}"));
        let error = user.write(&store, &id, WriteMode::Create).await.unwrap_err();
        assert!(!error.is_unavailable(), "{command}: {error}");
        allow(&format!("+{command}"));
        let key = SessionKey::new("test", &id);
        let owner = servers.owner_of(key.expose_secret());
        assert_eq!(owner.cli::<i64>(&["EXISTS", key.expose_secret()]), 0, "{command}");
        servers.assert_sound("test");
    }
    for setting in [["maxmemory-policy", "noeviction"], ["maxmemory", "1"]] {
        let _: String = node.cli(&["CONFIG", "SET", setting[0], setting[1]]);
    }
    let id = fresh_id();
    let error = user.write(&store, &id, WriteMode::Create).await.unwrap_err();
    assert!(!error.is_unavailable(), "{error}");
    servers.assert_sound("test");
}

macro_rules! script {
    ($name:literal) => {
        include_str!(concat!(
            "../../../session-runtime/src/store/redis/commands/scripts/",
            $name,
            ".lua"
        ))
    };
}

/// Neither a change nor an end comes later than the list allows for. The times of the nodes cannot
/// be set here, so the scripts run with a limit in the past.
#[tokio::test]
async fn a_second_step_that_comes_too_late_changes_nothing() {
    const WRITE: &str = concat!(
        "local sets_last = true\n",
        script!("index_list"),
        script!("index_before"),
        script!("write"),
        script!("index_after")
    );
    let server = RedisServer::start();
    let key = "app:sessions:{x}y";
    let now: (u64, u64) = server.cli(&["TIME"]);
    let (past, future) = ((now.0 - 1).to_string(), (now.0 + 60).to_string());
    let write = |limit: &str| {
        let indexing = ["1", "id", "", "3600000", "", limit, "1"];
        let change = ["user", "user", "0", "hash", "1", "7", "", "", "", "12.5"];
        let own = ["1800000", "1", "0", "0", "user", "7"];
        let arguments = [&["EVAL", WRITE, "1", key][..], &indexing, &change, &own].concat();
        server.cli::<redis::Value>(&arguments)
    };
    let end = |limit: &str| {
        let arguments = ["600000", "toomany", "user", "", "8", "", limit];
        server.cli::<redis::Value>(
            &[&["EVAL", script!("destroy"), "1", key][..], &arguments].concat(),
        )
    };
    let is_late = |reply: redis::Value| {
        let (word, time): (String, f64) = redis::from_redis_value(reply).expect("a late reply");
        word == "late" && time >= now.0 as f64
    };
    assert!(is_late(write(&past)) && is_late(end(&past)));
    assert_eq!(server.cli::<i64>(&["EXISTS", key]), 0);
    assert_eq!(write(&future), redis::Value::Int(0));
    let label: String = server.cli(&["HGET", key, "\0"]);
    assert_eq!(label, r#"{"user":["hash","user",12500]}"#);
    // The session has another value than the entry.
    assert!(is_late(end(&past)) && server.cli::<bool>(&["HEXISTS", key, "user"]));
    assert!(matches!(end(&future), redis::Value::Array(_)));
    assert_eq!(server.cli::<String>(&["TYPE", key]), "string");
}

/// After a no, the entry of the first step goes again, so that no end reaches the session.
#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_kept_another_user_is_left_alone() {
    let shared = Shared::cluster().await;
    let (cluster, ada) = (cluster_of(&shared), User::new("ada"));
    let (store, servers) = (store_on(cluster).await, Servers(cluster));
    let config = SessionConfig::new().secret(SECRET).prefix("test");
    let sessions = Sessions::with_store(config, store).unwrap();
    let session: Session<Text> = sessions.open([]).session();
    session.set_user("bob").await.unwrap();
    assert_eq!(session.user().get_or_set("ada").await.unwrap().as_deref(), Some("bob"));
    assert!(!session.user().compare_and_set(None, Some("ada".to_owned())).await.unwrap());
    let id = session.session_id().unwrap();
    assert_eq!(ada.score(&servers, &id), None);
    assert_eq!(sessions.find(Text::by_user("ada")).end_all().await.unwrap(), 0);
    assert!(session.exists().await.unwrap());
    // An entry from before stays until it is old.
    session.set_user("ada").await.unwrap();
    session.set_user("bob").await.unwrap();
    session.user().get_or_set("ada").await.unwrap();
    assert!(ada.score(&servers, &id).unwrap() < 0.0);
}

/// The node of the session refuses the login, which then takes no place.
#[tokio::test(flavor = "multi_thread")]
async fn a_refused_second_step_takes_no_place() {
    let cluster = Cluster::start();
    let (store, servers, user) = (store_on(&cluster).await, Servers(&cluster), User::new("full"));
    let list = servers.owner_of(user.list.as_str()).port();
    let owner_of = |id: &SessionId| servers.owner_of(key_of(id).expose_secret());
    let of_tag = |tag: u32| {
        let id = format!("{tag:08}{}", &fresh_id().expose_secret()[8..]);
        SessionId::parse(&id).unwrap()
    };
    let id = (0..100).map(of_tag).find(|id| owner_of(id).port() != list).unwrap();
    let node = owner_of(&id);
    for setting in [["maxmemory-policy", "noeviction"], ["maxmemory", "1"]] {
        let _: String = node.cli(&["CONFIG", "SET", setting[0], setting[1]]);
    }
    let error = user.write(&store, &id, WriteMode::Create).await.unwrap_err();
    assert!(!error.is_unavailable(), "{error}");
    assert_eq!(user.score(&servers, &id), None);
    let _: String = node.cli(&["CONFIG", "SET", "maxmemory", "0"]);
    user.write(&store, &id, WriteMode::Create).await.unwrap();
    servers.assert_sound("test");
}

/// A list whose clock is behind, after a failover, cannot tell whether an end came since.
#[tokio::test(flavor = "multi_thread")]
async fn a_checkpoint_of_a_clock_ahead_refuses_the_login() {
    let shared = Shared::cluster().await;
    let (store, user) = (store_on(cluster_of(&shared)).await, User::new("ahead"));
    let config = SessionConfig::new().secret(SECRET).prefix("test");
    let sessions = Sessions::with_store(config, store.clone()).unwrap();
    let ahead = SystemTime::now() + Duration::from_secs(200);
    sessions.find(Text::by_user(user.value)).end_all().await.unwrap();
    let (id, guard) = (fresh_id(), LoginGuard { unless_ended_since: Some(ahead), at_most: None });
    let refused = user.write_unless(&store, &id, WriteMode::Create, guard).await;
    assert_eq!(refused.unwrap_err().to_string(), StoreError::ended_since().to_string());
    assert_eq!(user.score(&Servers(cluster_of(&shared)), &id), None);
}

/// A process may be suspended between the read of a list and an end. The session may belong to
/// another user for hours then.
#[tokio::test(flavor = "multi_thread")]
async fn an_end_long_after_the_read_of_the_list_ends_nobody_else() {
    let shared = Shared::cluster().await;
    let (store, id) = (store_on(cluster_of(&shared)).await, fresh_id());
    create(&store, &key_of(&id), &[set("user", "bob")]).await;
    let value = IndexedValue::exact("ada".into());
    let proof = IndexProof { field: "user", alias: None, value: &value };
    let destruction = Destruction { reason: DestroyReason::EndedElsewhere, tombstone_for: HOUR };
    let end = async |ago| {
        let pending_at = Some(SystemTime::now() - Duration::from_secs(ago));
        let ending = Ending { proof, pending_at, destruction };
        store.index().unwrap().destroy_if(&key_of(&id), ending).await
    };
    assert!(end(3_600).await.unwrap_err().is_unavailable());
    assert_ne!(store.expires_in(&key_of(&id)).await.unwrap(), Lookup::Dead);
    // The clock of the session's node may be ahead by some minutes.
    assert_eq!(end(200).await.unwrap(), Some(Destroyed::Ended));
}

/// With full memory, a member that would only cease to count does not keep the others.
#[tokio::test]
async fn outdated_members_go_while_the_memory_is_full() {
    const PRUNE: &str = concat!(script!("index_list"), script!("prune"));
    let server = RedisServer::start();
    let now: (u64, u64) = server.cli(&["TIME"]);
    let score =
        |ago: u64| ((now.0 + 3_600) as f64 + (now.0 - ago) as f64 % CYCLE / CYCLE).to_string();
    let _: i64 = server.cli(&["ZADD", "list", &score(400), "young", &score(700), "old"]);
    let _: String = server.cli(&["CONFIG", "SET", "maxmemory", "1"]);
    let members = ["young", "unproven", "", "old", "unproven", ""];
    let read_at = now.0.to_string();
    let _: i64 = server.cli(&[&["EVAL", PRUNE, "1", "list", &read_at][..], &members].concat());
    assert_eq!(server.cli::<Vec<String>>(&["ZRANGE", "list", "0", "-1"]), ["young"]);
}

/// A user with a text.
#[derive(Session)]
struct Text {
    #[session(index)]
    user: Option<String>,
}
