//! Reports of the store's replies to the life cycle.

use std::ops::ControlFlow;

use super::handle::SessionHandle;
use crate::error::Error;
use crate::lifecycle::{KnownFields, Next, SessionMetadata};
use crate::operation::BoxFuture;
use crate::store::{Lookup, StoreError, Tombstone};

/// The next step after a report. `Break` has the answer, or `None` if nothing can be found.
/// `Continue` asks for another plan, after the tombstone of the given session is
/// [read](SessionHandle::read_tombstone).
pub(super) type Progress<T> = ControlFlow<Option<T>, Option<SessionMetadata>>;

/// Carries out plans until a report gives the answer. `None` means that there is no plan.
///
/// A macro, because rustc cannot prove that the future of a function over an async closure is
/// `Send`.
macro_rules! carry_out {
    ($handle:ident, $plan:pat = $next:expr, $report:expr) => {
        loop {
            let Some($plan) = $next else { break None };
            match $report {
                ControlFlow::Break(answer) => break Some(answer),
                ControlFlow::Continue(dead) => $handle.read_tombstone(dead).await?,
            }
        }
    };
}

pub(super) use carry_out;

impl SessionHandle {
    /// Reports a reply about this session, and records the fields that the reply shows.
    pub(super) fn report<T>(
        &self,
        session: &SessionMetadata,
        resolves_pending: bool,
        refreshed: bool,
        reply: Lookup<T>,
        record: impl FnOnce(&T, &mut KnownFields),
    ) -> Progress<T> {
        let mut lifecycle = self.lifecycle();
        let is_found = matches!(reply, Lookup::Found(_));
        let progress = match reply {
            Lookup::Found(answer) => {
                lifecycle.found(&session.id, refreshed);
                if self.store().may_overwrite()
                    && let Some(known) = lifecycle.known_fields(&session.id)
                {
                    record(&answer, known);
                }
                ControlFlow::Break(Some(answer))
            }
            Lookup::Missing => match lifecycle.missing(&session.id, resolves_pending) {
                Next::Done => ControlFlow::Break(None),
                Next::Replan => ControlFlow::Continue(None),
            },
            Lookup::Dead => ControlFlow::Continue(lifecycle.dead(&session.id)),
        };
        drop(lifecycle);
        if !is_found {
            self.end_wait().learned();
        }
        progress
    }

    pub(super) fn report_refusal(&self, error: &StoreError, session: &SessionMetadata) {
        if !error.is_outcome_unknown() {
            self.lifecycle().refused(&session.id);
        }
    }

    /// Reads the tombstone of the given session, if any, to decide how the request continues.
    /// Boxed, because few requests need this.
    pub(super) fn read_tombstone(
        &self,
        dead: Option<SessionMetadata>,
    ) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(async move {
            let Some(session) = dead else { return Ok(()) };
            let reply = self.store().tombstone(&session.key).await;
            let Some(tombstone) = self.or_degraded(reply)? else { return Ok(()) };
            self.record_tombstone(&session, tombstone);
            Ok(())
        })
    }

    pub(super) fn record_tombstone(&self, session: &SessionMetadata, tombstone: Option<Tombstone>) {
        let age = self.age();
        self.lifecycle().tombstone_read(&session.id, tombstone, age);
    }

    /// `None` means that the store is unavailable and the request continues without its session.
    pub(super) fn or_degraded<T>(&self, reply: Result<T, StoreError>) -> Result<Option<T>, Error> {
        match reply {
            Ok(reply) => Ok(Some(reply)),
            Err(error) if error.is_unavailable() && self.lifecycle().degrade() => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "a request continues without its session");
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// For replies that show no fields.
pub(super) fn record_nothing<T>(_: &T, _: &mut KnownFields) {}
