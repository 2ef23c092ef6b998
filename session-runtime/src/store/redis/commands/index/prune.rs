//! Entries of a list that may not be true any more, in a cluster.

use std::time::SystemTime;

use redis::Cmd;

use super::change::seconds;
use crate::id::{IndexKey, SessionId};
use crate::store::StoreError;
use crate::store::redis::cause::Code;
use crate::store::redis::commands::script::PRUNE;
use crate::store::redis::net::deployment::Deployment;

/// The reason to doubt an entry. `prune.lua` describes what follows.
#[derive(Debug, Clone, Copy)]
pub(super) enum Doubt {
    /// The session has a tombstone.
    Dead,
    /// The second step of a change was refused.
    Refused,
    /// The session did not have the value.
    Unproven,
}

impl Doubt {
    fn word(self) -> &'static str {
        match self {
            Self::Dead => "dead",
            Self::Refused => "refused",
            Self::Unproven => "unproven",
        }
    }
}

/// Removes entries that no step under way can make true. `read_at` is before the look at the
/// sessions, by the clock of the list.
pub(super) async fn prune(
    deployment: &Deployment,
    list: &IndexKey,
    read_at: SystemTime,
    entries: &[(SessionId, Doubt)],
) -> Result<(), StoreError> {
    let add = |invocation: &mut Cmd| {
        invocation.arg(seconds(read_at));
        for (session, doubt) in entries {
            invocation.arg(session.expose_secret()).arg(doubt.word());
        }
    };
    let reply =
        PRUNE.run_on_list(deployment, deployment.deadline(), list, &[list.as_str()], add).await?;
    Code::in_reply(&reply).map_or(Ok(()), |code| Err(code.into()))
}
