//! The index of the store behind the network.

use std::time::SystemTime;

use session_runtime::MemoryStore;
use session_runtime::store::{
    BoxFuture, Destroyed, Destruction, Ending, IndexKey, IndexProof, IndexedValue, Listing, Look,
    Lookup, MissingEntry, Seen, SessionIndex, SessionKey, Stale, StoreError,
};

use super::network::{Command, INDEX, Network, Reply, now};

#[derive(Debug, Clone)]
pub(super) enum IndexCommand {
    Entries {
        key: IndexKey,
        mark: bool,
    },
    Look {
        keys: Vec<SessionKey>,
        fields: Vec<String>,
    },
    DestroyIf {
        key: SessionKey,
        value: IndexedValue,
        destruction: Destruction,
    },
    /// Ends a session without the proof. Only a broken store does this.
    DestroyAny {
        key: SessionKey,
        destruction: Destruction,
    },
    RemoveStale,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum IndexReply {
    Entries(Listing),
    Looked(Vec<Lookup<Seen>>),
    Destroyed(Option<Destroyed>),
    Removed,
}

impl IndexCommand {
    pub(super) fn changes(&self) -> bool {
        !matches!(self, Self::Entries { mark: false, .. } | Self::Look { .. })
    }

    pub(super) fn execute(&self, memory: &MemoryStore) -> IndexReply {
        match self {
            Self::Entries { key, mark } => IndexReply::Entries(now(memory.entries(key, *mark))),
            Self::Look { keys, fields } => {
                let fields: Vec<_> = fields.iter().map(String::as_str).collect();
                IndexReply::Looked(now(memory.look(keys, Look { index: INDEX, fields: &fields })))
            }
            Self::DestroyIf { key, value, destruction } => {
                let proof = IndexProof { field: INDEX, alias: None, value };
                let ending = Ending { proof, pending_at: None, destruction: *destruction };
                IndexReply::Destroyed(now(memory.destroy_if(key, ending)))
            }
            Self::DestroyAny { key, destruction } => {
                use session_runtime::store::SessionStore;
                IndexReply::Destroyed(Some(now(memory.destroy(key, *destruction))))
            }
            // The memory store has no stale entries.
            Self::RemoveStale => IndexReply::Removed,
        }
    }
}

impl Network {
    async fn ask(&self, command: IndexCommand) -> Result<IndexReply, StoreError> {
        let Reply::Index(reply) = self.send(Command::Index(command)).await? else {
            unreachable!("a reply to another command")
        };
        Ok(reply)
    }
}

impl SessionIndex for Network {
    fn entries<'a>(
        &'a self,
        key: &'a IndexKey,
        mark: bool,
    ) -> BoxFuture<'a, Result<Listing, StoreError>> {
        let command = IndexCommand::Entries { key: key.clone(), mark };
        Box::pin(async move {
            let IndexReply::Entries(entries) = self.ask(command).await? else {
                unreachable!("a reply to another command")
            };
            Ok(entries)
        })
    }

    fn look<'a>(
        &'a self,
        keys: &'a [SessionKey],
        look: Look<'a>,
    ) -> BoxFuture<'a, Result<Vec<Lookup<Seen>>, StoreError>> {
        let fields = look.fields.iter().map(|&field| field.to_owned()).collect();
        let command = IndexCommand::Look { keys: keys.to_vec(), fields };
        Box::pin(async move {
            let IndexReply::Looked(seen) = self.ask(command).await? else {
                unreachable!("a reply to another command")
            };
            Ok(seen)
        })
    }

    fn destroy_if<'a>(
        &'a self,
        key: &'a SessionKey,
        ending: Ending<'a>,
    ) -> BoxFuture<'a, Result<Option<Destroyed>, StoreError>> {
        let (key, value) = (key.clone(), ending.proof.value.clone());
        let command = IndexCommand::DestroyIf { key, value, destruction: ending.destruction };
        Box::pin(async move {
            let IndexReply::Destroyed(destroyed) = self.ask(command).await? else {
                unreachable!("a reply to another command")
            };
            Ok(destroyed)
        })
    }

    fn remove_stale<'a>(
        &'a self,
        _: &'a IndexKey,
        _: IndexProof<'a>,
        _: Stale<'a>,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move { self.ask(IndexCommand::RemoveStale).await.map(drop) })
    }

    /// No request of the model restores entries.
    fn restore_entry<'a>(
        &'a self,
        _: &'a SessionKey,
        _: MissingEntry<'a>,
    ) -> BoxFuture<'a, Result<Lookup<bool>, StoreError>> {
        Box::pin(async { Err(StoreError::refused("the model restores no entry")) })
    }

    fn list_time<'a>(&'a self, key: &'a IndexKey) -> BoxFuture<'a, Result<SystemTime, StoreError>> {
        let memory = self.air().memory.clone();
        Box::pin(async move { memory.list_time(key).await })
    }
}
