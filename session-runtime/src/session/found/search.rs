//! The search for the sessions of one value, and their end.

use std::collections::HashSet;

use bytes::Bytes;

use crate::error::{Error, Kind};
use crate::id::{IndexKey, SessionId};
use crate::lifecycle::{SessionMetadata, TOMBSTONE_FOR};
use crate::request::indexed::IndexedChange;
use crate::request::manager::Manager;
use crate::store::{
    DestroyReason, Destroyed, Destruction, IndexProof, Look, Lookup, Seen, SessionIndex,
    SessionKey, StoreError,
};

/// The number of ids under which a session is followed. Each is a rotation during the search.
const FOLLOWED: usize = 1_000;

/// A search for the sessions with one value in an index.
pub(crate) struct Search<'a> {
    manager: &'a Manager,
    store: &'a dyn SessionIndex,
    index: &'a str,
    key: IndexKey,
    proof: IndexProof<'a>,
}

/// A live session with the value.
pub(crate) struct Found {
    pub(crate) session: SessionMetadata,
    pub(crate) seen: Seen,
}

impl<'a> Search<'a> {
    /// # Errors
    ///
    /// `is_unsupported` if the store has no index.
    pub(crate) fn new(
        manager: &'a Manager,
        index: &'a str,
        field: &'a str,
        alias: Option<&'a str>,
        value: &'a Bytes,
    ) -> Result<Self, Error> {
        let store = manager.store().index().ok_or_else(|| Error::new(Kind::NoIndex))?;
        let key = manager.index_key(index, value);
        Ok(Self { manager, store, index, key, proof: IndexProof { field, alias, value } })
    }

    /// Returns the live sessions with the value of the index, and with the values of the fields.
    /// Entries that prove to be stale are removed.
    pub(crate) async fn proven(&self, fields: &[&str]) -> Result<Vec<Found>, Error> {
        let mut ids = self.store.entries(&self.key, false).await?;
        let (mut found, mut stale, mut seen_before) = (Vec::new(), Vec::new(), HashSet::new());
        // Ids from Python may be equal.
        ids.retain(|id| seen_before.insert(*id));
        for _ in 0..FOLLOWED {
            let mut successors = Vec::new();
            for (session, lookup) in self.look(&ids, fields).await? {
                match lookup {
                    Lookup::Found(seen) if self.fits(&seen) => {
                        let seen = self.without_proof(seen);
                        found.push(Found { session, seen });
                        continue;
                    }
                    Lookup::Dead => successors.extend(self.successor(&session.key).await?),
                    Lookup::Found(_) | Lookup::Missing => {}
                }
                stale.push((session.id, session.key.clone()));
            }
            successors.retain(|id| seen_before.insert(*id));
            if successors.is_empty() {
                break;
            }
            ids = successors;
        }
        self.remove_stale(&stale).await;
        Ok(found)
    }

    /// Removes entries that are not true any more. An error does no harm.
    async fn remove_stale(&self, stale: &[(SessionId, SessionKey)]) {
        if !stale.is_empty()
            && let Err(error) = self.store.remove_stale(&self.key, self.proof, stale).await
        {
            tracing::debug!(%error, "ended sessions stay in an index until their deadline");
        }
    }

    /// Records an end of all sessions, and returns the ids in the list.
    pub(crate) async fn mark(&self) -> Result<Vec<SessionId>, Error> {
        Ok(self.store.entries(&self.key, true).await?)
    }

    /// Ends these sessions if they have the value, also under a later id. Returns how many were
    /// ended now.
    ///
    /// # Errors
    ///
    /// The first error, after an attempt at all sessions.
    pub(crate) async fn end(
        &self,
        ids: Vec<SessionId>,
        reason: DestroyReason,
    ) -> Result<usize, Error> {
        let (mut ended, mut error, mut over) = (0, None, Vec::new());
        for id in ids {
            match self.end_one(id, reason, &mut over).await {
                Ok(was_live) => ended += usize::from(was_live),
                Err(failed) => error = error.or(Some(failed)),
            }
        }
        self.remove_stale(&over).await;
        error.map_or(Ok(ended), Err)
    }

    /// Ends the sessions with the oldest sign-in, so that at most this many stay.
    pub(crate) async fn end_oldest(
        &self,
        mut found: Vec<Found>,
        most: usize,
    ) -> Result<usize, Error> {
        found.sort_by_key(|one| (one.seen.signed_in_at, one.session.created_at));
        let surplus = found.len().saturating_sub(most);
        let ids = found[..surplus].iter().map(|one| one.session.id).collect();
        self.end(ids, DestroyReason::TooMany).await
    }

    /// Follows a session to its last id, and ends it there. Returns whether it was live. `over`
    /// gets the ids that are over.
    async fn end_one(
        &self,
        id: SessionId,
        reason: DestroyReason,
        over: &mut Vec<(SessionId, SessionKey)>,
    ) -> Result<bool, Error> {
        let destruction = Destruction { reason, tombstone_for: TOMBSTONE_FOR };
        let mut session = self.manager.metadata(id);
        for _ in 0..FOLLOWED {
            let destroyed = self.store.destroy_if(&session.key, self.proof, destruction).await?;
            over.push((session.id, session.key.clone()));
            let next = match destroyed {
                Some(Destroyed::Ended) => return Ok(true),
                Some(Destroyed::Dead(kind)) => kind.successor(),
                Some(Destroyed::Missing) | None => None,
            };
            let Some(next) = next else { return Ok(false) };
            session = self.manager.metadata(next);
        }
        Err(StoreError::unavailable("a session kept changing its id").into())
    }

    async fn look(
        &self,
        ids: &[SessionId],
        fields: &[&str],
    ) -> Result<Vec<(SessionMetadata, Lookup<Seen>)>, Error> {
        let sessions: Vec<_> = ids.iter().map(|id| self.manager.metadata(*id)).collect();
        let keys: Vec<_> = sessions.iter().map(|session| session.key.clone()).collect();
        let proof = [Some(self.proof.field), self.proof.alias];
        let names: Vec<_> = proof.into_iter().flatten().chain(fields.iter().copied()).collect();
        let look = Look { index: self.index, fields: &names };
        let seen = self.store.look(&keys, look).await?;
        Ok(sessions.into_iter().zip(seen).collect())
    }

    /// Returns whether the first values are those of this index.
    fn fits(&self, seen: &Seen) -> bool {
        let value = |at: usize| seen.values.get(at).and_then(Option::as_deref);
        self.proof.fits(value(0), self.proof.alias.and_then(|_| value(1)))
    }

    fn without_proof(&self, mut seen: Seen) -> Seen {
        seen.values.drain(..1 + usize::from(self.proof.alias.is_some()));
        seen
    }

    async fn successor(&self, key: &SessionKey) -> Result<Option<SessionId>, Error> {
        let tombstone = self.manager.store().tombstone(key).await?;
        Ok(tombstone.and_then(|tombstone| tombstone.successor()))
    }
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
    let search = Search::new(manager, login.index, login.field, login.alias, value)?;
    let mut others = search.proven(&[]).await?;
    others.retain(|one| tag != Some(one.session.id.tag()));
    if !ends_oldest {
        return Ok(others.len() < most);
    }
    search.end_oldest(others, most.saturating_sub(1)).await.map(|_| true)
}
