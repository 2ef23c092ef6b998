//! Deployments that the tests of a program share.

use std::ops::Deref;
use std::sync::LazyLock;

use tokio::sync::{Mutex, MutexGuard};

use super::{Cluster, Deployment, Sentinel};

/// A deployment that belongs to this test until it is dropped. At first the deployment is empty,
/// with all permissions and without a memory limit. A test that changes anything else must undo the
/// change.
#[derive(Debug)]
pub struct Shared(MutexGuard<'static, Deployment>);

static SENTINEL: LazyLock<Mutex<Deployment>> =
    LazyLock::new(|| Mutex::new(Deployment::Sentinel(Sentinel::start())));
static CLUSTER: LazyLock<Mutex<Deployment>> =
    LazyLock::new(|| Mutex::new(Deployment::Cluster(Cluster::start())));

impl Shared {
    /// Takes the master behind sentinels.
    pub async fn sentinel() -> Self {
        Self::take(&SENTINEL).await
    }

    /// Takes the cluster.
    pub async fn cluster() -> Self {
        Self::take(&CLUSTER).await
    }

    async fn take(servers: &'static Mutex<Deployment>) -> Self {
        let servers = servers.lock().await;
        servers.on_every_master(&["CONFIG", "SET", "maxmemory", "0"]);
        servers.on_every_master(&["ACL", "SETUSER", "default", "+@all"]);
        servers.on_every_master(&["FLUSHALL"]);
        Self(servers)
    }
}

impl Deref for Shared {
    type Target = Deployment;

    fn deref(&self) -> &Deployment {
        &self.0
    }
}
