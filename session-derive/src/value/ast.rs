//! The parsed type, its variants and all attributes.

use proc_macro2::{Ident, Span};
use syn::ext::IdentExt;
use syn::{Data, DeriveInput, Field, Fields, Path};

use crate::attr::{RenameRule, ValueAttrs, VariantAttrs};
use crate::errors::Errors;

/// The parsed type.
pub(crate) struct Input<'a> {
    pub(crate) item: &'a DeriveInput,
    /// Path of the runtime crate, if the attribute can be parsed.
    pub(crate) runtime: Option<Path>,
    /// The case, and the span of the key.
    pub(crate) rename_all: Option<(RenameRule, Span)>,
    pub(crate) shape: Shape<'a>,
}

pub(crate) enum Shape<'a> {
    /// An enum, with or without data in its variants.
    Enum(Vec<Variant<'a>>),
    /// A tuple struct with a single field.
    Newtype(&'a Field),
    /// Any other item. [`check`](super::check) reports an error.
    Other,
}

pub(crate) struct Variant<'a> {
    pub(crate) ident: &'a Ident,
    pub(crate) fields: &'a Fields,
    /// The text that is stored for the variant, with a span.
    pub(crate) stored: String,
    pub(crate) stored_span: Span,
    /// Span of the `default` attribute.
    pub(crate) default: Option<Span>,
}

impl<'a> Input<'a> {
    pub(crate) fn read(item: &'a DeriveInput, errors: &mut Errors) -> Self {
        let ValueAttrs { runtime, rename_all } = ValueAttrs::read(&item.attrs, errors);
        let rule = rename_all.map(|(rule, _)| rule);
        let shape = match &item.data {
            Data::Enum(data) => Shape::Enum(
                data.variants.iter().map(|variant| Variant::read(variant, rule, errors)).collect(),
            ),
            Data::Struct(data) => match &data.fields {
                Fields::Unnamed(fields) if fields.unnamed.len() == 1 => {
                    Shape::Newtype(&fields.unnamed[0])
                }
                _ => Shape::Other,
            },
            Data::Union(_) => Shape::Other,
        };
        Self { item, runtime, rename_all, shape }
    }
}

impl<'a> Variant<'a> {
    fn read(
        variant: &'a syn::Variant,
        rename_all: Option<RenameRule>,
        errors: &mut Errors,
    ) -> Self {
        let attrs = VariantAttrs::read(&variant.attrs, errors);
        let name = variant.ident.unraw().to_string();
        let (stored, stored_span) = match attrs.rename {
            Some(rename) => (rename.value(), rename.span()),
            None => (
                rename_all.map_or(name.clone(), |rule| rule.apply_to_variant(&name)),
                variant.ident.span(),
            ),
        };
        Self {
            ident: &variant.ident,
            fields: &variant.fields,
            stored,
            stored_span,
            default: attrs.default,
        }
    }
}
