//! The numbers of keys, by their kind.

use std::time::{Duration, SystemTime};

use serde::Serialize;

use crate::cli::output::{Bytes, Histogram};
use crate::id::{SessionId, SessionKey};
use crate::request::manager::Manager;
use crate::store::redis::commands::census::CountedKey;
use crate::store::{DestroyReason, TombstoneKind};

/// The numbers of keys with a prefix.
#[derive(Default, Serialize)]
pub(super) struct Tally {
    sessions: Keys,
    past_deadline: Keys,
    tombstones: Tombstones,
    index_lists: Keys,
    other_keys: Keys,
    ages: Histogram,
    expire_in: Histogram,
    /// The number of live sessions whose keys do not tell the age.
    of_unknown_age: u64,
    /// The number of live sessions that never expire.
    never_expire: u64,
}

#[derive(Serialize)]
struct Keys {
    count: u64,
    /// `None` if the user may not ask.
    bytes: Option<u64>,
}

#[derive(Default, Serialize)]
struct Tombstones {
    #[serde(flatten)]
    keys: Keys,
    logged_out: u64,
    ended_elsewhere: u64,
    too_many: u64,
    rotated: u64,
    renewed: u64,
}

impl Tally {
    pub(super) fn add(&mut self, key: &CountedKey, manager: &Manager, now: SystemTime) {
        if is_list(manager.prefix(), &key.name) {
            return self.index_lists.add(key);
        }
        match (SessionKey::id_in(manager.prefix(), &key.name), &key.tombstone) {
            (Some(_), Some(kind)) => self.tombstones.add(key, kind),
            (Some(id), None) => self.add_session(key, id, manager, now),
            (None, _) => self.other_keys.add(key),
        }
    }

    fn add_session(&mut self, key: &CountedKey, id: SessionId, manager: &Manager, now: SystemTime) {
        // The key of an id from Python does not tell the creation time.
        let dated = id.or_created_at(now);
        if !manager.metadata(dated).is_plausible(now) {
            return self.past_deadline.add(key);
        }
        self.sessions.add(key);
        match dated.created_at() == id.created_at() {
            true => self.ages.add(now.duration_since(id.created_at()).unwrap_or_default()),
            false => self.of_unknown_age += 1,
        }
        match key.expires_in {
            Duration::MAX => self.never_expire += 1,
            left => self.expire_in.add(left),
        }
    }

    /// Returns the text for a terminal of this width.
    pub(super) fn shown(&self, width: usize) -> String {
        let mut rows = self.rows();
        if self.past_deadline.count > 0 {
            rows += "\nSessions past their deadline are refused. No session can be as old, or the \
                     creation time is in the future.\n";
        }
        let mut text = format!("{rows}\nAge of live sessions\n{}", self.ages.draw(width));
        if self.of_unknown_age > 0 {
            text += &format!("\nunknown   {}", self.of_unknown_age);
        }
        text += &format!("\n\nTime until live sessions expire\n{}", self.expire_in.draw(width));
        if self.never_expire > 0 {
            text += &format!("\nnever     {}", self.never_expire);
        }
        text
    }

    fn rows(&self) -> String {
        let tombstones = &self.tombstones;
        let mut rows = row("Live sessions", self.sessions.count, self.sessions.bytes);
        if self.past_deadline.count > 0 {
            rows += &row("Past their deadline", self.past_deadline.count, self.past_deadline.bytes);
        }
        rows += &row("Tombstones", tombstones.keys.count, tombstones.keys.bytes);
        for (kind, count) in tombstones.kinds() {
            rows += &row(&format!("  {kind}"), count, None);
        }
        rows += &row("Index lists", self.index_lists.count, self.index_lists.bytes);
        if self.other_keys.count > 0 {
            rows += &row("Other keys", self.other_keys.count, self.other_keys.bytes);
        }
        rows
    }

    fn all(&self) -> [&Keys; 5] {
        let tombstones = &self.tombstones.keys;
        [&self.sessions, &self.past_deadline, tombstones, &self.index_lists, &self.other_keys]
    }

    pub(super) fn is_empty(&self) -> bool {
        self.all().iter().all(|keys| keys.count == 0)
    }

    pub(super) fn lacks_bytes(&self) -> bool {
        self.all().iter().any(|keys| keys.bytes.is_none())
    }
}

impl Default for Keys {
    fn default() -> Self {
        Self { count: 0, bytes: Some(0) }
    }
}

impl Keys {
    /// If the memory of any key is unknown, the sum is unknown.
    fn add(&mut self, key: &CountedKey) {
        self.bytes = self.bytes.zip(key.bytes).map(|(sum, bytes)| sum + bytes);
        self.count += 1;
    }
}

impl Tombstones {
    fn add(&mut self, key: &CountedKey, kind: &TombstoneKind) {
        self.keys.add(key);
        *match kind {
            TombstoneKind::Destroyed(DestroyReason::LoggedOut) => &mut self.logged_out,
            TombstoneKind::Destroyed(DestroyReason::EndedElsewhere) => &mut self.ended_elsewhere,
            TombstoneKind::Destroyed(DestroyReason::TooMany) => &mut self.too_many,
            TombstoneKind::Rotated(_) => &mut self.rotated,
            TombstoneKind::Renewed(_) => &mut self.renewed,
        } += 1;
    }

    /// Returns the kinds that occur.
    fn kinds(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let kinds = [
            ("logged out", self.logged_out),
            ("ended elsewhere", self.ended_elsewhere),
            ("too many", self.too_many),
            ("rotated", self.rotated),
            ("renewed", self.renewed),
        ];
        kinds.into_iter().filter(|(_, count)| *count > 0)
    }
}

fn is_list(prefix: &str, key: &str) -> bool {
    let name = key.strip_prefix(prefix).and_then(|key| key.strip_prefix(":sessions:"));
    name.is_some_and(|name| name.starts_with("by:"))
}

/// Returns a line of the table.
fn row(name: &str, count: u64, bytes: Option<u64>) -> String {
    let bytes =
        bytes.filter(|_| count > 0).map(|bytes| format!("{:>12}", Bytes(bytes).to_string()));
    format!("{name:<21}{count:>12}{}\n", bytes.unwrap_or_default())
}
