//! The walk that encrypts stored values with the newest key.

use std::any::type_name;
use std::collections::VecDeque;
use std::fmt;
use std::marker::PhantomData;
use std::num::NonZero;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::search::{FOLLOWED, Found, successor};
use super::walk::Walk;
use crate::background::sleep_until;
use crate::error::{Error, Kind};
use crate::lifecycle::SessionMetadata;
use crate::operation::Operation;
use crate::request::encrypted::{Resealed, reseal};
use crate::request::index_list::IndexedField;
use crate::request::manager::Manager;
use crate::session::form::EncryptedName;
use crate::session::schema::Schema;
use crate::store::{
    Action, IndexChange, IndexEntry, IndexProof, Indexing, Lookup, Modified, Modify, Stale,
    StaleEntry, WriteMode,
};
use crate::telemetry::{OperationName, OperationSpan};

/// The sessions in a second, unless the application sets another number.
const DEFAULT_RATE: NonZero<u32> = NonZero::new(1_000).unwrap();
/// The walk waits if it is ahead of its rate by this time.
const LEAST_WAIT: Duration = Duration::from_millis(10);

/// A walk over all sessions that encrypts stored values with the newest key. Made by
/// [`Sessions::reencrypt`](crate::Sessions::reencrypt).
pub struct Reencryption<S> {
    manager: Arc<Manager>,
    walk: Walk,
    /// Sessions that are still to be done.
    page: VecDeque<Found>,
    rate: NonZero<u32>,
    done: Reencrypted,
    /// The first error of a session that was passed over.
    error: Option<Error>,
    schema: PhantomData<fn() -> S>,
}

/// The work of a [`Reencryption`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reencrypted {
    /// The number of sessions that were looked at.
    pub sessions: u64,
    /// The number of values that were encrypted again.
    pub values: u64,
    /// The number of values that changed or moved meanwhile, and were left alone. Such a value may
    /// still be under an older key.
    pub changed: u64,
    /// The number of values that could not be decrypted, and stayed as they are.
    pub unreadable: u64,
    /// The number of values with an index that this schema does not declare. They stayed as they
    /// are, because this schema cannot name the index. Walk with the schema that declares it.
    pub indexed_elsewhere: u64,
}

impl<S: Schema> Reencryption<S> {
    pub(crate) fn new(manager: Arc<Manager>) -> Self {
        let (walk, page, done) = (Walk::new(), VecDeque::new(), Reencrypted::default());
        Self { manager, walk, page, rate: DEFAULT_RATE, done, error: None, schema: PhantomData }
    }

    /// Limits the number of sessions in a second. Zero counts as one. Default: 1,000.
    pub fn rate(mut self, sessions_per_second: u32) -> Self {
        self.rate = NonZero::new(sessions_per_second).unwrap_or(NonZero::<u32>::MIN);
        self
    }

    /// Walks to the end, and returns the work. If the store is unavailable, or if the future is
    /// dropped, another call goes on where this call stopped. After the end, another call begins a
    /// new walk.
    ///
    /// # Errors
    ///
    /// - [`Error::is_unavailable`]: the store cannot be reached. Call `run` again.
    /// - [`Error::is_unsupported`]: no field of the schema is encrypted, a custom store cannot list
    ///   its sessions, or the store [cannot keep times].
    /// - [`Error::is_config`]: there is no key.
    /// - Any other error: the first of a session, after all other sessions. With Redis 7.4, Valkey
    ///   9 and later versions, the user may lack the permission `+hpttl` or `+hpexpire`.
    ///
    /// [cannot keep times]: crate::store::SessionStore::supports_keeping_times
    pub fn run(&mut self) -> Operation<'_, Reencrypted> {
        let span = OperationSpan::without_session(OperationName::Reencrypt);
        Operation::new(span.instrument(self.walk_to_the_end()))
    }

    /// Returns the work of this walk up to now.
    pub fn done(&self) -> Reencrypted {
        self.done
    }

    async fn walk_to_the_end(&mut self) -> Result<Reencrypted, Error> {
        self.check()?;
        if self.walk.is_over() && self.page.is_empty() {
            (self.walk, self.done, self.error) = (Walk::new(), Reencrypted::default(), None);
        }
        let mut due = Instant::now();
        loop {
            while let Some(found) = self.page.front() {
                if due > Instant::now() + LEAST_WAIT {
                    sleep_until(due).await;
                }
                due = due.max(Instant::now()) + Duration::from_secs(1) / self.rate.get();
                match reencrypt::<S>(&self.manager, found, &mut self.done).await {
                    Err(error) if error.is_unavailable() => return Err(error),
                    Err(error) => self.error = self.error.take().or(Some(error)),
                    Ok(()) => {}
                }
                self.page.pop_front();
                self.done.sessions += 1;
            }
            match self.walk.step(&self.manager, "", &names::<S>()).await? {
                Some(found) => self.page = found.into(),
                None => return self.error.take().map_or(Ok(self.done), Err),
            }
        }
    }

    fn check(&self) -> Result<(), Error> {
        let Some(first) = S::ENCRYPTED.first() else {
            return Err(Error::new(Kind::SchemaWithoutEncryption { schema: type_name::<S>() }));
        };
        self.manager.encryption_keys(first.stored)?;
        match self.manager.store().supports_keeping_times() {
            true => Ok(()),
            false => Err(Error::new(Kind::NoKeepingTimes)),
        }
    }
}

