//! The near cache: fields of sessions, kept in this process for reads without a round trip.
//!
//! A kept field counts while the server tells of changes, see [`Lease`]. These rules hold:
//!
//! - **Hit.** The connection of the entry gave a sign of life that was sent within the staleness
//!   that the reader allows. No other reply of this process is newer, and no write is under way. A
//!   batch is of one snapshot.
//! - **Fill.** A question takes a ticket. The reply is only kept if nothing happened to the session
//!   in the meantime: no news, no write, no reply over another connection.
//! - **Write.** A write of this process voids the session at its begin and at its end, before the
//!   caller learns the outcome. The server tells the end of the write only later.
//! - **Foreign replies.** A reply over another connection may be newer than what is kept, whose
//!   news is still under way. So the reply voids the same fields of other connections.
//! - **Sign of life.** There is no timer. A read that finds the latest sign of life older than a
//!   third of the staleness asks for another, without waiting.
//!
//! Dead and unknown ids are never kept.

mod doorkeeper;
mod entry;
mod lease;
mod moment;
mod shard;
#[cfg(test)]
mod tests;

pub(crate) use self::lease::{Lease, SignOfLife};
pub(crate) use self::moment::Moment;

use std::collections::hash_map::RandomState;
use std::fmt;
use std::hash::BuildHasher as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use smallvec::SmallVec;

use self::doorkeeper::Doorkeeper;
use self::entry::KeptField;
use self::shard::{Gone, Shard, Ticket};
use crate::id::slot::slot_in;
use crate::store::{NearRules, NearValues, Refresh, SessionKey};
use crate::telemetry::NearCacheMetrics;

/// The place of a near cache. The connections of a store exist before the cache.
#[derive(Default)]
pub(crate) struct NearCell(OnceLock<Near>);

impl NearCell {
    pub(crate) fn get(&self) -> Option<&Near> {
        self.0.get()
    }

    /// Creates the cache, or raises the limit of the existing cache.
    pub(crate) fn install(&self, max_bytes: usize) {
        self.0.get_or_init(|| Near::new(max_bytes)).raise_limit(max_bytes);
    }
}

/// The near cache of a store and all its clones.
pub(crate) struct Near {
    hasher: RandomState,
    shards: [Mutex<Shard>; SHARDS],
    doorkeeper: Doorkeeper,
    /// The number of snapshots so far.
    snapshots: AtomicU64,
    metrics: NearCacheMetrics,
}

const SHARDS: usize = 16;
/// The largest size of all values of a question that is kept.
const LARGEST: usize = 64 * 1024;

/// Kept values, and whether the session's expiry has to be refreshed.
pub(crate) struct NearHit {
    pub(crate) values: NearValues,
    pub(crate) is_refresh_due: bool,
}

/// A question for fields of a session, whose reply may be kept.
pub(crate) struct Question {
    hash: u64,
    ticket: Ticket,
    lease: Arc<Lease>,
    epoch: u64,
    sent: Moment,
}

/// The reply to a question: values, and the times until the session and the fields expire.
pub(crate) struct Answer<'a> {
    pub(crate) fields: &'a [&'static str],
    pub(crate) values: &'a [Option<Bytes>],
    pub(crate) session_lasts: Duration,
    /// In the order of the fields. Fields past the end have no expiry of their own.
    pub(crate) fields_last: &'a [Duration],
}

