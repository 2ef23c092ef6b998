//! A program, its store and its clock.

use std::net::{Ipv4Addr, TcpListener};
use std::ops::Deref;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use session_runtime::store::{Lookup, SessionKey, SessionStore};
use session_runtime::testing::ManualClock;
use session_runtime::{MemoryStore, RedisStore, SessionConfig, Sessions};

use super::adapter::{Adapter, Serving};
use super::client::Client;
use super::gates::Gates;
use super::script::Script;
use super::visitor::Visitor;
use crate::cookies::{SECRET, id_of};
use crate::deployment::{Deployment, Shared, Tls};
use crate::server::{Make, Monitor, RedisServer};
use crate::store_suite::create;
use crate::until;

/// A store under test, the clock by which sessions on it age, and the framework that the program is
/// on.
#[derive(Debug)]
pub struct World {
    /// The store under test.
    pub store: Store,
    clock: ManualClock,
    adapter: Adapter,
}

/// A store under test.
#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "there is one a test")]
pub enum Store {
    /// In this process.
    Memory(MemoryStore),
    /// On servers.
    Redis(RedisStore, Deployed),
}

/// The servers of a store, which the test has to itself.
#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "there is one a test")]
pub enum Deployed {
    /// They end with the test.
    Own(Deployment),
    /// The next test gets them.
    Shared(Shared),
}

/// The suite's program, serving. It ends with this value.
#[derive(Debug)]
pub struct App {
    /// `http://127.0.0.1:PORT`
    pub base: String,
    /// The program's session manager.
    pub sessions: Sessions,
    /// Where its handlers wait.
    pub gates: Gates,
    _serving: Serving,
}

impl World {
    /// On memory.
    pub async fn memory() -> Self {
        let clock = ManualClock::default();
        Self {
            store: Store::Memory(MemoryStore::with_clock(&clock)),
            clock,
            adapter: Adapter::default(),
        }
    }

    /// On the usual server.
    pub async fn redis() -> Self {
        Self::on_servers(Deployed::Own(Deployment::One(RedisServer::start()))).await
    }

    /// On Redis 8; nothing where there is none.
    pub async fn redis_8() -> Option<Self> {
        Self::on_make(Make::Redis8).await
    }

    /// On Valkey 9; nothing where there is none.
    pub async fn valkey_9() -> Option<Self> {
        Self::on_make(Make::Valkey9).await
    }

    /// On a server that speaks TLS alone, and asks for a client's certificate; nothing where there
    /// is none.
    pub async fn tls() -> Option<Self> {
        Some(Self::on_servers(Deployed::Own(Deployment::Tls(Tls::start()?))).await)
    }

    /// On the master behind sentinels that the tests of this program share.
    pub async fn sentinel() -> Self {
        Self::on_servers(Deployed::Shared(Shared::sentinel().await)).await
    }

    /// On the cluster that the tests of this program share.
    pub async fn cluster() -> Self {
        Self::on_servers(Deployed::Shared(Shared::cluster().await)).await
    }

    /// On a server that is reached by another URL, through a [`Proxy`](crate::proxy::Proxy) say,
    /// with this deadline for an operation.
    pub async fn redis_at(server: RedisServer, url: &str, timeout: Duration) -> Self {
        Self::connect(Deployed::Own(Deployment::One(server)), url, timeout).await
    }

    async fn on_make(make: Make) -> Option<Self> {
        Some(Self::on_servers(Deployed::Own(Deployment::One(RedisServer::start_make(make)?))).await)
    }

    async fn on_servers(servers: Deployed) -> Self {
        let url = servers.url();
        Self::connect(servers, &url, Duration::from_secs(1)).await
    }

    async fn connect(servers: Deployed, url: &str, timeout: Duration) -> Self {
        let store = RedisStore::builder(url).timeout(timeout).connect().await.unwrap();
        let clock = ManualClock::new(this_second());
        let world =
            Self { store: Store::Redis(store, servers), clock, adapter: Adapter::default() };
        world.teach_scripts().await;
        world
    }

    /// The same with the program on this framework.
    pub fn with_adapter(self, adapter: Adapter) -> Self {
        Self { adapter, ..self }
    }

    /// The suite's program with its usual configuration.
    pub async fn app(&self) -> App {
        self.app_with(|config| config).await
    }

    /// The suite's program with another configuration.
    pub async fn app_with(&self, configure: impl FnOnce(SessionConfig) -> SessionConfig) -> App {
        self.serve(self.sessions(configure), 1).await
    }

    /// The suite's program with its layer around itself.
    pub async fn app_applied_twice(&self) -> App {
        self.serve(self.sessions(|config| config), 2).await
    }

    async fn serve(&self, sessions: Sessions, layers: usize) -> App {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let gates = Gates::default();
        let serving = self.adapter.serve(listener, sessions.clone(), gates.clone(), layers);
        let app = App { base, sessions, gates, _serving: serving };
        if self.adapter == Adapter::Actix {
            // A worker makes connections of its own when it begins: what it says then is nothing
            // that a test counts.
            app.client().ignore(Script::new()).await;
            until("the worker's connections", async || {
                self.masters().into_iter().all(has_new_client)
            })
            .await;
        }
        app
    }

    /// A manager on this store.
    pub fn sessions(&self, configure: impl FnOnce(SessionConfig) -> SessionConfig) -> Sessions {
        let config = configure(SessionConfig::new().secret(SECRET));
        let sessions = match &self.store {
            Store::Memory(store) => Sessions::with_store(config, store.clone()),
            Store::Redis(store, _) => Sessions::with_store(config, store.clone()),
        };
        sessions.unwrap().with_clock(&self.clock)
    }

