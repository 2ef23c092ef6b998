//! The news of all changed keys with a prefix, for an operator's program.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use redis::{Cmd, PushInfo, Value};
use tokio::sync::mpsc::{Receiver, Sender, channel};

use crate::store::redis::protocol::command::command_of;
use crate::store::redis::protocol::reply::text;

/// The news of the connections of a deployment.
#[derive(Debug)]
pub(crate) enum Told {
    /// These keys have changed. The keys that a script changes are together.
    Changed(Vec<String>),
    /// The server was emptied.
    Emptied,
    /// A connection that brings news is in use, maybe in place of another.
    Begun,
    /// A connection brings no more news.
    Lost,
    /// The server refuses to tell of changes.
    Refused,
}

/// The sending end, which the connections share.
#[derive(Debug, Clone)]
pub(crate) struct Broadcast {
    prefix: Arc<str>,
    sender: Sender<Told>,
    has_overflown: Arc<AtomicBool>,
}

/// The receiving end.
#[derive(Debug)]
pub(crate) struct News {
    receiver: Receiver<Told>,
    has_overflown: Arc<AtomicBool>,
}

/// The largest number of pushes that wait to be received. A push has the keys that have changed in
/// one turn of the server.
const QUEUE: usize = 10_000;

impl Broadcast {
    /// Creates the ends for the keys with this beginning.
    pub(crate) fn new(prefix: &str) -> (Self, News) {
        let (sender, receiver) = channel(QUEUE);
        let has_overflown = Arc::<AtomicBool>::default();
        let news = News { receiver, has_overflown: Arc::clone(&has_overflown) };
        (Self { prefix: prefix.into(), sender, has_overflown }, news)
    }

    /// Returns the command by which a connection asks for the news.
    pub(crate) fn tracking(&self) -> Cmd {
        command_of(&["CLIENT", "TRACKING", "ON", "BCAST", "PREFIX", &self.prefix])
    }

    /// Passes on an invalidation: the changed keys, or null after a `FLUSHALL`.
    pub(crate) fn note(&self, push: &PushInfo) {
        self.tell(match &push.data[..] {
            [Value::Array(keys)] => {
                Told::Changed(keys.iter().filter_map(text).map(str::to_owned).collect())
            }
            _ => Told::Emptied,
        });
    }

    pub(crate) fn tell(&self, told: Told) {
        if self.sender.try_send(told).is_err() {
            self.has_overflown.store(true, Ordering::Relaxed);
        }
    }
}

impl News {
    /// Waits for the next news. Never returns once all connections are dropped.
    pub(crate) async fn next(&mut self) -> Told {
        match self.receiver.recv().await {
            Some(told) => told,
            None => std::future::pending().await,
        }
    }

    /// Returns news that has come already.
    pub(crate) fn next_now(&mut self) -> Option<Told> {
        self.receiver.try_recv().ok()
    }

    /// Returns whether news was dropped since the last call, because too much was waiting.
    pub(crate) fn has_overflown(&self) -> bool {
        self.has_overflown.swap(false, Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use redis::PushKind;

    use super::*;

    #[tokio::test]
    async fn news_that_nobody_receives_is_bounded() {
        let (broadcast, mut news) = Broadcast::new("app:sessions:");
        let push = PushInfo {
            kind: PushKind::Invalidate,
            data: vec![Value::Array(vec![Value::BulkString("app:sessions:x".into())])],
        };
        for _ in 0..QUEUE {
            broadcast.note(&push);
        }
        assert!(!news.has_overflown());
        broadcast.note(&push);
        assert!(news.has_overflown() && !news.has_overflown());
        let mut received = 0;
        while let Some(Told::Changed(keys)) = news.next_now() {
            assert_eq!(keys, ["app:sessions:x"]);
            received += 1;
        }
        assert_eq!(received, QUEUE);
        broadcast.note(&PushInfo { kind: PushKind::Invalidate, data: vec![Value::Nil] });
        assert!(matches!(news.next().await, Told::Emptied));
    }
}
