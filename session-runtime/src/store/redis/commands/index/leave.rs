//! The removal of ended sessions from lists.

use std::sync::Arc;

use crate::background;
use crate::id::IndexKey;
use crate::store::redis::net::deployment::Deployment;
use crate::store::redis::net::node_connections::Route;
use crate::store::redis::net::request::Idempotent;
use crate::store::redis::protocol::command::command_of;

/// Removes an id from lists in the background. The session has ended under this id, so the id can
/// never be live again.
pub(super) fn leave_unawaited(deployment: &Arc<Deployment>, lists: Vec<IndexKey>, id: String) {
    if lists.is_empty() {
        return;
    }
    let deployment = Arc::clone(deployment);
    background::spawn(async move {
        for list in lists {
            let command = command_of(&["ZREM", list.as_str(), &id]);
            let (request, deadline) = (Idempotent(&command), deployment.deadline());
            if deployment.send(&list, Route::Session, &request, deadline).await.is_err() {
                tracing::debug!("an ended session stays in an index until its deadline");
            }
        }
    });
}
