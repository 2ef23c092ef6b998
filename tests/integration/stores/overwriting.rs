//! Writes of fields that the request has already seen. On servers with `HSETEX`, the store sends
//! plain commands in place of a script. The behaviour is otherwise the same.

use std::time::Duration;

use session_runtime::store::SessionKey;
use session_runtime::{Session, SessionConfig, SessionId, Sessions};
use session_tests::cookies::SECRET;
use session_tests::deployment::Cluster;
use session_tests::server::{Make, RedisServer};
use session_tests::until;

#[derive(Clone, Debug, Session)]
struct Visitor {
    count: u64,
    name: String,
    age: Option<u32>,
    #[session(ttl = "5m")]
    code: String,
}

/// A server, a manager, and a session with a count of 1 and a name.
struct World {
    server: RedisServer,
    sessions: Sessions,
    id: SessionId,
}

const DAY: i64 = 86_400_000;

impl World {
    async fn start(make: Make) -> Option<Self> {
        let server = RedisServer::start_make(make)?;
        let sessions = connect(&server.url()).await;
        let session = sessions.create::<Visitor>().await.unwrap();
        session.write().set(session.count(), 1).set(session.name(), "Ada").commit().await.unwrap();
        let id = session.session_id().unwrap();
        Some(Self { server, sessions, id })
    }

    /// Returns the session in another request.
    fn request(&self) -> Session<Visitor> {
        self.sessions.open_id(&self.id)
    }

    /// Returns the session in a request that has seen the count.
    async fn counting(&self) -> Session<Visitor> {
        let session = self.request();
        assert_eq!(session.count().await.unwrap(), 1);
        session
    }

    fn key(&self) -> String {
        SessionKey::new("app", &self.id).expose_secret().to_owned()
    }

    fn ask(&self, words: &[&str]) -> i64 {
        self.server.cli(words)
    }

    /// Returns the commands that a request causes. A script counts as a single command.
    async fn commands<T>(
        &self,
        act: impl Future<Output = Result<T, session_runtime::Error>>,
    ) -> Vec<String> {
        let before = self.server.counts();
        act.await.unwrap();
        let counts = self.server.counts() - before;
        let script = counts.calls("evalsha");
        let sent = counts.all().into_iter().filter(|(name, _)| script == 0 || *name == "evalsha");
        sent.flat_map(|(name, calls)| std::iter::repeat_n(name.to_owned(), calls as usize))
            .collect()
    }
}

const OVERWRITTEN: [&str; 2] = ["hsetex", "pexpire"];
const SCRIPT: [&str; 1] = ["evalsha"];

/// Runs each behaviour on each server that has the command.
macro_rules! on_both {
    ($($behaviour:ident),* $(,)?) => {
        on_both!(@ redis_8 Redis8 { $($behaviour)* });
        on_both!(@ valkey_9 Valkey9 { $($behaviour)* });
    };
    (@ $module:ident $make:ident { $($behaviour:ident)* }) => {
        mod $module {
            $(#[tokio::test]
            async fn $behaviour() {
                if let Some(world) = super::World::start(super::Make::$make).await {
                    super::$behaviour(world).await;
                }
            })*
        }
    };
}

on_both!(
    known_fields_are_overwritten_by_plain_commands,
    unknown_fields_are_written_by_the_script,
    a_field_removed_in_the_meantime_is_still_written,
    a_session_that_was_ended_meanwhile_stays_dead,
    the_script_also_reports_an_ended_session,
    a_session_that_expired_in_the_meantime_is_not_recreated,
    the_expiry_is_refreshed,
    a_fields_own_expiry_is_taken_away,
    a_session_of_another_program_gets_the_permanent_field,
    a_full_server_refuses_the_write_and_keeps_its_data,
    a_user_without_the_permission_is_served_by_the_script,
    without_a_reply_the_outcome_is_unknown,
);

