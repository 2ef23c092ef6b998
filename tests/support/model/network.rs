//! A store behind a network that the test controls. Every command waits until the test executes it,
//! and every reply waits until the test delivers it.

use std::fmt;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use futures::FutureExt;
use session_runtime::store::{
    BoxFuture, Change, Destroyed, Destruction, IndexChange, Indexing, Lookup, Modified, Modify,
    Refresh, Rotation, SessionIndex, SessionKey, SessionStore, StoreError, Tombstone, Write,
    WriteMode,
};
use session_runtime::{Error, MemoryStore, SessionId};

use super::index_network::{IndexCommand, IndexReply};

/// The store that the runtime uses. Clones share the network.
#[derive(Clone)]
pub(super) struct Network(Arc<Mutex<Air>>);

/// All commands and replies in flight.
pub(super) struct Air {
    pub(super) memory: MemoryStore,
    pub(super) flights: Vec<Flight>,
    /// Operation that is currently polled.
    pub(super) speaker: usize,
}

/// A command and its result.
pub(super) struct Flight {
    /// Operation that sent the command.
    pub(super) by: usize,
    pub(super) command: Command,
    pub(super) executed: Option<Reply>,
    /// Reply to the sender.
    pub(super) answer: Option<Answer>,
    /// The sender has received the reply.
    pub(super) taken: bool,
    /// The sender has dropped its future.
    pub(super) abandoned: bool,
    /// The command will never reach the store.
    pub(super) lost: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Answer {
    Reply(Reply),
    Unavailable,
    /// The outcome is unknown to the sender. The command may still be in flight.
    Unknown,
}

#[derive(Debug, Clone)]
pub(super) enum Command {
    Get {
        key: SessionKey,
        field: String,
        refresh: Refresh,
    },
    Contains {
        key: SessionKey,
        field: String,
        refresh: Refresh,
    },
    Write {
        key: SessionKey,
        mode: WriteMode,
        changes: Changes,
        expires_in: Duration,
        index: Option<IndexPart>,
    },
    TimeLeft {
        key: SessionKey,
    },
    Rotate {
        key: SessionKey,
        to: SessionKey,
        id: SessionId,
        how: Moving,
        changes: Changes,
        keep_only: Option<Vec<String>>,
        index: IndexPart,
    },
    Destroy {
        key: SessionKey,
        destruction: Destruction,
    },
    Tombstone {
        key: SessionKey,
    },
    Index(IndexCommand),
}

/// The part of a write that concerns indexes.
#[derive(Debug, Clone)]
pub(super) struct IndexPart {
    pub(super) session: SessionId,
    pub(super) deadline_in: Duration,
    pub(super) changes: Vec<IndexChange<'static>>,
}

/// Fields with their new values. `None` removes the field.
pub(super) type Changes = Vec<(String, Option<Bytes>)>;

/// The lifetimes and the kind of a rotation.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moving {
    pub(super) expires_in: Duration,
    pub(super) tombstone_for: Duration,
    pub(super) renews: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Reply {
    Get(Lookup<Option<Bytes>>),
    Contains(Lookup<bool>),
    Write(Lookup<u64>),
    TimeLeft(Lookup<Duration>),
    Rotate(Lookup<()>),
    Destroy(Destroyed),
    Tombstone(Option<Tombstone>),
    Index(IndexReply),
    Refused,
    EndedSince,
    TooMany,
}

impl Network {
    pub(super) fn new(memory: MemoryStore) -> Self {
        Self(Arc::new(Mutex::new(Air { memory, flights: Vec::new(), speaker: 0 })))
    }

    pub(super) fn air(&self) -> MutexGuard<'_, Air> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) async fn send(&self, command: Command) -> Result<Reply, StoreError> {
        let at = self.air().send(command);
        let waiting = Waiting { network: self, at };
        let answer = poll_fn(|_| self.air().take(at).map_or(Poll::Pending, Poll::Ready)).await;
        drop(waiting);
        match answer {
            Answer::Reply(Reply::Refused) => Err(StoreError::refused("refused")),
            Answer::Reply(Reply::EndedSince) => Err(StoreError::ended_since()),
            Answer::Reply(Reply::TooMany) => Err(StoreError::too_many()),
            Answer::Reply(reply) => Ok(reply),
            Answer::Unavailable => Err(StoreError::unavailable("unavailable")),
            Answer::Unknown => Err(StoreError::outcome_unknown("no reply")),
        }
    }
}

