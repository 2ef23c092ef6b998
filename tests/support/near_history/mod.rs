//! The checker for near caches: whether a history of writes and reads keeps the promises.
//!
//! Each field is a counter, so that a value is its own version. An end is the last version of all
//! fields. A read may return any version that its floor allows:
//!
//! - One store and its clones: what was written or read through it before the read began.
//! - Other stores: what was on the server `max_staleness` before the read began.
//! - A fresh read: what was on the server before the read began.
//!
//! A moment before an operation is its beginning and a moment after it is its end, so no tolerance
//! for clocks is necessary.

mod floor;
mod recorder;

pub use recorder::{Recorder, Store};

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::time::{Duration, Instant};

use self::floor::Floor;

/// A version of a field. The end of a field or its session is the last version.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(pub u64);

/// A session and one of its fields.
pub type Place = (usize, &'static str);

/// An operation that was reported done.
#[derive(Debug, Clone)]
pub struct Operation {
    /// The store, with its clones.
    pub store: usize,
    /// The task of the operation, for the message of a failure.
    pub task: usize,
    /// A moment before the operation.
    pub begun: Instant,
    /// A moment after the operation.
    pub ended: Instant,
    /// A write or a read.
    pub kind: Kind,
    /// The field.
    pub place: Place,
    /// The version that was written or read.
    pub version: Version,
}

/// The kind of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A write.
    Written {
        /// The moment from which the server has the version: the end of the operation, or the later
        /// expiry that it sets.
        on_server: Instant,
    },
    /// A read.
    Read {
        /// The limit of the store, or zero for a fresh read.
        staleness: Duration,
    },
}

/// Operations in any order.
#[derive(Debug, Clone, Default)]
pub struct History {
    operations: Vec<Operation>,
    /// Reads of values that are always written together.
    pairs: Vec<(usize, [u64; 2])>,
}

/// A broken promise.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields are what the variants speak of")]
pub enum Violation {
    /// A read through a store went back behind what the store had written or read.
    NotMonotonic { read: Read, floor: Version },
    /// A read returned what the server had not had for longer than allowed.
    TooOld { read: Read, floor: Version },
    /// A read returned what was only written afterwards.
    OfTheFuture { read: Read },
    /// Two writes were given the same version.
    WrittenTwice { place: Place, version: Version },
    /// A batch returned the halves of two writes.
    Torn { session: usize, values: [u64; 2] },
}

/// A read that broke a promise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields are those of the operation")]
pub struct Read {
    pub store: usize,
    pub place: Place,
    pub version: Version,
    pub begun: Instant,
}

impl Version {
    /// The end of a field or its session.
    pub const GONE: Self = Self(u64::MAX);

    /// Returns the version of a counter that starts from one.
    pub fn of_counter(count: u64) -> Self {
        if count == 0 { Self::GONE } else { Self(count) }
    }
}

impl History {
    /// Adds an operation.
    pub fn add(&mut self, operation: Operation) {
        self.operations.push(operation);
    }

    /// Adds a batch's values of two fields that are always written together.
    pub fn add_pair(&mut self, session: usize, values: [u64; 2]) {
        self.pairs.push((session, values));
    }

    /// Adds the operations of another part of the same history.
    pub fn append(&mut self, other: Self) {
        self.operations.extend(other.operations);
        self.pairs.extend(other.pairs);
    }

    /// Returns the number of operations.
    pub fn len(&self) -> usize {
        self.operations.len() + self.pairs.len()
    }

    /// Returns whether there are no operations.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns all broken promises.
    pub fn violations(&self) -> Vec<Violation> {
        let mut places: HashMap<Place, Vec<&Operation>> = HashMap::new();
        for operation in &self.operations {
            places.entry(operation.place).or_default().push(operation);
        }
        let mut violations: Vec<_> =
            places.into_values().flat_map(|operations| violations_at(&operations)).collect();
        let torn = self.pairs.iter().filter(|(_, [left, right])| left != right);
        violations.extend(torn.map(|&(session, values)| Violation::Torn { session, values }));
        violations
    }

    /// Fails if a promise is broken. The context is part of the message.
    pub fn assert_legal(&self, context: &str) {
        let violations = self.violations();
        let first: Vec<_> = violations.iter().take(5).collect();
        assert!(
            violations.is_empty(),
            "{context}: {} of {} operations are illegal: {first:#?}\n{}",
            violations.len(),
            self.len(),
            violations.first().map(|violation| self.story_of(violation)).unwrap_or_default(),
        );
    }

