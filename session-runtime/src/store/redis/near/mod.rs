//! The near cache: fields of sessions, kept in this process for reads without a round trip.
//!
//! A kept field counts while the server tells of changes, see [`Lease`]. These rules hold:
//!
//! - **Hit.** The connection of the entry gave a sign of life that was sent within the staleness
//!   that the reader allows. No other reply of this process is newer, and no write is under way. A
//!   batch is of one snapshot.
//! - **Fill.** A question takes a ticket. The reply is only kept if nothing happened to the session
//!   in the meantime: no news, no write, no reply over another connection. Of several questions at
//!   once, the first reply is kept.
//! - **Write.** A write of this process voids the session at its begin and at its end, before the
//!   caller learns the outcome. The server tells the end of the write only later.
//! - **Replies.** A reply over another connection may be newer than the kept values, whose news is
//!   still under way. News may also be lost. So every reply voids an entry that differs from it.
//! - **Sign of life.** There is no timer. A read that finds the latest sign of life older than a
//!   third of the staleness asks for another, without waiting.
//!
//! Entries and events are by the tag of the key, which a session shares with its successors. So the
//! end of a session under a later id is known by any of its ids. Dead and unknown ids are never
//! kept.

mod doorkeeper;
mod entry;
mod lease;
mod moment;
mod shard;
#[cfg(test)]
mod tests;

pub(crate) use self::lease::{LONGEST_QUESTION, Lease, SignOfLife};
pub(crate) use self::moment::Moment;

use std::fmt;
use std::hash::BuildHasher as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use hashlink::DefaultHashBuilder;
use smallvec::SmallVec;

use self::doorkeeper::Doorkeeper;
use self::entry::{Entry, KeptField};
use self::moment::Micros;
use self::shard::{Shard, Tag, Ticket};
use crate::id::slot::{StoredKey as _, slot_of_tag, tag_in};
use crate::store::{NearRules, NearValues, Refresh, SessionKey};
use crate::telemetry::record_near_read;

/// The place of a near cache. The connections of a store exist before the cache.
#[derive(Default)]
pub(crate) struct NearCell(OnceLock<Box<Near>>);

impl NearCell {
    pub(crate) fn get(&self) -> Option<&Near> {
        self.0.get().map(|near| &**near)
    }

    /// Creates the cache, or raises the limit of the existing cache.
    pub(crate) fn install(&self, max_bytes: usize) {
        self.0.get_or_init(|| Box::new(Near::new())).raise_limit(max_bytes);
    }
}

/// The near cache of a store and all its clones.
pub(crate) struct Near {
    hasher: DefaultHashBuilder,
    shards: [Mutex<Shard>; SHARDS],
    doorkeeper: Doorkeeper,
    /// The number of snapshots so far.
    snapshots: AtomicU64,
}

const SHARDS: usize = 16;
/// The largest size of all values of a question that is kept.
const LARGEST: usize = 64 * 1024;

/// Kept values, and whether the session's expiry has to be refreshed.
pub(crate) struct NearHit {
    pub(crate) values: NearValues,
    pub(crate) is_refresh_due: bool,
}

/// The times of [`NearRules`].
#[derive(Debug, Clone, Copy)]
struct Limits {
    staleness: Micros,
    age: Micros,
}

/// A question for fields of a session, whose reply may be kept.
pub(crate) struct Question {
    ticket: Ticket,
    lease: Arc<Lease>,
    epoch: u64,
    sent: Moment,
    max_age: Duration,
}

/// The reply to a question: values, and the times until the session and the fields expire.
pub(crate) struct Answer<'a> {
    pub(crate) fields: &'a [&'static str],
    pub(crate) values: &'a [Option<Bytes>],
    pub(crate) fields_last: &'a [Duration],
    pub(crate) session_lasts: Duration,
}

/// Voids sessions until the end of a write to them.
pub(crate) struct WriteGuard<'a> {
    near: &'a Near,
    tags: SmallVec<[Tag<'a>; 2]>,
    /// At the end, all sessions are voided.
    is_of_all: bool,
}

