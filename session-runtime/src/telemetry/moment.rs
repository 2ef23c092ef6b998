//! What becomes of sessions.

use tracing::{Level, field};

use crate::id::SessionId;

const TARGET: &str = "session_runtime::lifecycle";

/// A moment in a session's life that a request learns of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    Created,
    /// It has a new id.
    Rotated,
    Destroyed,
    /// A request holds its id, and it is not there: its time has passed, or the store has lost it.
    Expired,
    /// A cookie of our name came that no key of ours has signed. It names no session.
    Forged,
}

/// What a request has learnt of sessions, and has to be told yet.
#[derive(Debug, Default)]
pub(crate) struct News(Vec<(Moment, Option<SessionId>)>);

impl News {
    /// To be told, if somebody listens.
    pub(crate) fn add(&mut self, moment: Moment, id: Option<&SessionId>) {
        if cfg!(feature = "metrics") || tracing::enabled!(target: TARGET, Level::DEBUG) {
            self.0.push((moment, id.copied()));
        }
    }

    pub(crate) fn append(&mut self, mut more: Self) {
        self.0.append(&mut more.0);
    }

    /// Nothing if there is nothing to tell.
    pub(crate) fn take(&mut self) -> Option<Untold> {
        if self.0.is_empty() { None } else { Some(Untold(std::mem::take(&mut self.0))) }
    }
}

/// What is told when this is dropped: whoever listens may ask for the session, so that no lock on it may be held then.
pub(crate) struct Untold(Vec<(Moment, Option<SessionId>)>);

impl Drop for Untold {
    fn drop(&mut self) {
        for (moment, id) in self.0.drain(..) {
            moment.tell(id);
        }
    }
}

impl Moment {
    /// Of the id, the tag is told.
    fn tell(self, id: Option<SessionId>) {
        let session = id.map(field::display);
        tracing::debug!(target: TARGET, event = self.name(), session, "session lifecycle");
        #[cfg(feature = "metrics")]
        super::recorder::moment(self);
    }

    fn name(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Rotated => "rotated",
            Self::Destroyed => "destroyed",
            Self::Expired => "expired",
            Self::Forged => "forged",
        }
    }
}
