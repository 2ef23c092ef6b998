//! The steps of a walk over all sessions.

use super::search::Found;
use crate::error::Error;
use crate::request::manager::Manager;
use crate::store::{Look, Scan, ScanCursor};

/// A place in a walk over all sessions.
pub(crate) enum Walk {
    At(Option<ScanCursor>),
    Over,
}

impl Walk {
    pub(crate) fn new() -> Self {
        Self::At(None)
    }

    /// Returns some live sessions with these fields, or `None` at the end. After an error, the next
    /// step is the same again.
    pub(crate) async fn step(
        &mut self,
        manager: &Manager,
        index: &str,
        fields: &[&str],
    ) -> Result<Option<Vec<Found>>, Error> {
        let Self::At(from) = &*self else { return Ok(None) };
        let look = Look { index, fields };
        let scan = Scan { prefix: manager.prefix(), look, from: from.as_ref() };
        let page = manager.store().scan(scan).await?;
        *self = page.next.map_or(Self::Over, |next| Self::At(Some(next)));
        let now = manager.now();
        let found = page.sessions.into_iter().map(|(id, seen)| {
            // The key of an id from Python does not tell the creation time.
            Found { session: manager.metadata(id.or_created_at(now)), seen }
        });
        Ok(Some(found.filter(|one| one.session.is_plausible(now)).collect()))
    }
}
