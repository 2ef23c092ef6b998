//! The form in which the store sees a field.

use crate::encryption::Encryption;
#[cfg(feature = "encryption")]
use crate::request::change_set::EncryptedField;
#[cfg(feature = "encryption")]
use crate::request::index_list::IndexedField;

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
    alias: Option<&'static str>,
    /// The name of the index.
    index: Option<&'static str>,
    pub(crate) encryption: Option<Encryption>,
}

impl EncryptedName {
    /// Creates an entry of [`Schema::ENCRYPTED`](crate::Schema::ENCRYPTED).
    pub const fn new(
        stored: &'static str,
        alias: Option<&'static str>,
        index: Option<&'static str>,
        block: u16,
        accept_plain: bool,
        write_plain: bool,
    ) -> Self {
        Self { stored, alias, index, encryption: encryption(block, accept_plain, write_plain) }
    }
}

#[cfg(feature = "encryption")]
impl EncryptedName {
    pub(crate) fn alias(&self) -> Option<&'static str> {
        self.alias
    }

    /// Returns the names under which the value may be stored, the newest first.
    pub(crate) fn read_names(&self) -> impl Iterator<Item = &'static str> {
        [Some(self.stored), self.alias].into_iter().flatten()
    }

    pub(crate) fn encrypted_field(&self) -> Option<EncryptedField> {
        let (name, index) = (self.stored, self.index);
        self.encryption.map(|encryption| EncryptedField { name, index, encryption })
    }

    pub(crate) fn indexed_field(&self) -> Option<IndexedField> {
        let Self { stored: field, alias, index, encryption } = *self;
        index.map(|index| IndexedField { index, field, alias, encryption })
    }
}

/// Returns the encryption with these options.
#[cfg(feature = "encryption")]
pub(crate) const fn encryption(
    block: u16,
    accept_plain: bool,
    write_plain: bool,
) -> Option<Encryption> {
    let encryption = Encryption::new().pad(block);
    Some(match (accept_plain, write_plain) {
        (_, true) => encryption.write_plain(),
        (true, false) => encryption.accept_plain(),
        (false, false) => encryption,
    })
}

#[cfg(not(feature = "encryption"))]
const fn encryption(_: u16, _: bool, _: bool) -> Option<Encryption> {
    None
}

/// A field that the store can calculate with and compare.
#[diagnostic::on_unimplemented(
    message = "this field is encrypted, so the store cannot count it or compare it",
    label = "`incr`, `decr` and `compare_and_set` need a field without `encrypt`",
    note = "use `update`, which decrypts the value, changes it, and encrypts the result"
)]
pub trait StoreReadable {}

#[diagnostic::do_not_recommend]
impl StoreReadable for Plain {}