impl Near {
    fn new() -> Self {
        let hasher = DefaultHashBuilder::default();
        Self {
            shards: std::array::from_fn(|_| Mutex::new(Shard::new(hasher.clone()))),
            hasher,
            doorkeeper: Doorkeeper::new(),
            snapshots: AtomicU64::new(0),
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
        let (limits, now) = (Limits::from(rules), Moment::now());
        let hit = self.look_up(key, fields, refresh, limits, now);
        record_near_read(hit.is_some());
        hit
    }

    #[inline]
    fn look_up(
        &self,
        key: &SessionKey,
        fields: &[&'static str],
        refresh: Refresh,
        limits: Limits,
        now: Moment,
    ) -> Option<NearHit> {
        let tag = self.tag(key);
        let mut shard = self.shard(tag);
        let entry = shard.entry(tag, key.expose_secret())?;
        let lease_age = entry.lease().age(now);
        let values = entry.values(fields, limits, now, lease_age);
        let is_refresh_due = match refresh {
            Refresh::Below { below, .. } if values.is_some() => {
                entry.begins_refresh(earlier(below, tag.hash).into(), now)
            }
            _ => false,
        };
        if lease_age >= limits.sign_of_life_after() {
            let lease = Arc::clone(entry.lease());
            drop(shard);
            lease.ask_if_older(limits.sign_of_life_after(), now, key);
        }
        Some(NearHit { values: values?, is_refresh_due })
    }

    /// Begins a question over a connection. `None` if the reply will not be kept.
    pub(crate) fn ask(
        &self,
        key: &SessionKey,
        lease: Arc<Lease>,
        rules: &NearRules,
    ) -> Option<Question> {
        let tag = self.tag(key);
        if lease.is_refused() || !self.doorkeeper.admits(tag.hash) {
            return None;
        }
        let limits = Limits::from(rules);
        lease.ask_if_older(limits.sign_of_life_after(), Moment::now(), key);
        let epoch = lease.epoch();
        let ticket = self.shard(tag).ticket(tag)?;
        // Not all that was read together is read again together.
        let max_age = earlier(rules.max_age, tag.hash);
        Some(Question { ticket, lease, epoch, sent: Moment::now(), max_age })
    }

    /// Keeps the reply to a question, if nothing happened to the session since.
    pub(crate) fn keep(&self, key: &SessionKey, question: &Question, answer: &Answer<'_>) {
        let bytes: usize = answer.values.iter().flatten().map(Bytes::len).sum();
        let entry = (bytes <= LARGEST).then(|| {
            let snapshot = self.snapshots.fetch_add(1, Ordering::Relaxed);
            (question.ticket, question.entry(key, answer, snapshot))
        });
        self.reply(key, &question.lease, entry, |name, kept| {
            values_differ(answer.fields, answer.values, name, kept)
        });
    }

    /// Records a reply over this connection about fields of a session. `differs` compares the reply
    /// with the kept value of the field with this name. A field that the reply is not about does
    /// not differ.
    pub(crate) fn replied(
        &self,
        key: &SessionKey,
        lease: &Lease,
        differs: impl Fn(&str, Option<&Bytes>) -> bool,
    ) {
        self.reply(key, lease, None, differs);
    }

    fn reply(
        &self,
        key: &SessionKey,
        lease: &Lease,
        keep: Option<(Ticket, Entry)>,
        differs: impl Fn(&str, Option<&Bytes>) -> bool,
    ) {
        let differs = |entry: &Entry| entry.differs(key.expose_secret(), differs);
        self.update(self.tag(key), |shard, tag| shard.replied(tag, lease, keep, differs));
    }

    /// Voids what is kept under a key.
    pub(crate) fn void(&self, key: &str) {
        self.update(self.tag_of(tag_in(key)), Shard::void);
    }

    /// Voids all that is kept of the sessions in these slots of a cluster.
    pub(crate) fn void_slots(&self, is_moved: impl Fn(u16) -> bool) {
        self.void_where(|tag| is_moved(slot_of_tag(tag.as_bytes())));
    }

    fn void_where(&self, is_void: impl Fn(&str) -> bool) {
        for shard in &self.shards {
            let changes = {
                let mut shard = lock(shard);
                shard.void_where(&is_void);
                shard.take_changes()
            };
            changes.report();
        }
    }

    /// Begins a write to these sessions.
    pub(crate) fn write<'a>(
        &'a self,
        keys: impl IntoIterator<Item = &'a SessionKey>,
    ) -> WriteGuard<'a> {
        let tags: SmallVec<[Tag<'_>; 2]> = keys.into_iter().map(|key| self.tag(key)).collect();
        for tag in &tags {
            self.update(*tag, Shard::begin_write);
        }
        WriteGuard { near: self, tags, is_of_all: false }
    }

    fn update<'a>(&self, tag: Tag<'a>, update: impl FnOnce(&mut Shard, Tag<'a>)) {
        let changes = {
            let mut shard = self.shard(tag);
            update(&mut shard, tag);
            shard.take_changes()
        };
        changes.report();
    }

    fn tag<'a>(&self, key: &'a SessionKey) -> Tag<'a> {
        self.tag_of(key.hash_tag())
    }

    fn tag_of<'a>(&self, text: &'a str) -> Tag<'a> {
        Tag { text, hash: self.hasher.hash_one(text) }
    }

    fn shard(&self, tag: Tag<'_>) -> MutexGuard<'_, Shard> {
        lock(&self.shards[(tag.hash >> 48) as usize % SHARDS])
    }
}

