//! The store of a manager: ours without a box, anybody else's behind the trait.

use std::any::Any;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;

#[cfg(feature = "redis")]
use super::RedisStore;
use super::{
    ConnectionState, Destroyed, Destruction, Lookup, MemoryStore, Modified, Modify, Refresh, Rotation,
    SessionKey, SessionStore, StoreError, Tombstone, Write,
};

#[derive(Debug, Clone)]
pub(crate) enum AnyStore {
    Memory(MemoryStore),
    #[cfg(feature = "redis")]
    Redis(RedisStore),
    Other(Arc<dyn SessionStore>),
}

impl AnyStore {
    pub(crate) fn new(store: impl SessionStore) -> Self {
        let any: &dyn Any = &store;
        if let Some(memory) = any.downcast_ref::<MemoryStore>() {
            return Self::Memory(memory.clone());
        }
        #[cfg(feature = "redis")]
        if let Some(redis) = any.downcast_ref::<RedisStore>() {
            return Self::Redis(redis.clone());
        }
        Self::Other(Arc::new(store))
    }

    /// One with connections of this runtime's own, if it is to have some.
    pub(crate) fn for_current_runtime(&self) -> Option<Self> {
        match self {
            #[cfg(feature = "redis")]
            Self::Redis(store) => store.for_current_runtime().map(Self::Redis),
            _ => None,
        }
    }

    pub(crate) async fn get(
        &self,
        key: &SessionKey,
        field: &str,
        refresh: Refresh,
    ) -> Result<Lookup<Option<Bytes>>, StoreError> {
        match self {
            Self::Memory(store) => store.get(key, field, refresh),
            #[cfg(feature = "redis")]
            Self::Redis(store) => store.get_field(key, field, refresh).await,
            Self::Other(store) => store.get(key, field, refresh).await,
        }
    }

    pub(crate) async fn contains(
        &self,
        key: &SessionKey,
        field: &str,
        refresh: Refresh,
    ) -> Result<Lookup<bool>, StoreError> {
        match self {
            Self::Memory(store) => store.contains(key, field, refresh),
            #[cfg(feature = "redis")]
            Self::Redis(store) => store.contains_field(key, field, refresh).await,
            Self::Other(store) => store.contains(key, field, refresh).await,
        }
    }

    /// Whether it may make a difference to it that a [write](Self::write) overwrites fields which are there.
    pub(crate) fn may_overwrite(&self) -> bool {
        match self {
            #[cfg(feature = "redis")]
            Self::Redis(_) => true,
            Self::Memory(_) | Self::Other(_) => false,
        }
    }

    /// `overwrites`: the session has most likely all fields that are written, and none is removed.
    #[cfg_attr(not(feature = "redis"), expect(unused_variables, reason = "it is the same to others"))]
    pub(crate) async fn write(
        &self,
        key: &SessionKey,
        write: Write<'_>,
        overwrites: bool,
    ) -> Result<Lookup<u64>, StoreError> {
        match self {
            Self::Memory(store) => store.write(key, write),
            #[cfg(feature = "redis")]
            Self::Redis(store) if overwrites => store.overwrite_fields(key, write).await,
            #[cfg(feature = "redis")]
            Self::Redis(store) => store.write_fields(key, write).await,
            Self::Other(store) => store.write(key, write).await,
        }
    }

    pub(crate) async fn get_many(
        &self,
        key: &SessionKey,
        fields: &[&str],
        refresh: Refresh,
    ) -> Result<Lookup<Vec<Option<Bytes>>>, StoreError> {
        match self {
            Self::Memory(store) => store.get_many(key, fields, refresh),
            #[cfg(feature = "redis")]
            Self::Redis(store) => store.get_fields(key, fields, refresh).await,
            Self::Other(store) => store.get_many(key, fields, refresh).await,
        }
    }

