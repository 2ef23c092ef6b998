//! The two shapes of a field: a value, or an optional value.

use bytes::Bytes;

use super::FieldValue;
use crate::error::InvalidValue;

/// The type of a field: a [`FieldValue`] or an `Option` of a [`FieldValue`]. Do not implement this
/// trait by hand.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be stored as a session field",
    label = "not a type that a session field can hold",
    note = "annotate the field with `#[session(json)]` to store any type that implements serde's \
            `Serialize` and `Deserialize` as JSON",
    note = "or derive or implement `session_runtime::FieldValue` for the type"
)]
pub trait Stored: Sized + 'static {
    #[doc(hidden)]
    fn decode_stored(stored: Bytes) -> Result<Self, InvalidValue>;

    /// Returns `None` to remove the field.
    #[doc(hidden)]
    fn encode_stored(&self) -> Result<Option<Bytes>, InvalidValue>;
}

impl<T: FieldValue> Stored for T {
    fn decode_stored(stored: Bytes) -> Result<Self, InvalidValue> {
        T::decode(stored)
    }

    fn encode_stored(&self) -> Result<Option<Bytes>, InvalidValue> {
        self.encode().map(Some)
    }
}

impl<T: FieldValue> Stored for Option<T> {
    fn decode_stored(stored: Bytes) -> Result<Self, InvalidValue> {
        T::decode(stored).map(Some)
    }

    fn encode_stored(&self) -> Result<Option<Bytes>, InvalidValue> {
        self.as_ref().map(T::encode).transpose()
    }
}
