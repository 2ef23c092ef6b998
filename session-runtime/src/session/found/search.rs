//! The search for the sessions of one value, and their end.

use std::collections::{HashSet, VecDeque};
use std::time::{Duration, Instant, SystemTime};

use crate::error::{Error, Kind};
use crate::id::SessionId;
use crate::lifecycle::{END_TOMBSTONE_FOR, SessionMetadata};
use crate::request::encrypted::open;
use crate::request::index_list::{IndexList, IndexedField};
use crate::request::indexed::IndexedChange;
use crate::request::manager::Manager;
use crate::store::{
    DestroyReason, Destroyed, Destruction, Ending, IndexProof, ListEntry, Listing, Look, Lookup,
    Seen, SessionIndex, SessionKey, Stale, StaleEntry, StoreError,
};
use crate::telemetry::{EventQueue, LifecycleEvent};

/// The number of ids under which a session is followed. Each is a rotation during the search.
pub(super) const FOLLOWED: usize = 1_000;
/// The time after which a list is read again. An entry may no longer be pending, and a tombstone
/// that leads to a later id may be gone.
const LIST_COUNTS_FOR: Duration = Duration::from_secs(30);
/// The number of times that an end is repeated because it took too long.
const END_TRIES: usize = 3;
/// The time for which a pending entry counts as a session for the limit of a login. `prune.lua`
/// uses the same time.
const PENDING_COUNTS_FOR: Duration = Duration::from_secs(5 * 60);

/// A search for the sessions with one value in an index.
pub(crate) struct Search<'a> {
    manager: &'a Manager,
    store: &'a dyn SessionIndex,
    field: IndexedField,
    list: IndexList,
    removes_stale: bool,
}

/// A live session with the value.
pub(crate) struct Found {
    pub(crate) session: SessionMetadata,
    pub(crate) seen: Seen,
}

/// The result of a search.
pub(crate) struct Survey {
    /// The live sessions with the value.
    pub(crate) found: Vec<Found>,
    /// Entries without such a session, which may be logins that are half done.
    pending: Vec<ListEntry>,
    read_at: SystemTime,
    asked: Instant,
}

/// A list, with the moment before its read.
pub(crate) struct ReadList {
    pub(crate) listing: Listing,
    asked: Instant,
}

impl ReadList {
    fn is_older_than(&self, age: Duration) -> bool {
        self.asked.elapsed() > age
    }

    fn pending(&self) -> HashSet<SessionId> {
        let pending = self.listing.entries.iter().filter(|entry| entry.pending_since.is_some());
        pending.map(|entry| entry.session).collect()
    }
}

impl Survey {
    /// Returns the sessions that were found, as entries of a list.
    pub(crate) fn list(&self) -> ReadList {
        let entry =
            |one: &Found| ListEntry { session: one.session.id, pending_since: None, counts: true };
        self.list_of(self.found.iter().map(entry).collect())
    }

    fn list_of(&self, entries: Vec<ListEntry>) -> ReadList {
        ReadList { listing: Listing { entries, read_at: self.read_at }, asked: self.asked }
    }
}

impl<'a> Search<'a> {
    /// # Errors
    ///
    /// `is_unsupported` if the store has no index.
    pub(crate) fn new(
        manager: &'a Manager,
        field: IndexedField,
        list: IndexList,
        removes_stale: bool,
    ) -> Result<Self, Error> {
        let store = manager.store().index().ok_or_else(|| Error::new(Kind::NoIndex))?;
        Ok(Self { manager, store, field, list, removes_stale })
    }

    /// Returns the live sessions with the value of the index, and with the values of the fields.
    /// Entries that prove to be stale are removed.
    pub(crate) async fn survey(&self, fields: &[&str]) -> Result<Survey, Error> {
        let ReadList { listing, asked } = self.read(false).await?;
        let read_at = listing.read_at;
        // Ids from Python may be equal.
        let mut ids = Vec::from_iter(HashSet::<_>::from_iter(listing.sessions()));
        let (mut found, mut stale) = (Vec::new(), Vec::new());
        let (mut live, mut dead, mut tags) = (HashSet::new(), HashSet::new(), HashSet::new());
        for _ in 0..FOLLOWED {
            let mut successors = Vec::new();
            for (session, lookup) in self.look(&ids, fields).await? {
                let is_dead = lookup == Lookup::Dead;
                match lookup {
                    Lookup::Found(seen) if self.fits(&seen) => {
                        if !self.is_genuine(&session, &seen)? {
                            continue;
                        }
                        let seen = self.without_proof(seen);
                        // A session may be seen under two ids, before and after a rotation.
                        if live.insert(session.id) & tags.insert(session.id.tag().to_owned()) {
                            found.push(Found { session, seen });
                        }
                        continue;
                    }
                    Lookup::Dead => {
                        dead.insert(session.id);
                        successors.extend(successor(self.manager, &session.key).await?);
                    }
                    Lookup::Found(_) | Lookup::Missing => {}
                }
                stale.push(StaleEntry { session: session.id, key: session.key.clone(), is_dead });
            }
            // A successor may have been missing at the first look, and live since.
            successors.retain(|id| !live.contains(id) && !dead.contains(id));
            if successors.is_empty() {
                break;
            }
            ids = successors;
        }
        stale.retain(|entry| !live.contains(&entry.session));
        self.remove_stale(read_at, &stale).await;
        let unproven: HashSet<_> =
            stale.iter().filter(|entry| !entry.is_dead).map(|entry| entry.session).collect();
        let is_pending =
            |entry: &ListEntry| entry.pending_since.is_some() && unproven.contains(&entry.session);
        let pending = listing.entries.into_iter().filter(is_pending).collect();
        Ok(Survey { found, pending, read_at, asked })
    }

