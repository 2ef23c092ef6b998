//! A whole struct: from the stored values, and as changes of a session.

use std::fmt;
use std::vec;

use bytes::Bytes;

use crate::error::Error;
use crate::store::Change;
use crate::value::FieldSpec;

/// The stored values of a schema's fields, in the order of
/// [`Schema::READ_NAMES`](crate::Schema::READ_NAMES).
///
/// Shows nothing of them when it is printed.
pub struct Values(vec::IntoIter<Option<Bytes>>);

impl Values {
    /// The values, `None` for those that are missing.
    pub fn new(stored: Vec<Option<Bytes>>) -> Self {
        Self(stored.into_iter())
    }

    /// The next field's value. What was not asked for is missing.
    pub fn take<T>(&mut self, spec: &FieldSpec<T>) -> Result<T, Error> {
        let stored = self.next();
        let moved = spec.alias().and_then(|_| self.next());
        spec.read(stored.or(moved))
    }

    fn next(&mut self) -> Option<Bytes> {
        self.0.next().flatten()
    }
}

impl fmt::Debug for Values {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Values").finish_non_exhaustive()
    }
}

/// What to change in a session so that it holds a struct.
#[derive(Debug, Default)]
pub struct Changes(Vec<Change<'static>>);

impl Changes {
    /// Gives a field this value, or removes it if the value is that of a field that is not there.
    /// What is left under its alias goes.
    pub fn set<T>(&mut self, spec: &FieldSpec<T>, value: &T) -> Result<(), Error> {
        let field = spec.name();
        self.0.push(match spec.write(value)? {
            Some(value) => Change::Set { field, value, ttl: spec.ttl() },
            None => Change::Remove { field },
        });
        self.0.extend(spec.alias().map(|field| Change::Remove { field }));
        Ok(())
    }

    /// Removes a field, under whichever name it is stored.
    pub(crate) fn remove<T>(&mut self, spec: &FieldSpec<T>) {
        self.0.extend(spec.read_names().map(|field| Change::Remove { field }));
    }

    /// Takes back what was to be done with a field.
    pub(crate) fn forget<T>(&mut self, spec: &FieldSpec<T>) {
        self.0.retain(|earlier| spec.read_names().all(|name| earlier.field() != name));
    }

    /// The changes, each of another field.
    pub fn into_vec(self) -> Vec<Change<'static>> {
        self.0
    }
}