async fn known_fields_are_overwritten_by_plain_commands(world: World) {
    let session = world.counting().await;
    assert_eq!(world.commands(session.set_count(2)).await, OVERWRITTEN);
    assert_eq!(session.name().await.unwrap(), "Ada");
    let both = || session.write().set(session.count(), 3).set(session.name(), "Grace").commit();
    assert_eq!(world.commands(both()).await, OVERWRITTEN);
    assert_eq!(
        session.read((session.count(), session.name())).await.unwrap(),
        (3, "Grace".to_owned())
    );
    session.count().incr(1).await.unwrap();
    session.set_age(36).await.unwrap();
    for written in [session.set_count(5), session.set_age(37)] {
        assert_eq!(world.commands(written).await, OVERWRITTEN);
    }
    let seen = world.request().load().await.unwrap();
    assert_eq!((seen.count, seen.name.as_str(), seen.age), (5, "Grace", Some(37)));
}

async fn unknown_fields_are_written_by_the_script(world: World) {
    assert_eq!(world.commands(world.request().set_count(2)).await, SCRIPT);
    let session = world.request();
    session.load().await.unwrap();
    let some = session.write().set(session.count(), 3).set(session.age(), 36);
    assert_eq!(world.commands(some.commit()).await, SCRIPT);
    for written in [session.set_code("1234"), session.set_code("5678"), session.set_age(None)] {
        assert_eq!(world.commands(written).await, SCRIPT);
    }
    session.name().take().await.unwrap();
    session.count().remove().await.unwrap();
    for written in [session.set_count(4), session.set_name("Grace"), session.set_age(37)] {
        assert_eq!(world.commands(written).await, SCRIPT);
    }
}

async fn a_field_removed_in_the_meantime_is_still_written(world: World) {
    let session = world.counting().await;
    assert!(world.request().count().remove().await.unwrap());
    session.set_count(2).await.unwrap();
    assert_eq!(world.request().count().await.unwrap(), 2);
}

async fn a_session_that_was_ended_meanwhile_stays_dead(world: World) {
    let (session, key) = (world.counting().await, world.key());
    world.request().destroy().await.unwrap();
    assert!(session.set_count(2).await.unwrap_err().is_gone());
    until("the tombstone's own end", async || world.ask(&["PTTL", &key]) <= 300_000).await;
    assert!(!world.request().exists().await.unwrap());
}

async fn the_script_also_reports_an_ended_session(world: World) {
    let (session, key) = (world.counting().await, world.key());
    world.request().destroy().await.unwrap();
    let _: String = world.server.cli(&["ACL", "SETUSER", "default", "-hsetex"]);
    assert!(session.set_count(2).await.unwrap_err().is_gone());
    until("the tombstone's own end", async || world.ask(&["PTTL", &key]) <= 300_000).await;
}

async fn a_session_that_expired_in_the_meantime_is_not_recreated(world: World) {
    let (session, key) = (world.counting().await, world.key());
    world.ask(&["DEL", &key]);
    assert!(session.set_count(2).await.unwrap_err().is_gone());
    assert_eq!(world.ask(&["EXISTS", &key]), 0);
}

async fn the_expiry_is_refreshed(world: World) {
    let (session, key) = (world.counting().await, world.key());
    world.ask(&["PEXPIRE", &key, "60000"]);
    session.set_count(2).await.unwrap();
    let left = world.ask(&["PTTL", &key]);
    assert!((DAY - 60_000..=DAY).contains(&left), "{left}");
}

async fn a_fields_own_expiry_is_taken_away(world: World) {
    let (session, key) = (world.counting().await, world.key());
    let expiry = |command: &[&str]| {
        world.server.cli::<Vec<i64>>(&[command, &["FIELDS", "1", "count"]].concat())
    };
    assert_eq!(expiry(&["HPEXPIRE", &key, "60000"]), [1]);
    assert_eq!(world.commands(session.set_count(2)).await, OVERWRITTEN);
    assert_eq!(expiry(&["HPTTL", &key]), [-1]);
}

async fn a_session_of_another_program_gets_the_permanent_field(world: World) {
    let key = world.key();
    assert_eq!(world.ask(&["HDEL", &key, ""]), 1);
    let session = world.counting().await;
    session.set_count(2).await.unwrap();
    assert_eq!(world.ask(&["HEXISTS", &key, ""]), 1);
    assert_eq!(world.commands(session.set_count(3)).await, OVERWRITTEN);
}