/// Notes on drop that the sender no longer waits.
struct Waiting<'a> {
    network: &'a Network,
    at: usize,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.network.air().flights[self.at].abandoned = true;
    }
}

impl Air {
    fn send(&mut self, command: Command) -> usize {
        let by = self.speaker;
        let (executed, answer) = (None, None);
        self.flights.push(Flight {
            by,
            command,
            executed,
            answer,
            taken: false,
            abandoned: false,
            lost: false,
        });
        self.flights.len() - 1
    }

    fn take(&mut self, at: usize) -> Option<Answer> {
        let flight = &mut self.flights[at];
        flight.taken = flight.answer.is_some();
        flight.answer.clone()
    }

    /// Returns commands that may still be executed, including those with a dropped future.
    pub(super) fn under_way(&self) -> Vec<usize> {
        let under_way = |flight: &Flight| flight.executed.is_none() && !flight.lost;
        (0..self.flights.len()).filter(|&at| under_way(&self.flights[at])).collect()
    }

    /// Returns whether a command that ends or moves this session has an unknown outcome for its
    /// sender.
    pub(super) fn in_doubt(&self, key: &str) -> bool {
        self.flights.iter().any(|flight| {
            let ends = matches!(flight.command, Command::Rotate { .. } | Command::Destroy { .. });
            let unknown =
                flight.abandoned || !flight.taken || flight.answer == Some(Answer::Unknown);
            ends && unknown && flight.command.key().expose_secret() == key
        })
    }

    /// Returns commands whose sender is waiting.
    pub(super) fn unanswered(&self) -> Vec<usize> {
        let unanswered = |flight: &Flight| flight.answer.is_none() && !flight.abandoned;
        (0..self.flights.len()).filter(|&at| unanswered(&self.flights[at])).collect()
    }

    /// Returns the operations whose command has a reply.
    pub(super) fn ready(&self) -> Vec<usize> {
        let answered =
            |flight: &&Flight| flight.answer.is_some() && !flight.taken && !flight.abandoned;
        self.flights.iter().filter(answered).map(|flight| flight.by).collect()
    }

    /// Executes a command.
    pub(super) fn execute(&self, command: &Command) -> Reply {
        let memory = &self.memory;
        match command {
            Command::Get { key, field, refresh } => {
                Reply::Get(now(memory.get(key, field, *refresh)))
            }
            Command::Contains { key, field, refresh } => {
                Reply::Contains(now(memory.contains(key, field, *refresh)))
            }
            Command::Write { key, mode, changes, expires_in, index } => {
                let changes: Vec<_> = changes.iter().map(change).collect();
                let index = index.as_ref().map(IndexPart::borrowed);
                let (mode, expires_in) = (*mode, *expires_in);
                let write = Write { mode, changes: &changes, expires_in, index };
                let written = memory.write(key, write).now_or_never().expect("memory is at hand");
                written.map_or_else(refusal, Reply::Write)
            }
            Command::TimeLeft { key } => Reply::TimeLeft(now(memory.expires_in(key))),
            Command::Rotate { key, to, id, how, changes, keep_only, index } => {
                let Moving { expires_in, tombstone_for, renews } = *how;
                let changes: Vec<_> = changes.iter().map(change).collect();
                let keep_only: Option<Vec<_>> =
                    keep_only.as_ref().map(|kept| kept.iter().map(String::as_str).collect());
                let rotation = Rotation {
                    successor_key: to,
                    successor: id,
                    expires_in,
                    tombstone_for,
                    renews,
                    changes: &changes,
                    keep_only: keep_only.as_deref(),
                    deadline_in: index.deadline_in,
                    index: &index.changes,
                };
                let rotated =
                    memory.rotate(key, rotation).now_or_never().expect("memory is at hand");
                rotated.map_or_else(refusal, Reply::Rotate)
            }
            Command::Destroy { key, destruction } => {
                Reply::Destroy(now(memory.destroy(key, *destruction)))
            }
            Command::Tombstone { key } => Reply::Tombstone(now(memory.tombstone(key))),
            Command::Index(command) => Reply::Index(command.execute(memory)),
        }
    }

    /// Answers a command with its reply, or with an error. Returns `None` if there is no reply yet.
    /// With `never_arrives`, a command that fails is lost.
    pub(super) fn answer(&mut self, at: usize, fails: bool, never_arrives: bool) -> Option<Answer> {
        let flight = &mut self.flights[at];
        let changes = flight.command.changes();
        let answer = match (&flight.executed, fails) {
            (Some(reply), false) => Answer::Reply(reply.clone()),
            (None, false) => return None,
            (Some(_), true) if changes => Answer::Unknown,
            (None, true) if changes && !never_arrives => Answer::Unknown,
            (executed, true) => {
                flight.lost = executed.is_none();
                Answer::Unavailable
            }
        };
        flight.answer = Some(answer.clone());
        Some(answer)
    }
}

