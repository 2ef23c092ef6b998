//! The contract of a store that finds sessions by a field.

use std::fmt;
use std::time::{Duration, SystemTime};

use bytes::Bytes;

use super::{BoxFuture, Destroyed, Destruction, IndexedValue, Lookup, StoreError};
use crate::id::{IndexKey, SessionId, SessionKey};

/// A store that lists the sessions with one value in an indexed field.
///
/// # The contract
///
/// [`SessionStore::index`](super::SessionStore::index) returns this part of a store. Only then do
/// [`Write::index`](super::Write::index), [`Modify::index`](super::Modify::index) and
/// [`Rotation::index`](super::Rotation::index) have a content.
///
/// A live session whose indexed field has a value is an **entry** under the [`IndexKey`] of this
/// value, at every moment. The entry goes along with every rotation, whatever schema the request
/// uses.
///
/// The same value may have different stored bytes, of which only the beginning counts. So compare
/// with [`IndexedValue::fits`], never with a whole value.
///
/// A list may have entries too many: sessions that have ended, or whose field has another value.
/// Such entries go at the latest with the absolute deadline of the session.
///
/// # Two steps
///
/// A store that cannot change the list and the session in one step adds the entry first. The entry
/// is **pending** as long as the second step may still be under way. A store with a single step has
/// no pending entries.
pub trait SessionIndex: Send + Sync {
    /// Returns the sessions under this key, and a few too many. `mark` also records the present
    /// moment as an end of all these sessions, for [`LoginGuard`](super::LoginGuard).
    ///
    /// The mark counts for ten minutes. Works even if the store is full.
    fn entries<'a>(
        &'a self,
        key: &'a IndexKey,
        mark: bool,
    ) -> BoxFuture<'a, Result<Listing, StoreError>>;

    /// Looks at several sessions without refreshing their expiry, and returns what it found in the
    /// order of `keys`.
    fn look<'a>(
        &'a self,
        keys: &'a [SessionKey],
        look: Look<'a>,
    ) -> BoxFuture<'a, Result<Vec<Lookup<Seen>>, StoreError>>;

    /// Ends a live session if the proof holds, as [`destroy`](super::SessionStore::destroy) does.
    /// Returns `None` for a live session that the proof does not fit, which stays unchanged.
    ///
    /// May also follow a dead session to its successors and end the last. The caller does the same,
    /// but a client that changes its id again and again may be faster.
    fn destroy_if<'a>(
        &'a self,
        key: &'a SessionKey,
        ending: Ending<'a>,
    ) -> BoxFuture<'a, Result<Option<Destroyed>, StoreError>>;

    /// Makes a live session an entry if the proof holds, and returns whether it was none before. A
    /// session that the proof does not fit stays unchanged, and is no new entry.
    ///
    /// Refreshes nothing. If the session has no time of a sign-in for this entry, the time stays
    /// unknown: [`Seen::signed_in_at`] is `None`. Otherwise the time stays as it is.
    fn restore_entry<'a>(
        &'a self,
        key: &'a SessionKey,
        entry: MissingEntry<'a>,
    ) -> BoxFuture<'a, Result<Lookup<bool>, StoreError>>;

    /// Removes entries whose session does not fit the proof. Other entries stay, and so do pending
    /// entries.
    fn remove_stale<'a>(
        &'a self,
        key: &'a IndexKey,
        proof: IndexProof<'a>,
        stale: Stale<'a>,
    ) -> BoxFuture<'a, Result<(), StoreError>>;

    /// Returns the time by the clock that marks this list.
    fn list_time<'a>(&'a self, key: &'a IndexKey) -> BoxFuture<'a, Result<SystemTime, StoreError>>;
}

/// The entries of a list at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// The entries, in any order.
    pub entries: Vec<ListEntry>,
    /// The time of the read, by the clock of the list.
    pub read_at: SystemTime,
}