async fn a_full_server_refuses_the_write_and_keeps_its_data(world: World) {
    let session = world.counting().await;
    let _: String = world.server.cli(&["CONFIG", "SET", "maxmemory", "1"]);
    let error = session.set_count(2).await.unwrap_err();
    let by_script = session.set_age(36).await.unwrap_err();
    assert_eq!(error.to_string(), by_script.to_string());
    assert!(!error.is_gone() && !error.is_outcome_unknown(), "{error}");
    assert_eq!(session.count().await.unwrap(), 1);
}

async fn a_user_without_the_permission_is_served_by_the_script(world: World) {
    let session = world.counting().await;
    let _: String = world.server.cli(&["ACL", "SETUSER", "default", "-hsetex"]);
    session.set_count(2).await.unwrap();
    assert_eq!(world.commands(session.set_count(3)).await, SCRIPT);
    assert_eq!(world.request().count().await.unwrap(), 3);

    let _: String = world.server.cli(&["ACL", "SETUSER", "default", "+hsetex"]);
    world.ask(&["CLIENT", "KILL", "TYPE", "normal"]);
    until("another connection", async || session.count().await.is_ok()).await;
    assert_eq!(world.commands(session.set_count(4)).await, OVERWRITTEN);
}

async fn without_a_reply_the_outcome_is_unknown(world: World) {
    let session = world.counting().await;
    let before = world.server.counts();
    world.server.pause();
    let error = session.set_count(2).await.unwrap_err();
    assert!(error.is_outcome_unknown() && error.is_unavailable(), "{error}");
    world.server.resume();
    let sent = || world.server.counts() - before.clone();
    until("the write", async || sent().calls("hsetex") == 1).await;
    assert_eq!(sent().calls("evalsha"), 0);
}

#[tokio::test]
async fn a_server_without_the_command_is_not_asked_for_it() {
    let Some(world) = World::start(Make::Usual).await else { return };
    if world.server.has_hsetex() {
        return;
    }
    let session = world.counting().await;
    assert_eq!(world.commands(session.set_count(2)).await, SCRIPT);
}

#[tokio::test]
async fn on_a_cluster_the_node_of_the_session_is_asked() {
    let Some(cluster) = Cluster::start_make(Make::Redis8) else { return };
    let sessions = connect(&cluster.url()).await;
    let of_node = |node: usize| cluster.nodes()[node].counts().calls("hsetex");
    let calls = || cluster.masters().into_iter().map(of_node).sum::<u64>();
    let before = calls();
    for count in 0..8 {
        let session = sessions.create::<Visitor>().await.unwrap();
        session.set_count(count).await.unwrap();
        session.set_count(count + 1).await.unwrap();
        let id = session.session_id().unwrap();
        assert_eq!(sessions.open_id::<Visitor>(&id).count().await.unwrap(), count + 1);
    }
    assert_eq!(calls() - before, 8);
}

/// A slot moves to a node without the command while the session is written. One program learns of
/// the new node by `ASK`, and another by `MOVED`.
#[tokio::test]
async fn on_a_cluster_a_node_that_refuses_it_runs_the_script() {
    let Some(cluster) = Cluster::start_make(Make::Redis8) else { return };
    let (sessions, others) = (connect(&cluster.url()).await, connect(&cluster.url()).await);
    let session = sessions.create::<Visitor>().await.unwrap();
    session.set_count(1).await.unwrap();
    let id = session.session_id().unwrap();
    let elsewhere = others.open_id::<Visitor>(&id);
    assert_eq!(elsewhere.count().await.unwrap(), 1);

    let key = SessionKey::new("app", &id).expose_secret().to_owned();
    let moving = cluster.move_slot(&key);
    let node = &cluster.nodes()[moving.target_index()];
    let _: String = node.cli(&["ACL", "SETUSER", "default", "-hsetex"]);
    let before = node.counts();
    moving.begin();
    moving.move_key(&key);
    session.set_count(2).await.unwrap();
    assert_eq!((node.counts() - before.clone()).calls("evalsha"), 1);
    moving.finish();
    elsewhere.set_count(3).await.unwrap();
    assert_eq!((node.counts() - before).calls("evalsha"), 2);
    assert_eq!(session.count().await.unwrap(), 3);
}

async fn connect(url: &str) -> Sessions {
    let config =
        SessionConfig::new().secret(SECRET).store(url).timeout(Duration::from_millis(1500));
    Sessions::new(config).await.unwrap()
}
