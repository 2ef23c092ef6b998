//! The walk over all sessions, server by server.

use std::mem::take;

use redis::{Pipeline, Value};
use serde::{Deserialize, Serialize};

use crate::id::SessionId;
use crate::store::redis::RedisStore;
use crate::store::redis::cause::{Cause, Code};
use crate::store::redis::commands::index::{look_at, seen};
use crate::store::redis::commands::query::read_error;
use crate::store::redis::protocol::command::{command_of, pattern_of};
use crate::store::redis::protocol::reply::{BEGINNING, is_unknown_command, scanned, text};
use crate::store::{Look, Lookup, Scan, ScanCursor, ScanPage, Seen, SessionKey, StoreError};

/// About the largest number of keys that a server looks at for a page.
const PAGE: u32 = 500;
/// The same for a walk with a tag, which reads few sessions.
const PAGE_WITH_TAG: u32 = 2_000;

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

/// A part of a server's keys.
struct Keys {
    run: String,
    cursor: String,
    names: Vec<Value>,
}

impl RedisStore {
    pub(crate) async fn scan(&self, scan: Scan<'_>) -> Result<ScanPage, StoreError> {
        let mut place = scan.from.map(Place::parse).transpose()?.unwrap_or_default();
        let (server, keys) = loop {
            let Some(server) = self.server_of(&place).await? else {
                return Ok(ScanPage { sessions: Vec::new(), next: None });
            };
            match self.keys_of(&server, scan).await {
                Ok(keys) => break (server, keys),
                Err(_) if self.has_left(&server.name).await => {}
                Err(error) => return Err(error),
            }
        };
        let ids = keys.names.iter().filter_map(|name| SessionKey::id_in(scan.prefix, text(name)?));
        let sessions = self.look_on(&server.name, scan.prefix, ids.collect(), scan.look).await?;
        if keys.cursor != BEGINNING {
            let Keys { run, cursor, .. } = keys;
            place.server = Some(Walked { name: server.name, run, cursor });
        } else if self.deployment.topology.is_cluster() {
            place.done.push(server.name);
            place.server = None;
        } else {
            return Ok(ScanPage { sessions, next: None });
        }
        Ok(ScanPage { sessions, next: place.into_cursor() })
    }

    /// Returns about the largest number of keys that a step of a walk looks at.
    #[cfg(feature = "cli")]
    pub(crate) fn keys_in_step(has_tag: bool) -> u32 {
        if has_tag { PAGE_WITH_TAG } else { PAGE }
    }

    /// Returns the number of keys on all servers, also of other programs.
    #[cfg(feature = "cli")]
    pub(crate) async fn count_keys(&self) -> Result<u64, StoreError> {
        let mut keys = 0;
        for server in self.servers(false).await? {
            let mut command = Pipeline::with_capacity(1);
            command.add_command(command_of(&["DBSIZE"]));
            let deadline = self.deployment.deadline();
            let sent = self.deployment.send_to_server(&server, &command, deadline).await;
            match sent.map_err(read_error)?.reply.into_iter().next() {
                Some(Value::Int(count)) => keys += u64::try_from(count).unwrap_or_default(),
                reply => {
                    return Err(reply
                        .as_ref()
                        .and_then(Code::in_reply)
                        .map_or_else(unexpected, Into::into));
                }
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

    async fn servers(&self, anew: bool) -> Result<Vec<String>, StoreError> {
        let deadline = self.deployment.deadline();
        self.deployment.servers(anew, deadline).await.map_err(read_error)
    }

    /// Returns the next keys of a server. Begins again if another process answers.
    async fn keys_of(&self, server: &Walked, scan: Scan<'_>) -> Result<Keys, StoreError> {
        let keys = self.keys_from(&server.name, &server.cursor, scan).await?;
        if server.cursor == BEGINNING || keys.run == server.run {
            return Ok(keys);
        }
        self.keys_from(&server.name, BEGINNING, scan).await
    }

    async fn keys_from(
        &self,
        server: &str,
        cursor: &str,
        scan: Scan<'_>,
    ) -> Result<Keys, StoreError> {
        let pattern = pattern(scan);
        let count = if scan.tag.is_some() { PAGE_WITH_TAG } else { PAGE };
        let mut commands = Pipeline::with_capacity(2);
        commands.add_command(command_of(&["INFO", "server"])).add_command(command_of(&[
            "SCAN",
            cursor,
            "MATCH",
            &pattern,
            "COUNT",
            &count.to_string(),
            "TYPE",
            "hash",
        ]));
        let deadline = self.deployment.deadline();
        let sent = self.deployment.send_to_server(server, &commands, deadline).await;
        let mut replies = sent.map_err(read_error)?.reply.into_iter();
        let (info, reply) = (replies.next(), replies.next());
        let info = checked(info)?;
        let (cursor, names) = scanned(checked(reply)?).ok_or_else(unexpected)?;
        Ok(Keys { run: run_in(&info).unwrap_or_default().to_owned(), cursor, names })
    }

    /// Looks at sessions where their keys were found. Keys that have moved are followed.
    async fn look_on(
        &self,
        server: &str,
        prefix: &str,
        mut ids: Vec<SessionId>,
        look: Look<'_>,
    ) -> Result<Vec<(SessionId, Seen)>, StoreError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        // A server may return a key twice.
        ids.sort_unstable_by(|one, other| one.expose_secret().cmp(other.expose_secret()));
        ids.dedup();
        let keys: Vec<_> = ids.iter().map(|id| SessionKey::new(prefix, id)).collect();
        let deadline = self.deployment.deadline();
        let commands = look_at(&keys, look);
        let sent = self.deployment.send_to_server(server, &commands, deadline).await;
        let mut exchange = sent.map_err(read_error)?;
        let mut replies = take(&mut exchange.reply).into_iter();
        let mut sessions = Vec::with_capacity(ids.len());
        for (id, key) in ids.iter().zip(&keys) {
            let (mut values, mut left) = (replies.next(), replies.next());
            let mut followed = None;
            if [&values, &left].into_iter().flatten().any(has_moved) {
                let commands = look_at(std::slice::from_ref(key), look);
                let mut exchange = self.query_exchange(key, &commands).await?;
                let mut replies = take(&mut exchange.reply).into_iter();
                (values, left) = (replies.next(), replies.next());
                followed = Some(exchange);
            }
            let found = seen(values, left, look.index)?;
            let lease = followed.as_ref().unwrap_or(&exchange).lease();
            if let Lookup::Found(seen) = self.saw_fields(key, lease, look.fields, found) {
                sessions.push((*id, seen));
            }
        }
        Ok(sessions)
    }
}

/// Returns the pattern of the keys. Ids from Python have no braces around the tag.
fn pattern(scan: Scan<'_>) -> String {
    let beginning = pattern_of(&format!("{}:sessions:", scan.prefix));
    match scan.tag {
        Some(tag) if cfg!(feature = "redis-session-compat") => beginning + &pattern_of(tag),
        Some(tag) => pattern_of(&format!("{}:sessions:{{{tag}}}", scan.prefix)),
        None => beginning,
    }
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

fn has_moved(reply: &Value) -> bool {
    Code::in_reply(reply).is_some_and(Code::is_retryable)
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
