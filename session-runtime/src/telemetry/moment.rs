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
    /// Cookies of our name came that no key of ours has signed. They name no session.
    Forged,
}

/// What a request has learnt of sessions, and has to be told yet.
#[derive(Debug, Default)]
pub(crate) struct News {
    moments: Vec<Told>,
    is_late: bool,
}

/// A moment, and how often it came where sessions are not told apart.
#[derive(Debug)]
struct Told {
    moment: Moment,
    id: Option<SessionId>,
    count: u64,
}

impl News {
    /// To be told, if somebody listens.
    pub(crate) fn add(&mut self, moment: Moment, id: Option<&SessionId>) {
        if !cfg!(feature = "metrics") && !tracing::enabled!(target: TARGET, Level::DEBUG) {
            return;
        }
        let same = self.moments.iter_mut().find(|told| id.is_none() && told.moment == moment);
        match same {
            Some(same) => same.count += 1,
            None => self.moments.push(Told { moment, id: id.copied(), count: 1 }),
        }
    }

    /// The session was first asked for after the response's head was sent.
    pub(crate) fn add_lateness(&mut self) {
        self.is_late = true;
    }

    pub(crate) fn append(&mut self, mut more: Self) {
        self.moments.append(&mut more.moments);
        self.is_late |= more.is_late;
    }

    /// Nothing if there is nothing to tell.
    pub(crate) fn take(&mut self) -> Option<Untold> {
        let is_empty = self.moments.is_empty() && !self.is_late;
        (!is_empty).then(|| Untold(std::mem::take(self)))
    }
}

/// What is told when this is dropped: whoever listens may ask for the session, so that no lock on it may be held then.
pub(crate) struct Untold(News);

impl Drop for Untold {
    fn drop(&mut self) {
        if self.0.is_late {
            tracing::warn!(
                "a session was first asked for after its response's head was sent, which tells caches what the \
                 response depends on: ask for it before"
            );
        }
        self.0.moments.drain(..).for_each(Told::tell);
    }
}

impl Told {
    /// Of the id, the tag is told.
    fn tell(self) {
        let (event, session) = (self.moment.name(), self.id.map(field::display));
        let count = (self.count > 1).then_some(self.count);
        tracing::debug!(target: TARGET, event, session, count, "session lifecycle");
        #[cfg(feature = "metrics")]
        super::recorder::moment(self.moment, self.count);
    }
}

impl Moment {
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
