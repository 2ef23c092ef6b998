//! Connections that a runtime has to itself.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tokio::runtime::{Handle, Id, RuntimeFlavor};

use crate::store::redis::net::deployment::Deployment;

/// The single-threaded runtimes that have connections of their own, and these connections, for as
/// long as they are in use.
///
/// A connection is driven by the runtime on which it was made. Used from another one, every command
/// and every reply wakes a thread.
#[derive(Default)]
pub(crate) struct PerRuntime(Mutex<Vec<(Id, Weak<Deployment>)>>);

impl PerRuntime {
    /// The same deployment by the current runtime's own connections, if that is single-threaded.
    pub(crate) fn for_current_runtime(&self, deployment: &Deployment) -> Option<Arc<Deployment>> {
        let runtime = Handle::try_current().ok()?;
        if runtime.runtime_flavor() != RuntimeFlavor::CurrentThread {
            return None;
        }
        let (own, is_new) = self.get_or_insert(runtime.id(), || deployment.fork());
        if is_new {
            own.connect_soon();
        }
        Some(own)
    }

    /// Tells also whether it was made now.
    fn get_or_insert(
        &self,
        runtime: Id,
        make: impl FnOnce() -> Deployment,
    ) -> (Arc<Deployment>, bool) {
        let mut runtimes = self.lock();
        runtimes.retain(|(_, deployment)| deployment.strong_count() > 0);
        let known = runtimes.iter().find(|(known, _)| *known == runtime);
        if let Some(deployment) = known.and_then(|(_, deployment)| deployment.upgrade()) {
            return (deployment, false);
        }
        let deployment = Arc::new(make());
        runtimes.push((runtime, Arc::downgrade(&deployment)));
        (deployment, true)
    }

    /// Those of all runtimes.
    pub(crate) fn all(&self) -> Vec<Arc<Deployment>> {
        self.lock().iter().filter_map(|(_, deployment)| deployment.upgrade()).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(Id, Weak<Deployment>)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
