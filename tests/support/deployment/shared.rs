//! Deployments that the tests of one program share.

use std::ops::Deref;
use std::sync::LazyLock;

use tokio::sync::{Mutex, MutexGuard};

use super::{Cluster, Sentinel, Servers};

/// A deployment that is this test's alone until it drops this. At the beginning it is empty, with all permissions and without a limit of
/// memory; whoever changes more of it has to change it back.
#[derive(Debug)]
pub struct Shared(MutexGuard<'static, Servers>);

static SENTINEL: LazyLock<Mutex<Servers>> =
    LazyLock::new(|| Mutex::new(Servers::Sentinel(Sentinel::start())));
static CLUSTER: LazyLock<Mutex<Servers>> = LazyLock::new(|| Mutex::new(Servers::Cluster(Cluster::start())));

impl Shared {
    /// The master behind sentinels.
    pub async fn sentinel() -> Self {
        Self::take(&SENTINEL).await
    }

    /// The cluster.
    pub async fn cluster() -> Self {
        Self::take(&CLUSTER).await
    }

    async fn take(servers: &'static Mutex<Servers>) -> Self {
        let servers = servers.lock().await;
        servers.on_every_master(&["CONFIG", "SET", "maxmemory", "0"]);
        servers.on_every_master(&["ACL", "SETUSER", "default", "+@all"]);
        servers.on_every_master(&["FLUSHALL"]);
        Self(servers)
    }
}

impl Deref for Shared {
    type Target = Servers;

    fn deref(&self) -> &Servers {
        &self.0
    }
}
