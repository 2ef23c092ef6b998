//! A store whose operations wait for the test.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use session_runtime::store::{
    BoxFuture, Destroyed, Destruction, Ending, IndexKey, IndexProof, Listing, Look, Lookup,
    MissingEntry, Modified, Modify, Refresh, Rotation, Scan, ScanPage, Seen, SessionIndex,
    SessionKey, SessionStore, Stale, StoreError, Tombstone, Write,
};
use tokio::sync::oneshot;

/// A store that holds chosen operations, and passes all operations on to another store. Clones
/// hold together.
#[derive(Debug, Clone)]
pub struct GatedStore {
    store: Arc<dyn SessionStore>,
    gates: Arc<Mutex<Vec<Gate>>>,
}

/// The store's side of a held operation.
#[derive(Debug)]
struct Gate {
    operation: &'static str,
    arrived: oneshot::Sender<()>,
    released: oneshot::Receiver<()>,
}

/// An operation that will be held, or is held. Dropping this value lets the operation pass.
#[derive(Debug)]
pub struct Held {
    arrived: Option<oneshot::Receiver<()>>,
    _release: oneshot::Sender<()>,
}

impl GatedStore {
    /// Creates a store that holds nothing yet.
    pub fn new(store: impl SessionStore) -> Self {
        Self { store: Arc::new(store), gates: Arc::default() }
    }

    /// Holds the next operation of this name, such as `"write"`, before it reaches the store.
    pub fn hold(&self, operation: &'static str) -> Held {
        let ((arrived, arrival), (release, released)) = (oneshot::channel(), oneshot::channel());
        self.gates().push(Gate { operation, arrived, released });
        Held { arrived: Some(arrival), _release: release }
    }

    async fn pass(&self, operation: &str) {
        let gate = {
            let mut gates = self.gates();
            let at = gates.iter().position(|gate| gate.operation == operation);
            at.map(|at| gates.remove(at))
        };
        if let Some(Gate { arrived, released, .. }) = gate {
            let _ = arrived.send(());
            let _ = released.await;
        }
    }

    fn gates(&self) -> std::sync::MutexGuard<'_, Vec<Gate>> {
        self.gates.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn indexed(&self) -> &dyn SessionIndex {
        self.store.index().expect("only a store with an index is asked")
    }
}

impl Held {
    /// Waits until the operation has come as far as the store, for up to twenty seconds.
    pub async fn arrival(&mut self) {
        let arrived = self.arrived.take().expect("awaited once");
        let arrived = tokio::time::timeout(Duration::from_secs(20), arrived).await;
        arrived.expect("the operation comes").expect("the store is there");
    }
}

/// Writes methods that pass the gate of their name.
macro_rules! pass_on {
    ($store:ident: $($name:ident($($argument:ident: $type:ty),*) -> $reply:ty;)+) => {
        $(fn $name<'a>(
            &'a self,
            $($argument: $type),*
        ) -> BoxFuture<'a, Result<$reply, StoreError>> {
            Box::pin(async move {
                self.pass(stringify!($name)).await;
                self.$store().$name($($argument),*).await
            })
        })+
    };
}

impl GatedStore {
    fn inner(&self) -> &dyn SessionStore {
        &*self.store
    }
}

impl SessionStore for GatedStore {
    pass_on! { inner:
        get(key: &'a SessionKey, field: &'a str, refresh: Refresh) -> Lookup<Option<Bytes>>;
        contains(key: &'a SessionKey, field: &'a str, refresh: Refresh) -> Lookup<bool>;
        write(key: &'a SessionKey, write: Write<'a>) -> Lookup<u64>;
        get_many(
            key: &'a SessionKey, fields: &'a [&'a str], refresh: Refresh
        ) -> Lookup<Vec<Option<Bytes>>>;
        get_all(
            key: &'a SessionKey, prefix: &'a str, refresh: Refresh
        ) -> Lookup<Vec<(String, Bytes)>>;
        modify(key: &'a SessionKey, modify: Modify<'a>) -> Lookup<Modified>;
        field_expires_in(key: &'a SessionKey, field: &'a str) -> Lookup<Option<Duration>>;
        expire_field(
            key: &'a SessionKey, field: &'a str, ttl: Duration, expires_in: Duration
        ) -> Lookup<bool>;
        expires_in(key: &'a SessionKey) -> Lookup<Duration>;
        rotate(key: &'a SessionKey, rotation: Rotation<'a>) -> Lookup<()>;
        destroy(key: &'a SessionKey, destruction: Destruction) -> Destroyed;
        tombstone(key: &'a SessionKey) -> Option<Tombstone>;
        scan(scan: Scan<'a>) -> ScanPage;
    }

    fn supports_field_expiry(&self) -> bool {
        self.store.supports_field_expiry()
    }

    fn supports_changes_in_rotation(&self) -> bool {
        self.store.supports_changes_in_rotation()
    }

    fn supports_keeping_times(&self) -> bool {
        self.store.supports_keeping_times()
    }

    fn time(&self) -> BoxFuture<'_, Result<SystemTime, StoreError>> {
        self.store.time()
    }

    fn index(&self) -> Option<&dyn SessionIndex> {
        self.store.index().is_some().then_some(self)
    }
}

impl SessionIndex for GatedStore {
    pass_on! { indexed:
        entries(key: &'a IndexKey, mark: bool) -> Listing;
        look(keys: &'a [SessionKey], look: Look<'a>) -> Vec<Lookup<Seen>>;
        destroy_if(key: &'a SessionKey, ending: Ending<'a>) -> Option<Destroyed>;
        restore_entry(key: &'a SessionKey, entry: MissingEntry<'a>) -> Lookup<bool>;
        remove_stale(key: &'a IndexKey, proof: IndexProof<'a>, stale: Stale<'a>) -> ();
        list_time(key: &'a IndexKey) -> SystemTime;
    }
}
