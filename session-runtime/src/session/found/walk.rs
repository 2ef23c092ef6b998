//! The steps of a walk over all sessions.

use super::search::Found;
use crate::error::Error;
use crate::request::manager::Manager;
use crate::store::{Look, Scan, ScanCursor};

/// A walk over all sessions, or over those with a tag.
pub(crate) struct Walk {
    tag: Option<Box<str>>,
    place: Place,
}

enum Place {
    At(Option<ScanCursor>),
    Over,
}

impl Walk {
    pub(crate) fn new() -> Self {
        Self { tag: None, place: Place::At(None) }
    }

    pub(crate) fn with_tag(tag: &str) -> Self {
        Self { tag: Some(tag.into()), place: Place::At(None) }
    }

    pub(crate) fn is_over(&self) -> bool {
        matches!(self.place, Place::Over)
    }

    /// Returns some live sessions with these fields, or `None` at the end. After an error, the next
    /// step is the same again.
    pub(crate) async fn step(
        &mut self,
        manager: &Manager,
        index: &str,
        fields: &[&str],
    ) -> Result<Option<Vec<Found>>, Error> {
        let Place::At(from) = &self.place else { return Ok(None) };
        let (look, tag) = (Look { index, fields }, self.tag.as_deref());
        let scan = Scan { prefix: manager.prefix(), tag, look, from: from.as_ref() };
        let page = manager.store().scan(scan).await?;
        self.place = page.next.map_or(Place::Over, |next| Place::At(Some(next)));
        let now = manager.now();
        let found = page.sessions.into_iter().map(|(id, seen)| {
            // The key of an id from Python does not tell the creation time.
            Found { session: manager.metadata(id.or_created_at(now)), seen }
        });
        let is_asked_for = |one: &Found| {
            self.tag.as_deref().is_none_or(|tag| one.session.id.tag() == tag)
                && one.session.is_plausible(now)
        };
        Ok(Some(found.filter(is_asked_for).collect()))
    }
}
