//! All fields under a prefix, as JSON, for the sessions of other crates.

use std::collections::HashMap;

use bytes::Bytes;
use serde_json::Value;

use crate::error::{Error, Kind};
use crate::operation::Operation;
use crate::request::change_set::ChangeSet;
use crate::request::handle::SessionHandle;
use crate::request::rotate::{NewId, RotationBatch};
use crate::store::Change;
use crate::telemetry::{OperationName, OperationSpan};
use crate::value::json;

/// Fields by their names without the prefix.
pub(crate) type JsonFields = HashMap<String, Value>;

/// Changes of fields by their stored names. `None` removes a field.
pub(crate) struct JsonChanges(Vec<(String, Option<Bytes>)>);

impl JsonChanges {
    /// Returns the changes that turn fields into others.
    ///
    /// # Errors
    ///
    /// `is_encode` if a value cannot be stored.
    pub(crate) fn between(
        prefix: &str,
        before: &JsonFields,
        after: &JsonFields,
    ) -> Result<Self, Error> {
        let stored_name = |name: &str| format!("{prefix}{name}");
        let set = after.iter().filter(|(name, value)| before.get(*name) != Some(value));
        let set = set.map(|(name, value)| {
            let field = stored_name(name);
            match json::encode_some(value) {
                Ok(value) => Ok((field, value)),
                Err(source) => Err(Error::new(Kind::UnwritableJson { field, source })),
            }
        });
        let removed = before.keys().filter(|name| !after.contains_key(*name));
        let removed = removed.map(|name| Ok((stored_name(name), None)));
        set.chain(removed).collect::<Result<_, _>>().map(Self)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn to_changes(&self) -> Vec<Change<'_>> {
        let changes = self.0.iter().map(|(field, value)| match value.clone() {
            Some(value) => Change::Set { field, value, ttl: None },
            None => Change::Remove { field },
        });
        changes.collect()
    }
}

impl SessionHandle {
    /// Reads all fields under a prefix. Without a session, there are none. A field that is not JSON
    /// is left out, so that a logout still works.
    pub(crate) fn load_json<'a>(&'a self, prefix: &'a str) -> Operation<'a, JsonFields> {
        let span = OperationSpan::new(OperationName::Load, self);
        Operation::new(span.instrument(async move {
            let stored = self.get_all(prefix).await?;
            Ok(stored.into_iter().filter_map(|field| read(prefix, field)).collect())
        }))
    }

    /// Carries out all changes in one step. Creates the session if there is none and a field is
    /// set.
    pub(crate) fn save_json<'a>(&'a self, changes: &'a JsonChanges) -> Operation<'a, ()> {
        let span = OperationSpan::new(OperationName::Save, self);
        Operation::new(
            span.instrument(
                async move { self.write(set_of(&changes.to_changes())).await.map(|_| ()) },
            ),
        )
    }

    /// Carries out all changes in one step with a new id. The lifetime starts again.
    pub(crate) fn renew_json<'a>(&'a self, changes: &'a JsonChanges) -> Operation<'a, ()> {
        let span = OperationSpan::new(OperationName::Renew, self);
        Operation::new(span.instrument(async move {
            let changes = changes.to_changes();
            let batch = RotationBatch { set: set_of(&changes), keep_only: None };
            self.rotate(NewId { reason: self.renewal(), batch: Some(batch) }).await
        }))
    }

    /// Ends the session.
    pub(crate) fn end(&self) -> Operation<'_, ()> {
        let span = OperationSpan::new(OperationName::Destroy, self);
        Operation::new(span.instrument(self.destroy()))
    }
}

fn set_of<'a>(changes: &'a [Change<'a>]) -> ChangeSet<'a> {
    ChangeSet { changes, ..ChangeSet::default() }
}

fn read(prefix: &str, (field, stored): (String, Bytes)) -> Option<(String, Value)> {
    match json::decode(stored) {
        Ok(value) => Some((field.strip_prefix(prefix).unwrap_or(&field).to_owned(), value)),
        Err(error) => {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(
                field,
                error,
                "tower-sessions does not see this field, because it is not JSON: declare the field \
                 with `#[session(json)]`, or under another name"
            );
            None
        }
    }
}
