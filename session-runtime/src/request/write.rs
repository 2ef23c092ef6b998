//! Writes to a request's session.

use std::ops::ControlFlow;
use std::time::Duration;

use super::change_set::{ChangeSet, EncryptedField};
use super::encrypted::{Answer, SealedChanges};
use super::handle::SessionHandle;
use super::indexed::IndexedChange;
use super::report::{Progress, carry_out, record_nothing};
use crate::encryption::Encryption;
use crate::error::{Error, Kind};
use crate::lifecycle::{KnownFields, Lifecycle, Next, PlannedWrite};
use crate::store::{Action, Change, Lookup, Modified, Modify, StoreError, Write, WriteMode};

impl SessionHandle {
    /// Creates the session if there is none, and writes nothing else.
    pub(crate) async fn create(&self) -> Result<(), Error> {
        carry_out!(self, plan = self.plan_write(false)?, {
            let (mode, expires_in) = (plan.mode, plan.expires_in);
            let write = Write { mode, changes: &[], expires_in, index: None };
            let reply = self.store().write(&plan.session.key, write, false).await?;
            self.report_write(&plan, reply, record_nothing)?
        });
        Ok(())
    }

    /// Carries out changes, and returns how many removed fields existed.
    pub(crate) async fn write(&self, set: ChangeSet<'_>) -> Result<u64, Error> {
        let ChangeSet { changes, lasting, indexed, .. } = set;
        self.check_changes(set)?;
        if changes.is_empty() {
            return Ok(0);
        }
        let ttl = changes.iter().find_map(ttl_of);
        let only_removes = changes.iter().all(is_removal);
        let index_changes = self.index_changes(indexed)?;
        self.forget_old_creation(&index_changes);
        let removed =
            carry_out!(self, (plan, overwrites) = self.plan_changes(set, only_removes)?, {
                let (mode, expires_in) = (plan.mode, plan.expires_in);
                let index = self.indexing(&plan.session, &index_changes);
                let sealed = self.sealed_changes(&plan.session, set)?;
                let stored = SealedChanges::or(sealed.as_ref(), changes);
                let write = Write { mode, changes: stored, expires_in, index };
                let written = self.store().write(&plan.session.key, write, overwrites).await;
                let reply = written.map_err(|error| self.write_error(error, ttl))?;
                self.report_write(&plan, reply, |_, known| known.record_changes(lasting))?
            });
        Ok(removed.flatten().unwrap_or(0))
    }

    /// Creates the session with these changes. Returns `false` if meanwhile there is a session.
    pub(super) async fn create_with(&self, set: ChangeSet<'_>) -> Result<bool, Error> {
        let ChangeSet { changes, lasting, indexed, .. } = set;
        if changes.iter().all(is_removal) {
            return Ok(true);
        }
        let Some(plan) = self.plan_write(false)? else { return Ok(true) };
        if plan.mode == WriteMode::Existing {
            return Ok(false);
        }
        let index_changes = self.index_changes(indexed)?;
        let index = self.indexing(&plan.session, &index_changes);
        let (mode, expires_in) = (plan.mode, plan.expires_in);
        let sealed = self.sealed_changes(&plan.session, set)?;
        let stored = SealedChanges::or(sealed.as_ref(), changes);
        let write = Write { mode, changes: stored, expires_in, index };
        let written = self.store().write(&plan.session.key, write, false).await;
        let ttl = changes.iter().find_map(ttl_of);
        let reply = written.map_err(|error| {
            if error.changed_nothing() {
                self.lifecycle().login_refused(&plan);
            }
            self.write_error(error, ttl)
        })?;
        let record = |_: &_, known: &mut KnownFields| known.record_changes(lasting);
        match self.report_write(&plan, reply, record)? {
            ControlFlow::Break(_) => Ok(true),
            ControlFlow::Continue(dead) => {
                self.read_tombstone(dead).await?;
                Ok(false)
            }
        }
    }

    /// Changes a field depending on the field's value. The answer `None` means that there is no
    /// session, and that the action creates none.
    pub(crate) async fn modify(
        &self,
        field: &'static str,
        alias: Option<&'static str>,
        ttl: Option<Duration>,
        action: Action,
        indexed: Option<IndexedChange>,
        encryption: Option<Encryption>,
    ) -> Result<Answer<Option<Modified>>, Error> {
        let length = |len| match encryption {
            Some(encryption) => encryption.sealed_len(len, indexed.is_some()),
            None => len,
        };
        self.manager().size_limits().check_action(field, &action, length)?;
        if encryption.is_some() {
            self.manager().encryption_keys(field)?;
        }
        let index_changes = self.index_changes(indexed.as_slice())?;
        self.forget_old_creation(&index_changes);
        let modified = carry_out!(self, plan = self.plan_write(!creates_session(&action))?, {
            let (mode, expires_in) = (plan.mode, plan.expires_in);
            let encrypted = encryption.map(|encryption| {
                let index = index_changes.first().map(|change| change.index);
                EncryptedField { name: field, index, encryption }
            });
            let modify = Modify {
                mode,
                field,
                alias,
                action: self.sealed_action(&plan.session, encrypted, &action)?,
                ttl,
                expires_in,
                index: self.indexing(&plan.session, &index_changes),
                keeps_times: false,
            };
            let modified = self.store().modify(&plan.session.key, modify).await;
            let reply = modified.map_err(|error| self.write_error(error, ttl))?;
            let progress = self.report_write(&plan, reply, |modified, known| {
                known.record_action(field, ttl, &action, modified);
            })?;
            progress.map_break(|modified| {
                let value = match (modified, mode) {
                    (None, WriteMode::Create) => without_creation(&action),
                    (modified, _) => modified,
                };
                Answer { value, session: Some(plan.session) }
            })
        });
        Ok(modified.unwrap_or_else(|| Answer { value: without_session(&action), session: None }))
    }

