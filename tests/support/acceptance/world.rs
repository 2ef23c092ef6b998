//! A program, its store and its clock.

use std::net::{Ipv4Addr, TcpListener};
use std::ops::Deref;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use session_runtime::store::{Lookup, SessionKey, SessionStore};
use session_runtime::testing::ManualClock;
use session_runtime::{MemoryStore, RedisStore, SessionConfig, SessionHandle, Sessions, Transport};

use super::adapter::{Adapter, Layers, Serving};
use super::client::Client;
use super::gates::Gates;
use super::script::Script;
use super::visitor::Visitor;
use crate::cookies::{self, SECRET, id_of};
use crate::deployment::{Deployment, Shared, Tls};
use crate::gated_store::GatedStore;
use crate::server::{Make, Monitor, RedisServer};
use crate::store_suite::create;
use crate::until;

/// A store under test, the clock for its sessions, and the web framework and the transport of the
/// program.
#[derive(Debug)]
pub struct World {
    /// The store under test.
    pub store: Store,
    clock: ManualClock,
    adapter: Adapter,
    transport: Transport,
}

/// A store under test.
#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "each test has only a single value")]
pub enum Store {
    /// In this process.
    Memory(MemoryStore),
    /// On servers.
    Redis(RedisStore, Deployed),
}

/// The servers of a store, for this test alone.
#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "each test has only a single value")]
pub enum Deployed {
    /// Servers that end with the test.
    Own(Deployment),
    /// Servers that later tests use again.
    Shared(Shared),
}

/// The running program of the suite. It ends when this value is dropped.
#[derive(Debug)]
pub struct App {
    /// `http://127.0.0.1:PORT`
    pub base: String,
    /// The program's session manager.
    pub sessions: Sessions,
    /// Points at which the handlers wait.
    pub gates: Gates,
    transport: Transport,
    _serving: Serving,
}

impl World {
    /// Creates a world in memory.
    pub async fn memory() -> Self {
        let clock = ManualClock::default();
        Self {
            store: Store::Memory(MemoryStore::with_clock(&clock)),
            clock,
            adapter: Adapter::default(),
            transport: Transport::default(),
        }
    }

    /// Creates a world on the usual server.
    pub async fn redis() -> Self {
        Self::on_servers(Deployed::Own(Deployment::One(RedisServer::start()))).await
    }

    /// Creates a world on Redis 8. Returns `None` if this server is missing.
    pub async fn redis_8() -> Option<Self> {
        Self::on_make(Make::Redis8).await
    }

    /// Creates a world on Valkey 9. Returns `None` if this server is missing.
    pub async fn valkey_9() -> Option<Self> {
        Self::on_make(Make::Valkey9).await
    }

    /// Creates a world on a server that only speaks TLS and requires a client certificate. Returns
    /// `None` if no server supports this.
    pub async fn tls() -> Option<Self> {
        Some(Self::on_servers(Deployed::Own(Deployment::Tls(Tls::start()?))).await)
    }

    /// Creates a world on the master behind sentinels that this program's tests share.
    pub async fn sentinel() -> Self {
        Self::on_servers(Deployed::Shared(Shared::sentinel().await)).await
    }

    /// Creates a world on the cluster that this program's tests share.
    pub async fn cluster() -> Self {
        Self::on_servers(Deployed::Shared(Shared::cluster().await)).await
    }

