//! The check that a store can keep the sessions of a schema.

use std::any::type_name;

use crate::error::{Error, Kind};
use crate::request::manager::Manager;
use crate::session::schema::Schema;

pub(crate) async fn require<S: Schema>(manager: &Manager) -> Result<(), Error> {
    if S::HAS_TTL && !manager.store().supports_field_expiry() {
        return Err(Error::new(Kind::SchemaNeedsFieldExpiry { schema: type_name::<S>() }));
    }
    if let Some(encrypted) = S::ENCRYPTED.first() {
        manager.encryption_keys(encrypted.stored)?;
    }
    if S::INDEXED.is_empty() {
        return Ok(());
    }
    if manager.store().index().is_none() {
        return Err(Error::new(Kind::NoIndex));
    }
    check_servers(manager).await
}

/// Checks the permissions on servers that can be reached.
#[cfg(feature = "redis")]
async fn check_servers(manager: &Manager) -> Result<(), Error> {
    use crate::id::LifetimeId;
    use crate::store::AnyStore;

    let AnyStore::Redis(store) = manager.store() else { return Ok(()) };
    // The list of a new id does not exist.
    let id = manager.generate(LifetimeId::default(), manager.now())?.id;
    match store.check_index(&manager.index_key("", id.expose_secret().as_bytes())).await {
        Err(error) if error.is_unavailable() => {
            tracing::debug!(%error, "could not check the permissions for indexes");
            Ok(())
        }
        checked => checked,
    }
}

#[cfg(not(feature = "redis"))]
async fn check_servers(_: &Manager) -> Result<(), Error> {
    Ok(())
}
