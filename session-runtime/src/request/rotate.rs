//! New ids for a request's session.

use super::change_set::ChangeSet;
use super::encrypted::SealedChanges;
use super::handle::SessionHandle;
use super::indexed::deadline_in;
use super::write::ttl_of;
use crate::error::{Error, Kind};
use crate::lifecycle::{Next, PlannedRotation, RotationReason, RotationStep, TOMBSTONE_FOR};
use crate::store::{Lookup, Rotation, StoreError};

/// A new id for the session, with the changes of the same step.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NewId<'a> {
    pub(crate) reason: RotationReason,
    /// The changes of a batch. `None` for a new id without a batch.
    pub(crate) batch: Option<RotationBatch<'a>>,
}

/// The changes of a batch that also gives the session a new id.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RotationBatch<'a> {
    pub(crate) set: ChangeSet<'a>,
    /// The fields that stay, besides the fields that `set` sets. `None` keeps all fields.
    pub(crate) keep_only: Option<&'a [&'static str]>,
}

/// The outcome of a rotation.
enum Rotated {
    Done,
    /// There was no session to rotate.
    Nothing,
    Replan,
}

impl SessionHandle {
    pub(crate) async fn rotate(&self, new_id: NewId<'_>) -> Result<(), Error> {
        self.check_batch(new_id)?;
        loop {
            let rotated = match self.plan_rotation(new_id)? {
                RotationStep::Nothing => Rotated::Nothing,
                RotationStep::ReadTombstone(session) => {
                    self.read_tombstone(Some(session)).await?;
                    Rotated::Replan
                }
                RotationStep::Destroy(_)
                    if new_id.reason == RotationReason::Rotate && !self.has_client() =>
                {
                    self.check_undisputed().await?;
                    Rotated::Nothing
                }
                RotationStep::Destroy(session) => {
                    let found = self.store().destroy(&session.key, self.destruction()).await?;
                    self.lifecycle().unusable_destroyed(&session.id, found);
                    Rotated::Replan
                }
                RotationStep::Rotate(planned) => self.carry_out_rotation(&planned, new_id).await?,
            };
            match rotated {
                Rotated::Done => return Ok(()),
                Rotated::Nothing => match new_id.batch {
                    Some(batch) if !self.create_with(batch.set).await? => {}
                    _ => return Ok(()),
                },
                Rotated::Replan => {}
            }
        }
    }

    /// Returns the reason of a login that keeps the kind of lifetime.
    #[cfg(any(feature = "tower-sessions-0_14", feature = "tower-sessions-0_15"))]
    pub(crate) fn renewal(&self) -> RotationReason {
        RotationReason::Renew(self.accessed().lifetime_id())
    }

    fn check_batch(&self, new_id: NewId<'_>) -> Result<(), Error> {
        let Some(batch) = new_id.batch else { return Ok(()) };
        let changes = batch.set.changes;
        let changes_fields = !changes.is_empty() || batch.keep_only.is_some();
        if changes_fields && !self.store().supports_changes_in_rotation() {
            return Err(Error::new(Kind::NoChangesInRotation));
        }
        self.check_changes(batch.set)
    }

    fn plan_rotation(&self, new_id: NewId<'_>) -> Result<RotationStep, Error> {
        let manager = self.manager();
        let (now, age, NewId { reason, batch }) = (manager.now(), self.age(), new_id);
        let generate = |from: &_| manager.generate_successor(from, reason, now);
        self.accessed().plan_rotation(now, reason, batch.is_some(), age, generate)
    }

    async fn carry_out_rotation(
        &self,
        planned: &PlannedRotation,
        new_id: NewId<'_>,
    ) -> Result<Rotated, Error> {
        let now = self.manager().now();
        let Some(expires_in) = planned.to.expires_in(now) else {
            return Err(Error::new(Kind::Expired));
        };
        let set = new_id.batch.map(|batch| batch.set).unwrap_or_default();
        let ChangeSet { changes, lasting, indexed, .. } = set;
        let sealed = self.sealed_changes(&planned.to, set)?;
        let index_changes = self.index_changes(indexed)?;
        let rotation = Rotation {
            successor_key: &planned.to.key,
            successor: &planned.to.id,
            expires_in,
            tombstone_for: TOMBSTONE_FOR,
            renews: planned.renews(),
            changes: SealedChanges::or(sealed.as_ref(), changes),
            keep_only: new_id.batch.and_then(|batch| batch.keep_only),
            deadline_in: deadline_in(&planned.to, now),
            index: &index_changes,
        };
        let reply = self.store().rotate(&planned.from.key, rotation).await;
        let reply = reply.inspect_err(|error| self.report_refusal(error, &planned.from));
        let to_error = |error: StoreError| match error.is_ended_since() && indexed.is_empty() {
            // The end through an index came between the two steps of a rotation.
            true => Error::new(Kind::Gone),
            false => self.write_error(error, changes.iter().find_map(ttl_of)),
        };
        match reply.map_err(to_error)? {
            Lookup::Found(()) => {
                let mut lifecycle = self.lifecycle();
                if lifecycle.rotated(planned)? == Next::Replan {
                    return Ok(Rotated::Replan);
                }
                if self.store().may_overwrite()
                    && let Some(known) = lifecycle.known_fields(&planned.to.id)
                {
                    known.record_changes(lasting);
                }
                drop(lifecycle);
                self.end_wait().learned();
                Ok(Rotated::Done)
            }
            Lookup::Missing => Ok(match self.lifecycle().not_rotated(planned) {
                Next::Done => Rotated::Nothing,
                Next::Replan => Rotated::Replan,
            }),
            Lookup::Dead => {
                let dead = self.lifecycle().rotation_lost(planned);
                self.read_tombstone(dead).await?;
                Ok(Rotated::Replan)
            }
        }
    }
}