/// Returns the names under which encrypted values may be.
fn names<S: Schema>() -> Vec<&'static str> {
    S::ENCRYPTED.iter().flat_map(EncryptedName::read_names).collect()
}

/// Encrypts the values of a session, and counts them.
async fn reencrypt<S: Schema>(
    manager: &Manager,
    found: &Found,
    done: &mut Reencrypted,
) -> Result<(), Error> {
    let mut values = found.seen.values.iter();
    for name in S::ENCRYPTED {
        let held: Vec<_> = values.by_ref().take(name.read_names().count()).flatten().collect();
        let (Some(field), Some(stored)) = (name.encrypted_field(), held.first()) else { continue };
        match reseal(manager, &found.session, &field, name.read_names(), stored)? {
            Resealed::IsNewest(None) => {}
            Resealed::IsNewest(Some(plain)) => {
                leave_former_lists(manager, &found.session, name, &plain).await?;
            }
            Resealed::Unreadable => done.unreadable += 1,
            Resealed::IndexedElsewhere => done.indexed_elsewhere += 1,
            Resealed::Value { plain, sealed } => {
                let change = Change { name, stored, plain: &plain, sealed };
                match change.carry_out(manager, &found.session).await? {
                    true => {
                        done.values += 1;
                        leave_former_lists(manager, &found.session, name, &plain).await?;
                    }
                    false => done.changed += 1,
                }
            }
        }
    }
    Ok(())
}

/// A stored value, and the same value in its newest form.
struct Change<'a> {
    name: &'a EncryptedName,
    stored: &'a Bytes,
    plain: &'a Bytes,
    sealed: Bytes,
}

impl Change<'_> {
    /// Replaces the value, also under a later id of the session. A value that has changed since
    /// stays as it is. Returns whether the value was replaced.
    async fn carry_out(&self, manager: &Manager, from: &SessionMetadata) -> Result<bool, Error> {
        let store = manager.store();
        let index = self.index_change(manager)?;
        let mut session = from.clone();
        for _ in 0..FOLLOWED {
            let now = manager.now();
            let Some(deadline_in) = session.deadline_in(now) else { break };
            let changes = index.as_slice();
            let indexing = Indexing { session: &session.id, deadline_in, changes };
            let modify = Modify {
                mode: WriteMode::Existing,
                field: self.name.stored,
                alias: self.name.alias(),
                action: Action::CompareAndSet {
                    expected: Some(self.stored.clone()),
                    or_missing: false,
                    value: Some(self.sealed.clone()),
                },
                ttl: None,
                expires_in: deadline_in,
                index: index.is_some().then_some(indexing),
                keeps_times: true,
            };
            match store.modify(&session.key, modify).await? {
                Lookup::Found(modified) => return Ok(modified == Modified::Swapped(true)),
                Lookup::Missing => break,
                Lookup::Dead => {}
            }
            let Some(next) = successor(manager, &session.key).await? else { break };
            session = manager.metadata(next);
        }
        Ok(false)
    }

    /// Returns the entry in the list of the newest key, if the field is indexed.
    fn index_change(&self, manager: &Manager) -> Result<Option<IndexChange<'static>>, Error> {
        let Some(field) = self.name.indexed_field() else { return Ok(None) };
        if manager.store().index().is_none() {
            return Err(Error::new(Kind::NoIndex));
        }
        let list = manager.index_list(field, self.plain)?;
        let entry = IndexEntry { key: list.key, value: list.value, guard: Default::default() };
        Ok(Some(IndexChange { index: field.index, field: field.field, entry: Some(entry) }))
    }
}

/// Removes a session from the lists of older keys and of the plain value, which it has left. The
/// store looks at the value again. Such a list would tell of the user until the absolute deadline.
async fn leave_former_lists(
    manager: &Manager,
    session: &SessionMetadata,
    name: &EncryptedName,
    plain: &Bytes,
) -> Result<(), Error> {
    let (Some(field), Some(store)) = (name.indexed_field(), manager.store().index()) else {
        return Ok(());
    };
    let (key, is_dead) = (session.key.clone(), false);
    let entries = [StaleEntry { session: session.id, key, is_dead }];
    for list in manager.former_index_lists(field, plain)? {
        let IndexedField { field, alias, .. } = field;
        let proof = IndexProof { field, alias, value: &list.value };
        let read_at = store.list_time(&list.key).await?;
        store.remove_stale(&list.key, proof, Stale { read_at, entries: &entries }).await?;
    }
    Ok(())
}

impl<S> fmt::Debug for Reencryption<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reencryption").field("done", &self.done).finish_non_exhaustive()
    }
}
