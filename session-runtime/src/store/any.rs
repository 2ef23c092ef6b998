//! The store of a manager: a built-in store without boxes, or a custom store behind the trait.

use std::any::Any;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;

#[cfg(feature = "redis")]
use super::RedisStore;
use super::watchlist::{LookResult, Watchlist};
use super::{
    ConnectionState, Destroyed, Destruction, Lookup, MemoryStore, Modified, Modify, NearCacheState,
    NearRules, NearValues, Refresh, Rotation, Scan, ScanPage, SessionIndex, SessionKey,
    SessionStore, StoreError, Tombstone, Write,
};

/// Calls an operation of the store. Only the future of a custom store is boxed.
macro_rules! dispatch {
    ($any:ident.$operation:ident($($argument:ident),*)) => {
        match $any {
            Self::Memory(store) => store.$operation($($argument),*),
            #[cfg(feature = "redis")]
            Self::Redis(store) => store.$operation($($argument),*).await,
            Self::Other(store, _) => store.$operation($($argument),*).await,
        }
    };
}

#[derive(Debug, Clone)]
pub(crate) enum AnyStore {
    Memory(MemoryStore),
    #[cfg(feature = "redis")]
    Redis(RedisStore),
    Other(Arc<dyn SessionStore>, Arc<Watchlist>),
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
        Self::Other(Arc::new(store), Arc::default())
    }

    /// Returns the store with separate connections for the current runtime, if the runtime needs
    /// some.
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
        dispatch!(self.get(key, field, refresh))
    }

    pub(crate) async fn contains(
        &self,
        key: &SessionKey,
        field: &str,
        refresh: Refresh,
    ) -> Result<Lookup<bool>, StoreError> {
        dispatch!(self.contains(key, field, refresh))
    }

    /// Keeps fields of sessions in this process from now on. Returns `false` for a store without a
    /// near cache.
    #[cfg_attr(not(feature = "redis"), expect(unused_variables, reason = "only Redis is far"))]
    pub(crate) fn use_near_cache(&self, max_bytes: usize) -> bool {
        match self {
            #[cfg(feature = "redis")]
            Self::Redis(store) => {
                store.use_near_cache(max_bytes);
                true
            }
            Self::Memory(_) | Self::Other(..) => false,
        }
    }

    /// Returns the state of the near cache. Call this for a store that has one.
    pub(crate) fn near_cache_state(&self) -> NearCacheState {
        match self {
            #[cfg(feature = "redis")]
            Self::Redis(store) if store.is_untold() => NearCacheState::Untold,
            _ => NearCacheState::Keeping,
        }
    }

    /// Returns the fields from the near cache, if they are kept and count.
    #[cfg_attr(not(feature = "redis"), expect(unused_variables, reason = "only Redis is far"))]
    #[inline]
    pub(crate) fn kept(
        &self,
        key: &SessionKey,
        fields: &[&'static str],
        refresh: Refresh,
        rules: &NearRules,
    ) -> Option<NearValues> {
        match self {
            #[cfg(feature = "redis")]
            Self::Redis(store) => store.kept(key, fields, refresh, rules),
            Self::Memory(_) | Self::Other(..) => None,
        }
    }

    /// Reads fields that the near cache may keep.
    #[cfg_attr(not(feature = "redis"), expect(unused_variables, reason = "only Redis is far"))]
    pub(crate) async fn get_to_keep(
        &self,
        key: &SessionKey,
        fields: &[&'static str],
        refresh: Refresh,
        rules: &NearRules,
    ) -> Result<Lookup<NearValues>, StoreError> {
        #[cfg(feature = "redis")]
        if let Self::Redis(store) = self {
            return store.get_to_keep(key, fields, refresh, rules).await;
        }
        Ok(self.get_many(key, fields, refresh).await?.map(NearValues::from_vec))
    }

    /// Returns whether the store can take advantage of a [write](Self::write) that only overwrites
    /// existing fields.
    pub(crate) fn may_overwrite(&self) -> bool {
        match self {
            #[cfg(feature = "redis")]
            Self::Redis(_) => true,
            Self::Memory(_) | Self::Other(..) => false,
        }
    }

    /// Writes changes. Set `overwrites` if no field is removed and all written fields most likely
    /// exist.
    #[cfg_attr(not(feature = "redis"), expect(unused_variables, reason = "only Redis uses it"))]
    pub(crate) async fn write(
        &self,
        key: &SessionKey,
        write: Write<'_>,
        overwrites: bool,
    ) -> Result<Lookup<u64>, StoreError> {
        #[cfg(feature = "redis")]
        if let (Self::Redis(store), true) = (self, overwrites) {
            return store.overwrite(key, write).await;
        }
        dispatch!(self.write(key, write))
    }

    pub(crate) async fn get_many(
        &self,
        key: &SessionKey,
        fields: &[&str],
        refresh: Refresh,
    ) -> Result<Lookup<Vec<Option<Bytes>>>, StoreError> {
        dispatch!(self.get_many(key, fields, refresh))
    }

    #[cfg(any(feature = "tower-sessions-0_14", feature = "tower-sessions-0_15"))]
    pub(crate) async fn get_all(
        &self,
        key: &SessionKey,
        prefix: &str,
        refresh: Refresh,
    ) -> Result<Lookup<Vec<(String, Bytes)>>, StoreError> {
        dispatch!(self.get_all(key, prefix, refresh))
    }

    pub(crate) async fn modify(
        &self,
        key: &SessionKey,
        modify: Modify<'_>,
    ) -> Result<Lookup<Modified>, StoreError> {
        dispatch!(self.modify(key, modify))
    }

    pub(crate) async fn field_expires_in(
        &self,
        key: &SessionKey,
        field: &str,
    ) -> Result<Lookup<Option<Duration>>, StoreError> {
        dispatch!(self.field_expires_in(key, field))
    }

    pub(crate) async fn expire_field(
        &self,
        key: &SessionKey,
        field: &str,
        ttl: Duration,
        expires_in: Duration,
    ) -> Result<Lookup<bool>, StoreError> {
        dispatch!(self.expire_field(key, field, ttl, expires_in))
    }

    pub(crate) fn supports_field_expiry(&self) -> bool {
        match self {
            Self::Memory(store) => store.supports_field_expiry(),
            #[cfg(feature = "redis")]
            Self::Redis(store) => store.supports_field_expiry(),
            Self::Other(store, _) => store.supports_field_expiry(),
        }
    }

    pub(crate) fn supports_changes_in_rotation(&self) -> bool {
        match self {
            Self::Memory(_) => true,
            #[cfg(feature = "redis")]
            Self::Redis(_) => true,
            Self::Other(store, _) => store.supports_changes_in_rotation(),
        }
    }

    #[cfg(feature = "encryption")]
    pub(crate) fn supports_keeping_times(&self) -> bool {
        match self {
            Self::Memory(_) => true,
            #[cfg(feature = "redis")]
            Self::Redis(_) => true,
            Self::Other(store, _) => store.supports_keeping_times(),
        }
    }

    pub(crate) fn index(&self) -> Option<&dyn SessionIndex> {
        match self {
            Self::Memory(store) => Some(store),
            #[cfg(feature = "redis")]
            Self::Redis(store) => store.session_index(),
            Self::Other(store, _) => store.index(),
        }
    }

    pub(crate) async fn scan(&self, scan: Scan<'_>) -> Result<ScanPage, StoreError> {
        dispatch!(self.scan(scan))
    }

    pub(crate) async fn expires_in(
        &self,
        key: &SessionKey,
    ) -> Result<Lookup<Duration>, StoreError> {
        dispatch!(self.expires_in(key))
    }

    pub(crate) async fn rotate(
        &self,
        key: &SessionKey,
        rotation: Rotation<'_>,
    ) -> Result<Lookup<()>, StoreError> {
        dispatch!(self.rotate(key, rotation))
    }

    pub(crate) async fn destroy(
        &self,
        key: &SessionKey,
        destruction: Destruction,
    ) -> Result<Destroyed, StoreError> {
        dispatch!(self.destroy(key, destruction))
    }

    pub(crate) async fn tombstone(
        &self,
        key: &SessionKey,
    ) -> Result<Option<Tombstone>, StoreError> {
        dispatch!(self.tombstone(key))
    }

    /// Returns the sessions whose end is awaited.
    pub(crate) fn watchlist(&self) -> &Arc<Watchlist> {
        match self {
            Self::Memory(store) => store.watchlist(),
            #[cfg(feature = "redis")]
            Self::Redis(store) => store.watchlist(),
            Self::Other(_, watchlist) => watchlist,
        }
    }

    /// Looks at a watched session. Changes nothing. The next change is told to the
    /// [watchlist](Self::watchlist), if the store can do that.
    pub(crate) async fn look_at(&self, key: &SessionKey) -> LookResult {
        match self {
            Self::Memory(store) => LookResult::untold(store.expires_in(key)),
            #[cfg(feature = "redis")]
            Self::Redis(store) => store.look_at(key).await,
            Self::Other(store, _) => LookResult::untold(store.expires_in(key).await),
        }
    }

    /// Returns the number of looks at the same time. Redis gets their commands together, and other
    /// databases have few connections.
    pub(crate) fn looks_at_once(&self) -> usize {
        match self {
            Self::Other(..) => 16,
            _ => usize::MAX,
        }
    }

    /// Returns the deadline of an operation, if the store has one of its own.
    pub(crate) fn timeout(&self) -> Option<Duration> {
        match self {
            #[cfg(feature = "redis")]
            Self::Redis(store) => Some(store.timeout()),
            _ => None,
        }
    }

    pub(crate) fn connection_state(&self) -> ConnectionState {
        match self {
            Self::Memory(store) => store.connection_state(),
            #[cfg(feature = "redis")]
            Self::Redis(store) => store.connection_state(),
            Self::Other(store, _) => store.connection_state(),
        }
    }

    /// Checks that the store accepts writes, as far as can be found out without a write.
    pub(crate) async fn takes_writes(&self) -> Result<(), StoreError> {
        match self {
            #[cfg(feature = "redis")]
            Self::Redis(store) => store.takes_writes().await,
            _ => Ok(()),
        }
    }

    pub(crate) async fn time(&self) -> Result<SystemTime, StoreError> {
        dispatch!(self.time())
    }
}