    /// Sets the field's expiry to `ttl` from now, and returns whether the session has the field.
    pub(crate) async fn expire_field(&self, field: &str, ttl: Duration) -> Result<bool, Error> {
        let is_there = carry_out!(self, plan = self.plan_write(true)?, {
            let (key, expires_in) = (&plan.session.key, plan.expires_in);
            let expired = self.store().expire_field(key, field, ttl, expires_in).await;
            let reply = expired.map_err(|error| self.write_error(error, Some(ttl)))?;
            self.report_write(&plan, reply, record_nothing)?
        });
        Ok(is_there.flatten().unwrap_or(false))
    }

    fn plan_write(&self, only_removes: bool) -> Result<Option<PlannedWrite>, Error> {
        self.plan_write_in(&mut self.accessed(), only_removes)
    }

    /// Returns the plan, and whether the changes only overwrite fields that the request has seen.
    fn plan_changes(
        &self,
        set: ChangeSet<'_>,
        only_removes: bool,
    ) -> Result<Option<(PlannedWrite, bool)>, Error> {
        let mut lifecycle = self.accessed();
        let Some(plan) = self.plan_write_in(&mut lifecycle, only_removes)? else { return Ok(None) };
        let known = lifecycle.known_fields(&plan.session.id);
        let is_indexed = !set.indexed.is_empty();
        let overwrites = !is_indexed && known.is_some_and(|known| known.contains_all(set.changes));
        Ok(Some((plan, overwrites)))
    }

    fn plan_write_in(
        &self,
        lifecycle: &mut Lifecycle,
        only_removes: bool,
    ) -> Result<Option<PlannedWrite>, Error> {
        let manager = self.manager();
        let now = manager.now();
        lifecycle.plan_write(now, only_removes, |class| manager.generate(class, now))
    }

    fn report_write<T>(
        &self,
        plan: &PlannedWrite,
        reply: Lookup<T>,
        record: impl FnOnce(&T, &mut KnownFields),
    ) -> Result<Progress<T>, Error> {
        let creates = plan.mode == WriteMode::Create;
        if creates && matches!(reply, Lookup::Found(_)) {
            let next = self.lifecycle().created(&plan.session.id)?;
            self.end_wait().learned();
            if next == Next::Replan {
                return Ok(ControlFlow::Continue(None));
            }
        }
        // If the creation changed nothing, a concurrent creation may have happened since.
        Ok(self.report(&plan.session, plan.resolves_pending || creates, true, reply, record))
    }

    /// Returns the error of a write that may have set the expiry of a single field.
    pub(super) fn write_error(&self, error: StoreError, ttl: Option<Duration>) -> Error {
        if ttl.is_some() && error.is_refused() && !self.store().supports_field_expiry() {
            return Error::new(Kind::NoFieldExpiry(error));
        }
        error.into()
    }
}

fn is_removal(change: &Change<'_>) -> bool {
    matches!(change, Change::Remove { .. })
}

pub(super) fn ttl_of(change: &Change<'_>) -> Option<Duration> {
    match change {
        Change::Set { ttl, .. } => *ttl,
        Change::Remove { .. } => None,
    }
}

/// Returns `false` for an action that only removes, or whose comparison would fail.
fn creates_session(action: &Action) -> bool {
    match action {
        Action::Replace(value) => value.is_some(),
        Action::CompareAndSet { or_missing, value, .. } => *or_missing && value.is_some(),
        Action::GetOrSet(_) | Action::AddInteger { .. } | Action::AddFloat { .. } => true,
    }
}

/// The outcome of an action without a session.
fn without_session(action: &Action) -> Option<Modified> {
    match action {
        Action::CompareAndSet { or_missing, .. } => Some(Modified::Swapped(*or_missing)),
        _ => None,
    }
}

/// The outcome of an action that could have created a session and did not, because the action
/// failed on a missing field.
fn without_creation(action: &Action) -> Option<Modified> {
    match action {
        Action::CompareAndSet { .. } => Some(Modified::Swapped(false)),
        Action::AddInteger { .. } | Action::AddFloat { .. } => Some(Modified::OutOfRange),
        Action::Replace(_) | Action::GetOrSet(_) => None,
    }
}
