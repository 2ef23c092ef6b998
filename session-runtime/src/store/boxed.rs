//! Boxes the futures of the built-in stores.

/// Implements [`SessionStore`](super::SessionStore) for a store that has an inherent method for
/// each operation.
///
/// [`AnyStore`](super::AnyStore) calls the inherent methods directly, so a built-in store needs no
/// boxes. The methods of an `immediate` store return a result, and the methods of an `async` store
/// return a future.
macro_rules! impl_session_store {
    ($kind:tt $store:ty) => {
        const _: () = {
            use std::time::{Duration, SystemTime};

            use bytes::Bytes;

            use $crate::store::{
                BoxFuture, ConnectionState, Destroyed, Destruction, Lookup, Modified, Modify, Refresh,
                Rotation, Scan, ScanPage, SessionIndex, SessionKey, SessionStore, StoreError,
                Tombstone, Write,
            };

            $crate::store::boxed::impl_session_store! { $kind $store:
                get(key: &'a SessionKey, field: &'a str, refresh: Refresh) -> Lookup<Option<Bytes>>;
                contains(key: &'a SessionKey, field: &'a str, refresh: Refresh) -> Lookup<bool>;
                write(key: &'a SessionKey, write: Write<'a>) -> Lookup<u64>;
                get_many(key: &'a SessionKey, fields: &'a [&'a str], refresh: Refresh) -> Lookup<Vec<Option<Bytes>>>;
                get_all(key: &'a SessionKey, prefix: &'a str, refresh: Refresh) -> Lookup<Vec<(String, Bytes)>>;
                modify(key: &'a SessionKey, modify: Modify<'a>) -> Lookup<Modified>;
                field_expires_in(key: &'a SessionKey, field: &'a str) -> Lookup<Option<Duration>>;
                expire_field(key: &'a SessionKey, field: &'a str, ttl: Duration, expires_in: Duration) -> Lookup<bool>;
                expires_in(key: &'a SessionKey) -> Lookup<Duration>;
                rotate(key: &'a SessionKey, rotation: Rotation<'a>) -> Lookup<()>;
                destroy(key: &'a SessionKey, destruction: Destruction) -> Destroyed;
                tombstone(key: &'a SessionKey) -> Option<Tombstone>;
                scan(scan: Scan<'a>) -> ScanPage;
                time() -> SystemTime;
            }
        };
    };
    ($kind:tt $store:ty: $($operation:ident($($argument:ident: $type:ty),*) -> $reply:ty;)*) => {
        impl SessionStore for $store {
            $(
                fn $operation<'a>(&'a self, $($argument: $type),*) -> BoxFuture<'a, Result<$reply, StoreError>> {
                    $crate::store::boxed::boxed!($kind <$store>::$operation(self, $($argument),*))
                }
            )*

            fn supports_field_expiry(&self) -> bool {
                <$store>::supports_field_expiry(self)
            }

            fn supports_changes_in_rotation(&self) -> bool {
                true
            }

            fn supports_keeping_times(&self) -> bool {
                true
            }

            fn index(&self) -> Option<&dyn SessionIndex> {
                <$store>::session_index(self)
            }

            fn connection_state(&self) -> ConnectionState {
                <$store>::connection_state(self)
            }
        }
    };
}

macro_rules! boxed {
    (immediate $result:expr) => {
        Box::pin(async move { $result })
    };
    (async $future:expr) => {
        Box::pin($future)
    };
}

pub(super) use {boxed, impl_session_store};
