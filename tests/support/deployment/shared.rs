//! Deployments that the tests of one program share.

use std::ops::Deref;
use std::sync::LazyLock;

use tokio::sync::{Mutex, MutexGuard};

use super::{Cluster, Deployment, Sentinel};

/// A deployment that is this test's alone until it drops this. At the beginning it is empty, with
/// all permissions and without a limit of memory; whoever changes more of it has to change it back.
#[derive(Debug)]
pub struct Shared(MutexGuard<'static, Deployment>);

static SENTINEL: LazyLock<Mutex<Deployment>> =
    LazyLock::new(|| Mutex::new(Deployment::Sentinel(Sentinel::start())));
static CLUSTER: LazyLock<Mutex<Deployment>> =
    LazyLock::new(|| Mutex::new(Deployment::Cluster(Cluster::start())));

impl Shared {
    /// The master behind sentinels.
    pub async fn sentinel() -> Self {
        Self::take(&SENTINEL).await
    }

    /// The cluster.
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
