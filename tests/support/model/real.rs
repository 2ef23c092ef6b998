//! Sequences on a server. Requests really run concurrently, and connections are really cut. The
//! history is checked afterwards.
//!
//! The order of events on the server is unknown here. But each value is written only once in a run,
//! so a read identifies its write. A thread scans the server continuously, and the server reports
//! every command that it executes.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures::future::join_all;
use redis::Connection;
use session_runtime::store::SessionKey;
use session_runtime::testing::ManualClock;
use session_runtime::{
    Lifetime, RedisStore, Session, SessionConfig, SessionHandle, SessionId, Sessions,
};

use super::choices::Choices;
use super::operation::{Kind, Login, Model, Outcome};
use super::sequence::{LIFETIMES, MINUTE, deadline};
use crate::cookies::{self, SECRET};
use crate::proxy::Proxy;
use crate::server::{Monitor, RedisServer};
use crate::until;

/// A server behind a network that cuts connections, for many sequences.
#[derive(Debug)]
pub struct Real {
    server: RedisServer,
    proxy: Proxy,
    store: RedisStore,
    watcher: Watcher,
    sequences: u64,
    values: u64,
    /// Number of unknown outcomes.
    pub unknown: u64,
}

/// An operation with its start and end, on the session with this tag.
#[derive(Debug, Clone)]
struct Event {
    kind: Kind,
    begin: u64,
    /// `None` if the operation may still be executed.
    end: Option<u64>,
    outcome: Option<Outcome>,
    /// Id of the session before the operation.
    before: Option<SessionId>,
    tag: Option<String>,
    epoch: u64,
}

struct Request {
    client: usize,
    handle: SessionHandle,
    session: Session<Model>,
    presented: Option<String>,
    destroyed: bool,
    epoch: u64,
    /// Id that was last reported as live.
    told_live: Option<SessionId>,
}

impl Real {
    /// Starts a server.
    pub async fn start() -> Self {
        let server = RedisServer::start();
        let proxy = Proxy::start(server.port());
        let store = RedisStore::builder(&proxy.url())
            .timeout(Duration::from_secs(2))
            .connect()
            .await
            .unwrap();
        let watcher = Watcher::begin(server.connection());
        Self { server, proxy, store, watcher, sequences: 0, values: 0, unknown: 0 }
    }

    /// Runs one sequence.
    ///
    /// # Errors
    ///
    /// Returns the violated rule.
    pub async fn run(&mut self, choices: &mut Choices) -> Result<(), String> {
        self.sequences += 1;
        let _: () = self.server.cli(&["FLUSHALL"]);
        self.watcher.forget();
        let monitor = self.server.monitor();
        Sequence::new(self, choices).go(choices).await?;
        once_each(monitor)
    }
}

/// Checks that no write was executed twice, by the commands that the server has executed.
fn once_each(monitor: Monitor) -> Result<(), String> {
    let mut writes = BTreeSet::new();
    for command in monitor.finish() {
        let words: Vec<_> = command.split("\" \"").map(|word| word.trim_matches('"')).collect();
        // EVALSHA, the script, 1 key, the key, expiry, mode, removals, the field that is set, and
        // its value.
        if let [name, _, "1", key, _, _, "0", _, value] = &words[..]
            && name.eq_ignore_ascii_case("evalsha")
            && !writes.insert(((*key).to_owned(), (*value).to_owned()))
        {
            return Err(format!("the write of {value} was carried out twice"));
        }
    }
    Ok(())
}

struct Sequence<'a> {
    real: &'a mut Real,
    clock: ManualClock,
    sessions: Sessions,
    prefix: String,
    jars: Vec<Option<String>>,
    open: Vec<Request>,
    history: Vec<Event>,
    time: Arc<AtomicU64>,
    epoch: u64,
    /// Tags of sessions that were reported as destroyed.
    destroyed: BTreeSet<String>,
    /// Ids of these sessions.
    destroyed_ids: BTreeSet<String>,
    /// Tags of sessions with a possible login. Such a session survives the destruction of the
    /// previous session.
    renewed: BTreeSet<String>,
}

