//! What was written: the struct and its fields, with their attributes read.

use std::time::Duration;

use proc_macro2::{Ident, Span};
use quote::format_ident;
use syn::ext::IdentExt;
use syn::{Attribute, Data, DeriveInput, Fields, FieldsNamed, LitStr, Path, Type, Visibility};

use crate::attr::{DefaultValue, FieldAttrs, OnDecodeError, StructAttrs};
use crate::errors::Errors;
use crate::tokens;

/// The struct. Of anything else the fields are empty; [`check`](crate::check) refuses it.
pub(crate) struct Input<'a> {
    pub(crate) item: &'a DeriveInput,
    /// The runtime's path, if it is readable.
    pub(crate) runtime: Option<Path>,
    /// The name of the companion type.
    pub(crate) companion: Ident,
    /// What all stored names begin with.
    pub(crate) prefix: Option<LitStr>,
    /// What is stored, and has a getter and a setter each.
    pub(crate) fields: Vec<Field<'a>>,
    pub(crate) skipped: Vec<SkippedField<'a>>,
}

pub(crate) struct Field<'a> {
    pub(crate) ident: &'a Ident,
    pub(crate) vis: &'a Visibility,
    pub(crate) ty: &'a Type,
    pub(crate) attrs: &'a [Attribute],
    pub(crate) setter: Ident,
    /// What `rename` says, or would have to say: the field's name in the hash, but for the prefix.
    pub(crate) name: String,
    /// The field's name in the hash, and where it was written.
    pub(crate) stored: String,
    pub(crate) stored_span: Span,
    /// The name that the field had before, whole.
    pub(crate) alias: Option<LitStr>,
    pub(crate) storage: Storage,
    pub(crate) default: Option<DefaultValue>,
    pub(crate) on_decode_error: OnDecodeError,
    pub(crate) ttl: Option<Duration>,
}

/// A field that is no part of the session.
pub(crate) struct SkippedField<'a> {
    pub(crate) ident: &'a Ident,
    pub(crate) ty: &'a Type,
    pub(crate) default: Option<DefaultValue>,
}

/// How a field is stored.
pub(crate) enum Storage {
    /// As its type says.
    Value,
    /// As JSON.
    Json,
    /// As this module's functions have it.
    With(Path),
}

impl<'a> Input<'a> {
    pub(crate) fn read(item: &'a DeriveInput, errors: &mut Errors) -> Self {
        let attrs = StructAttrs::read(&item.attrs, errors);
        let (mut fields, mut skipped) = (Vec::new(), Vec::new());
        for field in named_fields(&item.data).into_iter().flat_map(|fields| &fields.named) {
            let Some(ident) = &field.ident else { continue };
            let field_attrs = FieldAttrs::read(&field.attrs, errors);
            if field_attrs.skip {
                skipped.push(SkippedField { ident, ty: &field.ty, default: field_attrs.default });
            } else {
                fields.push(Field::new(ident, field, &attrs, field_attrs));
            }
        }
        Self {
            item,
            runtime: attrs.runtime,
            companion: attrs.companion.unwrap_or_else(|| {
                format_ident!(
                    "{}Fields",
                    item.ident,
                    span = tokens::expansion_span(item.ident.span())
                )
            }),
            prefix: attrs.prefix,
            fields,
            skipped,
        }
    }

    /// Everything that the struct declares.
    pub(crate) fn all_fields(&self) -> impl Iterator<Item = (&'a Ident, &'a Type)> {
        let stored = self.fields.iter().map(|field| (field.ident, field.ty));
        stored.chain(self.skipped.iter().map(|field| (field.ident, field.ty)))
    }
}

fn named_fields(data: &Data) -> Option<&FieldsNamed> {
    match data {
        Data::Struct(data) => match &data.fields {
            Fields::Named(fields) => Some(fields),
            Fields::Unnamed(_) | Fields::Unit => None,
        },
        Data::Enum(_) | Data::Union(_) => None,
    }
}

impl<'a> Field<'a> {
    fn new(
        ident: &'a Ident,
        field: &'a syn::Field,
        struct_attrs: &StructAttrs,
        attrs: FieldAttrs,
    ) -> Self {
        let getter = ident.unraw().to_string();
        let setter = Ident::new(&format!("set_{getter}"), tokens::expansion_span(ident.span()));
        let (name, stored_span) = match attrs.rename {
            Some(rename) => (rename.value(), rename.span()),
            None => (
                struct_attrs.rename_all.map_or(getter.clone(), |rule| rule.apply_to_field(&getter)),
                ident.span(),
            ),
        };
        let prefix = struct_attrs.prefix.as_ref().map(LitStr::value).unwrap_or_default();
        Self {
            ident,
            vis: &field.vis,
            ty: &field.ty,
            attrs: &field.attrs,
            setter,
            stored: prefix + &name,
            name,
            stored_span,
            alias: attrs.alias,
            storage: match attrs.with {
                Some(module) => Storage::With(module),
                None if attrs.json => Storage::Json,
                None => Storage::Value,
            },
            default: attrs.default,
            on_decode_error: attrs
                .on_decode_error
                .or(struct_attrs.on_decode_error)
                .unwrap_or(OnDecodeError::Error),
            ttl: attrs.ttl,
        }
    }

    /// The `T` of an `Option<T>` that is stored as `T`, or not at all, by something that need not
    /// know of options.
    pub(crate) fn option_inner(&self) -> Option<&'a Type> {
        match self.storage {
            Storage::Value => None,
            Storage::Json | Storage::With(_) => tokens::option_inner(self.ty),
        }
    }
}
