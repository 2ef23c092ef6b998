//! The current connection of a link, and the attempts to replace it.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::store::redis::cause::Cause;
use crate::store::redis::net::connection::{ConnectionHealth, LiveConnection, ServerInfo};
use crate::store::redis::net::endpoint::Endpoint;
use crate::store::redis::net::generation::Generation;
use crate::telemetry::GaugeGuard;

#[derive(Default)]
pub(super) struct State {
    pub(super) connection: Option<Arc<LiveConnection>>,
    /// An operation on the connection got no answer in time. The connection gets no new operations
    /// until there is evidence that the server is alive.
    pub(super) is_suspect: bool,
    /// The server of the current connection, or of the previous connection.
    pub(super) server: Option<Arc<ServerInfo>>,
    pub(super) outage: Option<Outage>,
    lease: Option<Lease>,
    /// The number of leases so far.
    leases: u64,
}

/// The reason why the latest attempt failed, until an attempt succeeds.
pub(super) struct Outage {
    pub(super) cause: Cause,
    _gauge: GaugeGuard,
}

/// The right of one task to connect, for as long as the task gives signs of life.
struct Lease {
    number: u64,
    /// The moment from which the task's runtime counts as parked. Any operation may then take the
    /// next lease.
    ends_at: Instant,
}

/// The allowed delay of a runtime that is not parked.
const GRACE: Duration = Duration::from_millis(150);

impl State {
    /// Creates a state without a connection, after an earlier connection to this server.
    pub(super) fn disconnected_from(server: Option<Arc<ServerInfo>>) -> Self {
        Self { server, ..Self::default() }
    }

    /// Returns the result that an operation in this generation gets without waiting, if there is
    /// such a result.
    pub(super) fn immediate_result(
        &self,
        generation: Generation,
    ) -> Option<Result<&Arc<LiveConnection>, &Cause>> {
        let serves = |live: &LiveConnection| live.generation == generation && live.health.is_open();
        match (&self.connection, &self.outage) {
            (Some(live), _) if !self.is_suspect && serves(live) => Some(Ok(live)),
            (_, Some(outage)) if !self.is_free() => Some(Err(&outage.cause)),
            _ => None,
        }
    }

    /// Returns whether this is the current connection, suspect or not.
    pub(super) fn has(&self, health: &ConnectionHealth) -> bool {
        self.connection.as_ref().is_some_and(|live| live.health.is_same(health))
    }

    /// Returns whether no task is connecting, or only a task with an expired lease.
    pub(super) fn is_free(&self) -> bool {
        self.lease_ends_at().is_none_or(|ends_at| ends_at <= Instant::now())
    }

    /// Returns the time by which the connecting task must give a sign of life, if there is a task.
    pub(super) fn lease_ends_at(&self) -> Option<Instant> {
        self.lease.as_ref().map(|lease| lease.ends_at)
    }

    /// Grants the lease to another task, and returns the number of the lease. The new attempt is
    /// worth waiting for, whatever the outcome of earlier attempts.
    pub(super) fn grant_lease(&mut self) -> u64 {
        self.leases += 1;
        self.outage = None;
        self.lease = Some(Lease { number: self.leases, ends_at: Instant::now() + GRACE });
        self.leases
    }

    /// Records a sign of life of a task. The next sign of life follows within this time. Returns
    /// whether the task still holds the lease.
    pub(super) fn renew_lease(&mut self, number: u64, next: Duration) -> bool {
        let Some(lease) = self.lease.as_mut().filter(|lease| lease.number == number) else {
            return false;
        };
        lease.ends_at = Instant::now() + next + GRACE;
        true
    }

    /// Ends this lease, unless another task has taken the next lease. The next operation connects.
    pub(super) fn release_lease(&mut self, number: u64) -> bool {
        let holds_lease = self.lease.as_ref().is_some_and(|lease| lease.number == number);
        if holds_lease {
            (self.lease, self.outage) = (None, None);
        }
        holds_lease
    }

    /// Replaces the current connection, whose news ends before there is another connection.
    pub(super) fn connected(&mut self, connection: Arc<LiveConnection>) {
        if let Some(before) = &self.connection {
            before.end_news();
        }
        *self = Self {
            server: Some(Arc::clone(&connection.server)),
            connection: Some(connection),
            leases: self.leases,
            ..Self::default()
        };
    }

    /// Records a failed attempt. Returns whether this is the first failure.
    pub(super) fn failed(
        &mut self,
        cause: Cause,
        endpoint: &Endpoint,
        generation: Generation,
    ) -> bool {
        let is_over =
            |live: &mut Arc<LiveConnection>| cause.is_unanswered() || live.generation != generation;
        if let Some(over) = self.connection.take_if(is_over) {
            over.end_news();
        }
        // A server that answers may continue to serve on the current connection, even if the answer
        // refuses another connection.
        self.is_suspect = false;
        let is_first = self.outage.is_none();
        match &mut self.outage {
            Some(outage) => outage.cause = cause,
            None => {
                self.outage =
                    Some(Outage { cause, _gauge: GaugeGuard::failing_connection(endpoint) })
            }
        }
        is_first
    }
}
