//! The connection that a link has, and the attempts at another one.

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
    /// An operation on the connection got no answer in time. It takes no new ones until something
    /// speaks for it.
    pub(super) is_suspect: bool,
    /// The server of this connection, or of the one before it.
    pub(super) server: Option<Arc<ServerInfo>>,
    pub(super) outage: Option<Outage>,
    lease: Option<Lease>,
    /// The number of leases so far.
    leases: u64,
}

/// Why the latest attempt failed, until one succeeds.
pub(super) struct Outage {
    pub(super) cause: Cause,
    _gauge: GaugeGuard,
}

/// The right of one task to connect, for as long as it gives signs of life.
struct Lease {
    number: u64,
    /// The moment from which its runtime counts as parked, and any operation may take the next
    /// lease.
    ends_at: Instant,
}

/// How late a runtime that is not parked may be.
const GRACE: Duration = Duration::from_millis(150);

impl State {
    /// A state without a connection, after one to this server.
    pub(super) fn disconnected_from(server: Option<Arc<ServerInfo>>) -> Self {
        Self { server, ..Self::default() }
    }

    /// The result that an operation gets in this generation without waiting, if there is one.
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

    /// Tells whether this is the connection that it has, suspect or not.
    pub(super) fn has(&self, health: &ConnectionHealth) -> bool {
        self.connection.as_ref().is_some_and(|live| live.health.is_same(health))
    }

    /// Tells whether no task connects, or one whose lease has expired.
    pub(super) fn is_free(&self) -> bool {
        self.lease_ends_at().is_none_or(|ends_at| ends_at <= Instant::now())
    }

    /// The moment until which the task that connects has to give a sign of life, if there is one.
    pub(super) fn lease_ends_at(&self) -> Option<Instant> {
        self.lease.as_ref().map(|lease| lease.ends_at)
    }

    /// Grants another task the lease, and gives its number. Its attempt is worth waiting for,
    /// whatever became of earlier ones.
    pub(super) fn grant_lease(&mut self) -> u64 {
        self.leases += 1;
        self.outage = None;
        self.lease = Some(Lease { number: self.leases, ends_at: Instant::now() + GRACE });
        self.leases
    }

    /// Records a sign of life of this task: the next one follows within this time. Tells whether it
    /// still has the lease.
    pub(super) fn renew_lease(&mut self, number: u64, next: Duration) -> bool {
        let Some(lease) = self.lease.as_mut().filter(|lease| lease.number == number) else {
            return false;
        };
        lease.ends_at = Instant::now() + next + GRACE;
        true
    }

    /// Ends this lease, if nobody has taken the next one. The next operation connects.
    pub(super) fn release_lease(&mut self, number: u64) -> bool {
        let holds_lease = self.lease.as_ref().is_some_and(|lease| lease.number == number);
        if holds_lease {
            (self.lease, self.outage) = (None, None);
        }
        holds_lease
    }

    /// Puts a new connection in place of the one that it has.
    pub(super) fn connected(&mut self, connection: LiveConnection) {
        *self = Self {
            server: Some(Arc::clone(&connection.server)),
            connection: Some(Arc::new(connection)),
            leases: self.leases,
            ..Self::default()
        };
    }

    /// Records a failed attempt, and tells whether it is the first one.
    pub(super) fn failed(
        &mut self,
        cause: Cause,
        endpoint: &Endpoint,
        generation: Generation,
    ) -> bool {
        self.connection.take_if(|live| cause.is_unanswered() || live.generation != generation);
        // A server that answers, if only with a refusal of another connection, may serve on the one
        // that it has.
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