    pub(crate) async fn modify(
        &self,
        key: &SessionKey,
        modify: Modify<'_>,
    ) -> Result<Lookup<Modified>, StoreError> {
        match self {
            Self::Memory(store) => store.modify(key, modify),
            #[cfg(feature = "redis")]
            Self::Redis(store) => store.modify_field(key, modify).await,
            Self::Other(store) => store.modify(key, modify).await,
        }
    }

    pub(crate) async fn field_time_left(
        &self,
        key: &SessionKey,
        field: &str,
    ) -> Result<Lookup<Option<Duration>>, StoreError> {
        match self {
            Self::Memory(store) => store.field_time_left(key, field),
            #[cfg(feature = "redis")]
            Self::Redis(store) => store.time_left_of_field(key, field).await,
            Self::Other(store) => store.field_time_left(key, field).await,
        }
    }

    pub(crate) async fn expire_field(
        &self,
        key: &SessionKey,
        field: &str,
        ttl: Duration,
        expires_in: Duration,
    ) -> Result<Lookup<bool>, StoreError> {
        match self {
            Self::Memory(store) => store.expire_field(key, field, ttl, expires_in),
            #[cfg(feature = "redis")]
            Self::Redis(store) => store.expire_one_field(key, field, ttl, expires_in).await,
            Self::Other(store) => store.expire_field(key, field, ttl, expires_in).await,
        }
    }

    pub(crate) fn supports_field_expiry(&self) -> bool {
        match self {
            Self::Memory(store) => store.supports_field_expiry(),
            #[cfg(feature = "redis")]
            Self::Redis(store) => store.supports_field_expiry(),
            Self::Other(store) => store.supports_field_expiry(),
        }
    }

    pub(crate) async fn time_left(&self, key: &SessionKey) -> Result<Lookup<Duration>, StoreError> {
        match self {
            Self::Memory(store) => store.time_left(key),
            #[cfg(feature = "redis")]
            Self::Redis(store) => store.session_time_left(key).await,
            Self::Other(store) => store.time_left(key).await,
        }
    }

    pub(crate) async fn rotate(
        &self,
        key: &SessionKey,
        rotation: Rotation<'_>,
    ) -> Result<Lookup<()>, StoreError> {
        match self {
            Self::Memory(store) => store.rotate(key, rotation),
            #[cfg(feature = "redis")]
            Self::Redis(store) => store.rotate_session(key, rotation).await,
            Self::Other(store) => store.rotate(key, rotation).await,
        }
    }

    pub(crate) async fn destroy(
        &self,
        key: &SessionKey,
        destruction: Destruction,
    ) -> Result<Destroyed, StoreError> {
        match self {
            Self::Memory(store) => store.destroy(key, destruction),
            #[cfg(feature = "redis")]
            Self::Redis(store) => store.destroy_session(key, destruction).await,
            Self::Other(store) => store.destroy(key, destruction).await,
        }
    }

    pub(crate) async fn tombstone(&self, key: &SessionKey) -> Result<Option<Tombstone>, StoreError> {
        match self {
            Self::Memory(store) => store.tombstone(key),
            #[cfg(feature = "redis")]
            Self::Redis(store) => store.read_tombstone(key).await,
            Self::Other(store) => store.tombstone(key).await,
        }
    }

    pub(crate) fn connection_state(&self) -> ConnectionState {
        match self {
            Self::Memory(store) => store.connection_state(),
            #[cfg(feature = "redis")]
            Self::Redis(store) => store.connection_state(),
            Self::Other(store) => store.connection_state(),
        }
    }

    /// Whether it takes writes, as far as that is told without writing.
    pub(crate) async fn takes_writes(&self) -> Result<(), StoreError> {
        match self {
            #[cfg(feature = "redis")]
            Self::Redis(store) => store.takes_writes().await,
            _ => Ok(()),
        }
    }

    pub(crate) async fn time(&self) -> Result<SystemTime, StoreError> {
        match self {
            Self::Memory(store) => store.time(),
            #[cfg(feature = "redis")]
            Self::Redis(store) => store.server_time().await,
            Self::Other(store) => store.time().await,
        }
    }
}
