//! The network between the clients and the nodes, in which commands wait.

use std::cell::RefCell;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;

use super::command::{Command, Fence, Reply};
use super::world::{SECOND, Time, World};

/// The client has no reply, and does not know whether the command was carried out.
#[derive(Debug)]
pub(super) struct NoReply;

type Slot = Rc<RefCell<Option<Result<Reply, NoReply>>>>;

/// A command that no node has carried out yet.
pub(super) struct Message {
    pub(super) client: usize,
    pub(super) command: Command,
    pub(super) sent: Time,
    /// `None` if no client waits for the reply.
    pub(super) slot: Option<Slot>,
}

/// A command in the network is carried out within this time or never.
const DELAY: Time = 700 * SECOND;
/// The same for a creation without a time limit. A later one would bring back a dead session, with
/// or without an index.
const CREATION_DELAY: Time = 60 * SECOND;

impl Message {
    pub(super) fn is_lost(&self, now: Time) -> bool {
        let is_unlimited_creation = matches!(
            self.command,
            Command::Write { creates: true, fence: Fence { not_after: None, .. }, .. }
        );
        now - self.sent > if is_unlimited_creation { CREATION_DELAY } else { DELAY }
    }
}

/// One client's side of the network.
#[derive(Clone)]
pub(super) struct Link {
    pub(super) client: usize,
    pub(super) world: Rc<RefCell<World>>,
    pub(super) messages: Rc<RefCell<Vec<Message>>>,
    /// By how much the client's clock is ahead.
    pub(super) offset: Time,
}

impl Link {
    /// Sends a command, and returns the place of its reply.
    pub(super) fn send(&self, command: Command) -> Awaited {
        let slot = Slot::default();
        self.push(command, Some(Rc::clone(&slot)));
        Awaited(slot)
    }

    pub(super) async fn ask(&self, command: Command) -> Result<Reply, NoReply> {
        self.send(command).reply().await
    }

    /// Sends a command without waiting for the reply.
    pub(super) fn send_unawaited(&self, command: Command) {
        self.push(command, None);
    }

    fn push(&self, command: Command, slot: Option<Slot>) {
        let sent = self.world.borrow().now;
        self.messages.borrow_mut().push(Message { client: self.client, command, sent, slot });
    }

    /// Returns the time by the client's clock.
    pub(super) fn clock(&self) -> Time {
        self.world.borrow().now + self.offset
    }

    /// Returns the time by a clock that only measures durations.
    pub(super) fn instant(&self) -> Time {
        self.world.borrow().now
    }
}

/// The place of a reply.
pub(super) struct Awaited(Slot);

impl Awaited {
    pub(super) async fn reply(self) -> Result<Reply, NoReply> {
        poll_fn(|_| match self.0.borrow_mut().take() {
            Some(reply) => Poll::Ready(reply),
            None => Poll::Pending,
        })
        .await
    }
}
