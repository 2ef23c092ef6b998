//! The items that the derive macro's output uses. Private, and not part of the public API.

pub use bytes::Bytes;
pub use serde::Serialize;
pub use serde::de::DeserializeOwned;

pub use crate::error::{Error, InvalidValue};
pub use crate::operation::Operation;
pub use crate::request::handle::SessionHandle;
pub use crate::session::field::Field;
#[cfg(feature = "encryption")]
use crate::session::form::encryption;
pub use crate::session::form::{Encrypted, EncryptedName};
pub use crate::session::index_query::IndexQuery;
pub use crate::session::record::{Changes, Values};
pub use crate::session::schema::Schema;
pub use crate::session::searched::SearchedField;
pub use crate::session::shown::ShownField;
pub use crate::value::{FieldDefault, FieldSpec, FieldValue, IndexValue, IntoField, Stored};

/// The body of a getter.
pub fn field<'a, T>(handle: &'a SessionHandle, spec: &'static FieldSpec<T>) -> Field<'a, T> {
    Field::new(handle, spec)
}

/// The body of the getter of an encrypted field.
pub fn encrypted_field<'a, T>(
    handle: &'a SessionHandle,
    spec: &'static FieldSpec<T>,
) -> Field<'a, T, Encrypted> {
    Field::new(handle, spec)
}

/// The body of a setter.
pub fn set<'a, T>(
    handle: &'a SessionHandle,
    spec: &'static FieldSpec<T>,
    value: impl IntoField<T>,
) -> Operation<'a, ()> {
    Field::<T>::new(handle, spec).assign(value)
}

/// Encrypts the values of a field.
#[cfg(feature = "encryption")]
pub const fn encrypted<T>(
    spec: FieldSpec<T>,
    block: u16,
    accept_plain: bool,
    write_plain: bool,
) -> FieldSpec<T> {
    match encryption(block, accept_plain, write_plain) {
        Some(encryption) => spec.encrypted(encryption),
        None => spec,
    }
}

/// Reports a field with `encrypt` in a program without the feature. The bound names no parameter,
/// because the compiler would mark the argument instead of the attribute.
#[cfg(not(feature = "encryption"))]
pub const fn encrypted<T>(spec: FieldSpec<T>, _: u16, _: bool, _: bool) -> FieldSpec<T>
where
    for<'a> Encrypted: FeatureEncryption<'a>,
{
    spec
}

/// The feature `encryption`. With a lifetime, so that the compiler checks the bound at the caller.
#[cfg(not(feature = "encryption"))]
#[diagnostic::on_unimplemented(
    message = "`#[session(encrypt)]` needs the feature `encryption` of `session-runtime`",
    label = "add the feature",
    note = "session-runtime = {{ version = \"…\", features = [\"encryption\"] }}"
)]
pub trait FeatureEncryption<'a> {}

/// The body of the function that finds sessions by an indexed field.
pub fn index_query<S: Schema, T: IndexValue>(
    spec: &FieldSpec<Option<T>>,
    value: impl IntoField<T>,
) -> IndexQuery<S> {
    IndexQuery::new(spec, value)
}

/// An entry of [`Schema::SEARCHED`].
pub const fn searched_field<T: IndexValue>(
    spec: &'static FieldSpec<Option<T>>,
) -> &'static dyn SearchedField {
    spec
}

