//! The form in which the store sees a field.

use crate::encryption::Encryption;

/// The form of a field that the store can read: of all fields without `#[session(encrypt)]`.
#[derive(Debug)]
pub enum Plain {}

/// The form of a field with `#[session(encrypt)]`, which the store cannot read.
#[derive(Debug)]
pub enum Encrypted {}

/// The names and the options of an encrypted field.
#[derive(Debug, Clone, Copy)]
#[cfg_attr(not(feature = "encryption"), allow(dead_code, reason = "no field is encrypted"))]
pub struct EncryptedName {
    pub(crate) stored: &'static str,
    pub(crate) alias: Option<&'static str>,
    /// The name of the index.
    pub(crate) index: Option<&'static str>,
    pub(crate) block: u16,
    pub(crate) accept_plain: bool,
}

impl EncryptedName {
    /// Creates an entry of [`Schema::ENCRYPTED`](crate::Schema::ENCRYPTED).
    pub const fn new(
        stored: &'static str,
        alias: Option<&'static str>,
        index: Option<&'static str>,
        block: u16,
        accept_plain: bool,
    ) -> Self {
        Self { stored, alias, index, block, accept_plain }
    }

    #[cfg(feature = "encryption")]
    pub(crate) fn encryption(&self) -> Option<Encryption> {
        let encryption = Encryption::new().pad(self.block);
        Some(if self.accept_plain { encryption.accept_plain() } else { encryption })
    }

    #[cfg(not(feature = "encryption"))]
    pub(crate) fn encryption(&self) -> Option<Encryption> {
        None
    }
}

/// A field that the store can calculate with and compare.
#[diagnostic::on_unimplemented(
    message = "this field is encrypted, so the store cannot count it or compare it",
    label = "`incr`, `decr` and `compare_and_set` need a field without `encrypt`",
    note = "use `update`, which decrypts the value, changes it, and encrypts the result"
)]
pub trait StoreReadable {}

impl StoreReadable for Plain {}
