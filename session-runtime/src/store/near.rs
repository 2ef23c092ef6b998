//! The rules of a near cache, and the values from there.

use std::time::Duration;

use bytes::Bytes;
use smallvec::SmallVec;

/// The times for which an application uses kept values.
#[derive(Debug, Clone, Copy)]
#[cfg_attr(not(feature = "redis"), expect(dead_code, reason = "only Redis is far"))]
pub(crate) struct NearRules {
    /// A value was current within this time before the read.
    pub(crate) max_staleness: Duration,
    /// The longest time for which a value is kept.
    pub(crate) max_age: Duration,
}

/// The values of fields, in the order of the question.
pub(crate) type NearValues = SmallVec<[Option<Bytes>; 1]>;
