//! The trait that `#[derive(Session)]` implements.

use crate::error::Error;
use crate::request::handle::SessionHandle;
use crate::session::form::EncryptedName;
use crate::session::record::{Changes, Values};
use crate::session::searched::SearchedField;
use crate::session::shown::ShownField;

/// A struct that describes a session. Use `#[derive(Session)]` to implement the trait.
///
/// # Examples
///
/// ```
/// use session_runtime::{Error, Schema, Session};
///
/// /// Works with any schema.
/// async fn forget<S: Schema>(session: &Session<S>) -> Result<(), Error> {
///     println!("forgets {:?}", S::STORED_NAMES);
///     session.clear().await
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a session schema",
    label = "not a session schema",
    note = "annotate the struct with `#[derive(session_runtime::Session)]`"
)]
pub trait Schema: Sized + 'static {
    /// The generated companion type, with a getter and a setter for each field.
    /// [`Session<Self>`](struct@crate::Session) dereferences to it.
    type Fields: Send + Sync + 'static;

    /// The stored names of the fields, in the order of the struct.
    const STORED_NAMES: &'static [&'static str];

    /// The names that [`load`](Self::load) reads, in this order.
    #[doc(hidden)]
    const READ_NAMES: &'static [&'static str] = Self::STORED_NAMES;

    /// `true` if a field has its own expiry. See [`Sessions::require`](crate::Sessions::require).
    #[doc(hidden)]
    const HAS_TTL: bool = false;

    /// The indexed fields, each with the name of its index and its stored name.
    #[doc(hidden)]
    const INDEXED: &'static [(&'static str, &'static str)] = &[];

    /// The encrypted fields.
    #[doc(hidden)]
    const ENCRYPTED: &'static [EncryptedName] = &[];

    /// `true` if a near cache may keep all fields.
    #[doc(hidden)]
    const CACHED: bool = false;

    /// The fields that pages for administrators show.
    #[doc(hidden)]
    const SHOWN: &'static [&'static dyn ShownField] = &[];

    /// The fields by which pages for administrators search.
    #[doc(hidden)]
    const SEARCHED: &'static [&'static dyn SearchedField] = &[];

    #[doc(hidden)]
    fn fields(handle: SessionHandle) -> Self::Fields;

    #[doc(hidden)]
    fn handle(fields: &Self::Fields) -> &SessionHandle;

    /// Builds the struct from the stored values.
    #[doc(hidden)]
    fn load(values: &mut Values<'_>) -> Result<Self, Error>;

    /// Adds the changes that store the struct. Fields that are not in the struct stay unchanged.
    #[doc(hidden)]
    fn save(record: &Self, changes: &mut Changes) -> Result<(), Error>;
}