impl Listing {
    /// Returns the sessions of the entries.
    pub fn sessions(&self) -> impl Iterator<Item = SessionId> + '_ {
        self.entries.iter().map(|entry| entry.session)
    }
}

/// An entry of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListEntry {
    /// The session.
    pub session: SessionId,
    /// The time of the first step, if the second step may still be under way.
    pub pending_since: Option<SystemTime>,
    /// The entry counts for [`LoginGuard::at_most`](super::LoginGuard::at_most).
    pub counts: bool,
}

/// The end of a session that is an entry of a list, for [`SessionIndex::destroy_if`].
#[derive(Debug, Clone, Copy)]
pub struct Ending<'a> {
    /// The proof for a live session.
    pub proof: IndexProof<'a>,
    /// The time of the list's read, for a pending entry. A live session then ends without a proof,
    /// and a missing session gets a tombstone. The second step under way is thereby refused.
    ///
    /// Fails with [`unavailable`](StoreError::unavailable) more than a minute after this time.
    pub pending_at: Option<SystemTime>,
    /// The reason, and the lifetime of the tombstone.
    pub destruction: Destruction,
}

/// Entries that did not fit the proof after a read of the list, for
/// [`SessionIndex::remove_stale`].
#[derive(Debug, Clone, Copy)]
pub struct Stale<'a> {
    /// The time of the list's read.
    pub read_at: SystemTime,
    /// The entries.
    pub entries: &'a [StaleEntry],
}

/// An entry that did not fit the proof.
#[derive(Debug, Clone)]
pub struct StaleEntry {
    /// The session.
    pub session: SessionId,
    /// The key of the session.
    pub key: SessionKey,
    /// The session has a tombstone.
    pub is_dead: bool,
}

/// An entry that may be missing, for [`SessionIndex::restore_entry`].
#[derive(Debug, Clone, Copy)]
pub struct MissingEntry<'a> {
    /// The id of the session, which becomes the entry.
    pub session: &'a SessionId,
    /// The time until the session's absolute deadline, more than zero.
    pub deadline_in: Duration,
    /// The name of the index.
    pub index: &'a str,
    /// The key of the list.
    pub list: &'a IndexKey,
    /// The value that the session must have.
    pub proof: IndexProof<'a>,
}

/// The values to look at, for [`SessionIndex::look`].
#[derive(Debug, Clone, Copy)]
pub struct Look<'a> {
    /// The name of the index, for [`Seen::signed_in_at`].
    pub index: &'a str,
    /// The stored names of the fields.
    pub fields: &'a [&'a str],
}

/// A live session. `Debug` does not show the values.
#[derive(Clone, PartialEq, Eq)]
pub struct Seen {
    /// The values, in the order of the fields.
    pub values: Vec<Option<Bytes>>,
    /// The time until the session expires. [`Duration::MAX`] if it never expires.
    pub expires_in: Duration,
    /// The time at which the indexed field was set, by the clock of the store. `None` if unknown.
    pub signed_in_at: Option<SystemTime>,
}

impl fmt::Debug for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seen")
            .field("expires_in", &self.expires_in)
            .field("signed_in_at", &self.signed_in_at)
            .finish_non_exhaustive()
    }
}

/// The proof that a session belongs to an entry: the value of the indexed field. `Debug` does not
/// show the value.
#[derive(Clone, Copy)]
pub struct IndexProof<'a> {
    /// The stored name of the field.
    pub field: &'a str,
    /// The former stored name, which counts if there is nothing under the present name.
    pub alias: Option<&'a str>,
    /// The value.
    pub value: &'a IndexedValue,
}

impl IndexProof<'_> {
    /// Returns whether these are the values under the present and the former name of a session of
    /// this entry.
    pub fn fits(&self, present: Option<&[u8]>, former: Option<&[u8]>) -> bool {
        present.or(former).is_some_and(|stored| self.value.fits(stored))
    }
}

impl fmt::Debug for IndexProof<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IndexProof").field("field", &self.field).finish_non_exhaustive()
    }
}
