//! Encrypted values of fields.
//!
//! A stored value is bound to its session and to its field. So the right to write to the store is
//! not enough to move a value to another place.
//!
//! | bytes | part | content |
//! | --- | --- | --- |
//! | 1 | **version** | `0xF5`, or `0xF6` with the digest. No UTF-8 text begins with these bytes |
//! | 4 | **key number** | the number of the key, which follows from the key |
//! | 16 | **digest** | with an index alone: a keyed hash of the value |
//! | 24 | **nonce** | random bytes, new for each write |
//! | | **ciphertext** | the value, the byte `0x80`, and zeros up to a multiple of the block |
//! | 16 | **authentication** | the tag of Poly1305 |
//!
//! The cipher is XChaCha20-Poly1305. The associated data are the parts before the nonce, the
//! session's [identity](Place::identity) and the stored name of the field.

#[cfg(feature = "encryption")]
mod keys;
#[cfg(not(feature = "encryption"))]
mod off;
#[cfg(feature = "encryption")]
mod options;
#[cfg(feature = "encryption")]
mod padding;
mod place;
#[cfg(feature = "encryption")]
mod sealed;
#[cfg(test)]
#[cfg(feature = "encryption")]
mod tests;
mod unopened;

#[cfg(feature = "encryption")]
pub(crate) use keys::EncryptionKeys;
#[cfg(not(feature = "encryption"))]
pub(crate) use off::{Encryption, EncryptionKeys, indexed_beginning, is_sealed};
#[cfg(feature = "encryption")]
pub use options::Encryption;
pub(crate) use place::Place;
#[cfg(feature = "encryption")]
pub(crate) use sealed::{indexed_beginning, is_sealed};
pub(crate) use unopened::Unopened;
