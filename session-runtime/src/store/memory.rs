//! Sessions in the memory of this process.

use std::time::Duration;

use bytes::Bytes;

use super::{Lookup, SessionKey, Write};

/// Sessions in the memory of this process.
#[derive(Debug, Clone, Default)]
pub struct MemoryStore {}

impl MemoryStore {
    pub(crate) fn get_now(&self, _: &SessionKey, _: &str, _: Option<Duration>) -> Lookup<Option<Bytes>> {
        Lookup::Missing
    }

    pub(crate) fn contains_now(&self, _: &SessionKey, _: &str, _: Option<Duration>) -> Lookup<bool> {
        Lookup::Missing
    }

    pub(crate) fn write_now(&self, _: &SessionKey, _: Write<'_>) -> Lookup<u64> {
        Lookup::Missing
    }
}
