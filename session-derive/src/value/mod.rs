//! `#[derive(FieldValue)]` makes a session field type of an enum without data, or of a newtype. The
//! stages are the same.

pub(crate) mod ast;
pub(crate) mod check;
pub(crate) mod expand;
