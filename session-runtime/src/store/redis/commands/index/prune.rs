//! Entries of a list that may not be true any more, in a cluster.

use std::time::SystemTime;

use bytes::Bytes;
use redis::Cmd;
use tokio::time::Instant;

use super::change::seconds;
use crate::id::{IndexKey, SessionId};
use crate::store::StoreError;
use crate::store::redis::cause::Code;
use crate::store::redis::commands::script::PRUNE;
use crate::store::redis::net::deployment::Deployment;

/// The reason to doubt an entry. `prune.lua` describes what follows.
#[derive(Debug, Clone)]
pub(super) enum Doubt {
    /// The session has a tombstone.
    Dead,
    /// The second step of a change was refused. With the score, if the first step has added the
    /// session to the list.
    Refused(Option<Bytes>),
    /// The session did not have the value.
    Unproven,
}

impl Doubt {
    fn words(&self) -> (&'static str, &[u8]) {
        match self {
            Self::Dead => ("dead", b""),
            Self::Refused(score) => ("refused", score.as_deref().unwrap_or_default()),
            Self::Unproven => ("unproven", b""),
        }
    }
}

/// Removes entries that no step under way can make true. `read_at` is before the look at the
/// sessions, by the clock of the list.
pub(super) async fn prune(
    deployment: &Deployment,
    deadline: Instant,
    list: &IndexKey,
    read_at: SystemTime,
    entries: &[(SessionId, Doubt)],
) -> Result<(), StoreError> {
    let add = |invocation: &mut Cmd| {
        invocation.arg(seconds(read_at));
        for (session, doubt) in entries {
            let (word, score) = doubt.words();
            invocation.arg(session.expose_secret()).arg(word).arg(score);
        }
    };
    let reply = PRUNE.run_on_list(deployment, deadline, list, &[list.as_str()], add).await?;
    Code::in_reply(&reply).map_or(Ok(()), |code| Err(code.into()))
}
