//! What a handler takes.

use std::fmt;
use std::ops::Deref;

use crate::handle::SessionHandle;
use crate::schema::Schema;

/// One request's session, with the fields that `S` declares; cheap to clone.
pub struct Session<S: Schema> {
    fields: S::Fields,
}

impl<S: Schema> Session<S> {
    pub(crate) fn new(handle: SessionHandle) -> Self {
        Self { fields: S::fields(handle) }
    }
}

impl<S: Schema> Deref for Session<S> {
    type Target = S::Fields;

    fn deref(&self) -> &S::Fields {
        &self.fields
    }
}

impl<S: Schema> Clone for Session<S> {
    fn clone(&self) -> Self {
        Self::new(S::handle(&self.fields).clone())
    }
}

impl<S: Schema> fmt::Debug for Session<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Session").field(S::handle(&self.fields)).finish()
    }
}
