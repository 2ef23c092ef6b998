//! Separate connections for each runtime.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tokio::runtime::{Handle, Id, RuntimeFlavor};

use crate::store::redis::net::deployment::Deployment;

/// The separate connections of single-threaded runtimes, for as long as they are in use.
///
/// The runtime that opens a connection also drives the connection. If another runtime used the
/// connection, every command and every reply would wake a thread.
#[derive(Default)]
pub(crate) struct PerRuntime(Mutex<Vec<(Id, Weak<Deployment>)>>);

impl PerRuntime {
    /// Returns the same deployment with separate connections for the current runtime, if the
    /// runtime is single-threaded.
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

    /// Returns the deployment of a runtime, and whether the deployment is new.
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

    /// Returns the deployments of all runtimes.
    pub(crate) fn all(&self) -> Vec<Arc<Deployment>> {
        self.lock().iter().filter_map(|(_, deployment)| deployment.upgrade()).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(Id, Weak<Deployment>)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
