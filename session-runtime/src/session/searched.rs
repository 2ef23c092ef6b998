//! Indexed fields by which pages for administrators search.

use bytes::Bytes;

use super::record::indexed_as;
use crate::error::InvalidValue;
use crate::request::index_list::IndexedField;
use crate::value::{FieldSpec, IndexValue};

/// An indexed field, whatever its type. Do not implement this trait by hand.
pub trait SearchedField: Sync {
    /// Returns the name of the index.
    fn index(&self) -> &'static str;

    /// Returns the value with this text.
    ///
    /// # Errors
    ///
    /// Fails if the type has no such value.
    fn value(&self, text: &str) -> Result<SearchedValue, InvalidValue>;
}

/// A value of an indexed field. No `Debug`, which would show the value in logs.
#[cfg_attr(not(feature = "admin"), allow(dead_code, reason = "no page searches"))]
#[allow(missing_debug_implementations, reason = "stored values stay out of logs")]
pub struct SearchedValue {
    pub(crate) field: IndexedField,
    pub(crate) stored: Bytes,
}

impl<T: IndexValue> SearchedField for FieldSpec<Option<T>> {
    fn index(&self) -> &'static str {
        self.index().unwrap_or(self.name())
    }

    fn value(&self, text: &str) -> Result<SearchedValue, InvalidValue> {
        // Encoded again, because a value may have several texts.
        let stored = T::decode(Bytes::copy_from_slice(text.as_bytes()))?.encode()?;
        Ok(SearchedValue { field: indexed_as(self, SearchedField::index(self)), stored })
    }
}
