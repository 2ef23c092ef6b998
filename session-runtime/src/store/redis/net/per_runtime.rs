//! Connections that a runtime has to itself.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tokio::runtime::{Handle, Id, RuntimeFlavor};

use crate::store::redis::RedisStore;
use crate::store::redis::net::deployment::Servers;

/// The single-threaded runtimes that have connections of their own, and these, for as long as somebody holds them.
///
/// A connection is driven by the runtime on which it was made. Used from another one, every command and every reply wakes a thread.
#[derive(Default)]
pub(crate) struct Runtimes(Mutex<Vec<(Id, Weak<Servers>)>>);

impl RedisStore {
    /// The same store by connections of this runtime's own, if it is single-threaded: all that ask for it there share them.
    pub(crate) fn for_current_runtime(&self) -> Option<Self> {
        let runtime = Handle::try_current().ok()?;
        if runtime.runtime_flavor() != RuntimeFlavor::CurrentThread {
            return None;
        }
        let (servers, is_new) = self.runtimes.of(runtime.id(), || self.servers.anew());
        if is_new {
            servers.connect_soon();
        }
        Some(Self { servers, runtimes: Arc::clone(&self.runtimes) })
    }
}

impl Runtimes {
    /// And whether they were made for it.
    fn of(&self, runtime: Id, make: impl FnOnce() -> Servers) -> (Arc<Servers>, bool) {
        let mut runtimes = self.lock();
        runtimes.retain(|(_, servers)| servers.strong_count() > 0);
        let known = runtimes.iter().find(|(known, _)| *known == runtime);
        if let Some(servers) = known.and_then(|(_, servers)| servers.upgrade()) {
            return (servers, false);
        }
        let servers = Arc::new(make());
        runtimes.push((runtime, Arc::downgrade(&servers)));
        (servers, true)
    }

    /// Those of all runtimes.
    pub(crate) fn all(&self) -> Vec<Arc<Servers>> {
        self.lock().iter().filter_map(|(_, servers)| servers.upgrade()).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(Id, Weak<Servers>)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
