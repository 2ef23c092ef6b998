//! Connections that a thread has to itself.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::{self, ThreadId};

use tokio::runtime::{Handle, RuntimeFlavor};

use super::RedisStore;
use super::servers::Servers;
use crate::store::ConnectionState;

/// The threads whose runtime is theirs alone, and their connections, for as long as somebody holds those.
///
/// A connection is driven by the runtime on which it was made. Used from another one, every command and every reply wakes a thread.
#[derive(Default)]
pub(super) struct Threads(Mutex<Vec<(ThreadId, Weak<Servers>)>>);

impl RedisStore {
    /// The same store by connections of this thread's own, if its runtime is its own too: all that ask for it on one thread share them.
    pub(crate) fn of_this_thread(&self) -> Option<Self> {
        let runtime = Handle::try_current().ok()?;
        if runtime.runtime_flavor() != RuntimeFlavor::CurrentThread {
            return None;
        }
        let servers = self.threads.of_this_one(|| {
            let servers = self.servers.anew();
            servers.connect_soon();
            servers
        });
        Some(Self { servers, threads: Arc::clone(&self.threads) })
    }
}

impl Threads {
    fn of_this_one(&self, make: impl FnOnce() -> Servers) -> Arc<Servers> {
        let (this, mut threads) = (thread::current().id(), self.lock());
        threads.retain(|(_, servers)| servers.strong_count() > 0);
        let known = threads.iter().find(|(thread, _)| *thread == this);
        if let Some(servers) = known.and_then(|(_, servers)| servers.upgrade()) {
            return servers;
        }
        let servers = Arc::new(make());
        threads.push((this, Arc::downgrade(&servers)));
        servers
    }

    /// The worst of all threads' own connections; nothing if there are none.
    pub(super) fn connection_state(&self) -> Option<ConnectionState> {
        let servers: Vec<_> = self.lock().iter().filter_map(|(_, servers)| servers.upgrade()).collect();
        servers.iter().map(|servers| servers.topology.connection_state()).max()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(ThreadId, Weak<Servers>)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