/// Voids sessions until the end of a write to them.
pub(crate) struct WriteGuard<'a> {
    near: &'a Near,
    keys: SmallVec<[(u64, &'a str); 2]>,
}

impl Near {
    fn new(max_bytes: usize) -> Self {
        let hasher = RandomState::new();
        let shard = |_| Mutex::new(Shard::new(hasher.clone(), max_bytes / SHARDS));
        Self {
            shards: std::array::from_fn(shard),
            hasher: hasher.clone(),
            doorkeeper: Doorkeeper::new(Moment::now()),
            snapshots: AtomicU64::new(0),
            metrics: NearCacheMetrics,
        }
    }

    fn raise_limit(&self, max_bytes: usize) {
        for shard in &self.shards {
            lock(shard).raise_limit(max_bytes / SHARDS);
        }
    }

    /// Returns the values of these fields, if they are kept and still count.
    pub(crate) fn get(
        &self,
        key: &SessionKey,
        fields: &[&'static str],
        refresh: Refresh,
        rules: &NearRules,
    ) -> Option<NearHit> {
        let now = Moment::now();
        let (found, lease) = self.look_up(key, fields, refresh, rules, now);
        if let Some(lease) = lease {
            self.metrics.lease_is_due(lease.age(now));
            lease.ask_if_older(rules.max_staleness / 3, now, key);
        }
        self.metrics.read(found.is_some());
        found
    }

    /// Returns the kept values, and the connection to ask for a sign of life, if due.
    fn look_up(
        &self,
        key: &SessionKey,
        fields: &[&'static str],
        refresh: Refresh,
        rules: &NearRules,
        now: Moment,
    ) -> (Option<NearHit>, Option<Arc<Lease>>) {
        let text = key.expose_secret();
        let hash = self.hash(text);
        let mut shard = self.shard(hash);
        let Some(entry) = shard.entry(hash, text) else { return (None, None) };
        let is_due = entry.lease().age(now) >= rules.max_staleness / 3;
        let lease = is_due.then(|| Arc::clone(entry.lease()));
        let Some(values) = entry.values(fields, rules, now) else { return (None, lease) };
        let is_refresh_due = match refresh {
            Refresh::No => false,
            Refresh::Below { below, .. } => entry.begins_refresh(earlier(below, hash), now),
            // Every read has to refresh.
            Refresh::To(_) => return (None, lease),
        };
        (Some(NearHit { values, is_refresh_due }), lease)
    }

    /// Begins a question over a connection. `None` if the reply will not be kept.
    pub(crate) fn ask(
        &self,
        key: &SessionKey,
        lease: Arc<Lease>,
        rules: &NearRules,
    ) -> Option<Question> {
        let (now, text) = (Moment::now(), key.expose_secret());
        let hash = self.hash(text);
        if !self.doorkeeper.admits(hash, now) {
            return None;
        }
        lease.ask_if_older(rules.max_staleness / 3, now, key);
        let epoch = lease.epoch();
        let ticket = self.shard(hash).ticket(hash, &lease)?;
        Some(Question { hash, ticket, lease, epoch, sent: Moment::now() })
    }

    /// Keeps the reply to a question, if nothing happened to the session since.
    pub(crate) fn keep(&self, key: &SessionKey, question: &Question, answer: &Answer<'_>) {
        let bytes: usize = answer.values.iter().flatten().map(Bytes::len).sum();
        let Question { hash, ticket, ref lease, epoch, sent } = *question;
        if bytes > LARGEST || lease.epoch() != epoch {
            return;
        }
        let snapshot = self.snapshots.fetch_add(1, Ordering::Relaxed);
        self.update(hash, |shard| {
            shard.keep(hash, key.expose_secret(), ticket, lease, epoch, |entry| {
                entry.set_expiry(sent, answer.session_lasts);
                for (at, (name, value)) in answer.fields.iter().zip(answer.values).enumerate() {
                    let own = answer.fields_last.get(at).copied().unwrap_or(Duration::MAX);
                    let (value, lasts) = (value.clone(), own.min(answer.session_lasts));
                    entry.set(KeptField { name, value, snapshot, sent, lasts });
                }
            })
        });
    }

    /// Records a reply over this connection about some fields of a session.
    pub(crate) fn replied(&self, key: &SessionKey, lease: &Lease, fields: &[&str]) {
        let text = key.expose_secret();
        let hash = self.hash(text);
        self.update(hash, |shard| shard.replied(hash, text, lease, fields));
    }

    /// Voids what is kept under a key.
    pub(crate) fn void(&self, key: &str) {
        let hash = self.hash(key);
        self.update(hash, |shard| shard.void(hash, key));
    }

    /// Voids what is kept of the sessions in these slots of a cluster.
    pub(crate) fn void_slots(&self, is_moved: impl Fn(u16) -> bool) {
        for shard in &self.shards {
            let mut shard = lock(shard);
            let before = shard.bytes();
            let gone = shard.void_where(|key| is_moved(slot_in(key)));
            self.metrics.changed(gone.voided, gone.evicted, before, shard.bytes());
        }
    }

    /// Begins a write to these sessions.
    pub(crate) fn write<'a>(
        &'a self,
        keys: impl IntoIterator<Item = &'a SessionKey>,
    ) -> WriteGuard<'a> {
        let text = |key: &'a SessionKey| (self.hash(key.expose_secret()), key.expose_secret());
        let keys: SmallVec<[(u64, &str); 2]> = keys.into_iter().map(text).collect();
        for (hash, key) in &keys {
            self.update(*hash, |shard| shard.begin_write(*hash, key));
        }
        WriteGuard { near: self, keys }
    }

    fn update(&self, hash: u64, update: impl FnOnce(&mut Shard) -> Gone) {
        let mut shard = self.shard(hash);
        let before = shard.bytes();
        let gone = update(&mut shard);
        self.metrics.changed(gone.voided, gone.evicted, before, shard.bytes());
    }

    fn hash(&self, key: &str) -> u64 {
        self.hasher.hash_one(key)
    }

    fn shard(&self, hash: u64) -> MutexGuard<'_, Shard> {
        lock(&self.shards[(hash >> 48) as usize % SHARDS])
    }
}

impl Question {
    pub(crate) fn lease(&self) -> &Lease {
        &self.lease
    }
}

impl Drop for Near {
    fn drop(&mut self) {
        let bytes = self.shards.iter().map(|shard| lock(shard).bytes()).sum();
        self.metrics.changed(0, 0, bytes, 0);
    }
}

impl Drop for WriteGuard<'_> {
    fn drop(&mut self) {
        for (hash, key) in &self.keys {
            self.near.update(*hash, |shard| shard.end_write(*hash, key));
        }
    }
}

/// Returns a share of a threshold that differs by process, so that not all processes refresh a
/// session at the same time.
fn earlier(threshold: Duration, hash: u64) -> Duration {
    threshold.mul_f64(1.0 - (hash % 64) as f64 / 1280.0)
}

fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for NearCell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NearCell").field("is_installed", &self.get().is_some()).finish()
    }
}