impl IndexPart {
    fn borrowed(&self) -> Indexing<'_> {
        let Self { session, deadline_in, changes } = self;
        Indexing { session, deadline_in: *deadline_in, changes }
    }

    fn of(session: &SessionId, deadline_in: Duration, changes: &[IndexChange<'_>]) -> Self {
        let owned = |change: &IndexChange<'_>| IndexChange {
            index: INDEX,
            field: INDEX,
            entry: change.entry.clone(),
        };
        Self { session: *session, deadline_in, changes: changes.iter().map(owned).collect() }
    }
}

/// The name of the index and of its field.
pub(super) const INDEX: &str = "user";

fn refusal(error: StoreError) -> Reply {
    let error = Error::from(error);
    match () {
        () if error.is_ended_since() => Reply::EndedSince,
        () if error.is_too_many() => Reply::TooMany,
        () => Reply::Refused,
    }
}

fn change((field, value): &(String, Option<Bytes>)) -> Change<'_> {
    match value {
        Some(value) => Change::Set { field, value: value.clone(), ttl: None },
        None => Change::Remove { field },
    }
}

fn recorded(changes: &[Change<'_>]) -> Changes {
    let recorded = changes.iter().map(|change| match change {
        Change::Set { field, value, .. } => ((*field).to_owned(), Some(value.clone())),
        Change::Remove { field } => ((*field).to_owned(), None),
    });
    recorded.collect()
}

pub(super) fn now<T>(operation: BoxFuture<'_, Result<T, StoreError>>) -> T {
    operation.now_or_never().expect("memory is at hand").unwrap()
}

impl Flight {
    /// Returns the key of the session that the command has changed, as its sender was told.
    pub(super) fn changed(&self) -> Option<&SessionKey> {
        let Some(Answer::Reply(reply)) = &self.answer else { return None };
        match &self.command {
            _ if !reply.is_found() => None,
            Command::Rotate { to, .. } => Some(to),
            Command::Write { key, .. } => Some(key),
            _ => None,
        }
    }
}

impl Command {
    pub(super) fn key(&self) -> &SessionKey {
        match self {
            Self::Get { key, .. }
            | Self::Contains { key, .. }
            | Self::Write { key, .. }
            | Self::TimeLeft { key }
            | Self::Rotate { key, .. }
            | Self::Destroy { key, .. }
            | Self::Tombstone { key } => key,
            Self::Index(_) => unreachable!("the command is for an index"),
        }
    }

    /// Returns whether the command changes data, so that its outcome can be unknown.
    pub(super) fn changes(&self) -> bool {
        match self {
            Self::Index(command) => command.changes(),
            _ => matches!(self, Self::Write { .. } | Self::Rotate { .. } | Self::Destroy { .. }),
        }
    }
}

impl Reply {
    /// Returns whether the session existed.
    pub(super) fn is_found(&self) -> bool {
        matches!(
            self,
            Self::Get(Lookup::Found(_))
                | Self::Contains(Lookup::Found(_))
                | Self::Write(Lookup::Found(_))
                | Self::TimeLeft(Lookup::Found(_))
                | Self::Rotate(Lookup::Found(()))
        )
    }
}

/// Other batches and conditional changes use the same life cycle as reads and writes.
const NOT_MODELLED: &str = "the model's clients read and write one field at a time";

impl SessionStore for Network {
    fn get<'a>(
        &'a self,
        key: &'a SessionKey,
        field: &'a str,
        refresh: Refresh,
    ) -> BoxFuture<'a, Result<Lookup<Option<Bytes>>, StoreError>> {
        let command = Command::Get { key: key.clone(), field: field.to_owned(), refresh };
        Box::pin(async move {
            let Reply::Get(found) = self.send(command).await? else {
                unreachable!("a reply to another command")
            };
            Ok(found)
        })
    }

    fn contains<'a>(
        &'a self,
        key: &'a SessionKey,
        field: &'a str,
        refresh: Refresh,
    ) -> BoxFuture<'a, Result<Lookup<bool>, StoreError>> {
        let command = Command::Contains { key: key.clone(), field: field.to_owned(), refresh };
        Box::pin(async move {
            let Reply::Contains(found) = self.send(command).await? else {
                unreachable!("a reply to another command")
            };
            Ok(found)
        })
    }

    fn write<'a>(
        &'a self,
        key: &'a SessionKey,
        write: Write<'a>,
    ) -> BoxFuture<'a, Result<Lookup<u64>, StoreError>> {
        let (changes, key) = (recorded(write.changes), key.clone());
        let Write { mode, expires_in, index, .. } = write;
        let index = index.map(|index| {
            let Indexing { session, deadline_in, changes } = index;
            IndexPart::of(session, deadline_in, changes)
        });
        let command = Command::Write { key, mode, changes, expires_in, index };
        Box::pin(async move {
            let Reply::Write(found) = self.send(command).await? else {
                unreachable!("a reply to another command")
            };
            Ok(found)
        })
    }

    fn expires_in<'a>(
        &'a self,
        key: &'a SessionKey,
    ) -> BoxFuture<'a, Result<Lookup<Duration>, StoreError>> {
        let command = Command::TimeLeft { key: key.clone() };
        Box::pin(async move {
            let Reply::TimeLeft(found) = self.send(command).await? else {
                unreachable!("a reply to another command")
            };
            Ok(found)
        })
    }

    fn rotate<'a>(
        &'a self,
        key: &'a SessionKey,
        rotation: Rotation<'a>,
    ) -> BoxFuture<'a, Result<Lookup<()>, StoreError>> {
        let Rotation { expires_in, tombstone_for, renews, .. } = rotation;
        let keep_only = rotation.keep_only;
        let command = Command::Rotate {
            key: key.clone(),
            to: rotation.successor_key.clone(),
            id: *rotation.successor,
            how: Moving { expires_in, tombstone_for, renews },
            changes: recorded(rotation.changes),
            keep_only: keep_only.map(|kept| kept.iter().map(|&field| field.to_owned()).collect()),
            index: IndexPart::of(rotation.successor, rotation.deadline_in, rotation.index),
        };
        Box::pin(async move {
            let Reply::Rotate(found) = self.send(command).await? else {
                unreachable!("a reply to another command")
            };
            Ok(found)
        })
    }

    fn destroy<'a>(
        &'a self,
        key: &'a SessionKey,
        destruction: Destruction,
    ) -> BoxFuture<'a, Result<Destroyed, StoreError>> {
        let command = Command::Destroy { key: key.clone(), destruction };
        Box::pin(async move {
            let Reply::Destroy(found) = self.send(command).await? else {
                unreachable!("a reply to another command")
            };
            Ok(found)
        })
    }

    fn tombstone<'a>(
        &'a self,
        key: &'a SessionKey,
    ) -> BoxFuture<'a, Result<Option<Tombstone>, StoreError>> {
        let command = Command::Tombstone { key: key.clone() };
        Box::pin(async move {
            let Reply::Tombstone(found) = self.send(command).await? else {
                unreachable!("a reply to another command")
            };
            Ok(found)
        })
    }

    fn get_many<'a>(
        &'a self,
        _: &'a SessionKey,
        _: &'a [&'a str],
        _: Refresh,
    ) -> BoxFuture<'a, Result<Lookup<Vec<Option<Bytes>>>, StoreError>> {
        unreachable!("{NOT_MODELLED}")
    }

    fn modify<'a>(
        &'a self,
        _: &'a SessionKey,
        _: Modify<'a>,
    ) -> BoxFuture<'a, Result<Lookup<Modified>, StoreError>> {
        unreachable!("{NOT_MODELLED}")
    }

    fn field_expires_in<'a>(
        &'a self,
        _: &'a SessionKey,
        _: &'a str,
    ) -> BoxFuture<'a, Result<Lookup<Option<Duration>>, StoreError>> {
        unreachable!("{NOT_MODELLED}")
    }

    fn expire_field<'a>(
        &'a self,
        _: &'a SessionKey,
        _: &'a str,
        _: Duration,
        _: Duration,
    ) -> BoxFuture<'a, Result<Lookup<bool>, StoreError>> {
        unreachable!("{NOT_MODELLED}")
    }

    fn supports_field_expiry(&self) -> bool {
        false
    }

    fn supports_changes_in_rotation(&self) -> bool {
        true
    }

    fn index(&self) -> Option<&dyn SessionIndex> {
        Some(self)
    }

    fn time(&self) -> BoxFuture<'_, Result<SystemTime, StoreError>> {
        let memory = self.air().memory.clone();
        Box::pin(async move { memory.time().await })
    }
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Network").finish_non_exhaustive()
    }
}
