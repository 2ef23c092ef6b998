//! A session, and the clients between which a schedule takes place.

use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use session_runtime::{Error, Session, SessionId, Sessions};
use session_tests::cookies;
use session_tests::near_history::{History, Recorder, Store, Version};
use session_tests::random::Random;
use session_tests::resp_proxy::{Hold, Message, RespProxy};
use session_tests::server::RedisServer;
use session_tests::until;
use tokio::runtime::Builder;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::{MAX_STALENESS, Visitor, begin, connect_another, connect_with, key_of};

/// Longer than a schedule, so that pushes alone end a value.
const LONG: Duration = Duration::from_secs(60);
/// The time in which an answer that is not held arrives.
const SOON: Duration = Duration::from_millis(60);

/// A store with a near cache behind a network, which has the session in the cache and a clone with
/// connections of its own. Another store is beside.
pub(super) struct Stage {
    pub(super) server: Arc<RedisServer>,
    pub(super) network: RespProxy,
    /// The store with the near cache.
    pub(super) near: Client,
    /// Its clone on another runtime.
    pub(super) twin: Client,
    /// Another store without a near cache.
    pub(super) other: Client,
    /// The connection of the store for the session, and of the clone.
    pub(super) own: usize,
    pub(super) of_twin: usize,
    /// Dropping this ends the runtime of the clone.
    _stops_twin: oneshot::Sender<()>,
}

/// A client of the session. Records what it reads and writes.
#[derive(Clone)]
pub(super) struct Client {
    pub(super) sessions: Sessions,
    pub(super) id: SessionId,
    recorder: Arc<Mutex<Recorder>>,
}

impl Stage {
    pub(super) async fn start() -> Self {
        Self::start_on(RedisServer::start()).await
    }

    /// Starts with a session of which the cache has no value, but would keep the next.
    pub(super) async fn start_on(server: RedisServer) -> Self {
        let network = RespProxy::start(server.port(), Random::new(0));
        let sessions = connect_with(&network.url(), LONG).await;
        let another = connect_another(&server.url()).await;
        let id = begin(&another).await.unwrap();
        let near = Client::new(&sessions, id, 0, MAX_STALENESS);
        let (twin, stops_twin) = on_another_runtime(sessions).await;
        let twin = Client { sessions: twin, ..near.clone() };
        let other = Client::new(&another, id, 1, Duration::ZERO);
        other.wrote_count(Instant::now(), 1);
        let mut stage = Self {
            server: Arc::new(server),
            network,
            near,
            twin,
            other,
            own: 0,
            of_twin: 0,
            _stops_twin: stops_twin,
        };
        stage.own = stage.connection_of(&stage.near).await;
        stage.of_twin = stage.connection_of(&stage.twin).await;
        assert_ne!(stage.own, stage.of_twin);
        stage.near.count().await;
        stage
    }

    /// Reads while this push is still held. A read that asks the server waits for the push.
    pub(super) async fn count_before(&self, push: Hold) -> u64 {
        let reading = self.near.begin_count().await;
        push.release();
        reading.await.unwrap()
    }

    /// Has the cache of the store keep the count, until a read is a hit.
    pub(super) async fn warm(&self) {
        self.until_hit(async || {
            let _ = self.near.count().await;
        })
        .await;
    }

    /// Repeats a read until the server is not asked.
    pub(super) async fn until_hit(&self, read: impl AsyncFn()) {
        until("a read from the cache", async || {
            let asked = self.asked();
            read().await;
            self.asked() == asked
        })
        .await;
    }

    /// Returns the number of reads that the server has answered.
    pub(super) fn asked(&self) -> u64 {
        let counts = self.server.counts();
        counts.calls("hget") + counts.calls("hmget")
    }

    /// Has the next read of the store fill the cache.
    pub(super) async fn drop_from_cache(&self) {
        self.warm().await;
        self.other.incr().await;
        // The push comes before the reply.
        self.near.fresh().await;
    }

    /// Holds the next push to the store.
    pub(super) fn hold_push(&self) -> Hold {
        let own = self.own;
        self.network.hold(move |message| message.is_push() && message.connection == own)
    }

    /// Holds the next reply to a read of the store.
    pub(super) fn hold_reply(&self) -> Hold {
        let own = self.own;
        self.network.hold(move |message| message.connection == own && answers_read(message))
    }

    /// Holds the next reply to a sign of life of the store.
    pub(super) fn hold_life(&self) -> Hold {
        let own = self.own;
        self.network.hold(move |message| message.connection == own && message.answers("HEXISTS"))
    }

    /// Holds the next write of the clone before the server.
    pub(super) fn hold_write_of_twin(&self) -> Hold {
        let (twin, key) = (self.of_twin, key_of(&self.twin.id));
        self.network.hold(move |message| {
            message.connection == twin && is_write(message) && message.mentions(&key)
        })
    }

    /// Has the store read for a while, often enough to keep its connection known to be alive.
    pub(super) async fn read_for(&self, time: Duration) {
        let begun = Instant::now();
        while begun.elapsed() < time {
            let _ = self.near.try_count().await;
            sleep(Duration::from_millis(3)).await;
        }
    }

