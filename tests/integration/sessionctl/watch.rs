//! `sessionctl watch`.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read};
use std::process::{ChildStdout, ExitStatus};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use session_runtime::find::Surplus;
use session_runtime::store::SessionKey;
use session_runtime::{Lifetime, RedisStore, Session, SessionConfig, Sessions};
use session_tests::acceptance::World;
use session_tests::cookies::SECRET;
use session_tests::deployment::{Cluster, Deployment, Sentinel};
use session_tests::program;
use session_tests::server::{RedisServer, has_flag};
use session_tests::sessionctl::{Running, command, run_with, start};
use session_tests::{until, wait_for};

use crate::account::{Account, sign_in, tag};
use crate::documented::{GUIDE, documented};
use crate::many::sign_in_all;

/// The longest wait for a line.
const PATIENCE: Duration = Duration::from_secs(20);
/// The wait for the event of a session after which another session is created.
const BETWEEN_MARKERS: Duration = Duration::from_secs(2);

/// A running watch.
pub(crate) struct Watching {
    running: Running,
    events: Receiver<String>,
    messages: Receiver<String>,
}

impl Watching {
    /// Starts a watch, and waits until it tells events.
    pub(crate) fn start(url: &str, args: &[&str]) -> Self {
        let (mut watching, events) = Self::start_unread(url, args);
        watching.events = lines(events);
        watching
    }

    /// Starts a watch whose events are not read.
    fn start_unread(url: &str, args: &[&str]) -> (Self, ChildStdout) {
        let mut program = command(&[&["watch", "--json"], args].concat());
        program.env("SESSION_REDIS", url);
        let mut running = start(program);
        let child = running.child();
        let unread = child.stdout.take().unwrap();
        let messages = lines(child.stderr.take().unwrap());
        let watching = Self { running, events: lines(std::io::empty()), messages };
        watching.says("watching the sessions");
        (watching, unread)
    }

    fn signal(&mut self, signal: &str) {
        program::signal(self.running.child().id(), signal);
    }

    /// Returns the events and messages up to the end of the watch.
    pub(crate) fn rest(mut self) -> (Vec<Value>, Vec<String>) {
        assert!(ended(&mut self.running).success());
        let events = self.events.iter().map(|line| serde_json::from_str(&line).unwrap());
        (events.collect(), self.messages.iter().collect())
    }

    /// Waits for a line on the standard error that contains a text.
    fn says(&self, text: &str) -> String {
        loop {
            let line = self.messages.recv_timeout(PATIENCE);
            let line = line.unwrap_or_else(|_| panic!("waits for {text:?}"));
            if line.contains(text) {
                return line;
            }
        }
    }

    /// Returns all events until now.
    async fn events(&self, sessions: &Sessions) -> Events {
        let mut events = Vec::new();
        // Changes shortly before the first of the two may be told just behind it.
        for _ in 0..2 {
            self.pass_marker(sessions, &mut events).await;
        }
        Events(events)
    }

    /// Adds the events up to the creation of another session. If news of that is lost, another
    /// takes its place.
    async fn pass_marker(&self, sessions: &Sessions, events: &mut Vec<Value>) {
        let mut markers = Vec::new();
        let limit = Instant::now() + PATIENCE;
        while Instant::now() < limit {
            markers.push(tag(&sign_in(sessions, u64::MAX).await));
            while let Ok(line) = self.events.recv_timeout(BETWEEN_MARKERS) {
                let event: Value = serde_json::from_str(&line).unwrap();
                if markers.iter().any(|marker| event["tag"] == **marker) {
                    assert_eq!(event["event"], "created");
                    return;
                }
                events.push(event);
            }
        }
        panic!("no event of another session: {events:?}");
    }

