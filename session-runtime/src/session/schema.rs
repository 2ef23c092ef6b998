//! The trait that `#[derive(Session)]` implements.

use crate::error::Error;
use crate::request::handle::SessionHandle;
use crate::session::record::{Changes, Values};

/// A struct that describes a session. Implemented by `#[derive(Session)]`, not by hand.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "derive")] {
/// use session_runtime::{Error, Schema, Session};
///
/// /// For any session.
/// async fn forget<S: Schema>(session: &Session<S>) -> Result<(), Error> {
///     println!("forgets {:?}", S::STORED_NAMES);
///     session.clear().await
/// }
/// # #[derive(Session)]
/// # struct Visitor { count: u64 }
/// # let _ = forget::<Visitor>;
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a session schema",
    label = "not a session schema",
    note = "annotate the struct with `#[derive(session_runtime::Session)]`"
)]
pub trait Schema: Sized + 'static {
    /// The generated companion type with a getter and a setter per field;
    /// [`Session<Self>`](struct@crate::Session) dereferences to it.
    type Fields: Send + Sync + 'static;

    /// The stored names of the fields, in the order of the struct.
    const STORED_NAMES: &'static [&'static str];

    /// The names to ask for to [`load`](Self::load) the struct, in this order.
    #[doc(hidden)]
    const READ_NAMES: &'static [&'static str] = Self::STORED_NAMES;

    /// Whether a field has an expiry of its own: see
    /// [`Sessions::require`](crate::Sessions::require).
    #[doc(hidden)]
    const HAS_TTL: bool = false;

    #[doc(hidden)]
    fn fields(handle: SessionHandle) -> Self::Fields;

    #[doc(hidden)]
    fn handle(fields: &Self::Fields) -> &SessionHandle;

    /// The struct, from what is stored.
    #[doc(hidden)]
    fn load(values: &mut Values) -> Result<Self, Error>;

    /// What to change so that the struct is stored. Fields that it does not know stay as they are.
    #[doc(hidden)]
    fn save(record: &Self, changes: &mut Changes) -> Result<(), Error>;
}
