//! The state of a connection: open or closed.

use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use redis::{PushInfo, PushKind};
use tokio::sync::Notify;

use crate::telemetry::GaugeGuard;

/// The health of a connection. All users of the connection see the end as soon as the end is
/// noticed.
#[derive(Clone, Default)]
pub(crate) struct ConnectionHealth(Arc<HealthState>);

#[derive(Default)]
struct HealthState {
    is_closed: AtomicBool,
    closed: Notify,
    /// Counts the connection while the connection is open.
    gauge: Mutex<Option<GaugeGuard>>,
}

/// A guard in the connection's driver. However the driver ends, even together with the runtime, the
/// guard closes the connection.
pub(super) struct ClosesWithDriver(pub(super) ConnectionHealth);

impl ConnectionHealth {
    pub(crate) fn is_open(&self) -> bool {
        !self.0.is_closed.load(Ordering::Acquire)
    }

    pub(crate) fn close(&self) {
        self.0.is_closed.store(true, Ordering::Release);
        self.gauge().take();
        self.0.closed.notify_waiters();
    }

    /// Waits until the connection is closed.
    pub(crate) async fn closed(&self) {
        let mut closed = pin!(self.0.closed.notified());
        closed.as_mut().enable();
        if self.is_open() {
            closed.await;
        }
    }

    /// Counts the connection to this address until the connection is closed.
    pub(super) fn count_open(&self, address: &str) {
        let mut gauge = self.gauge();
        if self.is_open() {
            *gauge = Some(GaugeGuard::open_connection(address));
        }
    }

    fn gauge(&self) -> MutexGuard<'_, Option<GaugeGuard>> {
        self.0.gauge.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl ClosesWithDriver {
    pub(super) fn note(&self, push: &PushInfo) {
        if push.kind == PushKind::Disconnection {
            self.0.close();
        }
    }
}

impl Drop for ClosesWithDriver {
    fn drop(&mut self) {
        self.0.close();
    }
}