/// Calls [`FieldSpec::value`]. For a type with neither a stored form nor a default, only the
/// missing stored form is reported.
pub const fn value<T, How>(name: &'static str) -> FieldSpec<T>
where
    T: Storable<How>,
    T::Checked: ValueDefault,
{
    FieldSpec::value_or(name, value_default::<T, How>)
}

fn value_default<T, How>() -> T
where
    T: Storable<How>,
    T::Checked: ValueDefault,
{
    T::unchecked(<T::Checked>::when_missing())
}

/// Calls [`FieldSpec::value_or`].
pub const fn value_or<T, How>(name: &'static str, default: fn() -> T) -> FieldSpec<T>
where
    T: Storable<How>,
{
    FieldSpec::value_or(name, default)
}

/// Calls [`FieldSpec::json`]. For a type with neither a stored form nor a default, only the missing
/// stored form is reported.
pub const fn json<T, How>(name: &'static str) -> FieldSpec<T>
where
    T: StorableAsJson<How>,
    T::Checked: PlainDefault,
{
    FieldSpec::json_or(name, json_default::<T, How>)
}

fn json_default<T, How>() -> T
where
    T: StorableAsJson<How>,
    T::Checked: PlainDefault,
{
    T::unchecked(<T::Checked>::when_missing())
}

/// Calls [`FieldSpec::json_or`].
pub const fn json_or<T, How>(name: &'static str, default: fn() -> T) -> FieldSpec<T>
where
    T: StorableAsJson<How>,
{
    FieldSpec::json_or(name, default)
}

/// Calls [`FieldSpec::json_option`].
pub const fn json_option<T, How>(name: &'static str) -> FieldSpec<Option<T>>
where
    T: StorableAsJson<How>,
{
    FieldSpec::json_option(name)
}

/// Calls [`FieldSpec::json_option_or`].
pub const fn json_option_or<T, How>(
    name: &'static str,
    default: fn() -> Option<T>,
) -> FieldSpec<Option<T>>
where
    T: StorableAsJson<How>,
{
    FieldSpec::json_option_or(name, default)
}

/// Calls [`FieldSpec::new`] with the type's default.
pub const fn with<T: PlainDefault>(
    name: &'static str,
    decode: fn(Bytes) -> Result<T, InvalidValue>,
    encode: fn(&T) -> Result<Option<Bytes>, InvalidValue>,
) -> FieldSpec<T> {
    FieldSpec::new(name, decode, encode, T::when_missing)
}

/// Calls [`FieldSpec::new`].
pub const fn with_or<T>(
    name: &'static str,
    decode: fn(Bytes) -> Result<T, InvalidValue>,
    encode: fn(&T) -> Result<Option<Bytes>, InvalidValue>,
    default: fn() -> T,
) -> FieldSpec<T> {
    FieldSpec::new(name, decode, encode, default)
}

/// Returns the value of a field that is not stored.
pub fn skipped<T: PlainDefault>() -> T {
    T::when_missing()
}

/// Returns the value of a field that is not stored, from this default. A function, so that the
/// expression sees no surrounding names.
pub fn skipped_or<T>(default: fn() -> T) -> T {
    default()
}

// A mistake should give a single message. A type that cannot be stored usually has no
// `FieldDefault` either, and the compiler would report both. The compiler does not report a bound
// on an associated type that cannot be resolved. An associated type stays unresolved if two impls
// might apply and neither does. With a single impl, the compiler assumes that this impl applies.
// Hence the parameter `How`, which is always inferred, and a second impl that never applies.

/// Marks the impl that applies.
#[derive(Debug)]
pub struct Really;

/// Marks the impl that never applies.
#[derive(Debug)]
pub struct Never;

/// A trait that nothing implements.
pub trait Impossible {}

/// [`Stored`], with a message for types that cannot be stored.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be stored as a session field",
    label = "not a type that a session field can hold",
    note = "annotate the field with `#[session(json)]` to store any type that implements serde's \
            `Serialize` and `Deserialize` as JSON",
    note = "or derive or implement `session_runtime::FieldValue` for the type"
)]
pub trait Storable<How>: Stored {
    /// `Self`, if the type can be stored.
    type Checked;

    /// Returns the value as `Self`.
    fn unchecked(checked: Self::Checked) -> Self;
}

impl<T: Stored> Storable<Really> for T {
    type Checked = T;

    fn unchecked(checked: T) -> T {
        checked
    }
}

impl<T: Stored + Impossible> Storable<Never> for T {
    type Checked = T;

    fn unchecked(checked: T) -> T {
        checked
    }
}

/// [`Storable`] with another message, for types that the derive knows by name. `Storable` itself
/// does not use this macro, because the macro's lines would appear in the most common messages.
macro_rules! storable {
    ($(#[$message:meta])* trait $storable:ident, fn $value:ident, fn $value_or:ident, fn $default:ident) => {
        $(#[$message])*
        pub trait $storable<How>: Stored {
            /// `Self`, if the type can be stored.
            type Checked;

            /// Returns the value as `Self`.
            fn unchecked(checked: Self::Checked) -> Self;
        }

        impl<T: Stored> $storable<Really> for T {
            type Checked = T;

            fn unchecked(checked: T) -> T {
                checked
            }
        }

        impl<T: Stored + Impossible> $storable<Never> for T {
            type Checked = T;

            fn unchecked(checked: T) -> T {
                checked
            }
        }

        /// Calls [`FieldSpec::value`]. For a type with neither a stored form nor a default, only
        /// the missing stored form is reported.
        pub const fn $value<T, How>(name: &'static str) -> FieldSpec<T>
        where
            T: $storable<How>,
            T::Checked: ValueDefault,
        {
            FieldSpec::value_or(name, $default::<T, How>)
        }

        fn $default<T, How>() -> T
        where
            T: $storable<How>,
            T::Checked: ValueDefault,
        {
            T::unchecked(<T::Checked>::when_missing())
        }

        /// Calls [`FieldSpec::value_or`].
        pub const fn $value_or<T, How>(name: &'static str, default: fn() -> T) -> FieldSpec<T>
        where
            T: $storable<How>,
        {
            FieldSpec::value_or(name, default)
        }
    };
}

storable! {
    /// A type with the name of one that a feature adds.
    #[diagnostic::on_unimplemented(
        message = "`{Self}` cannot be stored as a session field without a feature of `session-runtime`",
        label = "not a type that a session field can hold with the enabled features",
        note = "`chrono` adds `DateTime<Utc>` and `NaiveDate`; `jiff` adds `Timestamp` and `civil::Date`; `time` adds `OffsetDateTime` and `Date`; `uuid` adds `Uuid`",
        note = "enable the feature in `Cargo.toml`: session-runtime = {{ version = \"…\", features \
                = [\"chrono\"] }}",
        note = "for other types, `#[session(json)]` stores any type that implements serde's \
                `Serialize` and `Deserialize`"
    )]
    trait StorableByFeature, fn value_by_feature, fn value_or_by_feature, fn default_by_feature
}

storable! {
    /// An `Instant`.
    #[diagnostic::on_unimplemented(
        message = "`{Self}` cannot be stored as a session field",
        label = "has no meaning in another process",
        note = "use `std::time::SystemTime`, or a time of `chrono`, `jiff` or `time` with the \
                feature of that name",
        note = "`#[session(json)]` does not help: serde does not support `std::time::Instant` \
                either"
    )]
    trait StorableInstant, fn value_instant, fn value_or_instant, fn default_instant
}

storable! {
    /// A reference.
    #[diagnostic::on_unimplemented(
        message = "`{Self}` cannot be stored as a session field",
        label = "session fields must own their data",
        note = "use `String` in place of `&str`, and `Vec<u8>` in place of `&[u8]`",
        note = "`#[session(json)]` does not help: a value from the session store cannot be borrowed"
    )]
    trait StorableReference, fn value_reference, fn value_or_reference, fn default_reference
}

/// A type that serde can serialize and deserialize.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be stored as JSON",
    label = "serde cannot both write and read this type",
    note = "annotate the type with `#[derive(serde::Serialize, serde::Deserialize)]`"
)]
pub trait StorableAsJson<How>: Serialize + DeserializeOwned {
    /// `Self`, if the type can be stored.
    type Checked;