impl<'a> Sequence<'a> {
    fn new(real: &'a mut Real, choices: &mut Choices) -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let clock = ManualClock::new(UNIX_EPOCH + Duration::from_secs(since.as_secs()));
        let lifetime = |class: u8| {
            let (idle, max) = LIFETIMES[usize::from(class)];
            Lifetime::custom(class).idle(idle).max(max)
        };
        let prefix = format!("s{}", real.sequences);
        let config = SessionConfig::new()
            .secret(SECRET)
            .prefix(&prefix)
            .lifetime(lifetime(0))
            .lifetime(lifetime(1));
        let sessions = Sessions::with_store(config, real.store.clone()).unwrap().with_clock(&clock);
        let jars = vec![None; 1 + choices.below(3)];
        Self {
            real,
            clock,
            sessions,
            prefix,
            jars,
            open: Vec::new(),
            history: Vec::new(),
            time: Arc::default(),
            epoch: 0,
            destroyed: BTreeSet::new(),
            destroyed_ids: BTreeSet::new(),
            renewed: BTreeSet::new(),
        }
    }

    async fn go(&mut self, choices: &mut Choices) -> Result<(), String> {
        for _ in 0..2 + choices.below(5) {
            self.round(choices).await?;
            self.look()?;
            if choices.percent(8) {
                self.pass([1, 31, 61, 181][choices.below(4)]).await;
            }
        }
        for at in (0..self.open.len()).rev() {
            self.commit(at)?;
        }
        self.look()?;
        self.judge()
    }

    /// Runs several requests concurrently, some of them from earlier rounds, while the network may
    /// fail.
    async fn round(&mut self, choices: &mut Choices) -> Result<(), String> {
        for _ in 0..1 + choices.below(3) {
            let client = choices.below(self.jars.len());
            let presented = match choices.percent(5) {
                true => Some(cookies::cookie(&cookies::id(self.clock.now(), 0))),
                false => self.jars[client].clone(),
            };
            let handle = self.sessions.open(presented.iter().map(String::as_bytes));
            let session = handle.session();
            let presented = presented.map(|cookie| cookies::id_of(&cookie));
            self.open.push(Request {
                client,
                handle,
                session,
                presented,
                destroyed: false,
                epoch: self.epoch,
                told_live: None,
            });
        }
        let plans: Vec<Vec<(Kind, Option<usize>)>> = self.open.iter().map(|_| Vec::new()).collect();
        let mut plans = plans;
        for plan in &mut plans {
            for _ in 0..choices.below(5) {
                let cut = choices.percent(10).then(|| choices.below(6));
                plan.push((kind(choices, &mut self.real.values), cut));
            }
        }
        let trouble = choices.percent(45).then(|| (choices.below(200), choices.percent(30)));
        if let Some((after, _)) = trouble {
            self.real.proxy.break_after(after);
        }
        let (time, epoch) = (&self.time, self.epoch);
        let begin: Vec<_> = self.open.iter().map(|request| request.session.session_id()).collect();
        let running = self
            .open
            .iter()
            .zip(plans)
            .map(|(request, plan)| act(&request.session, plan, time, epoch));
        let running = join_all(running);
        let events = match trouble {
            Some((_, true)) => {
                let proxy = &self.real.proxy;
                let cut = async {
                    tokio::task::yield_now().await;
                    proxy.cut();
                };
                futures::future::join(running, cut).await.0
            }
            _ => running.await,
        };
        for (at, events) in events.into_iter().enumerate() {
            let mut before = begin[at];
            for (event, after) in events {
                let request = &mut self.open[at];
                if !matches!(
                    event.outcome,
                    None | Some(
                        Outcome::Unavailable
                            | Outcome::Unknown
                            | Outcome::Gone
                            | Outcome::Committed
                    )
                ) {
                    request.told_live = after;
                }
                if event.kind.renews().is_some() {
                    self.renewed.extend(before.map(|id| id.tag().to_owned()));
                }
                match (event.kind, event.outcome) {
                    (Kind::Destroy, Some(Outcome::Done)) => {
                        self.destroyed.extend(before.map(|id| id.tag().to_owned()));
                        self.destroyed_ids
                            .extend(before.map(|id| key(&self.prefix, id.expose_secret())));
                        request.destroyed = true;
                    }
                    (_, Some(Outcome::Gone)) => {
                        if let Some(id) = before
                            && self.kind_of(&key(&self.prefix, id.expose_secret())) == "hash"
                        {
                            return Err(format!("{event:?}, but it is live"));
                        }
                    }
                    (_, Some(Outcome::Other)) => {
                        return Err(format!("{event:?}: this error is impossible"));
                    }
                    _ => {}
                }
                self.real.unknown += u64::from(event.outcome == Some(Outcome::Unknown));
                before = after;
                self.history.push(event);
            }
        }
        for at in (0..self.open.len()).rev() {
            if choices.percent(70) {
                self.commit(at)?;
            }
        }
        Ok(())
    }

