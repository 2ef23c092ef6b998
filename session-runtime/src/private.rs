//! What the derive's output calls. Not for anybody else, and not part of the public interface.

pub use core::marker::PhantomData;

pub use crate::field::{Field, Operation};
pub use crate::handle::SessionHandle;
pub use crate::schema::{FieldSpec, Schema};
pub use crate::value::{FieldDefault, IntoField, Stored};

/// The body of a getter.
pub fn field<'a, T>(handle: &'a SessionHandle, spec: &'static FieldSpec<T>) -> Field<'a, T> {
    Field::new(handle, spec)
}

/// The body of a setter.
pub fn set<'a, T>(
    handle: &'a SessionHandle,
    spec: &'static FieldSpec<T>,
    value: impl IntoField<T>,
) -> Operation<'a, ()> {
    Field::new(handle, spec).assign(value)
}
