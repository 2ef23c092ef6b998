//! A load on several stores, whose history is checked.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use session_runtime::{Error, Session, SessionId, Sessions};
use session_tests::cookies;
use session_tests::near_history::{History, Recorder, Store, Version};
use session_tests::random::Random;
use session_tests::server::RedisServer;
use session_tests::until;
use tokio::runtime::Builder;
use tokio::task::yield_now;
use tokio::time::sleep;

use super::{MAX_AGE, MAX_STALENESS, Visitor, begin, connect, connect_another};

/// Few sessions, so that most reads find their values in the cache.
const SESSIONS: usize = 16;
/// The stores with a near cache.
const NEAR: usize = 3;
const FIELDS: [&str; 3] = ["count", "left", "right"];

/// Tasks on three stores with a near cache and on a store without.
pub(crate) struct Load {
    shared: Arc<Shared>,
    workers: Vec<Worker>,
    seed: u64,
}

struct Shared {
    slots: Mutex<Vec<Slot>>,
    next: AtomicUsize,
    stops: AtomicBool,
    /// Writers wait, so that a failover loses nothing.
    rests: AtomicBool,
    writing: AtomicUsize,
    cached_reads: AtomicU64,
    served: AtomicU64,
    failed: AtomicU64,
}

/// A live session, and the one before.
#[derive(Debug, Clone, Copy)]
struct Slot {
    live: Known,
    ended: Option<Known>,
}

/// A session with its number in the history.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Known {
    number: usize,
    id: SessionId,
}

enum Worker {
    Task(tokio::task::JoinHandle<History>),
    Thread(thread::JoinHandle<History>),
}

#[derive(Debug, Clone, Copy)]
enum Role {
    Reads,
    Writes,
}

struct Client {
    shared: Arc<Shared>,
    sessions: Sessions,
    recorder: Recorder,
    random: Random,
}

impl Load {
    /// Starts the load. Each store with a near cache has its own URL.
    pub(crate) async fn start(near: [&str; NEAR], direct: &str, seed: u64) -> Self {
        let store = |number| Store::new(number, MAX_STALENESS);
        Self::start_as(near, direct, seed, store).await
    }

    /// Starts the load for a network that swallows the server's news.
    pub(crate) async fn start_without_news(near: [&str; NEAR], direct: &str, seed: u64) -> Self {
        let store = |number| Store { number, staleness: MAX_AGE, has_news: false };
        Self::start_as(near, direct, seed, store).await
    }

    async fn start_as(
        near: [&str; NEAR],
        direct: &str,
        seed: u64,
        store: impl Fn(usize) -> Store,
    ) -> Self {
        let another = connect_another(direct).await;
        let mut random = Random::new(seed);
        let shared = Arc::new(Shared::new());
        let mut load = Self { shared, workers: Vec::new(), seed };
        let mut first = load.client(&another, Store::new(NEAR, Duration::ZERO), &mut random);
        for _ in 0..SESSIONS {
            let known = first.create().await.unwrap();
            load.shared.slots.lock().unwrap().push(Slot { live: known, ended: None });
        }
        load.workers.push(Worker::Task(tokio::spawn(first.run(Role::Writes))));
        for (number, url) in near.into_iter().enumerate() {
            let sessions = connect(url).await;
            for role in [Role::Reads, Role::Reads, Role::Writes] {
                let client = load.client(&sessions, store(number), &mut random);
                load.workers.push(Worker::Task(tokio::spawn(client.run(role))));
            }
            let client = load.client(&sessions, store(number), &mut random);
            load.workers.push(Worker::Thread(thread::spawn(|| client.run_on_own_runtime())));
        }
        load
    }

    /// Waits until this many reads found their values in the cache, by the commands of the servers.
    pub(crate) async fn hits(&self, servers: &[RedisServer], number: u64) {
        let reads = || self.shared.cached_reads.load(Ordering::Relaxed);
        let (reads_before, asked_before) = (reads(), asked(servers));
        until("reads from the cache", async || {
            let asked = asked(servers).saturating_sub(asked_before);
            reads() - reads_before >= asked + number
        })
        .await;
    }

    /// Waits until this many operations were served.
    pub(crate) async fn served(&self, number: u64) {
        let enough = self.shared.served.load(Ordering::Relaxed) + number;
        until("operations", async || self.shared.served.load(Ordering::Relaxed) >= enough).await;
    }

    /// Keeps writers from writing, and waits for the writes under way.
    pub(crate) async fn rest(&self) {
        self.shared.rests.store(true, Ordering::SeqCst);
        until("the last write", async || self.shared.writing.load(Ordering::SeqCst) == 0).await;
    }

    /// Ends a [`rest`](Self::rest).
    pub(crate) fn go_on(&self) {
        self.shared.rests.store(false, Ordering::SeqCst);
    }

    /// Ends all sessions by another means, such as a `FLUSHALL`.
    pub(crate) fn lose_all(&self, lose: impl FnOnce()) -> History {
        let slots: Vec<_> = self.shared.slots.lock().unwrap().clone();
        let mut recorder = Recorder::new(Store::new(NEAR, Duration::ZERO));
        let begun = Instant::now();
        lose();
        for slot in slots {
            for field in FIELDS {
                recorder.wrote(begun, slot.live.number, field, Version::GONE);
            }
        }
        recorder.finish()
    }

