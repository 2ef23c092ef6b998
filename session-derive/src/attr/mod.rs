//! `#[session(…)]` on each kind of item, as typed attributes.

mod case;
mod entries;
mod keys;
mod suggest;
mod ttl;

use std::time::Duration;

use proc_macro2::{Ident, Span};
use syn::{Attribute, Expr, LitStr, Path};

pub(crate) use self::case::RenameRule;
use self::entries::{Entries, Entry};
use self::keys::Target;
use crate::errors::Errors;

/// What is written on the struct.
pub(crate) struct StructAttrs {
    /// The runtime's path. `None` if it is unreadable, so that no code is written that could not
    /// find it.
    pub(crate) runtime: Option<Path>,
    pub(crate) companion: Option<Ident>,
    pub(crate) on_decode_error: Option<OnDecodeError>,
    pub(crate) prefix: Option<LitStr>,
    pub(crate) rename_all: Option<RenameRule>,
}

/// What is written on a field.
pub(crate) struct FieldAttrs {
    pub(crate) alias: Option<LitStr>,
    pub(crate) json: bool,
    pub(crate) on_decode_error: Option<OnDecodeError>,
    pub(crate) rename: Option<LitStr>,
    pub(crate) default: Option<DefaultValue>,
    pub(crate) skip: bool,
    /// How long the field is kept after a write.
    pub(crate) ttl: Option<Duration>,
    /// Where the functions are that code the field.
    pub(crate) with: Option<Path>,
}

/// What a missing field is, if not what its type says.
pub(crate) enum DefaultValue {
    /// `default`: the type's `Default`.
    OfType,
    /// `default = …`.
    Expression(Box<Expr>),
}

/// What becomes of a stored value that the type cannot hold.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum OnDecodeError {
    Error,
    Default,
}

impl StructAttrs {
    pub(crate) fn read(attrs: &[Attribute], errors: &mut Errors) -> Self {
        let entries = Entries::read(attrs, Target::Struct, errors);
        Self {
            runtime: entries.runtime(),
            companion: entries.text(&keys::FIELDS).and_then(|name| {
                name.parse().map_err(|_| errors.report(name.span(), "not the name of a type")).ok()
            }),
            on_decode_error: OnDecodeError::read(&entries, errors),
            prefix: entries.text(&keys::PREFIX),
            rename_all: entries.rename_rule(errors),
        }
    }
}

impl FieldAttrs {
    pub(crate) fn read(attrs: &[Attribute], errors: &mut Errors) -> Self {
        let entries = Entries::read(attrs, Target::Field, errors);
        entries.allow_only_beside(&keys::SKIP, &keys::DEFAULT, errors);
        entries.exclude(&keys::JSON, &keys::WITH, errors);
        Self {
            alias: entries.text(&keys::ALIAS),
            json: entries.find(&keys::JSON).is_some(),
            on_decode_error: OnDecodeError::read(&entries, errors),
            rename: entries.text(&keys::RENAME),
            default: entries.find(&keys::DEFAULT).map(|entry| match &entry.value {
                None => DefaultValue::OfType,
                Some(value) => DefaultValue::Expression(Box::new(value.clone())),
            }),
            skip: entries.find(&keys::SKIP).is_some(),
            ttl: entries.text(&keys::TTL).and_then(|text| read_ttl(&text, errors)),
            with: entries.find(&keys::WITH).and_then(Entry::as_module),
        }
    }
}

impl OnDecodeError {
    fn read(entries: &Entries, errors: &mut Errors) -> Option<Self> {
        let text = entries.text(&keys::ON_DECODE_ERROR)?;
        match text.value().as_str() {
            "error" => Some(Self::Error),
            "default" => Some(Self::Default),
            _ => {
                errors.report(text.span(), "expected `\"default\"` or `\"error\"`");
                None
            }
        }
    }
}

/// What is written on a type that is stored as one field.
pub(crate) struct ValueAttrs {
    /// As in [`StructAttrs`].
    pub(crate) runtime: Option<Path>,
    /// The rule, and the span of its key.
    pub(crate) rename_all: Option<(RenameRule, Span)>,
}

impl ValueAttrs {
    pub(crate) fn read(attrs: &[Attribute], errors: &mut Errors) -> Self {
        let entries = Entries::read(attrs, Target::Value, errors);
        let span = entries.find(&keys::RENAME_ALL).map(|entry| entry.span);
        Self { runtime: entries.runtime(), rename_all: entries.rename_rule(errors).zip(span) }
    }
}

/// What is written on a variant of such a type.
pub(crate) struct VariantAttrs {
    pub(crate) rename: Option<LitStr>,
    /// Where `default` stands.
    pub(crate) default: Option<Span>,
}

impl VariantAttrs {
    pub(crate) fn read(attrs: &[Attribute], errors: &mut Errors) -> Self {
        let entries = Entries::read(attrs, Target::Variant, errors);
        Self {
            rename: entries.text(&keys::RENAME),
            default: entries.find(&keys::DEFAULT_VARIANT).map(|entry| entry.span),
        }
    }
}

fn read_ttl(text: &LitStr, errors: &mut Errors) -> Option<Duration> {
    ttl::parse(&text.value()).map_err(|message| errors.report(text.span(), message)).ok()
}
