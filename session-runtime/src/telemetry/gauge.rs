//! Gauges that count existing values.

use std::fmt::Display;

/// A guard that adds 1 to a gauge until it is dropped.
pub(crate) struct GaugeGuard {
    #[cfg(feature = "metrics")]
    gauge: metrics::Gauge,
}

#[cfg(feature = "metrics")]
impl GaugeGuard {
    /// Counts an open connection to the server at this address.
    pub(crate) fn open_connection(address: impl Display) -> Self {
        Self::increment(super::recorder::connections(address))
    }

    /// Counts a connection to this address that cannot be made.
    pub(crate) fn failing_connection(address: impl Display) -> Self {
        Self::increment(super::recorder::failing_connections(address))
    }

    fn increment(gauge: metrics::Gauge) -> Self {
        gauge.increment(1);
        Self { gauge }
    }
}

#[cfg(not(feature = "metrics"))]
impl GaugeGuard {
    pub(crate) fn open_connection(_address: impl Display) -> Self {
        Self {}
    }

    pub(crate) fn failing_connection(_address: impl Display) -> Self {
        Self {}
    }
}

#[cfg(feature = "metrics")]
impl Drop for GaugeGuard {
    fn drop(&mut self) {
        self.gauge.decrement(1);
    }
}