    /// Creates a world on a server with another URL, such as the URL of a
    /// [`Proxy`](crate::proxy::Proxy), and with this deadline for an operation.
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
        let world = Self {
            store: Store::Redis(store, servers),
            clock,
            adapter: Adapter::default(),
            transport: Transport::default(),
        };
        world.teach_scripts().await;
        world
    }

    /// Runs the program on this web framework.
    pub fn with_adapter(self, adapter: Adapter) -> Self {
        Self { adapter, ..self }
    }

    /// Lets sessions travel by this transport. With [`Transport::CookieOrBearer`], the session
    /// layers have `bearer`, and the clients keep tokens.
    pub fn with_transport(self, transport: Transport) -> Self {
        Self { transport, ..self }
    }

    /// Starts the suite's program with the usual configuration.
    pub async fn app(&self) -> App {
        self.app_with(|config| config).await
    }

    /// Starts the suite's program with another configuration.
    pub async fn app_with(&self, configure: impl FnOnce(SessionConfig) -> SessionConfig) -> App {
        self.serve(self.sessions(configure), 1).await
    }

    /// Starts the suite's program with a second session layer around the first.
    pub async fn app_applied_twice(&self) -> App {
        self.serve(self.sessions(|config| config), 2).await
    }

    async fn serve(&self, sessions: Sessions, layers: usize) -> App {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let gates = Gates::default();
        let layers = Layers { number: layers, has_bearer: has_bearer(self.transport) };
        let serving = self.adapter.serve(listener, sessions.clone(), gates.clone(), layers);
        let app = App { base, sessions, gates, transport: self.transport, _serving: serving };
        if self.adapter == Adapter::Actix {
            // A worker opens its own connections when it starts. Tests must not count these
            // commands.
            app.client().ignore(Script::new()).await;
            until("the worker's connections", async || {
                self.masters().into_iter().all(has_new_client)
            })
            .await;
        }
        app
    }

    /// Returns a manager on this store.
    pub fn sessions(&self, configure: impl FnOnce(SessionConfig) -> SessionConfig) -> Sessions {
        let config = configure(SessionConfig::new().secret(SECRET).transport(self.transport));
        let sessions = match &self.store {
            Store::Memory(store) => Sessions::with_store(config, store.clone()),
            Store::Redis(store, _) => Sessions::with_store(config, store.clone()),
        };
        sessions.unwrap().with_clock(&self.clock)
    }

    /// Returns a manager whose operations on this store the test can hold.
    pub fn gated_sessions(&self) -> (GatedStore, Sessions) {
        let store = match &self.store {
            Store::Memory(store) => GatedStore::new(store.clone()),
            Store::Redis(store, _) => GatedStore::new(store.clone()),
        };
        let config = SessionConfig::new().secret(SECRET);
        let sessions = Sessions::with_store(config, store.clone()).unwrap();
        (store, sessions.with_clock(&self.clock))
    }

    /// Returns the credential of a session with this id, as a client of the program sends it.
    pub fn signed(&self, id: &str) -> String {
        match self.transport {
            Transport::Cookie => cookies::cookie(id),
            _ => cookies::token(id),
        }
    }

    /// Returns a credential with this value, signed or not.
    pub fn credential(&self, value: &[u8]) -> Vec<u8> {
        match self.transport {
            Transport::Cookie => [cookies::NAME.as_bytes(), b"=", value].concat(),
            _ => value.to_vec(),
        }
    }

    /// Returns the request headers that can have credentials, as `Vary` names them.
    pub fn request_headers(&self) -> &'static str {
        match self.transport {
            Transport::Cookie => "Cookie",
            Transport::Bearer => "Authorization",
            _ => "Cookie, Authorization",
        }
    }

    /// Returns the current time of the program.
    pub fn now(&self) -> SystemTime {
        self.clock.now()
    }

    /// Returns the commands that the program sends to the store during `act`, by lower-case name.
    /// The list is empty in memory.
    pub async fn commands(&self, act: impl AsyncFnOnce()) -> Vec<String> {
        let monitor = self.server().map(Deployment::monitor);
        act().await;
        let sent = monitor.map(Monitor::finish).unwrap_or_default();
        let name =
            |command: &String| Some(command.strip_prefix('"')?.split('"').next()?.to_lowercase());
        sent.iter().filter_map(name).collect()
    }

    /// Compares the commands if the store is on a server. In memory, there are no commands.
    pub fn assert_commands(&self, sent: Vec<String>, expected: &[&str]) {
        if self.server().is_some() {
            assert_eq!(sent, expected);
        }
    }

    /// Returns the commands that overwrite a value after a read in the same request.
    pub fn overwriting(&self) -> &'static [&'static str] {
        let plain = self.masters().iter().all(|master| master.has_hsetex());
        if plain { &["hsetex", "pexpire"] } else { &["evalsha"] }
    }

    /// Returns the test's own single server, so that the test can kill and restart the server.
    pub fn server_mut(&mut self) -> &mut RedisServer {
        match &mut self.store {
            Store::Redis(_, Deployed::Own(Deployment::One(server))) => server,
            _ => panic!("the store is not on one server of its own"),
        }
    }

    /// Returns whether the store is a cluster.
    pub fn is_cluster(&self) -> bool {
        matches!(self.server(), Some(Deployment::Cluster(_)))
    }

    /// Returns the servers, if the store has any.
    pub fn server(&self) -> Option<&Deployment> {
        match &self.store {
            Store::Memory(_) => None,
            Store::Redis(_, servers) => Some(servers),
        }
    }

    /// Returns the time to live of each key in the store, in milliseconds. The list is empty in
    /// memory.
    pub fn times_to_live(&self) -> Vec<i64> {
        let left = |master: &RedisServer| {
            let keys: Vec<String> = master.cli(&["KEYS", "*"]);
            keys.iter().map(|key| master.cli(&["PTTL", key])).collect::<Vec<_>>()
        };
        self.masters().into_iter().flat_map(left).collect()
    }

    /// Loads the scripts into the server, so that tests only count the commands of later calls.
    async fn teach_scripts(&self) {
        let handle = self.sessions(|config| config).open([]);
        handle.session::<Visitor>().set_count(1).await.unwrap();
        self.server().unwrap().on_every_master(&["FLUSHALL"]);
        // Behind this reply, the news of the `FLUSHALL` has arrived too.
        self.any_store().time().await.unwrap();
    }

    /// Advances the time of the program and of the store. On a server, this brings the expiry of
    /// the keys forward, and sets the times in tombstones and lists back.
    pub fn elapse(&self, time: Duration) {
        self.clock.advance(time);
        for master in self.masters() {
            for key in master.cli::<Vec<String>>(&["KEYS", "*"]) {
                match &*master.cli::<String>(&["TYPE", &key]) {
                    "string" => {
                        let older = older(&master.cli::<String>(&["GET", &key]), time);
                        let _: String = master.cli(&["SET", &key, &older, "KEEPTTL"]);
                    }
                    "zset" => age_list(master, &key, time),
                    _ => {}
                }
                let left: i64 = master.cli(&["PTTL", &key]);
                let _: i64 =
                    master.cli(&["PEXPIRE", &key, &(left - time.as_millis() as i64).to_string()]);
            }
        }
    }

    /// Ends the session of a credential outside a request, like a job or an administrator.
    pub async fn end_elsewhere(&self, app: &App, credential: &str) {
        let id = id_of(credential).parse().unwrap();
        app.sessions.open_id::<Visitor>(&id).destroy().await.unwrap();
    }

    /// Creates a session with this id, like another program.
    pub async fn begin_under(&self, id: &str) {
        create(self.any_store(), &SessionKey::new("app", &id.parse().unwrap()), &[]).await;
    }

    /// Returns whether the store has the session of a credential.
    pub async fn is_live(&self, credential: &str) -> bool {
        let key = SessionKey::new("app", &id_of(credential).parse().unwrap());
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

/// Sets the times in the list of an index back: deadlines, and the seconds of additions in the
/// fractions.
fn age_list(master: &RedisServer, list: &str, time: Duration) {
    const CYCLE: f64 = 262_144.0;
    let members: Vec<(String, f64)> = master.cli(&["ZRANGE", list, "0", "-1", "WITHSCORES"]);
    for (member, score) in members {
        let earlier = if member == "ended" {
            score - time.as_secs_f64()
        } else {
            let added = (score.fract() * CYCLE - time.as_secs_f64()).rem_euclid(CYCLE);
            score.trunc() - time.as_secs_f64() + added / CYCLE
        };
        let _: i64 = master.cli(&["ZADD", list, &earlier.to_string(), &member]);
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
    /// Returns a new client.
    pub fn client(&self) -> Client {
        Client::new(&self.base, self.transport)
    }

    /// Opens a request with this credential, without HTTP.
    pub fn open(&self, credential: &[u8]) -> SessionHandle {
        if self.transport == Transport::Cookie {
            return self.sessions.open([credential]);
        }
        let handle = self.sessions.open([]);
        let value = [b"Bearer ", credential].concat();
        handle.note_request("GET", |name| (name == "authorization").then_some(&value[..]));
        if has_bearer(self.transport) {
            handle.bearer();
        }
        handle
    }
}

/// Returns whether the session layers have `bearer`.
fn has_bearer(transport: Transport) -> bool {
    transport == Transport::CookieOrBearer
}

/// Returns whether a client has sent the commands of a new connection and nothing since.
fn has_new_client(master: &RedisServer) -> bool {
    master.cli::<String>(&["CLIENT", "LIST"]).contains(" cmd=client|tracking ")
}

/// Returns a tombstone whose creation and end lie this much earlier.
fn older(tombstone: &str, by: Duration) -> String {
    let [kind, made, until, successor] = tombstone.split(':').collect::<Vec<_>>()[..] else {
        panic!("a tombstone: {tombstone}")
    };
    let earlier = |time: &str| time.parse::<u128>().unwrap() - by.as_millis();
    format!("{kind}:{}:{}:{successor}", earlier(made), earlier(until))
}

/// Returns the current time in whole seconds, like the creation time in an id. Tests can then
/// predict deadlines.
fn this_second() -> SystemTime {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    UNIX_EPOCH + Duration::from_secs(since.as_secs())
}
