//! The values that setters accept.

/// A value that the setter of a field of type `T` accepts.
///
/// | field type | accepted |
/// | --- | --- |
/// | `T` | `T`, `&T` |
/// | `Option<T>` | also `T` |
/// | `String` | also `&str` |
/// | `Option<String>` | also `&str`, `&String` |
/// | `Vec<u8>` | also `&[u8]`, `&[u8; N]` |
///
/// There are no other implementations, so `set_count(3)` and `set_name(None)` need no type
/// annotation. For an `Option<&str>`, pass `text.map(str::to_owned)`. For a value with an inferred
/// type (`set_count(text.parse()?)`), use [`Field::set`](crate::Field::set), which takes only `T`.
///
/// # Examples
///
/// ```
/// # session_runtime::__example!(struct Visitor { name: String, age: Option<u32> } |session| {
/// let name = String::from("Ada");
/// session.set_name(&name).await?;
/// session.set_name("Ada").await?;
/// session.set_name(name).await?;
/// session.set_age(36).await?;
/// session.set_age(Some(36)).await?;
/// session.set_age(None).await?;
/// # });
/// ```
#[diagnostic::on_unimplemented(
    message = "a session field of type `{T}` cannot be set to a value of type `{Self}`",
    label = "expected `{T}`",
    note = "`Option<&str>` is not accepted, because a plain `None` would then need a type: pass \
            the text, or `text.map(str::to_owned)`"
)]
pub trait IntoField<T> {
    /// Passes the value of the field to `use_value` by reference, without a copy if possible.
    ///
    /// This is not a method: with `use session_runtime::*`, every type would have the method.
    #[doc(hidden)]
    fn with_value<R>(value: Self, use_value: impl FnOnce(&T) -> R) -> R;
}

#[diagnostic::do_not_recommend]
impl<T> IntoField<T> for T {
    fn with_value<R>(value: Self, use_value: impl FnOnce(&T) -> R) -> R {
        use_value(&value)
    }
}

#[diagnostic::do_not_recommend]
impl<T> IntoField<T> for &T {
    fn with_value<R>(value: Self, use_value: impl FnOnce(&T) -> R) -> R {
        use_value(value)
    }
}

#[diagnostic::do_not_recommend]
impl<T> IntoField<Option<T>> for T {
    fn with_value<R>(value: Self, use_value: impl FnOnce(&Option<T>) -> R) -> R {
        use_value(&Some(value))
    }
}

#[diagnostic::do_not_recommend]
impl IntoField<String> for &str {
    fn with_value<R>(value: Self, use_value: impl FnOnce(&String) -> R) -> R {
        use_value(&value.to_owned())
    }
}

#[diagnostic::do_not_recommend]
impl IntoField<Option<String>> for &str {
    fn with_value<R>(value: Self, use_value: impl FnOnce(&Option<String>) -> R) -> R {
        use_value(&Some(value.to_owned()))
    }
}

#[diagnostic::do_not_recommend]
impl IntoField<Option<String>> for &String {
    fn with_value<R>(value: Self, use_value: impl FnOnce(&Option<String>) -> R) -> R {
        use_value(&Some(value.clone()))
    }
}

#[diagnostic::do_not_recommend]
impl IntoField<Vec<u8>> for &[u8] {
    fn with_value<R>(value: Self, use_value: impl FnOnce(&Vec<u8>) -> R) -> R {
        use_value(&value.to_vec())
    }
}

#[diagnostic::do_not_recommend]
impl<const N: usize> IntoField<Vec<u8>> for &[u8; N] {
    fn with_value<R>(value: Self, use_value: impl FnOnce(&Vec<u8>) -> R) -> R {
        use_value(&value.to_vec())
    }
}