    /// Returns the number of operations that failed.
    pub(crate) fn failed(&self) -> u64 {
        self.shared.failed.load(Ordering::Relaxed)
    }

    /// Stops the load, and checks its history together with these operations.
    pub(crate) async fn assert_legal(self, more: History) {
        self.shared.stops.store(true, Ordering::Relaxed);
        let (served, failed) = (self.shared.served.load(Ordering::Relaxed), self.failed());
        let mut history = more;
        for worker in self.workers {
            history.append(match worker {
                Worker::Task(task) => task.await.unwrap(),
                Worker::Thread(thread) => thread.join().unwrap(),
            });
        }
        println!("{served} operations were served, and {failed} failed");
        assert!(history.len() > 1_000);
        history.assert_legal(&format!("SESSION_TEST_SEED={}", self.seed));
    }

    fn client(&self, sessions: &Sessions, store: Store, random: &mut Random) -> Client {
        Client {
            shared: Arc::clone(&self.shared),
            sessions: sessions.clone(),
            recorder: Recorder::new(store),
            random: random.fork(),
        }
    }
}

/// Returns the number of reads that the servers answered.
fn asked(servers: &[RedisServer]) -> u64 {
    let calls = |server: &RedisServer| {
        let counts = server.counts();
        counts.calls("hget") + counts.calls("hmget")
    };
    servers.iter().filter(|server| server.is_up()).map(calls).sum()
}

impl Shared {
    fn new() -> Self {
        Self {
            slots: Mutex::default(),
            next: AtomicUsize::new(0),
            stops: AtomicBool::new(false),
            rests: AtomicBool::new(false),
            writing: AtomicUsize::new(0),
            cached_reads: AtomicU64::new(0),
            served: AtomicU64::new(0),
            failed: AtomicU64::new(0),
        }
    }

    /// Replaces a session by its successor, unless another client was faster.
    fn replace(&self, at: usize, old: Known, new: Known) {
        let mut slots = self.slots.lock().unwrap();
        if slots[at].live == old {
            slots[at] = Slot { live: new, ended: Some(old) };
        }
    }
}

