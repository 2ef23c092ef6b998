//! The end of a request's session.

use super::handle::{Origin, SessionHandle};
use crate::error::Error;
use crate::lifecycle::{Next, PlannedDestruction, SessionMetadata, TOMBSTONE_FOR};
use crate::store::{DestroyReason, Destroyed, Destruction, TombstoneKind};

impl SessionHandle {
    pub(crate) async fn destroy(&self) -> Result<(), Error> {
        let destroyed = self.destroy_all().await;
        self.lifecycle().destruction_finished();
        self.end_wait().learned();
        destroyed
    }

    /// Ends all sessions that can be ended, and returns the first error.
    async fn destroy_all(&self) -> Result<(), Error> {
        let mut destroyed = Ok(());
        while let Some(plan) = self.plan_destruction()? {
            match self.store().destroy(&plan.session.key, self.destruction()).await {
                Ok(found) => {
                    let follow = |kind| self.successor_to_destroy(kind);
                    let mut lifecycle = self.lifecycle();
                    if found == Destroyed::Ended {
                        lifecycle.note_destruction(self.destruction().reason);
                    }
                    if destroyed.is_ok() {
                        lifecycle.take_over_failed();
                    }
                    if lifecycle.destroyed(&plan, found, follow) == Next::Done {
                        break;
                    }
                }
                Err(error) => {
                    self.report_refusal(&error, &plan.session);
                    let goes_on = self.lifecycle().not_destroyed(&plan.session.id);
                    destroyed = destroyed.and(Err(error.into()));
                    if !goes_on {
                        break;
                    }
                }
            }
        }
        destroyed
    }

    fn plan_destruction(&self) -> Result<Option<PlannedDestruction>, Error> {
        self.accessed().plan_destroy(self.manager().now())
    }

    pub(super) fn destruction(&self) -> Destruction {
        let reason = match self.origin() {
            Origin::Request => DestroyReason::LoggedOut,
            Origin::Application => DestroyReason::EndedElsewhere,
        };
        Destruction { reason, tombstone_for: TOMBSTONE_FOR }
    }

    /// Returns the session to end in place of a rotated session. A client with an id from before a
    /// login must not end the session after the login.
    fn successor_to_destroy(&self, kind: TombstoneKind) -> Option<SessionMetadata> {
        match (kind, self.origin()) {
            (TombstoneKind::Rotated(successor), _)
            | (TombstoneKind::Renewed(successor), Origin::Application) => {
                Some(self.manager().metadata(successor))
            }
            (TombstoneKind::Renewed(_), Origin::Request) | (TombstoneKind::Destroyed(_), _) => None,
        }
    }
}
