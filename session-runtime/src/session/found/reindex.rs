//! The entries that are missing in the lists of indexes.

use std::any::type_name;

use bytes::Bytes;

use super::search::{FOLLOWED, Found, successor};
use super::walk::Walk;
use crate::error::{Error, Kind};
use crate::lifecycle::SessionMetadata;
use crate::request::index_list::{IndexList, IndexedField};
use crate::request::manager::Manager;
use crate::session::schema::Schema;
use crate::store::{IndexProof, Lookup, MissingEntry, SessionIndex};

/// Adds the missing entries of all live sessions, and returns their number.
pub(crate) async fn reindex<S: Schema>(manager: &Manager) -> Result<usize, Error> {
    let indexed = indexed_fields::<S>();
    if indexed.is_empty() {
        return Err(Error::new(Kind::SchemaWithoutIndex { schema: type_name::<S>() }));
    }
    let store = manager.store().index().ok_or_else(|| Error::new(Kind::NoIndex))?;
    let names: Vec<_> = indexed.iter().flat_map(IndexedField::read_names).collect();
    let (mut walk, mut added, mut first) = (Walk::new(), 0, None);
    loop {
        let found = match walk.step(manager, "", &names).await {
            Ok(Some(found)) => found,
            Ok(None) => return first.map_or(Ok(added), Err),
            Err(error) => return Err(first.unwrap_or(error)),
        };
        for (session, field, value) in found.into_iter().flat_map(|one| values(&indexed, one)) {
            match restore(manager, store, session, field, value).await {
                Ok(was_missing) => added += usize::from(was_missing),
                Err(error) => first = first.or(Some(error)),
            }
        }
    }
}

/// Returns the indexed fields of a schema. The former name of a field follows its name in
/// [`Schema::READ_NAMES`].
fn indexed_fields<S: Schema>() -> Vec<IndexedField> {
    let alias_of = |field| {
        let mut names = S::READ_NAMES.iter().skip_while(|name| **name != field).skip(1);
        names.next().copied().filter(|name| !S::STORED_NAMES.contains(name))
    };
    let encryption_of = |field| {
        let encrypted = S::ENCRYPTED.iter().find(|encrypted| encrypted.stored == field);
        encrypted.and_then(|encrypted| encrypted.encryption)
    };
    let field = |&(index, field)| {
        let (alias, encryption) = (alias_of(field), encryption_of(field));
        IndexedField { index, field, alias, encryption }
    };
    S::INDEXED.iter().map(field).collect()
}

/// Returns the values of a session's indexed fields.
fn values(
    indexed: &[IndexedField],
    found: Found,
) -> impl Iterator<Item = (SessionMetadata, IndexedField, Bytes)> {
    let (session, mut values) = (found.session, found.seen.values.into_iter());
    indexed.iter().filter_map(move |field| {
        let present = values.next().flatten();
        let former = field.alias.and_then(|_| values.next().flatten());
        Some((session.clone(), *field, present.or(former)?))
    })
}

/// Adds a session to a list, also under a later id. Returns whether the session was missing there.
async fn restore(
    manager: &Manager,
    store: &dyn SessionIndex,
    mut session: SessionMetadata,
    indexed: IndexedField,
    value: Bytes,
) -> Result<bool, Error> {
    let IndexedField { index, field, alias, .. } = indexed;
    let Some(list) = manager.index_list_of_stored(indexed, &value) else { return Ok(false) };
    let IndexList { key: list, value } = list;
    let proof = IndexProof { field, alias, value: &value };
    for _ in 0..FOLLOWED {
        let Some(deadline_in) = session.deadline_in(manager.now()) else { break };
        let entry = MissingEntry { session: &session.id, deadline_in, index, list: &list, proof };
        match store.restore_entry(&session.key, entry).await? {
            Lookup::Found(was_missing) => return Ok(was_missing),
            Lookup::Missing => break,
            Lookup::Dead => {}
        }
        let Some(next) = successor(manager, &session.key).await? else { break };
        session = manager.metadata(next);
    }
    Ok(false)
}
