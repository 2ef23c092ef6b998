//! A user's crate with strict lints. The macro's output must not cause a warning or an error.
//!
//! This crate has no prelude, and the runtime has another name. Some fields are never read, and
//! some getters and setters are never called. There is no tokio, whose macros would enable syn's
//! `full` for everyone. Build this crate alone: `cargo check -p session-consumer`.

#![no_implicit_prelude]
#![deny(warnings, missing_docs, dead_code, missing_debug_implementations, unreachable_pub, unused)]
#![deny(unused_qualifications, non_snake_case, single_use_lifetimes, trivial_casts)]
#![deny(clippy::all, clippy::pedantic, clippy::nursery, clippy::allow_attributes_without_reason)]
#![deny(clippy::absolute_paths, clippy::missing_inline_in_public_items, clippy::allow_attributes)]
#![allow(clippy::redundant_pub_crate, reason = "`unreachable_pub` asks for the opposite")]
#![forbid(unsafe_code)]

mod attributes;
mod defaults;
mod forbids;
mod generics;
mod visibility;

use ::std::boxed::Box;
use ::std::option::Option;
use ::std::result::Result::{self, Ok};
use ::std::string::String;
use ::std::vec::Vec;

use ::renamed::{Error, Field, Session, field};
use ::serde::{Deserialize, Serialize};

pub use attributes::{Attributes, Encrypted, Theme, UserId, Values};
pub use defaults::Defaults;
pub use forbids::{Colour, Id, Private, Public, Session_};
pub use generics::{Array, Cart, Found, Wide, names, total};

/// The session from the guide.
#[derive(Debug, Serialize, Deserialize, Session)]
#[session(crate = ::renamed)]
pub struct Visitor {
    /// Number of visits.
    count: u64,
    name: String,
    /// Documented and public.
    ///
    /// The text has two paragraphs.
    pub age: Option<u32>,
    r#type: String,
    #[session(json)]
    properties: Properties,
    #[session(json, rename = "more")]
    further: Option<Vec<Properties>>,
    #[session(json)]
    referrer: Option<Box<Self>>,
    /// By this name, clippy expects a method that takes `self` by value.
    pub into_account: String,
    #[cfg(any())]
    not_there: Absent,
    #[cfg(not(any()))]
    there: u8,
}

/// The type that the guide stores as JSON.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Properties {
    colour: String,
}

/// Uses some of the fields.
///
/// # Errors
///
/// Fails if the store fails.
#[inline]
pub async fn visit(session: Session<Visitor>) -> Result<u64, Error> {
    let count = session.count().await?;
    session.set_count(count + 1).await?;
    session.set_name("x").await?;
    session.set_age(3).await?;
    session.set_further(Option::None).await?;
    session.set_type("visitor").await?;
    Ok(count)
}

/// Uses encrypted fields, with a type that names the form.
///
/// # Errors
///
/// Fails if the store fails.
#[inline]
pub async fn contact(session: &Session<Encrypted>) -> Result<Option<String>, Error> {
    let phone: Field<'_, Option<String>, field::Encrypted> = session.phone();
    session.set_theme(session.theme().await?).await?;
    phone.replace("030").await
}

/// Uses functions that are visible only inside this crate.
#[inline]
pub const fn account() {
    let _ = visibility::read;
}

/// Only used as a type: no field is read, and no getter is called.
#[derive(Session)]
#[session(crate = ::renamed)]
struct Untouched {
    one: u8,
    two: String,
}

/// Takes a session without using it.
#[inline]
pub const fn leave(session: &Session<impl ::renamed::Schema>) {
    let _ = session;
    let _: Option<Session<Untouched>> = Option::None;
}

/// A struct without fields.
#[derive(Session)]
#[session(crate = ::renamed, fields = "NoFields")]
#[derive(Debug)]
pub struct Empty {}

/// A struct in a function body, with a type that is local to this body.
#[must_use]
#[inline]
pub const fn stored_names() -> &'static [&'static str] {
    #[derive(Default, Serialize, Deserialize)]
    struct Inner {
        a: u8,
    }

    #[derive(Session)]
    #[session(crate = ::renamed, rename_all = "camelCase")]
    struct Local {
        first_seen: u64,
        #[session(json)]
        last_seen: Inner,
    }

    <Local as ::renamed::Schema>::STORED_NAMES
}
