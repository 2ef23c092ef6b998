//! Getters and setters have the visibility of their fields.

mod account {
    use ::std::option::Option;
    use ::std::string::String;

    use ::renamed::Session;

    /// Visible in the crate. The fields have several visibilities.
    #[derive(Debug, Session)]
    #[session(crate = ::renamed)]
    pub(crate) struct Account {
        pub(crate) name: String,
        pub(super) logins: u64,
        pub(in crate::visibility) flags: u8,
        secret: String,
        #[session(encrypt)]
        pub(super) email: String,
        #[session(index)]
        pub(crate) group: Option<u8>,
        #[session(index)]
        pub(super) r#mod: Option<String>,
        #[session(index(by = "findOwner"))]
        owner: Option<u64>,
    }

    /// Names that the expansion might use internally.
    #[derive(Debug, Session)]
    #[session(crate = ::renamed)]
    pub(crate) struct Specs {
        pub(super) handle: u8,
        pub(super) parameters: u8,
        pub(super) value: u8,
        pub(super) schema: u8,
        pub(super) fields: u8,
    }
}

/// Local types with common names.
mod shadows {
    use ::renamed::Session;

    mod core {}
    mod __private {}

    /// Not the type from the standard library.
    #[derive(Debug, Default, ::serde::Serialize, ::serde::Deserialize)]
    struct Option;

    #[derive(Debug, Default, ::serde::Serialize, ::serde::Deserialize)]
    struct Field;

    #[expect(non_camel_case_types, reason = "as the primitive type")]
    #[derive(Debug, Default, ::serde::Serialize, ::serde::Deserialize)]
    struct str;

    #[derive(Debug, Default, ::serde::Serialize, ::serde::Deserialize)]
    struct Encrypted;

    #[derive(Session)]
    #[session(crate = ::renamed)]
    struct Shadows {
        #[session(json)]
        option: Option,
        #[session(json)]
        field: Field,
        #[session(json)]
        text: str,
        #[session(json, encrypt)]
        encrypted: Encrypted,
        u8: u8,
    }

    const _: usize = <Shadows as ::renamed::Schema>::STORED_NAMES.len();
}

use ::std::result::Result;

use ::renamed::{Error, Session};

/// Reads the fields that are visible in this module.
pub(crate) async fn read(
    account: Session<account::Account>,
    specs: Session<account::Specs>,
) -> Result<u64, Error> {
    account.set_name("x").await?;
    account.set_flags(3).await?;
    specs.set_value(specs.value().await?).await?;
    account.logins().await
}
