//! Parses `#[session(…)]` into a typed struct for each kind of item.

mod case;
mod encrypt;
mod entries;
mod index;
mod keys;
mod suggest;
mod ttl;

use std::time::Duration;

use proc_macro2::{Ident, Span};
use syn::{Attribute, Expr, LitStr, Path};

pub(crate) use self::case::RenameRule;
pub(crate) use self::encrypt::EncryptAttr;
use self::entries::{Entries, Entry};
pub(crate) use self::index::IndexAttr;
use self::keys::Target;
use crate::errors::Errors;

/// Attributes of the struct.
pub(crate) struct StructAttrs {
    /// Path of the runtime crate. `None` if the attribute cannot be parsed: the macro then
    /// generates no code, since the paths in that code could not be resolved.
    pub(crate) runtime: Option<Path>,
    pub(crate) cached: bool,
    pub(crate) companion: Option<Ident>,
    pub(crate) on_decode_error: Option<OnDecodeError>,
    pub(crate) prefix: Option<LitStr>,
    pub(crate) rename_all: Option<RenameRule>,
}

/// Attributes of a field.
pub(crate) struct FieldAttrs {
    pub(crate) alias: Option<LitStr>,
    /// `None` if the struct decides.
    pub(crate) cached: Option<bool>,
    pub(crate) encrypt: Option<EncryptAttr>,
    pub(crate) json: bool,
    pub(crate) on_decode_error: Option<OnDecodeError>,
    pub(crate) rename: Option<LitStr>,
    pub(crate) default: Option<DefaultValue>,
    pub(crate) index: Option<IndexAttr>,
    /// Pages for administrators show the value.
    pub(crate) show: bool,
    pub(crate) skip: bool,
    pub(crate) ttl: Option<Ttl>,
    /// Module with the functions that encode and decode the field.
    pub(crate) with: Option<Path>,
}

/// The expiry of a field.
pub(crate) struct Ttl {
    /// Time until the field expires after a write.
    pub(crate) time: Duration,
    /// Span of the key.
    pub(crate) span: Span,
}

/// Default of a missing field, in place of the default that the type defines.
pub(crate) enum DefaultValue {
    /// `default`: the `Default` of the type.
    OfType,
    /// `default = …`.
    Expression(Box<Expr>),
}

/// Reaction to a stored value that cannot be decoded.
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
            cached: entries.flag(&keys::CACHED).unwrap_or(false),
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
            cached: entries.flag(&keys::CACHED),
            encrypt: EncryptAttr::read(&entries),
            json: entries.find(&keys::JSON).is_some(),
            on_decode_error: OnDecodeError::read(&entries, errors),
            rename: entries.text(&keys::RENAME),
            default: entries.find(&keys::DEFAULT).map(|entry| match &entry.value {
                None => DefaultValue::OfType,
                Some(value) => DefaultValue::Expression(Box::new(value.clone())),
            }),
            index: IndexAttr::read(&entries, errors),
            show: entries.find(&keys::SHOW).is_some(),
            skip: entries.find(&keys::SKIP).is_some(),
            ttl: entries.find(&keys::TTL).and_then(|entry| Ttl::read(entry, errors)),
            with: entries.find(&keys::WITH).and_then(Entry::as_module),
        }
    }
}

impl Ttl {
    fn read(entry: &Entry, errors: &mut Errors) -> Option<Self> {
        let text = entry.as_text()?;
        let time = ttl::parse(&text.value());
        let time = time.map_err(|message| errors.report(text.span(), message)).ok()?;
        Some(Self { time, span: entry.span })
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

/// Attributes of a type that is stored as a single field.
pub(crate) struct ValueAttrs {
    /// Same as in [`StructAttrs`].
    pub(crate) runtime: Option<Path>,
    /// The case, and the span of the key.
    pub(crate) rename_all: Option<(RenameRule, Span)>,
}

impl ValueAttrs {
    pub(crate) fn read(attrs: &[Attribute], errors: &mut Errors) -> Self {
        let entries = Entries::read(attrs, Target::Value, errors);
        let span = entries.find(&keys::RENAME_ALL).map(|entry| entry.span);
        Self { runtime: entries.runtime(), rename_all: entries.rename_rule(errors).zip(span) }
    }
}

/// Attributes of a variant.
pub(crate) struct VariantAttrs {
    pub(crate) rename: Option<LitStr>,
    /// Span of `default`.
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
