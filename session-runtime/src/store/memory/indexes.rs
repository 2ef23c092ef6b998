//! The lists of the sessions with one value in an indexed field.

use std::collections::{HashMap, HashSet, VecDeque};
use std::time::{Duration, SystemTime};

use crate::id::{IndexKey, SessionId};

/// The time in which an end of all sessions refuses a login that began before.
pub(super) const MARKED_FOR: Duration = Duration::from_secs(10 * 60);

/// All lists of a store. A list has exactly the live sessions that are labelled with its key.
#[derive(Default)]
pub(super) struct Indexes {
    lists: HashMap<IndexKey, HashSet<SessionId>>,
    /// The latest end of all sessions of a list.
    marks: HashMap<IndexKey, Duration>,
    /// The marks in the order of their time.
    marked: VecDeque<(Duration, IndexKey)>,
}

/// The entry of a session in an index.
#[derive(Clone)]
pub(super) struct Label {
    pub(super) index: Box<str>,
    pub(super) field: Box<str>,
    pub(super) key: IndexKey,
    pub(super) session: SessionId,
    /// By the clock's time of the day. `None` if unknown.
    pub(super) signed_in_at: Option<SystemTime>,
}

impl Indexes {
    #[inline]
    pub(super) fn add_all(&mut self, labels: &[Label]) {
        if !labels.is_empty() {
            labels.iter().for_each(|label| self.add(label));
        }
    }

    #[inline]
    pub(super) fn remove_all(&mut self, labels: &[Label]) {
        if !labels.is_empty() {
            labels.iter().for_each(|label| self.remove(label));
        }
    }

    // Most sessions have no label, so the code for them stays small.
    #[cold]
    fn add(&mut self, label: &Label) {
        self.lists.entry(label.key.clone()).or_default().insert(label.session);
    }

    #[cold]
    fn remove(&mut self, label: &Label) {
        let Some(list) = self.lists.get_mut(&label.key) else { return };
        list.remove(&label.session);
        if list.is_empty() {
            self.lists.remove(&label.key);
        }
    }

    pub(super) fn sessions(&self, key: &IndexKey) -> impl Iterator<Item = &SessionId> {
        self.lists.get(key).into_iter().flatten()
    }

    pub(super) fn mark(&mut self, key: &IndexKey, now: Duration) {
        self.forget_old_marks(now);
        self.marks.insert(key.clone(), now);
        self.marked.push_back((now, key.clone()));
    }

    /// Returns the latest mark of a list.
    pub(super) fn marked_at(&mut self, key: &IndexKey, now: Duration) -> Option<Duration> {
        self.forget_old_marks(now);
        self.marks.get(key).copied()
    }

    fn forget_old_marks(&mut self, now: Duration) {
        while let Some((marked_at, key)) = self.marked.front()
            && now.saturating_sub(*marked_at) > MARKED_FOR
        {
            if self.marks.get(key) == Some(marked_at) {
                self.marks.remove(key);
            }
            self.marked.pop_front();
        }
    }

    /// Returns the number of marks, counted twice, and of all entries.
    #[cfg(test)]
    pub(super) fn lengths(&self) -> (usize, usize, usize) {
        let entries = self.lists.values().map(HashSet::len).sum();
        (self.marks.len(), self.marked.len(), entries)
    }
}
