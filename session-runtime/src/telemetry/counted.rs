//! What is counted while it lasts.

use std::fmt::Display;

/// One more in a gauge of the metrics, for as long as this lives.
pub(crate) struct Counted {
    #[cfg(feature = "metrics")]
    gauge: metrics::Gauge,
}

#[cfg(feature = "metrics")]
impl Counted {
    /// A connection to the server at this address.
    pub(crate) fn connection(address: impl Display) -> Self {
        Self::one_more(super::recorder::connections(address))
    }

    /// A connection to this place that cannot be made.
    pub(crate) fn trouble(place: impl Display) -> Self {
        Self::one_more(super::recorder::troubles(place))
    }

    fn one_more(gauge: metrics::Gauge) -> Self {
        gauge.increment(1);
        Self { gauge }
    }
}

#[cfg(not(feature = "metrics"))]
impl Counted {
    pub(crate) fn connection(_address: impl Display) -> Self {
        Self {}
    }

    pub(crate) fn trouble(_place: impl Display) -> Self {
        Self {}
    }
}

#[cfg(feature = "metrics")]
impl Drop for Counted {
    fn drop(&mut self) {
        self.gauge.decrement(1);
    }
}
