//! Numbers as decimal text.

use std::num::NonZero;

use bytes::Bytes;

use super::FieldValue;
use crate::error::InvalidValue;

macro_rules! integers {
    ($($type:ty),* $(,)?) => {$(
        impl FieldValue for $type {
            fn decode(stored: Bytes) -> Result<Self, InvalidValue> {
                integer_text(&stored)?
                    .parse()
                    .map_err(|_| InvalidValue::new(concat!("an integer out of the range of ", stringify!($type))))
            }

            fn encode(&self) -> Result<Bytes, InvalidValue> {
                Ok(Bytes::copy_from_slice(itoa::Buffer::new().format(*self).as_bytes()))
            }
        }

        impl FieldValue for NonZero<$type> {
            fn decode(stored: Bytes) -> Result<Self, InvalidValue> {
                Self::new(<$type>::decode(stored)?).ok_or_else(|| InvalidValue::new("zero"))
            }

            fn encode(&self) -> Result<Bytes, InvalidValue> {
                self.get().encode()
            }
        }
    )*};
}

integers!(u8, u16, u32, u64, u128, usize, i8, i16, i32, i64, i128, isize);

/// Returns the text of an integer, if it is the only valid text: the text that Python's `str` and
/// Redis's `HINCRBY` write.
///
/// `HINCRBY` reads no other text, so a sign `+`, leading zeros, `-0`, white space and `1_000` are
/// refused. Redis could not increment such a number.
fn integer_text(stored: &[u8]) -> Result<&str, InvalidValue> {
    let one_text = match stored.strip_prefix(b"-").unwrap_or(stored) {
        [b'0'] => stored.len() == 1,
        [b'1'..=b'9', rest @ ..] => rest.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    let text = std::str::from_utf8(stored).ok().filter(|_| one_text);
    text.ok_or_else(|| InvalidValue::new("not the decimal text of an integer"))
}

macro_rules! floats {
    ($($type:ty),* $(,)?) => {$(
        impl FieldValue for $type {
            fn decode(stored: Bytes) -> Result<Self, InvalidValue> {
                match &stored[..] {
                    b"inf" => return Ok(Self::INFINITY),
                    b"-inf" => return Ok(Self::NEG_INFINITY),
                    b"nan" => return Ok(Self::NAN),
                    _ => {}
                }
                let not_a_number = || InvalidValue::new("not the decimal text of a number");
                let number: Self = float_text(&stored).and_then(|text| text.parse().ok()).ok_or_else(not_a_number)?;
                if number.is_infinite() {
                    return Err(InvalidValue::new(concat!("a number out of the range of ", stringify!($type))));
                }
                Ok(number)
            }

            fn encode(&self) -> Result<Bytes, InvalidValue> {
                if self.is_nan() {
                    return Ok(Bytes::from_static(b"nan"));
                }
                // The shortest digits that read back as the same number, without an exponent.
                // `HINCRBYFLOAT` writes the same form.
                Ok(self.to_string().into())
            }
        }
    )*};
}

floats!(f32, f64);

/// The length of the longest exact text of an `f64`: `-0.` and 1,074 decimals. `modify.lua` has the
/// same limit, so every number that is read can also be incremented.
const LONGEST_FLOAT: usize = 1_077;

/// Returns the text if it consists of digits, signs, point and exponent. Rust's parser also accepts
/// words such as `Infinity`, which nobody writes into a session.
fn float_text(stored: &[u8]) -> Option<&str> {
    let numeric = |c: &u8| matches!(c, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E');
    let is_one = stored.len() <= LONGEST_FLOAT && stored.iter().all(numeric);
    std::str::from_utf8(stored).ok().filter(|_| is_one)
}
