//! A [`MemoryStore`] behind the trait that every store has: each future is ready at once.

use std::time::{Duration, SystemTime};

use bytes::Bytes;

use super::MemoryStore;
use crate::store::{
    BoxFuture, Destroyed, Destruction, Lookup, Modified, Modify, Refresh, Rotation, SessionKey, SessionStore,
    StoreError, Tombstone, Write,
};

impl SessionStore for MemoryStore {
    fn get<'a>(
        &'a self,
        key: &'a SessionKey,
        field: &'a str,
        refresh: Refresh,
    ) -> BoxFuture<'a, Result<Lookup<Option<Bytes>>, StoreError>> {
        Box::pin(async move { Ok(self.get_now(key, field, refresh)) })
    }

    fn contains<'a>(
        &'a self,
        key: &'a SessionKey,
        field: &'a str,
        refresh: Refresh,
    ) -> BoxFuture<'a, Result<Lookup<bool>, StoreError>> {
        Box::pin(async move { Ok(self.contains_now(key, field, refresh)) })
    }

    fn write<'a>(
        &'a self,
        key: &'a SessionKey,
        write: Write<'a>,
    ) -> BoxFuture<'a, Result<Lookup<u64>, StoreError>> {
        Box::pin(async move { self.write_now(key, write) })
    }

    fn get_many<'a>(
        &'a self,
        key: &'a SessionKey,
        fields: &'a [&'a str],
        refresh: Refresh,
    ) -> BoxFuture<'a, Result<Lookup<Vec<Option<Bytes>>>, StoreError>> {
        Box::pin(async move { Ok(self.get_many_now(key, fields, refresh)) })
    }

    fn modify<'a>(
        &'a self,
        key: &'a SessionKey,
        modify: Modify<'a>,
    ) -> BoxFuture<'a, Result<Lookup<Modified>, StoreError>> {
        Box::pin(async move { self.modify_now(key, &modify) })
    }

    fn field_time_left<'a>(
        &'a self,
        key: &'a SessionKey,
        field: &'a str,
    ) -> BoxFuture<'a, Result<Lookup<Option<Duration>>, StoreError>> {
        Box::pin(async move { Ok(self.field_time_left_now(key, field)) })
    }

    fn expire_field<'a>(
        &'a self,
        key: &'a SessionKey,
        field: &'a str,
        ttl: Duration,
        expires_in: Duration,
    ) -> BoxFuture<'a, Result<Lookup<bool>, StoreError>> {
        Box::pin(async move { Ok(self.expire_field_now(key, field, ttl, expires_in)) })
    }

    fn supports_field_expiry(&self) -> bool {
        true
    }

    fn time_left<'a>(&'a self, key: &'a SessionKey) -> BoxFuture<'a, Result<Lookup<Duration>, StoreError>> {
        Box::pin(async move { Ok(self.time_left_now(key)) })
    }

    fn rotate<'a>(
        &'a self,
        key: &'a SessionKey,
        rotation: Rotation<'a>,
    ) -> BoxFuture<'a, Result<Lookup<()>, StoreError>> {
        Box::pin(async move { self.rotate_now(key, rotation) })
    }

    fn destroy<'a>(
        &'a self,
        key: &'a SessionKey,
        destruction: Destruction,
    ) -> BoxFuture<'a, Result<Destroyed, StoreError>> {
        Box::pin(async move { Ok(self.destroy_now(key, destruction)) })
    }

    fn tombstone<'a>(&'a self, key: &'a SessionKey) -> BoxFuture<'a, Result<Option<Tombstone>, StoreError>> {
        Box::pin(async move { Ok(self.tombstone_now(key)) })
    }

    fn time(&self) -> BoxFuture<'_, Result<SystemTime, StoreError>> {
        Box::pin(async move { Ok(self.time_now()) })
    }
}