    /// Reads while all older values are too old. Fails if any read was not allowed.
    pub(super) async fn assert_legal_from_here(self) {
        self.read_for(MAX_STALENESS + Duration::from_millis(50)).await;
        self.assert_legal();
    }

    /// Fails if any read was not allowed.
    pub(super) fn assert_legal(self) {
        let mut history = History::default();
        for client in [&self.near, &self.other] {
            history.append(client.recorder.lock().unwrap().clone().finish());
        }
        history.assert_legal("the schedule");
    }

    async fn connection_of(&self, client: &Client) -> usize {
        let noted = self.network.note(answers_read);
        client.fresh().await;
        noted.reached().await
    }
}

impl Client {
    pub(super) fn new(
        sessions: &Sessions,
        id: SessionId,
        store: usize,
        staleness: Duration,
    ) -> Self {
        let recorder = Recorder::new(Store::new(store, staleness));
        Self { sessions: sessions.clone(), id, recorder: Arc::new(Mutex::new(recorder)) }
    }

    pub(super) fn session(&self) -> Session<Visitor> {
        self.sessions.open_id(&self.id)
    }

    pub(super) async fn count(&self) -> u64 {
        self.try_count().await.unwrap()
    }

    pub(super) async fn try_count(&self) -> Result<u64, Error> {
        let begun = Instant::now();
        let count = self.session().count().await?;
        self.saw("count", begun, count);
        Ok(count)
    }

    /// Begins to read, and waits for an answer that is not held.
    pub(super) async fn begin_count(&self) -> JoinHandle<u64> {
        let client = self.clone();
        let reading = tokio::spawn(async move { client.count().await });
        sleep(SOON).await;
        reading
    }

    pub(super) async fn fresh(&self) -> u64 {
        let begun = Instant::now();
        let count = self.session().count().fresh().await.unwrap();
        self.saw_fresh(begun, count);
        count
    }

    pub(super) async fn fleeting(&self) -> u64 {
        let begun = Instant::now();
        let fleeting = self.session().fleeting().await.unwrap();
        self.saw("fleeting", begun, fleeting);
        fleeting
    }

    pub(super) async fn pair(&self) -> [u64; 2] {
        let session = self.session();
        let (left, right) = session.read((session.left(), session.right())).await.unwrap();
        self.recorder.lock().unwrap().pair(0, [left, right]);
        [left, right]
    }

    pub(super) async fn set_pair(&self, value: u64) {
        let session = self.session();
        let batch = session.write().set(session.left(), value).set(session.right(), value);
        batch.commit().await.unwrap();
    }

    pub(super) async fn incr(&self) {
        let begun = Instant::now();
        let count = self.session().count().incr(1).await.unwrap();
        self.wrote_count(begun, count);
    }

    pub(super) async fn destroy(&self) {
        let begun = Instant::now();
        self.session().destroy().await.unwrap();
        self.ended(begun);
    }

    /// Gives the session another id, and returns it.
    pub(super) async fn rotate(&self) -> SessionId {
        let cookie = cookies::cookie(self.id.expose_secret());
        let session = self.sessions.open([cookie.as_bytes()]).session::<Visitor>();
        let begun = Instant::now();
        session.rotate().await.unwrap();
        self.ended(begun);
        session.session_id().unwrap()
    }

    pub(super) fn saw(&self, field: &'static str, begun: Instant, value: u64) {
        self.recorder.lock().unwrap().read(begun, 0, field, Version::of_counter(value));
    }

    pub(super) fn saw_fresh(&self, begun: Instant, count: u64) {
        self.recorder.lock().unwrap().fresh(begun, 0, "count", Version::of_counter(count));
    }

    pub(super) fn wrote_count(&self, begun: Instant, count: u64) {
        self.recorder.lock().unwrap().wrote(begun, 0, "count", Version(count));
    }

    pub(super) fn ended(&self, begun: Instant) {
        self.recorder.lock().unwrap().wrote(begun, 0, "count", Version::GONE);
    }

    pub(super) fn expires(&self, field: &'static str, begun: Instant, gone: Instant) {
        self.recorder.lock().unwrap().expires(begun, 0, field, gone);
    }
}

/// Returns a clone whose connections are driven by another runtime, until the other value is
/// dropped.
async fn on_another_runtime(sessions: Sessions) -> (Sessions, oneshot::Sender<()>) {
    let (sends, receives) = oneshot::channel();
    let (stops, stopped) = oneshot::channel();
    thread::spawn(move || {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            sends.send(sessions.for_current_runtime()).unwrap();
            let _ = stopped.await;
        });
    });
    (receives.await.unwrap(), stops)
}

fn answers_read(message: &Message<'_>) -> bool {
    message.answers("HGET") || message.answers("HMGET")
}

fn is_write(message: &Message<'_>) -> bool {
    ["EVALSHA", "HSETEX", "MULTI", "HSET"].into_iter().any(|command| message.requests(command))
}
