//! The searches for the sessions of one value, in all lists that may have some.

use std::collections::{HashMap, HashSet};
use std::time::SystemTime;

use bytes::Bytes;

use super::search::{Found, Search};
use crate::error::Error;
use crate::id::SessionId;
use crate::request::index_list::IndexedField;
use crate::request::manager::Manager;
use crate::store::DestroyReason;

/// A search in each list that may have sessions with a value. An encrypted field has a list for
/// each key, and other fields have one.
///
/// While a key is being replaced, sessions move between the lists. Of two machines, each may take
/// another key for the newest, so they move in both directions. So the lists are searched up and
/// down: a session that moves once is found.
pub(super) struct Searches<'a> {
    /// The oldest first.
    former: Vec<Search<'a>>,
    newest: Search<'a>,
}

impl<'a> Searches<'a> {
    /// # Errors
    ///
    /// `is_unsupported` if the store has no index.
    pub(super) fn new(
        manager: &'a Manager,
        field: IndexedField,
        value: &Bytes,
        removes_stale: bool,
    ) -> Result<Self, Error> {
        let search = |list| Search::new(manager, field, list, removes_stale);
        let former = manager.former_index_lists(field, value)?.into_iter().map(search);
        Ok(Self {
            former: former.collect::<Result<_, _>>()?,
            newest: search(manager.index_list(field, value)?)?,
        })
    }

    /// Returns the searches from the oldest list to the newest, and back.
    fn up_and_down(&self) -> impl Iterator<Item = &Search<'a>> {
        self.former.iter().chain([&self.newest]).chain(self.former.iter().rev())
    }

    /// Returns the live sessions with the value, and with the values of the fields.
    pub(super) async fn found(&self, fields: &[&str]) -> Result<Vec<Found>, Error> {
        let (mut found, mut tags) = (Vec::new(), HashSet::new());
        for search in self.up_and_down() {
            let surveyed = search.survey(fields).await?.found;
            // A session may have moved to another list between two searches.
            found.extend(
                surveyed.into_iter().filter(|one| tags.insert(one.session.id.tag().to_owned())),
            );
        }
        Ok(found)
    }

    /// Ends the live sessions with the value that fit the condition, and returns their number.
    pub(super) async fn end_found(
        &self,
        mut is_ended: impl FnMut(SessionId) -> bool,
    ) -> Result<usize, Error> {
        let mut ended = 0;
        for search in self.up_and_down() {
            let mut list = search.survey(&[]).await?.list();
            list.listing.entries.retain(|entry| is_ended(entry.session));
            ended += search.end(list, DestroyReason::EndedElsewhere).await?;
        }
        Ok(ended)
    }

    /// Marks the lists, ends the listed sessions that fit the condition, and returns their number.
    ///
    /// # Errors
    ///
    /// The first error, after an attempt at all sessions.
    pub(super) async fn end_listed(
        &self,
        mut is_ended: impl FnMut(SessionId) -> bool,
    ) -> Result<usize, Error> {
        let mut ended = Ok(0);
        for search in self.up_and_down() {
            let ended_here = match search.read(true).await {
                Ok(mut list) => {
                    list.listing.entries.retain(|entry| is_ended(entry.session));
                    search.end(list, DestroyReason::EndedElsewhere).await
                }
                Err(error) => Err(error),
            };
            ended = ended.and_then(|ended| Ok(ended + ended_here?));
        }
        ended
    }

    /// Ends all but the newest sessions, in the order of the sign-in, and returns their number.
    pub(super) async fn end_oldest_but(&self, most: usize) -> Result<usize, Error> {
        let mut surveys = Vec::new();
        for search in self.up_and_down() {
            surveys.push((search, search.survey(&[]).await?));
        }
        let surplus = oldest_but(surveys.iter().flat_map(|(_, survey)| &survey.found), most);
        let mut ended = 0;
        for (search, survey) in surveys {
            let mut list = survey.list();
            list.listing.entries.retain(|entry| surplus.contains(entry.session.tag()));
            ended += search.end(list, DestroyReason::TooMany).await?;
        }
        Ok(ended)
    }

    /// Returns the time by the clock that marks the list of new values.
    pub(super) async fn time(&self) -> Result<SystemTime, Error> {
        self.newest.time().await
    }
}

/// Returns the tags of all but the newest sessions, in the order of the sign-in.
fn oldest_but<'a>(found: impl Iterator<Item = &'a Found>, most: usize) -> HashSet<String> {
    // A session may be in several lists, the last time as it is now.
    let by_tag: HashMap<_, _> = found.map(|one| (one.session.id.tag(), one)).collect();
    let mut found = Vec::from_iter(by_tag.into_values());
    found.sort_by_key(|one| (one.seen.signed_in_at, one.session.created_at));
    found.truncate(found.len().saturating_sub(most));
    found.into_iter().map(|one| one.session.id.tag().to_owned()).collect()
}
