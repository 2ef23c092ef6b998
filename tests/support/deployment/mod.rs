//! Servers as they are deployed: behind TLS, behind sentinels, as a cluster. Real processes, each in a directory of its own.
//!
//! A [`Sentinel`] or a [`Cluster`] takes seconds to start. Tests that leave it whole share one, one test after another, by [`Shared`]; a
//! test that breaks it starts its own.

mod certificates;
mod cluster;
mod sentinel;
mod servers;
mod shared;
mod tls;

pub use cluster::{Cluster, SlotMove};
pub use sentinel::Sentinel;
pub use servers::Servers;
pub use shared::Shared;
pub use tls::Tls;
