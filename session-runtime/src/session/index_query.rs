//! A question for the sessions with a value in an indexed field.

use std::any::type_name;
use std::fmt;
use std::marker::PhantomData;

use bytes::Bytes;

use crate::error::{Error, InvalidValue, Kind};
use crate::request::index_list::IndexedField;
use crate::session::record::indexed_as;
use crate::session::schema::Schema;
use crate::value::{FieldSpec, IndexValue, IntoField};

/// A question for the sessions with one value in an indexed field, for
/// [`Sessions::find`](crate::Sessions::find).
///
/// The derive generates a function for each indexed field, such as `Auth::by_user(42)`. `Debug`
/// does not show the value.
#[derive(Clone)]
pub struct IndexQuery<S> {
    pub(crate) field: IndexedField,
    value: Result<Bytes, InvalidValue>,
    type_name: &'static str,
    /// A look removes entries that do not fit from the lists.
    pub(crate) removes_stale: bool,
    schema: PhantomData<fn() -> S>,
}

impl<S: Schema> IndexQuery<S> {
    pub(crate) fn new<T: IndexValue>(
        spec: &FieldSpec<Option<T>>,
        value: impl IntoField<T>,
    ) -> Self {
        Self {
            field: indexed_as(spec, spec.index().unwrap_or(spec.name())),
            value: IntoField::with_value(value, T::encode),
            type_name: type_name::<T>(),
            removes_stale: true,
            schema: PhantomData,
        }
    }

    /// Creates a question for a value as it is stored, without the field's type.
    #[cfg(any(feature = "admin", feature = "cli"))]
    pub(crate) fn of_stored(field: IndexedField, value: Bytes) -> Self {
        let value = Ok(value);
        let type_name = "a stored value";
        Self { field, value, type_name, removes_stale: true, schema: PhantomData }
    }

    /// Leaves the lists as they are. For a field whose names are a guess: a wrong name fits no
    /// session, and would empty the lists of the application.
    #[cfg(feature = "cli")]
    pub(crate) fn keeping_lists(self) -> Self {
        Self { removes_stale: false, ..self }
    }

    /// Returns the stored bytes of the value.
    ///
    /// # Errors
    ///
    /// `is_encode` if the value has no stored form.
    pub(crate) fn value(&self) -> Result<&Bytes, Error> {
        self.value.as_ref().map_err(|source| {
            let (field, type_name) = (self.field.field, self.type_name);
            Error::new(Kind::Encode { field, type_name, source: source.clone() })
        })
    }
}

impl<S> fmt::Debug for IndexQuery<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IndexQuery").field("index", &self.field.index).finish_non_exhaustive()
    }
}