    /// What the program takes for now.
    pub fn now(&self) -> SystemTime {
        self.clock.now()
    }

    /// The commands that the program sends to the store meanwhile, by lower-case name; none on
    /// memory.
    pub async fn commands(&self, act: impl AsyncFnOnce()) -> Vec<String> {
        let monitor = self.server().map(Deployment::monitor);
        act().await;
        let sent = monitor.map(Monitor::finish).unwrap_or_default();
        let name =
            |command: &String| Some(command.strip_prefix('"')?.split('"').next()?.to_lowercase());
        sent.iter().filter_map(name).collect()
    }

    /// Holds on a server; on memory there are no commands to compare.
    pub fn assert_commands(&self, sent: Vec<String>, expected: &[&str]) {
        if self.server().is_some() {
            assert_eq!(sent, expected);
        }
    }

    /// The commands by which a request overwrites what it has read.
    pub fn overwriting(&self) -> &'static [&'static str] {
        let plain = self.masters().iter().all(|master| master.has_hsetex());
        if plain { &["hsetex", "pexpire"] } else { &["evalsha"] }
    }

    /// The one server of the test's own, to be killed and started again.
    pub fn server_mut(&mut self) -> &mut RedisServer {
        match &mut self.store {
            Store::Redis(_, Deployed::Own(Deployment::One(server))) => server,
            _ => panic!("the store is not on one server of its own"),
        }
    }

    /// The server or servers, if the store has any.
    pub fn server(&self) -> Option<&Deployment> {
        match &self.store {
            Store::Memory(_) => None,
            Store::Redis(_, servers) => Some(servers),
        }
    }

    /// What every key of the store holds of its time to live, in milliseconds; empty on memory.
    pub fn times_to_live(&self) -> Vec<i64> {
        let left = |master: &RedisServer| {
            let keys: Vec<String> = master.cli(&["KEYS", "*"]);
            keys.iter().map(|key| master.cli(&["PTTL", key])).collect::<Vec<_>>()
        };
        self.masters().into_iter().flat_map(left).collect()
    }

    /// A server learns a script at the first call: so that tests count what every later call costs.
    async fn teach_scripts(&self) {
        let handle = self.sessions(|config| config).open([]);
        handle.session::<Visitor>().set_count(1).await.unwrap();
        self.server().unwrap().on_every_master(&["FLUSHALL"]);
    }

    /// Lets time pass, for the program and for the store. On a server the keys' expiries are
    /// brought forward, and the times that tombstones hold are put back.
    pub fn elapse(&self, time: Duration) {
        self.clock.advance(time);
        for master in self.masters() {
            for key in master.cli::<Vec<String>>(&["KEYS", "*"]) {
                if master.cli::<String>(&["TYPE", &key]) == "string" {
                    let older = older(&master.cli::<String>(&["GET", &key]), time);
                    let _: String = master.cli(&["SET", &key, &older, "KEEPTTL"]);
                }
                let left: i64 = master.cli(&["PTTL", &key]);
                let _: i64 =
                    master.cli(&["PEXPIRE", &key, &(left - time.as_millis() as i64).to_string()]);
            }
        }
    }

    /// Ends the session of a cookie by another part of the application: a job, an administrator.
    pub async fn end_elsewhere(&self, app: &App, cookie: &str) {
        let id = id_of(cookie).parse().unwrap();
        app.sessions.open_id::<Visitor>(&id).destroy().await.unwrap();
    }

    /// Begins a session under this id, as another program does.
    pub async fn begin_under(&self, id: &str) {
        create(self.any_store(), &SessionKey::new("app", &id.parse().unwrap()), &[]).await;
    }

    /// Whether the store has the session of a cookie.
    pub async fn is_live(&self, cookie: &str) -> bool {
        let key = SessionKey::new("app", &id_of(cookie).parse().unwrap());
        matches!(self.any_store().expires_in(&key).await.unwrap(), Lookup::Found(_))
    }

    fn any_store(&self) -> &dyn SessionStore {
        match &self.store {
            Store::Memory(store) => store,
            Store::Redis(store, _) => store,
        }
    }

    fn masters(&self) -> Vec<&RedisServer> {
        self.server().map(Deployment::masters).unwrap_or_default()
    }
}

impl Deref for Deployed {
    type Target = Deployment;

    fn deref(&self) -> &Deployment {
        match self {
            Self::Own(servers) => servers,
            Self::Shared(servers) => servers,
        }
    }
}

impl App {
    /// A new visitor.
    pub fn client(&self) -> Client {
        Client::new(&self.base)
    }
}

/// One that has said all that a connection begins with, and nothing since.
fn has_new_client(master: &RedisServer) -> bool {
    master.cli::<String>(&["CLIENT", "LIST"]).contains(" cmd=script|load ")
}

/// A tombstone that was made and ends so much earlier.
fn older(tombstone: &str, by: Duration) -> String {
    let [kind, made, until, successor] = tombstone.split(':').collect::<Vec<_>>()[..] else {
        panic!("a tombstone: {tombstone}")
    };
    let earlier = |time: &str| time.parse::<u128>().unwrap() - by.as_millis();
    format!("{kind}:{}:{}:{successor}", earlier(made), earlier(until))
}

/// The creation time of an id has whole seconds. Tests can foretell deadlines from it.
fn this_second() -> SystemTime {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    UNIX_EPOCH + Duration::from_secs(since.as_secs())
}
