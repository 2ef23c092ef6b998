//! The walk over the keys of all servers, server by server.

use redis::{Pipeline, Value};
use serde::{Deserialize, Serialize};

use crate::store::redis::RedisStore;
use crate::store::redis::cause::{Cause, Code};
use crate::store::redis::commands::query::read_error;
use crate::store::redis::protocol::command::command_of;
use crate::store::redis::protocol::reply::{BEGINNING, is_unknown_command, scanned, text};
use crate::store::{ScanCursor, StoreError};

/// The keys that a walk is for.
#[derive(Clone, Copy)]
pub(super) struct Wanted<'a> {
    pub(super) pattern: &'a str,
    /// About the largest number of keys that a server looks at for a page.
    pub(super) count: u32,
    pub(super) only_hashes: bool,
}

/// A part of a server's keys.
pub(super) struct KeyPage {
    /// The name of the server.
    pub(super) server: String,
    /// A server may return a key twice.
    pub(super) names: Vec<Value>,
    /// The place where the next page begins. `None` at the end of the walk.
    pub(super) next: Option<ScanCursor>,
}

/// A place in a walk.
#[derive(Clone, Default, Serialize, Deserialize)]
struct Place {
    /// The server that is walked now. `None` between two servers.
    server: Option<Walked>,
    /// The names of the servers that were walked to the end.
    done: Vec<String>,
}

/// A server that is walked.
#[derive(Clone, Serialize, Deserialize)]
struct Walked {
    name: String,
    /// The process behind the name. Another process, after a restart or a failover, has its keys
    /// in another order.
    run: String,
    cursor: String,
}

impl Place {
    fn parse(cursor: &ScanCursor) -> Result<Self, StoreError> {
        serde_json::from_str(cursor.expose_secret())
            .map_err(|_| StoreError::refused("the place in the walk is not from this store"))
    }

    fn into_cursor(self) -> Option<ScanCursor> {
        Some(ScanCursor::new(serde_json::to_string(&self).ok()?))
    }
}

/// The reply of a server to a step.
struct Keys {
    run: String,
    cursor: String,
    names: Vec<Value>,
}

impl RedisStore {
    /// Returns the next page of a walk, or `None` if no server is left. After an error, the same
    /// step can be tried again.
    pub(super) async fn key_page(
        &self,
        from: Option<&ScanCursor>,
        wanted: Wanted<'_>,
    ) -> Result<Option<KeyPage>, StoreError> {
        let mut place = from.map(Place::parse).transpose()?.unwrap_or_default();
        let (server, keys) = loop {
            let Some(server) = self.server_of(&place).await? else { return Ok(None) };
            match self.keys_of(&server, wanted).await {
                Ok(keys) => break (server, keys),
                Err(_) if self.has_left(&server.name).await => {}
                Err(error) => return Err(error),
            }
        };
        let Keys { run, cursor, names } = keys;
        let name = server.name.clone();
        let next = if cursor != BEGINNING {
            place.server = Some(Walked { name: server.name, run, cursor });
            place.into_cursor()
        } else if self.deployment.topology.is_cluster() {
            place.done.push(server.name);
            place.server = None;
            place.into_cursor()
        } else {
            None
        };
        Ok(Some(KeyPage { server: name, names, next }))
    }

    /// Returns the number of keys on all servers, also of other programs.
    #[cfg(feature = "cli")]
    pub(crate) async fn count_keys(&self) -> Result<u64, StoreError> {
        let mut keys = 0;
        for server in self.servers(false).await? {
            let deadline = self.deployment.deadline();
            let size = command_of(&["DBSIZE"]);
            let sent = self.deployment.send_to_server(&server, &size, deadline).await;
            match sent.map_err(read_error)?.reply {
                Value::Int(count) => keys += u64::try_from(count).unwrap_or_default(),
                reply => return Err(Code::in_reply(&reply).map_or_else(unexpected, Into::into)),
            }
        }
        Ok(keys)
    }

    /// Returns the server to walk now, or `None` after the last. A server that is no master any
    /// more is left, because its successor has the keys in another order.
    async fn server_of(&self, place: &Place) -> Result<Option<Walked>, StoreError> {
        let known = self.servers(false).await?;
        if let Some(server) = place.server.as_ref().filter(|server| known.contains(&server.name)) {
            return Ok(Some(server.clone()));
        }
        let next = |known: Vec<String>| known.into_iter().find(|name| !place.done.contains(name));
        let name = match next(known) {
            Some(name) => Some(name),
            // Masters that have joined are not known yet.
            None => next(self.servers(true).await?),
        };
        let (run, cursor) = (String::new(), BEGINNING.to_owned());
        Ok(name.map(|name| Walked { name, run, cursor }))
    }

    /// Returns whether a node is no master of the cluster any more.
    async fn has_left(&self, name: &str) -> bool {
        let is_gone = |known: Vec<String>| known.iter().all(|known| known != name);
        self.deployment.topology.is_cluster() && self.servers(true).await.is_ok_and(is_gone)
    }

    pub(super) async fn servers(&self, anew: bool) -> Result<Vec<String>, StoreError> {
        let deadline = self.deployment.deadline();
        self.deployment.servers(anew, deadline).await.map_err(read_error)
    }

    /// Returns the next keys of a server. Begins again if another process answers.
    async fn keys_of(&self, server: &Walked, wanted: Wanted<'_>) -> Result<Keys, StoreError> {
        let keys = self.keys_from(&server.name, &server.cursor, wanted).await?;
        if server.cursor == BEGINNING || keys.run == server.run {
            return Ok(keys);
        }
        self.keys_from(&server.name, BEGINNING, wanted).await
    }

    async fn keys_from(
        &self,
        server: &str,
        cursor: &str,
        wanted: Wanted<'_>,
    ) -> Result<Keys, StoreError> {
        let mut scan = command_of(&["SCAN", cursor, "MATCH", wanted.pattern, "COUNT"]);
        scan.arg(wanted.count);
        if wanted.only_hashes {
            scan.arg("TYPE").arg("hash");
        }
        let mut commands = Pipeline::with_capacity(2);
        commands.add_command(command_of(&["INFO", "server"])).add_command(scan);
        let deadline = self.deployment.deadline();
        let sent = self.deployment.send_to_server(server, &commands, deadline).await;
        let mut replies = sent.map_err(read_error)?.reply.into_iter();
        let (info, reply) = (replies.next(), replies.next());
        let info = checked(info)?;
        let (cursor, names) = scanned(checked(reply)?).ok_or_else(unexpected)?;
        Ok(Keys { run: run_in(&info).unwrap_or_default().to_owned(), cursor, names })
    }
}

/// Returns whether the reply says that another server has the key.
pub(super) fn has_moved(reply: &Value) -> bool {
    Code::in_reply(reply).is_some_and(Code::is_retryable)
}

fn checked(reply: Option<Value>) -> Result<Value, StoreError> {
    let reply = reply.ok_or_else(unexpected)?;
    match Code::in_reply(&reply) {
        None => Ok(reply),
        Some(code) if code == Code::NoPermission || is_unknown_command(&reply) => {
            Err(StoreError::refused(Cause::NoScan))
        }
        Some(code) => Err(code.into()),
    }
}

/// Returns the name of the process in the section `server` of `INFO`.
fn run_in(info: &Value) -> Option<&str> {
    let info = match info {
        Value::VerbatimString { text, .. } => text,
        info => text(info)?,
    };
    info.lines().find_map(|line| line.strip_prefix("run_id:"))
}

fn unexpected() -> StoreError {
    StoreError::refused(Cause::Unexpected)
}