    /// Removes entries that are not true any more, unless the lists are kept. An error is no harm.
    async fn remove_stale(&self, read_at: SystemTime, entries: &[StaleEntry]) {
        let stale = Stale { read_at, entries };
        if self.removes_stale
            && !entries.is_empty()
            && let Err(error) = self.store.remove_stale(&self.list.key, self.proof(), stale).await
        {
            tracing::debug!(%error, "ended sessions stay in an index until their deadline");
        }
    }

    /// Reads the list. `mark` also records an end of all sessions.
    pub(crate) async fn read(&self, mark: bool) -> Result<ReadList, Error> {
        let asked = Instant::now();
        Ok(ReadList { listing: self.store.entries(&self.list.key, mark).await?, asked })
    }

    /// Returns the time by the clock that marks the list.
    pub(crate) async fn time(&self) -> Result<SystemTime, Error> {
        Ok(self.store.list_time(&self.list.key).await?)
    }

    /// Ends the sessions of a list if they have the value, also under a later id. Logins that are
    /// half done fail. Returns how many sessions were ended now.
    ///
    /// The tombstones that lead to a later id do not last. So an old list is read again for the
    /// sessions that are left.
    ///
    /// # Errors
    ///
    /// The first error, after an attempt at all sessions.
    pub(crate) async fn end(
        &self,
        mut list: ReadList,
        reason: DestroyReason,
    ) -> Result<usize, Error> {
        let (mut ended, mut error, mut over) = (0, None, Vec::new());
        let mut left: VecDeque<_> = list.listing.sessions().map(|id| (id, 0)).collect();
        let mut pending = list.pending();
        while let Some((id, tries)) = left.pop_front() {
            if list.is_older_than(LIST_COUNTS_FOR) {
                match self.read(false).await {
                    Ok(again) => {
                        list = again;
                        pending = list.pending();
                        add_later_ids(&mut left, id, &list);
                    }
                    Err(failed) => {
                        error = error.or(Some(failed));
                        pending.clear();
                        list.asked = Instant::now();
                    }
                }
                over.clear();
            }
            let pending_at = pending.contains(&id).then_some(list.listing.read_at);
            match self.end_one(id, pending_at, reason, &mut over).await {
                Ok(false) => {}
                Ok(true) => {
                    ended += 1;
                    report_end(&id);
                }
                Err(failed) => error = error.or(Some(failed)),
            }
            // A tombstone may have been gone before the end was carried out.
            if list.is_older_than(2 * LIST_COUNTS_FOR) {
                match tries < END_TRIES {
                    true => left.push_front((id, tries + 1)),
                    false => error = error.or_else(|| Some(too_slow())),
                }
            }
        }
        self.remove_stale(list.listing.read_at, &over).await;
        error.map_or(Ok(ended), Err)
    }

    /// Follows a session to its last id, and ends it there. Returns whether it was live. `over`
    /// gets the ids that are over.
    async fn end_one(
        &self,
        id: SessionId,
        pending_at: Option<SystemTime>,
        reason: DestroyReason,
        over: &mut Vec<StaleEntry>,
    ) -> Result<bool, Error> {
        let destruction = Destruction { reason, tombstone_for: END_TOMBSTONE_FOR };
        let ending = Ending { proof: self.proof(), pending_at, destruction };
        let mut session = self.manager.metadata(id);
        for _ in 0..FOLLOWED {
            let destroyed = self.store.destroy_if(&session.key, ending).await?;
            let is_dead = match destroyed {
                Some(Destroyed::Missing) => pending_at.is_some(),
                ended => ended.is_some(),
            };
            over.push(StaleEntry { session: session.id, key: session.key.clone(), is_dead });
            let next = match destroyed {
                Some(Destroyed::Ended) => return Ok(true),
                Some(Destroyed::Dead(kind)) => kind.successor(),
                Some(Destroyed::Missing) | None => None,
            };
            let Some(next) = next else { return Ok(false) };
            session = self.manager.metadata(next);
        }
        Err(keeps_changing())
    }