impl Limits {
    /// Returns the age of a sign of life after which another is due.
    fn sign_of_life_after(self) -> Micros {
        self.staleness.third()
    }
}

impl From<&NearRules> for Limits {
    fn from(rules: &NearRules) -> Self {
        Self { staleness: rules.max_staleness.into(), age: rules.max_age.into() }
    }
}

impl Question {
    pub(crate) fn lease(&self) -> &Lease {
        &self.lease
    }

    fn entry(&self, key: &SessionKey, answer: &Answer<'_>, snapshot: u64) -> Entry {
        let (sent, most) = (self.sent, answer.session_lasts.min(self.max_age));
        let expiry = (sent, answer.session_lasts.into());
        let mut entry = Entry::new(key.expose_secret(), &self.lease, self.epoch, expiry);
        let values = answer.fields.iter().zip(answer.values).zip(answer.fields_last);
        for ((name, value), own) in values {
            let (value, lasts) = (value.clone(), most.min(*own).into());
            entry.add(KeptField { name, value, snapshot, sent, lasts });
        }
        entry
    }
}

impl Drop for Near {
    fn drop(&mut self) {
        for shard in &self.shards {
            let mut shard = lock(shard);
            shard.clear();
            shard.take_changes().report();
        }
    }
}

impl WriteGuard<'_> {
    /// Voids all sessions at the end of the write.
    pub(crate) fn of_all(mut self) -> Self {
        self.is_of_all = true;
        self
    }
}

impl Drop for WriteGuard<'_> {
    fn drop(&mut self) {
        if self.is_of_all {
            self.near.void_where(|_| true);
        }
        for tag in &self.tags {
            self.near.update(*tag, Shard::end_write);
        }
    }
}

/// Returns whether the values of these fields differ from the kept value of the field with this
/// name.
pub(crate) fn values_differ(
    fields: &[&str],
    values: &[Option<Bytes>],
    name: &str,
    kept: Option<&Bytes>,
) -> bool {
    let at = fields.iter().position(|field| *field == name);
    at.is_some_and(|at| values.get(at).and_then(Option::as_ref) != kept)
}

/// Returns a time up to a twentieth shorter, which differs by session and process. So not all
/// processes refresh a session at the same time, and not all sessions are read again together.
fn earlier(time: Duration, hash: u64) -> Duration {
    time - time / 1280 * (hash % 64) as u32
}

fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for NearCell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NearCell").field("is_installed", &self.get().is_some()).finish()
    }
}
