//! A module that forbids lints. Code from the macro must trigger no lint, and must contain no
//! `allow`, which would be an error here.

#![forbid(warnings, unused, nonstandard_style, rust_2018_idioms, let_underscore)]
#![forbid(deprecated, dead_code, missing_docs, unreachable_pub, private_interfaces, private_bounds)]
#![forbid(
    unused_results,
    unused_qualifications,
    unused_lifetimes,
    unnameable_types,
    variant_size_differences
)]
#![forbid(
    single_use_lifetimes,
    trivial_casts,
    trivial_numeric_casts,
    missing_debug_implementations
)]
#![forbid(missing_copy_implementations, elided_lifetimes_in_paths, explicit_outlives_requirements)]
#![forbid(clippy::all, clippy::pedantic, clippy::nursery, clippy::impl_trait_in_params)]
#![forbid(clippy::missing_docs_in_private_items, clippy::missing_inline_in_public_items)]
#![forbid(
    clippy::question_mark_used,
    clippy::shadow_reuse,
    clippy::shadow_same,
    clippy::shadow_unrelated
)]
#![forbid(
    clippy::unreachable,
    clippy::panic,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::default_trait_access
)]
#![forbid(clippy::min_ident_chars, clippy::single_char_lifetime_names, clippy::ref_patterns)]
#![forbid(clippy::pattern_type_mismatch, clippy::wildcard_enum_match_arm, clippy::indexing_slicing)]
#![forbid(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::redundant_type_annotations
)]
#![forbid(
    clippy::allow_attributes,
    clippy::allow_attributes_without_reason,
    clippy::items_after_statements
)]
#![forbid(clippy::arbitrary_source_item_ordering, clippy::single_call_fn, clippy::mod_module_files)]
#![forbid(clippy::multiple_inherent_impl, clippy::same_name_method)]

use ::std::convert::Into as _;
use ::std::option::Option;
use ::std::string::String;
use ::std::vec::Vec;

use ::renamed::{FieldValue, Session};

/// Private fields in a public struct.
#[derive(Debug, Session)]
#[session(crate = ::renamed)]
pub struct Private {
    /// Default in braces.
    #[session(default = { 3 })]
    braces: u8,
    /// Default in parentheses.
    #[session(skip, default = (4))]
    pub parentheses: u8,
    /// Default by an expression.
    #[session(default = if cfg!(any()) { String::new() } else { "x".into() })]
    text: String,
}

/// A public struct with public fields.
#[derive(Debug, Session)]
#[session(crate = ::renamed, prefix = "v.")]
pub struct Public<Item> {
    /// An index.
    #[session(index)]
    pub account: Option<Item>,
    /// Stored as JSON.
    #[session(json)]
    pub items: Vec<Item>,
    /// A name that ends in an underscore.
    pub last_: Option<String>,
    /// An index with a name.
    #[session(index(name = "p", by = "of_private"))]
    private: Option<u64>,
    /// An encrypted field.
    #[session(encrypt(accept_plain, pad = 64), alias = "note")]
    pub remark: String,
    /// An encrypted field that only this module sees.
    #[session(json, encrypt)]
    secrets: Vec<Item>,
    /// A field with an old name.
    #[session(alias = "seen", ttl = "5m", on_decode_error = "default")]
    pub seen: Option<u64>,
}

/// rustc accepts this name, but not with a suffix.
#[derive(Debug, Session)]
#[session(crate = ::renamed)]
pub struct Session_ {
    /// A number.
    pub count: u64,
    /// Not stored.
    #[session(skip)]
    pub not_stored: String,
}

/// An enum.
#[derive(Debug, Clone, Copy, FieldValue)]
#[non_exhaustive]
#[session(crate = ::renamed)]
pub enum Colour {
    /// The default.
    #[session(default)]
    Black,
    /// The other variant.
    White,
}

/// A newtype with a type parameter.
#[derive(Debug, Clone, Copy, FieldValue)]
#[non_exhaustive]
#[session(crate = ::renamed)]
pub struct Id<Number>(pub Number);