    async fn look(
        &self,
        ids: &[SessionId],
        fields: &[&str],
    ) -> Result<Vec<(SessionMetadata, Lookup<Seen>)>, Error> {
        let sessions: Vec<_> = ids.iter().map(|id| self.manager.metadata(*id)).collect();
        let keys: Vec<_> = sessions.iter().map(|session| session.key.clone()).collect();
        let proven = self.field.read_names().map(|name| -> &str { name });
        let names: Vec<_> = proven.chain(fields.iter().copied()).collect();
        let look = Look { index: self.field.index, fields: &names };
        let seen = self.store.look(&keys, look).await?;
        Ok(sessions.into_iter().zip(seen).collect())
    }

    /// Returns whether the first values are those of this index.
    fn fits(&self, seen: &Seen) -> bool {
        let value = |at: usize| seen.values.get(at).and_then(Option::as_deref);
        self.proof().fits(value(0), self.field.alias.and_then(|_| value(1)))
    }

    /// Returns whether an encrypted value was encrypted for this session. The id comes from a list,
    /// which another program may have written, and so does the beginning of the value.
    fn is_genuine(&self, session: &SessionMetadata, seen: &Seen) -> Result<bool, Error> {
        let names = self.field.read_names();
        let stored = seen.values.iter().take(names.clone().count()).flatten().next();
        let (Some(encryption), Some(stored)) = (self.field.encryption, stored) else {
            return Ok(true);
        };
        Ok(open(self.manager, session, encryption, names, stored)?.is_ok())
    }

    fn without_proof(&self, mut seen: Seen) -> Seen {
        seen.values.drain(..self.field.read_names().count());
        seen
    }

    fn proof(&self) -> IndexProof<'_> {
        IndexProof { field: self.field.field, alias: self.field.alias, value: &self.list.value }
    }
}

/// Returns the id under which a dead session continues, if it does.
pub(super) async fn successor(
    manager: &Manager,
    key: &SessionKey,
) -> Result<Option<SessionId>, Error> {
    let tombstone = manager.store().tombstone(key).await?;
    Ok(tombstone.and_then(|tombstone| tombstone.successor()))
}

/// Reports the end of a session as an event.
pub(super) fn report_end(session: &SessionId) {
    let mut events = EventQueue::default();
    events.push(LifecycleEvent::Destroyed, Some(session));
    drop(events.take());
}

/// Adds the later ids of the sessions that are left.
fn add_later_ids(left: &mut VecDeque<(SessionId, usize)>, current: SessionId, list: &ReadList) {
    let known: HashSet<_> = left.iter().map(|(id, _)| *id).chain([current]).collect();
    let tags: HashSet<_> = known.iter().map(|id| id.tag().to_owned()).collect();
    let later = list.listing.sessions().filter(|id| tags.contains(id.tag()) && !known.contains(id));
    left.extend(later.map(|id| (id, 0)));
}

pub(super) fn keeps_changing() -> Error {
    StoreError::unavailable("a session kept changing its id").into()
}

fn too_slow() -> Error {
    StoreError::unavailable("the end of a session took more than a minute").into()
}

/// Makes room for one more session. Entries that are no longer true go, and if `ends_oldest`, the
/// sessions with the oldest sign-in end. Returns whether there is room.
pub(crate) async fn make_room(
    manager: &Manager,
    login: &IndexedChange,
    tag: Option<&str>,
    most: usize,
    ends_oldest: bool,
) -> Result<bool, Error> {
    let Some(value) = &login.value else { return Ok(true) };
    let list = manager.index_list(login.field, value)?;
    let search = Search::new(manager, login.field, list, true)?;
    let survey = search.survey(&[]).await?;
    let counts = |entry: &&ListEntry| {
        let age = entry.pending_since.and_then(|since| survey.read_at.duration_since(since).ok());
        // A rotation under way is a session that was found.
        let is_found = survey.found.iter().any(|one| one.session.id.tag() == entry.session.tag());
        entry.counts && !is_found && age.is_some_and(|age| age <= PENDING_COUNTS_FOR)
    };
    let pending = survey.pending.iter().filter(counts);
    let live = survey.found.iter().map(|one| {
        let entry = ListEntry { session: one.session.id, pending_since: None, counts: true };
        (one.seen.signed_in_at, entry)
    });
    // A login that is half done is the newest within its second.
    let latest =
        |entry: &ListEntry| (entry.pending_since.map(|at| at + Duration::from_secs(1)), *entry);
    let mut others: Vec<_> = live.chain(pending.map(latest)).collect();
    others.retain(|(_, entry)| tag != Some(entry.session.tag()));
    if !ends_oldest {
        return Ok(others.len() < most);
    }
    others.sort_by_key(|(since, entry)| (*since, manager.metadata(entry.session).created_at));
    others.truncate((others.len() + 1).saturating_sub(most));
    let surplus = survey.list_of(others.into_iter().map(|(_, entry)| entry).collect());
    search.end(surplus, DestroyReason::TooMany).await.map(|_| true)
}