    /// Sends the response. Sometimes the request continues afterwards.
    fn commit(&mut self, at: usize) -> Result<(), String> {
        let request = self.open.remove(at);
        let live = request.told_live;
        let headers = request.handle.finish();
        let set = headers
            .set_cookie()
            .map(|cookie| (cookies::id_of(cookie), cookie.split(';').next().unwrap().to_owned()));
        let now_has = match &set {
            Some((id, _)) if id.is_empty() => None,
            Some((id, _)) => Some(id.clone()),
            None => request.presented.clone(),
        };
        if let Some((id, _)) = set.as_ref().filter(|(id, _)| !id.is_empty())
            && request.epoch == self.epoch
            && self.kind_of(&key(&self.prefix, id)) == "none"
        {
            return Err("a cookie for a session that never existed".to_owned());
        }
        if set.as_ref().is_some_and(|(id, _)| id.is_empty()) && !request.destroyed {
            return Err("a cookie was removed without a reason".to_owned());
        }
        // A session that may have ended or moved gets no cookie, because the cookie could be dead.
        let in_doubt = self.history.iter().any(|event| {
            event.kind.ends_id() && matches!(event.outcome, None | Some(Outcome::Unknown))
        });
        if let Some(id) = live.map(|id| id.expose_secret().to_owned())
            && !in_doubt
            && now_has.as_ref() != Some(&id)
            && self.kind_of(&key(&self.prefix, &id)) == "hash"
        {
            let history = &self.history;
            return Err(format!(
                "the browser does not get the cookie of the session that its request had: \
                 {history:#?}"
            ));
        }
        if let Some((id, pair)) = set {
            self.jars[request.client] = (!id.is_empty()).then_some(pair);
        }
        Ok(())
    }

    /// Checks all keys, now and at every moment before.
    fn look(&mut self) -> Result<(), String> {
        let now = self.clock.now();
        self.real.watcher.verdict()?;
        let mut live = BTreeSet::new();
        for found in scan(&mut self.real.server.connection()) {
            if !found.key.starts_with(&format!("{}:", self.prefix)) || found.kind != "hash" {
                continue;
            }
            let tag = found.key.split(['{', '}']).nth(1).unwrap().to_owned();
            // The server's clock runs, while the test's clock stands still.
            let left = Duration::from_millis(u64::try_from(found.left).unwrap_or(0));
            if now + left > deadline(&found.key) + Duration::from_secs(3) {
                return Err("a session is kept beyond its absolute deadline".to_owned());
            }
            if self.destroyed_ids.contains(&found.key) {
                return Err("a destroyed id is live".to_owned());
            }
            if self.destroyed.contains(&tag) && !self.renewed.contains(&tag) {
                return Err("a destroyed session is live".to_owned());
            }
            if !live.insert(tag) {
                return Err("one session is live under two ids".to_owned());
            }
            self.look_at_logins(&found)?;
        }
        Ok(())
    }

