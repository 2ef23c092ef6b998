//! New ids for a request's session.

use super::handle::SessionHandle;
use crate::error::{Error, Kind};
use crate::lifecycle::{Next, PlannedRotation, RotationReason, RotationStep, TOMBSTONE_FOR};
use crate::store::{Lookup, Rotation};

impl SessionHandle {
    pub(crate) async fn rotate(&self, reason: RotationReason) -> Result<(), Error> {
        loop {
            match self.plan_rotation(reason)? {
                RotationStep::Nothing => return Ok(()),
                RotationStep::ReadTombstone(session) => self.read_tombstone(Some(session)).await?,
                RotationStep::Destroy(_)
                    if reason == RotationReason::Rotate && !self.has_client() =>
                {
                    return self.check_undisputed().await;
                }
                RotationStep::Destroy(session) => {
                    let found = self.store().destroy(&session.key, self.destruction()).await?;
                    self.lifecycle().unusable_destroyed(&session.id, found);
                }
                RotationStep::Rotate(planned) => {
                    if self.carry_out_rotation(&planned).await? == Next::Done {
                        return Ok(());
                    }
                }
            }
        }
    }

    fn plan_rotation(&self, reason: RotationReason) -> Result<RotationStep, Error> {
        let manager = self.manager();
        let now = manager.now();
        self.accessed().plan_rotation(now, reason, self.age(), |from| {
            manager.generate_successor(from, reason, now)
        })
    }

    async fn carry_out_rotation(&self, planned: &PlannedRotation) -> Result<Next, Error> {
        let Some(expires_in) = planned.to.expires_in(self.manager().now()) else {
            return Err(Error::new(Kind::Expired));
        };
        let rotation = Rotation {
            successor_key: &planned.to.key,
            successor: &planned.to.id,
            expires_in,
            tombstone_for: TOMBSTONE_FOR,
            renews: planned.renews(),
        };
        let reply = self.store().rotate(&planned.from.key, rotation).await;
        match reply.inspect_err(|error| self.report_refusal(error, &planned.from))? {
            Lookup::Found(()) => self.lifecycle().rotated(planned).map(|()| Next::Done),
            Lookup::Missing => Ok(self.lifecycle().not_rotated(planned)),
            Lookup::Dead => {
                let dead = self.lifecycle().rotation_lost(planned);
                self.read_tombstone(dead).await?;
                Ok(Next::Replan)
            }
        }
    }
}
