//! A user's crate that forbids itself everything: the macro's output must not be the reason for a
//! warning, or for an error.
//!
//! No prelude, the runtime under another name, fields that the program never reads, getters and
//! setters that it never calls, no tokio (whose macros would switch syn's `full` on for everyone).
//! It is built alone: `cargo check -p session-consumer`.

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

use ::renamed::{Error, Session};
use ::serde::{Deserialize, Serialize};

pub use attributes::{Attributes, Theme, UserId, Values};
pub use defaults::Defaults;
pub use forbids::{Colour, Id, Private, Public, Session_};
pub use generics::{Array, Cart, Wide, names, total};

/// As the guide has it.
#[derive(Debug, Serialize, Deserialize, Session)]
#[session(crate = ::renamed)]
pub struct Visitor {
    /// How often they came.
    count: u64,
    name: String,
    /// Documented, public.
    ///
    /// In two paragraphs.
    pub age: Option<u32>,
    r#type: String,
    #[session(json)]
    properties: Properties,
    #[session(json, rename = "more")]
    further: Option<Vec<Properties>>,
    #[session(json)]
    referrer: Option<Box<Self>>,
    /// A name that clippy expects to take `self` by value.
    pub into_account: String,
    #[cfg(any())]
    not_there: Absent,
    #[cfg(not(any()))]
    there: u8,
}

/// What the guide stores as JSON.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Properties {
    colour: String,
}

/// Uses some of the fields.
///
/// # Errors
///
/// When the store fails.
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

/// Keeps what only this crate may call.
#[inline]
pub const fn account() {
    let _ = visibility::read;
}

/// Nothing but a type: no field is read, no getter is called.
#[derive(Session)]
#[session(crate = ::renamed)]
struct Untouched {
    one: u8,
    two: String,
}

/// Takes a session and leaves it alone.
#[inline]
pub const fn leave(session: &Session<impl ::renamed::Schema>) {
    let _ = session;
    let _: Option<Session<Untouched>> = Option::None;
}

/// Without a field.
#[derive(Session)]
#[session(crate = ::renamed, fields = "NoFields")]
#[derive(Debug)]
pub struct Empty {}

/// In a body, with a type that only the body knows.
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
