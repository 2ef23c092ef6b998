//! Values of sessions in this process. The server tells which sessions changed.
//!
//! A value is used until the server tells of a change, but for 30 seconds at most. The connection
//! must have answered within the last second.

use std::hash::BuildHasher;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use hashlink::{DefaultHashBuilder, LruCache};
use redis::aio::MultiplexedConnection;
use redis::{
    FromRedisValue, ParsingError, PushInfo, PushKind, RedisResult, Value, from_redis_value_ref,
};

use super::commands;

pub(super) struct Near {
    hasher: DefaultHashBuilder,
    shards: [Mutex<Shard>; SHARDS],
    began: Instant,
    /// Milliseconds after the beginning, when the last answered command was sent.
    answered: AtomicU64,
    /// A sign of life is under way.
    asks: AtomicBool,
}

struct Shard {
    entries: LruCache<String, Arc<Entry>>,
    /// Number of changes, by a part of the hash. A value that was on its way during a change may be
    /// outdated.
    changes: [u64; SLOTS],
}

/// Values of a session that were all current when the last of them was read.
pub(super) struct Entry {
    until: Instant,
    values: Vec<(&'static str, Value)>,
}

const SHARDS: usize = 16;
const SLOTS: usize = 256;
const MOST_ENTRIES: usize = 100_000;
const MAX_AGE: Duration = Duration::from_secs(30);
const MAX_SILENCE: u64 = 1000;

impl Near {
    pub(super) fn new() -> Self {
        let shard = || Shard { entries: LruCache::new(MOST_ENTRIES / SHARDS), changes: [0; SLOTS] };
        Self {
            hasher: DefaultHashBuilder::default(),
            shards: std::array::from_fn(|_| Mutex::new(shard())),
            began: Instant::now(),
            answered: AtomicU64::new(0),
            asks: AtomicBool::new(false),
        }
    }

    /// Returns the values of a session, if all these fields are known. Otherwise reads the fields.
    pub(super) async fn read(
        self: &Arc<Self>,
        connection: &mut MultiplexedConnection,
        key: &str,
        fields: &[&'static str],
    ) -> RedisResult<Arc<Entry>> {
        let now = Instant::now();
        if let Some(entry) = self.find(key, fields, now) {
            self.look_for_life(connection, now);
            return Ok(entry);
        }
        let changes = self.with_shard(key, |shard, slot| shard.changes[slot]);
        let (values, expires_in) = commands::tracked_read(connection, key, fields).await?;
        self.heard(now);
        let read = Entry {
            until: now + MAX_AGE.min(expires_in.unwrap_or_default()),
            values: fields.iter().copied().zip(values).collect(),
        };
        let Some(expires_in) = expires_in else { return Ok(Arc::new(read)) };
        commands::extend_if_due(connection, key, expires_in);
        Ok(self.keep(key, changes, read))
    }

    fn find(&self, key: &str, fields: &[&str], now: Instant) -> Option<Arc<Entry>> {
        if self.silence(now) > MAX_SILENCE {
            return None;
        }
        self.with_shard(key, |shard, _| {
            let entry = shard.entries.get(key)?;
            let is_complete = fields.iter().all(|field| entry.value(field).is_some());
            (is_complete && now < entry.until).then(|| entry.clone())
        })
    }

    /// Keeps values that were read after this number of changes, unless there is another change.
    fn keep(&self, key: &str, changes: u64, mut read: Entry) -> Arc<Entry> {
        self.with_shard(key, |shard, slot| {
            if shard.changes[slot] != changes {
                return Arc::new(read);
            }
            if let Some(known) = shard.entries.peek(key)
                && Instant::now() < known.until
            {
                read.until = read.until.min(known.until);
                let others = known.values.iter().filter(|(field, _)| read.value(field).is_none());
                let others: Vec<_> = others.cloned().collect();
                read.values.extend(others);
            }
            let entry = Arc::new(read);
            shard.entries.insert(key.to_owned(), entry.clone());
            entry
        })
    }

    /// Forgets a session that changed.
    pub(super) fn forget(&self, key: &str) {
        self.with_shard(key, |shard, slot| {
            shard.changes[slot] += 1;
            shard.entries.remove(key);
        });
    }

    fn forget_all(&self) {
        for shard in &self.shards {
            let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            shard.changes.iter_mut().for_each(|changes| *changes += 1);
            shard.entries.clear();
        }
    }

    /// Takes news of the server, before the connection hands out later replies.
    pub(super) fn take(&self, news: &PushInfo) {
        match (&news.kind, &news.data[..]) {
            (PushKind::Invalidate, [Value::Array(keys)]) => {
                for key in keys.iter().filter_map(|key| from_redis_value_ref::<String>(key).ok()) {
                    self.forget(&key);
                }
            }
            (PushKind::Invalidate | PushKind::Disconnection, _) => self.forget_all(),
            _ => {}
        }
    }

    /// Asks for a sign of life in the background, if the last is old.
    fn look_for_life(self: &Arc<Self>, connection: &MultiplexedConnection, now: Instant) {
        if self.silence(now) <= MAX_SILENCE / 3 || self.asks.swap(true, Ordering::Relaxed) {
            return;
        }
        let (near, mut connection) = (self.clone(), connection.clone());
        tokio::spawn(async move {
            let sent = Instant::now();
            if redis::cmd("PING").exec_async(&mut connection).await.is_ok() {
                near.heard(sent);
            }
            near.asks.store(false, Ordering::Relaxed);
        });
    }

    /// Notes that a command was answered.
    fn heard(&self, sent: Instant) {
        self.answered.fetch_max(self.millis(sent), Ordering::Relaxed);
    }

    fn silence(&self, now: Instant) -> u64 {
        self.millis(now).saturating_sub(self.answered.load(Ordering::Relaxed))
    }

    fn millis(&self, at: Instant) -> u64 {
        u64::try_from(at.saturating_duration_since(self.began).as_millis()).unwrap_or(u64::MAX)
    }

    fn with_shard<T>(&self, key: &str, action: impl FnOnce(&mut Shard, usize) -> T) -> T {
        let hash = usize::try_from(self.hasher.hash_one(key) % (SHARDS * SLOTS) as u64);
        let hash = hash.unwrap_or_default();
        let shard = &self.shards[hash % SHARDS];
        action(&mut shard.lock().unwrap_or_else(PoisonError::into_inner), hash / SHARDS)
    }
}

impl Entry {
    /// Returns the value of a field that was read.
    pub(super) fn get<T: FromRedisValue>(&self, field: &str) -> Result<T, ParsingError> {
        from_redis_value_ref(self.value(field).unwrap_or(&Value::Nil))
    }

    /// Returns the values of several fields that were read.
    pub(super) fn get_many<T: FromRedisValue>(&self, fields: &[&str]) -> Result<T, ParsingError> {
        let values = fields.iter().map(|field| self.value(field).cloned().unwrap_or(Value::Nil));
        T::from_redis_value(Value::Array(values.collect()))
    }

    fn value(&self, field: &str) -> Option<&Value> {
        self.values.iter().find(|(known, _)| *known == field).map(|(_, value)| value)
    }
}