    /// Waits until the watch tells each event again. An event may be missing only with a warning,
    /// but a failover may cause several gaps.
    async fn recovers(&self, sessions: &Sessions) {
        self.says("events may be missing from 20");
        loop {
            let session = sign_in(sessions, 7).await;
            session.rotate().await.unwrap();
            let tag = tag(&session);
            session.destroy().await.unwrap();
            let told = self.events(sessions).await.of(&tag);
            if told == ["created", "rotated", "ended ended_elsewhere"] {
                return;
            }
            self.says("events may be missing from 20");
        }
    }
}

struct Events(Vec<Value>);

impl Events {
    /// Returns the events of a session, each with the reason.
    fn of(&self, tag: &str) -> Vec<String> {
        let events = self.0.iter().filter(|event| event["tag"] == tag);
        let name = |event: &Value| match event["reason"].as_str() {
            Some(reason) => format!("{} {reason}", event["event"].as_str().unwrap()),
            None => event["event"].as_str().unwrap().to_owned(),
        };
        events.map(name).collect()
    }
}

fn lines(output: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    receiver
}

/// Returns a manager with the clock of this machine. The times of the acceptance suite stand still.
async fn sessions_on(url: &str) -> Sessions {
    let store = RedisStore::builder(url).timeout(Duration::from_secs(5)).connect().await.unwrap();
    Sessions::with_store(SessionConfig::new().secret(SECRET), store).unwrap()
}

fn key_of(session: &Session<Account>) -> String {
    SessionKey::new("app", &session.session_id().unwrap()).expose_secret().to_owned()
}

pub(crate) fn url(world: &World) -> String {
    world.server().unwrap().url()
}

/// Reads and writes a session for as long as this lives.
struct Busy(tokio::task::JoinHandle<()>);

