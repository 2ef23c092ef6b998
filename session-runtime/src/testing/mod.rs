//! What an application's own tests need, and nothing else should use.

pub mod store_suite;

#[doc(inline)]
pub use crate::__store_suite as store_suite;
pub use crate::clock::ManualClock;
