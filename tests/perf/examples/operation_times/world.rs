//! The runtime and the server for the operations.

use std::rc::Rc;

use session_tests::server::RedisServer;
use tokio::runtime::{Builder, Runtime};

use crate::group::Group;
use crate::{cookies, memory, server, values};

/// The environment of the operations, for as long as they run.
pub(crate) struct World {
    /// Single-threaded: the connection's driver and the operations take turns, so no wake-up of
    /// another thread adds noise.
    pub(crate) runtime: Rc<Runtime>,
    pub(crate) server: RedisServer,
}

impl World {
    pub(crate) fn new() -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        Self { runtime: Rc::new(runtime), server: RedisServer::start() }
    }

    pub(crate) fn groups(&self) -> impl Iterator<Item = Group> {
        let runtime = &self.runtime;
        let all = [
            cookies::groups(runtime),
            values::groups(),
            memory::groups(runtime),
            server::groups(self),
        ];
        all.into_iter().flatten()
    }
}