impl Busy {
    fn with(session: &Session<Account>) -> Self {
        let session = session.clone();
        Self(tokio::spawn(async move {
            for name in 0_u64.. {
                session.set_name(name.to_string()).await.unwrap();
                session.load().await.unwrap();
                session.touch().await.unwrap();
            }
        }))
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Logs a visitor in and out, and returns the tag.
async fn log_out(sessions: &Sessions) -> String {
    let session = sessions.open([]).session::<Account>();
    session.set_user(12).await.unwrap();
    let tag = tag(&session);
    session.destroy().await.unwrap();
    tag
}

pub(crate) async fn each_event_is_told_once(world: World) {
    let (sessions, server) = (sessions_on(&url(&world)).await, world.server().unwrap());
    let [busy, rotated_before, ended_before, idle] =
        [sign_in(&sessions, 1).await, sign_in(&sessions, 2).await, sign_in(&sessions, 3).await, {
            sign_in(&sessions, 4).await
        }];
    let gone_before = sign_in(&sessions, 5).await;
    let (gone_tag, gone_key) = (tag(&gone_before), key_of(&gone_before));
    gone_before.destroy().await.unwrap();
    let watching = Watching::start(&url(&world), &[]);
    let _busy = Busy::with(&busy);

    let created = sign_in(&sessions, 11).await;
    created.set_name("x".to_owned()).await.unwrap();
    created.load().await.unwrap();
    let logged_out_tag = log_out(&sessions).await;
    let elsewhere = sign_in(&sessions, 13).await;
    sessions.find(Account::by_user(13)).end_all().await.unwrap();
    let oldest = sign_in(&sessions, 14).await;
    let login = sessions.create::<Account>().await.unwrap();
    let mut batch = login.write();
    batch = batch.set(login.user(), 14);
    batch.at_most(1, Surplus::EndOldest).commit().await.unwrap();
    let rotated = sign_in(&sessions, 15).await;
    rotated.rotate().await.unwrap();
    rotated.rotate().await.unwrap();
    let renewed = sign_in(&sessions, 16).await;
    renewed.renew(Lifetime::normal()).await.unwrap();
    let expired = sign_in(&sessions, 17).await;
    rotated_before.rotate().await.unwrap();
    let ended_tag = tag(&ended_before);
    ended_before.destroy().await.unwrap();
    let key = key_of(&expired);
    let _: i64 = server.cli(&["PEXPIRE", &key, "1"]);
    until("the expiry", async || server.cli::<i64>(&["EXISTS", &key]) == 0).await;
    // A tombstone from before is touched, and then expires.
    let _: i64 = server.cli(&["PEXPIRE", &gone_key, "100000"]);
    let _: i64 = server.cli(&["PEXPIRE", &gone_key, "1"]);
    until("the expiry", async || server.cli::<i64>(&["EXISTS", &gone_key]) == 0).await;

    let events = watching.events(&sessions).await;
    let keys = events.0.iter().flat_map(|event| event.as_object().unwrap().keys().cloned());
    let mut documented = documented("watch");
    assert!(documented.remove("new_tag"));
    assert_eq!(keys.collect::<BTreeSet<_>>(), documented);
    for (tag, expected) in [
        (tag(&busy), &[][..]),
        (tag(&idle), &[]),
        (gone_tag, &[]),
        (tag(&created), &["created"]),
        (logged_out_tag, &["created", "ended logged_out"]),
        (tag(&elsewhere), &["created", "ended ended_elsewhere"]),
        (tag(&oldest), &["created", "ended too_many"]),
        (tag(&login), &["created"]),
        (tag(&rotated), &["created", "rotated", "rotated"]),
        (tag(&renewed), &["created", "renewed"]),
        (tag(&expired), &["created", "expired"]),
        (tag(&rotated_before), &["rotated"]),
        (ended_tag, &["ended ended_elsewhere"]),
    ] {
        assert_eq!(events.of(&tag), expected, "{tag}: {:?}", events.0);
    }
}

pub(crate) async fn a_lost_connection_is_told(world: World) {
    let (sessions, server) = (sessions_on(&url(&world)).await, world.server().unwrap());
    let watching = Watching::start(&url(&world), &[]);
    let before = sign_in(&sessions, 1).await;
    assert_eq!(watching.events(&sessions).await.of(&tag(&before)), ["created"]);
    for master in server.masters() {
        kill_broadcasts(master);
    }
    watching.recovers(&sessions).await;
    before.rotate().await.unwrap();
    assert_eq!(watching.events(&sessions).await.of(&tag(&before)), ["rotated"]);
}

/// Ends the connections to which a server tells all changes.
fn kill_broadcasts(server: &RedisServer) {
    let broadcasts = broadcasts(server);
    assert_eq!(broadcasts.len(), 1, "{broadcasts:?}");
    assert_eq!(server.cli::<i64>(&["CLIENT", "KILL", "ID", &broadcasts[0]]), 1);
}

/// Returns the ids of the connections to which a server tells all changes.
fn broadcasts(server: &RedisServer) -> Vec<String> {
    let clients: String = server.cli(&["CLIENT", "LIST"]);
    let id = |line: &str| line.split(' ').find_map(|word| word.strip_prefix("id=")).unwrap().into();
    clients.lines().filter(|client| has_flag(client, 'B')).map(id).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_watch_follows_the_sentinels_to_the_new_master() {
    let sentinel = Sentinel::start();
    let sessions = sessions_on(&sentinel.url()).await;
    let watching = Watching::start(&sentinel.url(), &[]);
    let before = sign_in(&sessions, 1).await;
    assert_eq!(watching.events(&sessions).await.of(&tag(&before)), ["created"]);
    sentinel.wait_for_copies();
    sentinel.failover();
    until("the new master", async || sessions.ping().await.is_ok()).await;
    watching.recovers(&sessions).await;
    before.rotate().await.unwrap();
    assert_eq!(watching.events(&sessions).await.of(&tag(&before)), ["rotated"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_watch_follows_a_cluster_to_the_new_master() {
    let cluster = Cluster::start();
    let sessions = sessions_on(&cluster.url()).await;
    let watching = Watching::start(&cluster.url(), &[]);
    let first = sign_in(&sessions, 1).await;
    let master = cluster.owner_of(&key_of(&first));
    cluster.failover(master);
    until("the new master", async || first.exists().await.is_ok()).await;
    watching.recovers(&sessions).await;
    // The session is on the node that failed over.
    first.rotate().await.unwrap();
    assert_eq!(watching.events(&sessions).await.of(&tag(&first)), ["rotated"]);
}

/// A session that goes on elsewhere, unseen, neither expires nor is created.
#[tokio::test]
async fn a_loss_causes_no_false_events() {
    let world = World::redis().await;
    let (sessions, server) = (sessions_on(&url(&world)).await, world.server().unwrap());
    let mut watching = Watching::start(&url(&world), &[]);
    let [rotated, renewed] = [sign_in(&sessions, 1).await, sign_in(&sessions, 2).await];
    let tags = [tag(&rotated), tag(&renewed)];
    let events = watching.events(&sessions).await;
    tags.iter().for_each(|tag| assert_eq!(events.of(tag), ["created"]));
    let old_keys = [key_of(&rotated), key_of(&renewed)];
    // While the watch has no connection, it sees no change.
    watching.signal("STOP");
    kill_broadcasts(server.masters()[0]);
    rotated.rotate().await.unwrap();
    renewed.renew(Lifetime::normal()).await.unwrap();
    watching.signal("CONT");
    watching.says("events may be missing from 20");
    rotated.set_name("again".to_owned()).await.unwrap();
    for key in old_keys {
        let _: i64 = server.cli(&["PEXPIRE", &key, "1"]);
        until("the expiry", async || server.cli::<i64>(&["EXISTS", &key]) == 0).await;
    }
    let events = watching.events(&sessions).await;
    tags.iter().for_each(|tag| assert!(events.of(tag).is_empty(), "{:?}", events.0));
    rotated.destroy().await.unwrap();
    let events = watching.events(&sessions).await;
    assert_eq!(events.of(&tags[0]), ["ended ended_elsewhere"]);
}

/// The server must not keep the news for a reader that does not read.
#[tokio::test]
async fn a_watch_without_a_reader_ends() {
    let world = World::redis().await;
    let (sessions, master) =
        (sessions_on(&url(&world)).await, world.server().unwrap().masters()[0]);
    let (mut watching, _unread) = Watching::start_unread(&url(&world), &[]);
    let limit = Instant::now() + 5 * PATIENCE;
    let status = loop {
        assert!(Instant::now() < limit, "the watch goes on");
        sign_in_all(&sessions, 500, 1).await;
        if let Some(status) = watching.running.child().try_wait().unwrap() {
            break status;
        }
    };
    assert_eq!(status.code(), Some(1));
    watching.says("the reader of the events is too slow");
    until("the end of the connections", async || broadcasts(master).is_empty()).await;
}

#[tokio::test]
async fn a_watch_ends_when_its_reader_leaves() {
    let world = World::redis().await;
    let (mut watching, unread) = Watching::start_unread(&url(&world), &[]);
    drop(unread);
    assert_eq!(ended(&mut watching.running).code(), Some(141));
}

/// Waits until a program ends by itself.
fn ended(running: &mut Running) -> ExitStatus {
    wait_for("the end of the program", || running.child().try_wait().unwrap())
}

#[tokio::test]
async fn a_watch_stops_after_a_number_of_events() {
    let world = World::redis().await;
    let sessions = sessions_on(&url(&world)).await;
    let mut watching = Watching::start(&url(&world), &["--limit", "2"]);
    for user in 0..3 {
        sign_in(&sessions, user).await;
    }
    for _ in 0..2 {
        watching.events.recv_timeout(PATIENCE).unwrap();
    }
    assert_eq!(watching.events.recv_timeout(PATIENCE), Err(RecvTimeoutError::Disconnected));
    assert!(ended(&mut watching.running).success());
}

/// The server forgets a watch together with the connection.
#[tokio::test]
async fn an_interrupted_watch_leaves_nothing() {
    let world = World::redis().await;
    let server = world.server().unwrap();
    let sessions = sessions_on(&url(&world)).await;
    sign_in(&sessions, 1).await;
    // Not `INT`: a program ignores it if the shell of the tests does, such as in the background.
    for signal in ["TERM", "KILL"] {
        let (keys, master) = (sorted(server.keys()), server.masters()[0]);
        let (clients, tracking) = (master.clients(), tracking(master));
        let mut watching = Watching::start(&url(&world), &[]);
        watching.signal(signal);
        assert_eq!(ended(&mut watching.running).code(), None);
        until("the end of the connections", async || master.clients() == clients).await;
        assert_eq!(sorted(server.keys()), keys);
        assert_eq!(self::tracking(master), tracking);
    }
}

/// Returns the number of clients that the server tells of changes.
fn tracking(server: &RedisServer) -> String {
    let info: String = server.cli(&["INFO", "clients"]);
    info.lines().find(|line| line.starts_with("tracking_clients:")).unwrap().to_owned()
}

fn sorted(mut keys: Vec<String>) -> Vec<String> {
    keys.sort();
    keys
}

#[tokio::test]
async fn the_permissions_in_the_guide_are_enough() {
    let world = World::redis().await;
    let server = world.server().unwrap();
    let sessions = sessions_on(&url(&world)).await;
    let user = ["ACL", "SETUSER", "watcher", "on", ">password", "~app:sessions:*", "-@all"];
    let _: String = server.cli(&user);
    for (command, end) in [("stats", ", and"), ("watch", ".")] {
        let begin = format!("- `{command}` needs ");
        let line = GUIDE.lines().find_map(|line| line.strip_prefix(&begin)).unwrap();
        for permission in line.split(end).next().unwrap().trim_matches('`').split(' ') {
            let _: String = server.cli(&["ACL", "SETUSER", "watcher", permission]);
        }
    }
    let url = url(&world).replace("://", "://watcher:password@");
    let watching = Watching::start(&url, &[]);
    let session = sign_in(&sessions, 1).await;
    assert_eq!(watching.events(&sessions).await.of(&tag(&session)), ["created"]);
    let stats = run_with(&["stats"], &[("SESSION_REDIS", &url)]);
    assert_eq!(stats.code, Some(0), "{stats:?}");
}

#[tokio::test]
async fn a_missing_permission_is_named() {
    let world = World::redis().await;
    let server = world.server().unwrap();
    for permission in ["client|tracking", "getrange", "time"] {
        let _: String = server.cli(&["ACL", "SETUSER", "default", &format!("-{permission}")]);
        let mut program = command(&["watch"]);
        program.env("SESSION_REDIS", url(&world));
        let mut running = start(program);
        ended(&mut running);
        let refused = running.end();
        assert!(refused.code == Some(1) && refused.stdout.is_empty(), "{refused:?}");
        assert!(refused.stderr.contains(&format!("+{permission}")), "{refused:?}");
        let _: String = server.cli(&["ACL", "SETUSER", "default", &format!("+{permission}")]);
    }
}

#[tokio::test]
async fn a_permission_that_is_taken_away_ends_the_watch() {
    let world = World::redis().await;
    let master = world.server().unwrap().masters()[0];
    let mut watching = Watching::start(&url(&world), &[]);
    let _: String = master.cli(&["ACL", "SETUSER", "default", "-client|tracking"]);
    kill_broadcasts(master);
    watching.says("grant +client|tracking");
    assert_eq!(ended(&mut watching.running).code(), Some(1));
}

#[tokio::test]
async fn an_emptied_store_is_told() {
    let world = World::redis().await;
    let sessions = sessions_on(&url(&world)).await;
    let Some(Deployment::One(server)) = world.server() else { panic!("one server") };
    let watching = Watching::start(&url(&world), &[]);
    sign_in(&sessions, 1).await;
    watching.events(&sessions).await;
    let _: String = server.cli(&["FLUSHALL"]);
    watching.says("all keys of a server were deleted");
    watching.says("events may be missing from 20");
    let after = sign_in(&sessions, 2).await;
    assert_eq!(watching.events(&sessions).await.of(&tag(&after)), ["created"]);
}
