//! The values of missing fields.

use std::borrow::Cow;

use std::time::Duration;

use bytes::Bytes;

/// A type with an obvious value for a missing field: zero, a duration of zero, empty text, `false`
/// or `None`.
///
/// Types without an obvious value are `char`, `NonZero`, addresses, dates and points in time.
/// Declare such a field as an `Option`, or with `#[session(default = …)]`. You can implement this
/// trait for your own types.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "derive")] {
/// use session_runtime::{FieldValue, Session};
/// use session_runtime::field::FieldDefault;
///
/// #[derive(FieldValue)]
/// enum Theme {
///     Light,
///     Dark,
/// }
///
/// impl FieldDefault for Theme {
///     fn field_default() -> Self {
///         Self::Light
///     }
/// }
///
/// #[derive(Session)]
/// struct Visitor {
///     theme: Theme,
/// }
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no default value for a missing session field",
    label = "this field needs a default value",
    note = "declare the field as `Option<{Self}>`, or give it a default with `#[session(default = \
            …)]`"
)]
pub trait FieldDefault {
    /// Returns the value of a missing field.
    fn field_default() -> Self;
}

macro_rules! use_std_default {
    ($($type:ty),* $(,)?) => {$(
        impl FieldDefault for $type {
            fn field_default() -> Self {
                Self::default()
            }
        }
    )*};
}

use_std_default!(
    u8,
    u16,
    u32,
    u64,
    u128,
    usize,
    i8,
    i16,
    i32,
    i64,
    i128,
    isize,
    f32,
    f64,
    bool,
    String,
    Cow<'static, str>,
    Vec<u8>,
    Bytes,
    Duration,
);

impl<T> FieldDefault for Option<T> {
    fn field_default() -> Self {
        None
    }
}
