//! The events that a request has noticed, until they are reported.

use tracing::{Level, field};

use super::event::LifecycleEvent;
use crate::id::SessionId;

const TARGET: &str = "session_runtime::lifecycle";

/// The events that a request has noticed and not reported yet.
#[derive(Debug, Default)]
pub(crate) struct EventQueue {
    events: Vec<QueuedEvent>,
    is_late: bool,
}

/// An event, with the number of its occurrences. Events without an id are counted together.
#[derive(Debug)]
struct QueuedEvent {
    event: LifecycleEvent,
    id: Option<SessionId>,
    count: u64,
}

impl EventQueue {
    /// Queues an event, if there is a subscriber.
    pub(crate) fn push(&mut self, event: LifecycleEvent, id: Option<&SessionId>) {
        if !cfg!(feature = "metrics") && !tracing::event_enabled!(target: TARGET, Level::DEBUG) {
            return;
        }
        let same = self.events.iter_mut().find(|queued| id.is_none() && queued.event == event);
        match same {
            Some(same) => same.count += 1,
            None => self.events.push(QueuedEvent { event, id: id.copied(), count: 1 }),
        }
    }

    /// Queues the warning that the session was first used after the response headers were sent.
    pub(crate) fn push_late_access(&mut self) {
        self.is_late = true;
    }

    pub(crate) fn append(&mut self, mut more: Self) {
        self.events.append(&mut more.events);
        self.is_late |= more.is_late;
    }

    /// Takes the content of the queue, if there is any.
    #[inline]
    pub(crate) fn take(&mut self) -> Option<EventFlush> {
        let is_empty = self.events.is_empty() && !self.is_late;
        (!is_empty).then(|| EventFlush(std::mem::take(self)))
    }
}

/// Reports the events on drop.
///
/// Subscribers may access the session, so the lock on the session must be released first.
pub(crate) struct EventFlush(EventQueue);

impl Drop for EventFlush {
    fn drop(&mut self) {
        if self.0.is_late {
            tracing::warn!(
                "a session was first used after the response headers were sent: the headers tell \
                 caches whether the response depends on a session, so use the session earlier, such \
                 as before the upgrade to a WebSocket"
            );
        }
        self.0.events.drain(..).for_each(QueuedEvent::report);
    }
}

impl QueuedEvent {
    /// Reports the event. Only the tag of an id is shown.
    fn report(self) {
        let (event, session) = (self.event.name(), self.id.map(field::display));
        let count = (self.count > 1).then_some(self.count);
        tracing::debug!(target: TARGET, event, session, count, "session lifecycle");
        #[cfg(feature = "metrics")]
        super::recorder::count_event(self.event, self.count);
    }
}