    /// Checks a session with a login's value: the values came together, under a new id.
    fn look_at_logins(&self, found: &Found) -> Result<(), String> {
        let values = [('a', found.a), ('b', found.b)];
        let wrote = |field, value: u64| {
            let wrote = move |event: &&Event| event.kind.value_of(field) == Some(value);
            self.history.iter().find(wrote)
        };
        for (field, value) in values {
            let Some(login) = value.and_then(|value| wrote(field, value)) else { continue };
            let Kind::Login(batch) = login.kind else { continue };
            let before = login.before.map(|id| key(&self.prefix, id.expose_secret()));
            if before.as_ref() == Some(&found.key) {
                return Err(format!("{login:?} is under the former id"));
            }
            for (field, value) in values {
                let stays = batch.value_of(field).is_none() && !batch.removes(field);
                let is_own = value == batch.value_of(field);
                let writer = value.and_then(|value| wrote(field, value));
                // A value from before, or a removal without an operation that did it.
                let is_older = match writer {
                    Some(writer) => writer.end.is_some_and(|end| end < login.begin),
                    None => !self.may_be_removed(field, login),
                };
                if !stays && !is_own && is_older {
                    return Err(format!("{login:?} is half done: {found:?}"));
                }
            }
        }
        Ok(())
    }

    /// Advances the clock. No command takes minutes: those of dropped futures arrive first.
    async fn pass(&mut self, minutes: u32) {
        until("earlier commands", async || self.sessions.ping().await.is_ok()).await;
        self.epoch += 1;
        self.clock.advance(MINUTE * minutes);
        for found in scan(&mut self.real.server.connection()) {
            let left = found.left - i64::from(minutes) * 60_000;
            let _: i64 = self.real.server.cli(&["PEXPIRE", &found.key, &left.to_string()]);
        }
    }

    /// Checks every read: its value was written to this session, and was not overwritten before.
    fn judge(&self) -> Result<(), String> {
        for read in &self.history {
            let (Kind::Get(field), Some(Outcome::Value(value)), Some(end)) =
                (read.kind, read.outcome, read.end)
            else {
                continue;
            };
            let written =
                self.history.iter().find(|event| event.kind.value_of(field) == Some(value));
            if value > 0 {
                let Some(written) = written else {
                    return Err(format!("{read:?}: no request wrote this value"));
                };
                if written.begin > end
                    || matches!(written.outcome, Some(Outcome::Gone | Outcome::Unavailable))
                {
                    return Err(format!("{read:?}, but {written:?}"));
                }
                if let (Some(one), Some(other)) = (&written.tag, &read.tag)
                    && one != other
                {
                    return Err(format!("{read:?} is another session's: {written:?}"));
                }
            }
            if read.tag.is_none() {
                continue;
            }
            let changes = self
                .history
                .iter()
                .filter(|event| event.tag == read.tag && event.epoch == read.epoch);
            let over = changes
                .filter(|event| {
                    event.outcome == Some(Outcome::Done)
                        || matches!(event.outcome, Some(Outcome::Yes(_)))
                })
                .find(|change| {
                    let after = written
                        .is_none_or(|written| written.end.is_some_and(|end| end < change.begin));
                    let before = change.end.is_some_and(|end| end < read.begin);
                    let sets = change.kind.value_of(field).is_some_and(|new| new != value);
                    let removes = change.kind.removes(field);
                    match value {
                        0 => sets && before && !self.may_be_removed(field, change),
                        _ => (sets || removes) && after && before,
                    }
                });
            if let Some(over) = over {
                return Err(format!("{read:?} is older than {over:?}"));
            }
        }
        Ok(())
    }

    /// Returns whether an operation may have removed the field after this write.
    fn may_be_removed(&self, field: char, write: &Event) -> bool {
        self.history.iter().any(|event| {
            let removes = event.kind.removes(field) || event.kind == Kind::Destroy;
            removes && event.end.is_none_or(|end| end > write.begin)
        })
    }

    fn kind_of(&self, key: &str) -> String {
        self.real.server.cli(&["TYPE", key])
    }
}

fn kind(choices: &mut Choices, values: &mut u64) -> Kind {
    let field = if choices.percent(50) { 'b' } else { 'a' };
    *values += 2;
    let value = *values;
    let login = Login::draw(choices, [value - 1, value]);
    let kinds = [
        (8, Kind::Get(field)),
        (1, Kind::Exists),
        (1, Kind::ExpiresIn),
        (10, Kind::Set(field, value)),
        (1, Kind::Remove(field)),
        (1, Kind::Clear),
        (4, Kind::Rotate),
        (2, Kind::Renew(u8::from(field == 'b'))),
        (5, Kind::Login(login)),
        (2, Kind::Destroy),
    ];
    choices.weighted(&kinds)
}