impl Client {
    fn run_on_own_runtime(mut self) -> History {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            self.sessions = self.sessions.for_current_runtime();
            self.run(Role::Reads).await
        })
    }

    async fn run(mut self, role: Role) -> History {
        let shared = Arc::clone(&self.shared);
        for turn in 0_u64.. {
            if shared.stops.load(Ordering::Relaxed) {
                break;
            }
            let at = self.random.within(0..SESSIONS as u64) as usize;
            let slot = shared.slots.lock().unwrap()[at];
            let done = match role {
                Role::Reads => self.read(slot).await,
                Role::Writes if turn % 2 == 0 => self.read(slot).await,
                Role::Writes => self.write_unless_resting(at, slot.live).await,
            };
            match done {
                Ok(()) => shared.served.fetch_add(1, Ordering::Relaxed),
                Err(_) => shared.failed.fetch_add(1, Ordering::Relaxed),
            };
            // A hit never waits, and other tasks and servers need the processors too.
            match role {
                Role::Reads if done.is_ok() && turn % 16 != 0 => yield_now().await,
                Role::Reads => sleep(Duration::from_millis(1)).await,
                Role::Writes => sleep(self.random.up_to(Duration::from_millis(80))).await,
            }
        }
        self.recorder.finish()
    }

    async fn read(&mut self, slot: Slot) -> Result<(), Error> {
        let known = match slot.ended {
            Some(ended) if self.random.within(0..8) == 0 => ended,
            _ => slot.live,
        };
        let session = self.sessions.open_id::<Visitor>(&known.id);
        let begun = Instant::now();
        let kind = self.random.within(0..16);
        match kind {
            0..8 => {
                let count = session.count().await?;
                self.saw(begun, known, [("count", count)]);
            }
            8..10 => {
                let left = session.left().await?;
                self.saw(begun, known, [("left", left)]);
            }
            10..13 => {
                let (left, right) = session.read((session.left(), session.right())).await?;
                self.saw(begun, known, [("left", left), ("right", right)]);
                self.recorder.pair(known.number, [left, right]);
            }
            13 => {
                let fields = (session.right(), session.count(), session.left());
                let (right, count, left) = session.read(fields).await?;
                self.saw(begun, known, [("left", left), ("right", right), ("count", count)]);
                self.recorder.pair(known.number, [left, right]);
            }
            14 => {
                let fields = (session.left(), session.right().fresh());
                let (left, right) = session.read(fields).await?;
                self.recorder.fresh(begun, known.number, "left", alive(left));
                self.recorder.fresh(begun, known.number, "right", alive(right));
                self.recorder.pair(known.number, [left, right]);
            }
            _ => {
                let count = session.count().fresh().await?;
                self.recorder.fresh(begun, known.number, "count", Version::of_counter(count));
            }
        }
        if kind < 14 {
            self.shared.cached_reads.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }

    async fn write_unless_resting(&mut self, at: usize, known: Known) -> Result<(), Error> {
        let shared = Arc::clone(&self.shared);
        shared.writing.fetch_add(1, Ordering::SeqCst);
        let done = match shared.rests.load(Ordering::SeqCst) {
            true => Ok(()),
            false => self.write(at, known).await,
        };
        shared.writing.fetch_sub(1, Ordering::SeqCst);
        done
    }

    async fn write(&mut self, at: usize, known: Known) -> Result<(), Error> {
        let done = match self.random.within(0..20) {
            0..9 => self.counts(known).await,
            9..12 => self.updates(known).await,
            12..18 => self.writes_pair(known).await,
            18 => self.rotates(at, known).await,
            _ => self.ends(at, known).await,
        };
        let is_over = match done {
            Ok(is_live) => !is_live,
            Err(error) if error.is_gone() => true,
            Err(error) => return Err(error),
        };
        if is_over {
            // The store knows the end from here on.
            self.ended(Instant::now(), known);
            self.renew(at, known).await?;
        }
        Ok(())
    }

    async fn counts(&mut self, known: Known) -> Result<bool, Error> {
        let session = self.sessions.open_id::<Visitor>(&known.id);
        let begun = Instant::now();
        let count = session.count().incr(1).await?;
        self.counted(begun, &session, known, count).await
    }

    async fn updates(&mut self, known: Known) -> Result<bool, Error> {
        let session = self.sessions.open_id::<Visitor>(&known.id);
        let begun = Instant::now();
        let count = session.count().update(|count| count + 1).await?;
        self.counted(begun, &session, known, count).await
    }

    async fn counted(
        &mut self,
        begun: Instant,
        session: &Session<Visitor>,
        known: Known,
        count: u64,
    ) -> Result<bool, Error> {
        let is_live = went_to(session, known).await?;
        if is_live {
            self.recorder.wrote(begun, known.number, "count", Version(count));
        }
        Ok(is_live)
    }

    async fn writes_pair(&mut self, known: Known) -> Result<bool, Error> {
        let session = self.sessions.open_id::<Visitor>(&known.id);
        let value = self.random.within(1..1 << 40);
        session.write().set(session.left(), value).set(session.right(), value).commit().await?;
        went_to(&session, known).await
    }

    async fn rotates(&mut self, at: usize, known: Known) -> Result<bool, Error> {
        let cookie = cookies::cookie(known.id.expose_secret());
        let session = self.sessions.open([cookie.as_bytes()]).session::<Visitor>();
        let begun = Instant::now();
        let count = session.count().fresh().await?;
        self.recorder.fresh(begun, known.number, "count", Version::of_counter(count));
        let begun = Instant::now();
        match session.rotate().await {
            Ok(()) => {}
            // Nobody knows the new id.
            Err(error) if error.is_outcome_unknown() => {
                self.renew(at, known).await?;
                return Ok(true);
            }
            Err(error) => return Err(error),
        }
        let Some(id) = session.session_id().filter(|id| *id != known.id && count > 0) else {
            return Ok(false);
        };
        self.ended(begun, known);
        let new = Known { number: self.shared.next.fetch_add(1, Ordering::Relaxed), id };
        self.recorder.wrote(begun, new.number, "count", Version(count));
        self.shared.replace(at, known, new);
        Ok(true)
    }

    async fn ends(&mut self, at: usize, known: Known) -> Result<bool, Error> {
        let begun = Instant::now();
        self.sessions.open_id::<Visitor>(&known.id).destroy().await?;
        self.ended(begun, known);
        self.renew(at, known).await?;
        Ok(true)
    }

    async fn renew(&mut self, at: usize, known: Known) -> Result<(), Error> {
        let new = self.create().await?;
        self.shared.replace(at, known, new);
        Ok(())
    }

    async fn create(&mut self) -> Result<Known, Error> {
        let begun = Instant::now();
        let id = begin(&self.sessions).await?;
        let known = Known { number: self.shared.next.fetch_add(1, Ordering::Relaxed), id };
        self.recorder.wrote(begun, known.number, "count", Version(1));
        Ok(known)
    }

    fn ended(&mut self, begun: Instant, known: Known) {
        for field in FIELDS {
            self.recorder.wrote(begun, known.number, field, Version::GONE);
        }
    }

    fn saw<const N: usize>(
        &mut self,
        begun: Instant,
        known: Known,
        values: [(&'static str, u64); N],
    ) {
        for (field, value) in values {
            let version = match field {
                "count" => Version::of_counter(value),
                _ => alive(value),
            };
            self.recorder.read(begun, known.number, field, version);
        }
    }
}

/// Returns whether a write went to this session. Otherwise the session was over, and the write has
/// created another, which is ended.
async fn went_to(session: &Session<Visitor>, known: Known) -> Result<bool, Error> {
    if session.session_id() == Some(known.id) {
        return Ok(true);
    }
    session.destroy().await?;
    Ok(false)
}

/// Returns the version of a value whose writes have no order.
fn alive(value: u64) -> Version {
    if value == 0 { Version::GONE } else { Version(0) }
}
