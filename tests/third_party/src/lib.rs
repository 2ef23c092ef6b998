//! A store as somebody else might write it: a map under a lock, and no more than the contract asks
//! for. It never forgets an expired session that nobody asks for, and has no bounds.

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
    /// What it does wrong, to see that it is found out.
    flaw: Option<Flaw>,
}

/// A part of the contract that is easily forgotten.
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
    AddsAsFloats,
    ExpiresNothing,
    BeginsSessionsForFailures,
    ForgetsTheReason,
    CountsAgesFromTheLastUse,
}

struct Entry {
    /// `None`: for ever.
    expires_at: Option<Instant>,
    content: Content,
}

enum Content {
    Live(HashMap<String, Bytes>),
    /// How it ended, and when.
    Dead(TombstoneKind, Instant),
}

type Entries = HashMap<String, Entry>;

impl NaiveStore {
    /// A store that does one thing wrong.
    pub fn with_flaw(flaw: Flaw) -> Self {
        Self { flaw: Some(flaw), ..Self::default() }
    }

    fn has(&self, flaw: Flaw) -> bool {
        self.flaw == Some(flaw)
    }

    /// What is there, without what has expired under this key.
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