/// Runs the steps of a request in order. Some futures are dropped after a number of polls.
async fn act(
    session: &Session<Model>,
    plan: Vec<(Kind, Option<usize>)>,
    time: &AtomicU64,
    epoch: u64,
) -> Vec<(Event, Option<SessionId>)> {
    let mut events = Vec::new();
    for (kind, cut) in plan {
        let before = session.session_id();
        let begin = time.fetch_add(1, Ordering::SeqCst);
        let mut running = kind.run(session.clone());
        let outcome = match cut {
            None => Some(running.await),
            Some(polls) => {
                let mut outcome = None;
                for _ in 0..polls {
                    if let std::task::Poll::Ready(ready) = futures::poll!(&mut running) {
                        outcome = Some(ready);
                        break;
                    }
                    tokio::task::yield_now().await;
                }
                outcome
            }
        };
        let is_over = outcome.is_some_and(|outcome| outcome != Outcome::Unknown);
        let end = is_over.then(|| time.fetch_add(1, Ordering::SeqCst));
        let id = session.session_id();
        // The session of an operation without a reply is unknown, because the next operation may
        // determine it.
        let tag = id.filter(|_| is_over).map(|id| id.tag().to_owned());
        events.push((Event { kind, begin, end, outcome, before, tag, epoch }, id));
        tokio::task::yield_now().await;
    }
    events
}

fn key(prefix: &str, id: &str) -> String {
    SessionKey::new(prefix, &id.parse().unwrap()).expose_secret().to_owned()
}

/// A thread that scans all keys of the server continuously.
#[derive(Debug)]
struct Watcher {
    stop: Arc<AtomicBool>,
    seen: Arc<Mutex<Seen>>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Seen {
    dead: BTreeSet<String>,
    broken: Option<String>,
}

#[derive(Debug)]
struct Found {
    key: String,
    kind: String,
    left: i64,
    permanent: bool,
    a: Option<u64>,
    b: Option<u64>,
}

impl Watcher {
    fn begin(mut connection: Connection) -> Self {
        let (stop, seen) = (Arc::<AtomicBool>::default(), Arc::<Mutex<Seen>>::default());
        let thread = std::thread::spawn({
            let (stop, seen) = (Arc::clone(&stop), Arc::clone(&seen));
            move || {
                while !stop.load(Ordering::Relaxed) {
                    seen.lock().unwrap_or_else(PoisonError::into_inner).note(scan(&mut connection));
                    std::thread::sleep(Duration::from_micros(500));
                }
            }
        });
        Self { stop, seen, thread: Some(thread) }
    }

    fn forget(&self) {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).dead.clear();
    }

    fn verdict(&self) -> Result<(), String> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).broken.take().map_or(Ok(()), Err)
    }
}

impl Seen {
    fn note(&mut self, keys: Vec<Found>) {
        for Found { key, kind, left, permanent, .. } in keys {
            if left < 0 {
                self.broken = Some(format!("a {kind} without an expiry"));
            }
            match kind.as_str() {
                "hash" if !permanent => {
                    self.broken = Some("a session without its permanent field".to_owned())
                }
                "hash" if self.dead.contains(&key) => {
                    self.broken = Some("a dead id became live again".to_owned())
                }
                "string" => drop(self.dead.insert(key)),
                _ => {}
            }
        }
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// Returns all keys at one moment.
fn scan(connection: &mut Connection) -> Vec<Found> {
    const LOOK: &str = "local found = {} for _, key in ipairs(redis.call('KEYS', '*')) do local \
                        kind = redis.call('TYPE', key).ok local permanent, fields = 0, {false, \
                        false} if kind == 'hash' then permanent = redis.call('HEXISTS', key, '') \
                        fields = redis.call('HMGET', key, 'a', 'b') end table.insert(found, {key, \
                        kind, redis.call('PTTL', key), permanent, fields[1], fields[2]}) end \
                        return found";
    type Row = (String, String, i64, bool, Option<u64>, Option<u64>);
    let found: Vec<Row> = redis::cmd("EVAL").arg(LOOK).arg(0).query(connection).unwrap_or_default();
    found
        .into_iter()
        .map(|(key, kind, left, permanent, a, b)| Found { key, kind, left, permanent, a, b })
        .collect()
}
