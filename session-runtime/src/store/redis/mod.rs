//! Sessions on one Redis or Valkey server.

use std::time::Duration;

use bytes::Bytes;

use super::{Lookup, SessionKey, StoreError, Write};

/// Sessions on one Redis or Valkey server.
#[derive(Debug, Clone)]
pub struct RedisStore {}

/// Settings of a [`RedisStore`].
#[derive(Debug, Clone)]
pub struct RedisStoreBuilder {}

impl RedisStore {
    pub(crate) async fn get_field(
        &self,
        _: &SessionKey,
        _: &str,
        _: Option<Duration>,
    ) -> Result<Lookup<Option<Bytes>>, StoreError> {
        Ok(Lookup::Missing)
    }

    pub(crate) async fn contains_field(
        &self,
        _: &SessionKey,
        _: &str,
        _: Option<Duration>,
    ) -> Result<Lookup<bool>, StoreError> {
        Ok(Lookup::Missing)
    }

    pub(crate) async fn write_fields(&self, _: &SessionKey, _: Write<'_>) -> Result<Lookup<u64>, StoreError> {
        Ok(Lookup::Missing)
    }
}
