//! All other attributes.

use ::std::option::Option;
use ::std::string::String;
use ::std::vec::Vec;

use ::renamed::{FieldValue, Session};

/// Fields that are stored, and fields that are not.
#[derive(Debug, Session)]
#[session(crate = ::renamed, prefix = "v.", on_decode_error = "default")]
pub struct Attributes {
    #[session(alias = "c", on_decode_error = "error")]
    count: u64,
    #[session(ttl = "5m")]
    flash: Option<String>,
    /// Found by its value.
    #[session(index)]
    pub owner: Option<u64>,
    #[session(index(name = "tenant", by = "r#in"), alias = "org")]
    r#type: Option<String>,
    #[session(with = codec)]
    coded: [u64; 2],
    #[session(with = "self::codec", default = Option::Some([3; 2]), alias = "coded", ttl = "1d")]
    maybe: Option<[u64; 2]>,
    /// Not stored.
    #[session(skip)]
    pub cache: Vec<u8>,
    /// Also not stored.
    #[session(skip, default = 3)]
    pub tries: u8,
}

/// Fields that the store cannot read.
#[derive(Debug, Session)]
#[session(crate = ::renamed, prefix = "e.")]
pub struct Encrypted {
    #[session(encrypt)]
    email: String,
    /// Documented and public.
    #[session(encrypt(pad = 64), cached)]
    pub phone: Option<String>,
    #[session(encrypt(accept_plain), index(name = "customer"), alias = "number")]
    pub(crate) customer: Option<u64>,
    #[session(encrypt(accept_plain, pad = 65_535), with = codec, ttl = "5m")]
    coded: [u64; 2],
    /// An own type.
    #[session(encrypt)]
    pub theme: Theme,
}

/// Stored as text.
#[derive(Debug, FieldValue)]
#[session(crate = ::renamed, rename_all = "kebab-case")]
pub enum Theme {
    /// The default.
    #[session(default)]
    FollowSystem,
    /// Another variant.
    #[session(rename = "night")]
    Dark,
}

/// Stored as its content.
#[derive(Debug, FieldValue)]
#[session(crate = ::renamed)]
pub struct UserId<T>(T);

/// Fields of both types.
#[derive(Debug, Session)]
#[session(crate = ::renamed)]
pub struct Values {
    theme: Theme,
    user: UserId<u64>,
    letter: Option<UserId<char>>,
}

mod codec {
    use ::renamed::{Bytes, FieldValue, InvalidValue};
    use ::std::result::Result::{self, Ok};

    pub(super) fn decode(stored: Bytes) -> Result<[u64; 2], InvalidValue> {
        let both = u64::decode(stored)?;
        Ok([both; 2])
    }

    pub(super) fn encode(value: &[u64; 2]) -> Result<Bytes, InvalidValue> {
        value[0].encode()
    }
}
