//! `#[derive(FieldValue)]`: an enum without data, or a newtype, becomes the type of a session
//! field. The same stages.

pub(crate) mod ast;
pub(crate) mod check;
pub(crate) mod expand;
