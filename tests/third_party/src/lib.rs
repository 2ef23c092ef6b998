//! A minimal third-party store: a map behind a lock, with no more than the contract requires.
//!
//! Expired sessions stay in memory until the next request for them. The store has no size limit.

mod action;
mod store;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use session_runtime::Bytes;
use session_runtime::store::{PERMANENT_FIELD, SessionKey, TombstoneKind};

/// Sessions in a map.
#[derive(Default)]
pub struct NaiveStore {
    entries: Mutex<HashMap<String, Entry>>,
    /// A deliberate mistake, which the contract's checks must detect.
    flaw: Option<Flaw>,
}

/// A part of the contract that authors easily miss.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Flaw {
    AdoptsUnknownSessions,
    ForgetsThePermanentField,
    CarriesWritesOutTwice,
    KeepsNoTombstones,
    ProlongsTombstones,
    RefreshesWhenItOnlyReads,
    NeverRefreshes,
    LosesFieldsWhenItRotates,
    RotatesOntoOthers,
    ForgetsTheSuccessor,
    WritesHalf,
    KeepsAliases,
    RefreshesWithEveryChange,
    AddsAsFloats,
    ExpiresNothing,
    BeginsSessionsForFailures,
    ForgetsTheReason,
    CountsAgesFromTheLastUse,
    RotatesWithoutChanges,
    KeepsAllFields,
    WalksByPosition,
    WalksOverTombstones,
    ReadsPrefixesAsPatterns,
    HidesFieldsFromPrefixes,
    /// No mistake: the store says that a rotation cannot change fields.
    RotatesOnlyWhole,
    /// No mistake: the store says that a change cannot keep times.
    KeepsNoTimes,
    /// No mistake: the store says that fields cannot be listed.
    ListsNoFields,
}

struct Entry {
    /// `None` never expires.
    expires_at: Option<Instant>,
    content: Content,
}

enum Content {
    Live(HashMap<String, Bytes>),
    /// The kind and the time of the end.
    Dead(TombstoneKind, Instant),
}

type Entries = HashMap<String, Entry>;

impl NaiveStore {
    /// Creates a store with one mistake.
    pub fn with_flaw(flaw: Flaw) -> Self {
        Self { flaw: Some(flaw), ..Self::default() }
    }

    fn has(&self, flaw: Flaw) -> bool {
        self.flaw == Some(flaw)
    }

    /// Returns the entries, after removing this key if it has expired.
    fn entries(&self, key: &SessionKey) -> MutexGuard<'_, Entries> {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let expires_at = entries.get(key.expose_secret()).and_then(|entry| entry.expires_at);
        if expires_at.is_some_and(|at| at <= Instant::now()) && !self.has(Flaw::ExpiresNothing) {
            entries.remove(key.expose_secret());
        }
        entries
    }

    fn begun(&self) -> HashMap<String, Bytes> {
        let permanent = (PERMANENT_FIELD.to_owned(), Bytes::new());
        if self.has(Flaw::ForgetsThePermanentField) {
            HashMap::new()
        } else {
            HashMap::from([permanent])
        }
    }
}

fn after(expires_in: Duration) -> Option<Instant> {
    Instant::now().checked_add(expires_in)
}

impl fmt::Debug for NaiveStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NaiveStore").finish_non_exhaustive()
    }
}