    /// Returns the operations around a violation, with times relative to it.
    fn story_of(&self, violation: &Violation) -> String {
        let (Violation::NotMonotonic { read, .. }
        | Violation::TooOld { read, .. }
        | Violation::OfTheFuture { read }) = violation
        else {
            return String::new();
        };
        let mut near: Vec<_> = self
            .operations
            .iter()
            .filter(|operation| operation.place == read.place && operation.begun <= read.begun)
            .collect();
        near.sort_by_key(|operation| operation.ended);
        let line = |operation: &&Operation| {
            let ago = |moment| read.begun.saturating_duration_since(moment);
            format!(
                "-{:?} to -{:?}: store {}, task {} {} {:?}\n",
                ago(operation.begun),
                ago(operation.ended),
                operation.store,
                operation.task,
                match operation.kind {
                    Kind::Written { .. } => "wrote",
                    Kind::Read { staleness: Duration::ZERO } => "read afresh",
                    Kind::Read { .. } => "read",
                },
                operation.version,
            )
        };
        let skipped = near.len().saturating_sub(40);
        near[skipped..].iter().map(line).collect()
    }
}

fn violations_at(operations: &[&Operation]) -> Vec<Violation> {
    let mut violations = Vec::new();
    let mut begun: HashMap<Version, Instant> = HashMap::new();
    for write in operations.iter().filter(|operation| operation.is_write()) {
        let (place, version) = (write.place, write.version);
        if begun.insert(version, write.begun).is_some() && version != Version::GONE {
            violations.push(Violation::WrittenTwice { place, version });
        }
    }
    let floors = Floors::new(operations);
    for operation in operations {
        let Kind::Read { staleness } = operation.kind else { continue };
        let (version, begin) = (operation.version, operation.begun);
        let read = Read {
            store: operation.store,
            place: operation.place,
            version,
            begun: operation.begun,
        };
        let above = |floor: &Floor| floor.before(begin).filter(|floor| *floor > version);
        if let Some(floor) = above(&floors.of_stores[&operation.store]) {
            violations.push(Violation::NotMonotonic { read, floor });
        }
        if let Some(floor) = above(&floors.of_staleness[&staleness]) {
            violations.push(Violation::TooOld { read, floor });
        }
        let writer = begun.get(&version).filter(|_| version != Version::GONE);
        if writer.is_some_and(|writer| *writer > operation.ended) {
            violations.push(Violation::OfTheFuture { read });
        }
    }
    violations
}

/// The versions below which no read may be.
struct Floors {
    of_stores: HashMap<usize, Floor>,
    of_staleness: HashMap<Duration, Floor>,
}

impl Floors {
    fn new(operations: &[&Operation]) -> Self {
        let mut of_stores: HashMap<_, Vec<_>> = HashMap::new();
        for operation in operations {
            let seen = (operation.on_server(), operation.version);
            of_stores.entry(operation.store).or_default().push(seen);
        }
        let limits: HashSet<_> = operations.iter().filter_map(|read| read.staleness()).collect();
        let of_limit = |limit| {
            Floor::new(operations.iter().map(|seen| (seen.known_within(limit), seen.version)))
        };
        Self {
            of_stores: of_stores.into_iter().map(|(at, seen)| (at, Floor::new(seen))).collect(),
            of_staleness: limits.into_iter().map(|limit| (limit, of_limit(limit))).collect(),
        }
    }
}

impl Operation {
    fn is_write(&self) -> bool {
        matches!(self.kind, Kind::Written { .. })
    }

    fn staleness(&self) -> Option<Duration> {
        match self.kind {
            Kind::Read { staleness } => Some(staleness),
            Kind::Written { .. } => None,
        }
    }

    /// Returns the moment from which the server has had this version or a later one.
    fn on_server(&self) -> Instant {
        match self.kind {
            Kind::Written { on_server } => on_server,
            Kind::Read { .. } => self.ended,
        }
    }

    /// Returns the moment from which a store with this staleness knows of the version.
    fn known_within(&self, staleness: Duration) -> Instant {
        self.on_server().max(self.ended + staleness)
    }
}

impl fmt::Debug for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::GONE => f.write_str("gone"),
            Self(version) => write!(f, "{version}"),
        }
    }
}
