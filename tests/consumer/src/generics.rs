//! Type parameters, const parameters, and the user's own bounds.

use ::std::fmt::Debug;
use ::std::marker::{Copy, PhantomData, Send, Sized, Sync};
use ::std::option::Option;
use ::std::result::Result::{self, Ok};
use ::std::string::String;
use ::std::vec::Vec;

use ::renamed::field::FieldDefault;
use ::renamed::{Error, FieldValue, Schema, Session};
use ::serde::de::DeserializeOwned;
use ::serde::{Deserialize, Serialize};

/// Fields with every kind of storage.
#[derive(Debug, Session)]
#[session(crate = ::renamed)]
pub struct Cart<I, N = u64>
where
    I: Debug,
{
    #[session(json)]
    items: Vec<I>,
    #[session(json)]
    favourite: Option<I>,
    total: N,
    last: Option<N>,
    owner: String,
}

/// A generic handler.
///
/// # Errors
///
/// Fails if the store fails.
#[inline]
pub async fn total<I, N>(session: Session<Cart<I, N>>) -> Result<N, Error>
where
    I: Debug + Serialize + DeserializeOwned + Send + 'static,
    N: FieldValue + FieldDefault + Copy + Send + Sync,
{
    let total = session.total().await?;
    session.set_total(total).await?;
    Ok(total)
}

/// Const parameters, and a bound from the user.
#[derive(Debug, Session)]
#[session(crate = ::renamed)]
pub struct Array<T: Copy, const N: usize = 2> {
    #[session(json, default = Numbers { of: Vec::new() })]
    numbers: Numbers<T, N>,
    count: u8,
}

/// A list with a length in the type.
#[derive(Debug, Serialize, Deserialize)]
struct Numbers<T, const N: usize> {
    of: Vec<T>,
}

/// A type parameter without `Sized`.
#[derive(Debug, Session)]
#[session(crate = ::renamed)]
pub struct Wide<T: ?Sized + Debug> {
    #[session(json, default = Pointer::new())]
    pointer: Pointer<T>,
}

/// Contains no value.
#[derive(Debug, Serialize, Deserialize)]
struct Pointer<T: ?Sized> {
    none: PhantomData<T>,
}

impl<T: ?Sized> Pointer<T> {
    const fn new() -> Self {
        Self { none: PhantomData }
    }
}

/// Both types implement the trait `Schema`.
#[must_use]
#[inline]
pub const fn names() -> usize {
    <Cart<u8> as Schema>::STORED_NAMES.len()
        + <Array<u8> as Schema>::STORED_NAMES.len()
        + <Wide<str> as Schema>::STORED_NAMES.len()
}

/// An index of a type parameter.
#[derive(Debug, Session)]
#[session(crate = ::renamed)]
pub struct Found<T: Copy, const N: usize = 2> {
    #[session(index)]
    key: Option<T>,
    #[session(index)]
    other: Option<u8>,
    #[session(index, rename = "z")]
    /// Bytes.
    pub third: Option<Vec<u8>>,
    #[session(encrypt)]
    secret: Option<T>,
    #[session(encrypt, index)]
    number: Option<u64>,
}
