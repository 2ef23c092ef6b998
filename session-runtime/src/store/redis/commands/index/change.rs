//! A change of a session together with its entries in lists.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use redis::{Cmd, Value};
use tokio::time::Instant;

use super::label::LabelledEntry;
use super::length_word;
use crate::id::{IndexKey, SessionId};
use crate::store::redis::commands::expiry::milliseconds;
use crate::store::redis::commands::script::Script;
use crate::store::redis::net::deployment::Deployment;
use crate::store::{IndexChange, SessionKey, StoreError};

/// A change of a session with entries in lists.
pub(in super::super) struct IndexedRun<'a> {
    pub(in super::super) script: &'a Script,
    /// The present key of the session.
    pub(in super::super) key: &'a SessionKey,
    /// The key after a rotation.
    pub(in super::super) successor: Option<&'a SessionKey>,
    /// The id after the change.
    pub(in super::super) session: &'a SessionId,
    pub(in super::super) deadline_in: Duration,
    pub(in super::super) changes: &'a [IndexChange<'a>],
    /// The label of a session that is rotated, as far as known.
    pub(in super::super) label: &'a [u8],
    /// Adds the arguments of the script itself.
    pub(in super::super) add_arguments: &'a (dyn Fn(&mut Cmd) + Sync),
    /// Returns whether a reply of the script shows that the session has kept another value.
    pub(in super::super) is_kept: &'a (dyn Fn(&Value) -> bool + Sync),
}

/// An addition to a list.
pub(super) struct Addition {
    pub(super) list: IndexKey,
    /// The time by the clock of the list.
    pub(super) at: SystemTime,
    /// The score, if the session was not in the list before.
    pub(super) score: Option<Bytes>,
}

/// The result of the first step.
pub(super) struct FirstStep {
    pub(super) added: Vec<Addition>,
    /// The times of the additions to the lists of new values, by the clocks of the lists.
    pub(super) added_at: Vec<SystemTime>,
    /// The time after which the second step is refused.
    pub(super) not_after: Option<SystemTime>,
}

impl IndexedRun<'_> {
    /// Runs the script that changes the session. After a first step, the lists have been changed.
    pub(super) async fn run_script(
        &self,
        deployment: &Arc<Deployment>,
        deadline: Instant,
        moving: &[LabelledEntry<'_>],
        first: Option<&FirstStep>,
    ) -> Result<Value, StoreError> {
        let own_keys =
            || [self.key].into_iter().chain(self.successor).map(|key| key.expose_secret());
        let lists = self.new_lists().chain(moving.iter().map(|entry| &entry.list));
        let lists = lists.filter(|_| first.is_none()).map(IndexKey::as_str);
        let keys: Vec<&str> = own_keys().chain(lists).collect();
        let add = |invocation: &mut Cmd| {
            let own_keys = own_keys().count();
            invocation.arg(own_keys).arg(self.session.expose_secret());
            // A session without a label is in no list.
            let former = self.successor.filter(|_| !self.label.is_empty());
            let former = former.and_then(|_| self.key.native_id());
            invocation.arg(former.unwrap_or_default()).arg(milliseconds(self.deadline_in));
            invocation.arg(self.label);
            invocation
                .arg(first.and_then(|first| first.not_after).map(seconds).unwrap_or_default());
            invocation.arg(self.changes.len() + moving.len());
            let mut added_at = first.into_iter().flat_map(|first| &first.added_at);
            let mut positions = own_keys + 1..;
            let mut position = || positions.next().filter(|_| first.is_none()).unwrap_or(0);
            for change in self.changes {
                match &change.entry {
                    Some(_) => add_change(invocation, change, position(), added_at.next()),
                    None => add_change(invocation, change, 0, None),
                }
            }
            for LabelledEntry { index, field, list } in moving {
                invocation.arg(index).arg(field).arg(position()).arg(list.hash());
                invocation.arg(&["0", "", "", "", "", ""]);
            }
            (self.add_arguments)(invocation);
        };
        self.script.run_on_session(deployment, deadline, self.key, &keys, add).await
    }

    /// Returns the lists of new values.
    pub(super) fn new_lists(&self) -> impl Iterator<Item = &IndexKey> {
        self.changes.iter().filter_map(|change| change.entry.as_ref()).map(|entry| &entry.key)
    }
}

fn add_change(
    invocation: &mut Cmd,
    change: &IndexChange<'_>,
    position: usize,
    added_at: Option<&SystemTime>,
) {
    invocation.arg(change.index).arg(change.field).arg(position);
    let Some(entry) = &change.entry else {
        invocation.arg(&["", "1", "", "", "", "", ""]);
        return;
    };
    invocation.arg(entry.key.hash()).arg("1");
    invocation.arg(entry.value.beginnings()).arg(length_word(&entry.value));
    invocation.arg(entry.guard.unless_ended_since.map(seconds).unwrap_or_default());
    invocation.arg(entry.guard.at_most.map(|most| most.to_string()).unwrap_or_default());
    invocation.arg(added_at.map(|time| seconds(*time)).unwrap_or_default());
}

/// Returns the seconds since 1970 with six decimals.
pub(super) fn seconds(time: SystemTime) -> String {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    format!("{}.{:06}", since.as_secs(), since.subsec_micros())
}