    /// Returns the value as `Self`.
    fn unchecked(checked: Self::Checked) -> Self;
}

impl<T: Serialize + DeserializeOwned> StorableAsJson<Really> for T {
    type Checked = T;

    fn unchecked(checked: T) -> T {
        checked
    }
}

impl<T: Serialize + DeserializeOwned + Impossible> StorableAsJson<Never> for T {
    type Checked = T;

    fn unchecked(checked: T) -> T {
        checked
    }
}

/// [`FieldDefault`], without a list of all implementors in the message.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no default value for a missing session field",
    label = "this field needs a default value",
    note = "declare the field as `Option<{Self}>`, or give it a default with `#[session(default = \
            …)]`",
    note = "if the type is an enum that derives `FieldValue`, mark its default variant with \
            `#[session(default)]`"
)]
pub trait ValueDefault {
    /// Returns the value of a missing field.
    fn when_missing() -> Self;
}

#[diagnostic::do_not_recommend]
impl<T: FieldDefault> ValueDefault for T {
    fn when_missing() -> T {
        T::field_default()
    }
}

/// [`Default`], with another message.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no default value for a missing session field",
    label = "this field needs a default value",
    note = "implement `Default` for the type, declare the field as `Option<{Self}>`, or give the \
            field a default with `#[session(default = …)]`"
)]
pub trait PlainDefault {
    /// Returns the value of a missing field.
    fn when_missing() -> Self;
}

#[diagnostic::do_not_recommend]
impl<T: Default> PlainDefault for T {
    fn when_missing() -> T {
        T::default()
    }
}
