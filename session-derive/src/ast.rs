//! What was written: the struct and its fields, with their attributes read.

use proc_macro2::{Ident, Span};
use quote::format_ident;
use syn::ext::IdentExt;
use syn::{Attribute, Data, DeriveInput, Fields, FieldsNamed, Path, Type, Visibility};

use crate::attr::{DefaultValue, FieldAttrs, StructAttrs};
use crate::case::Case;
use crate::errors::Errors;
use crate::tokens;

/// The struct. Of anything else the fields are empty; [`check`](crate::check) refuses it.
pub(crate) struct Input<'a> {
    pub(crate) item: &'a DeriveInput,
    /// The runtime's path, if it is readable.
    pub(crate) runtime: Option<Path>,
    /// The name of the companion type.
    pub(crate) companion: Ident,
    pub(crate) fields: Vec<Field<'a>>,
}

pub(crate) struct Field<'a> {
    pub(crate) ident: &'a Ident,
    pub(crate) vis: &'a Visibility,
    pub(crate) ty: &'a Type,
    pub(crate) attrs: &'a [Attribute],
    pub(crate) setter: Ident,
    /// The field's name in the hash, and where it was written.
    pub(crate) stored: String,
    pub(crate) stored_span: Span,
    pub(crate) storage: Storage,
    pub(crate) default: Option<DefaultValue>,
}

/// How a field is stored.
#[derive(Clone, Copy)]
pub(crate) enum Storage {
    /// As its type says.
    Value,
    /// As JSON.
    Json,
    /// An `Option` whose content is stored as JSON.
    JsonOption,
}

impl<'a> Input<'a> {
    pub(crate) fn read(item: &'a DeriveInput, errors: &mut Errors) -> Self {
        let attrs = StructAttrs::read(&item.attrs, errors);
        let fields = named_fields(&item.data)
            .into_iter()
            .flat_map(|fields| &fields.named)
            .filter_map(|field| Field::read(field, attrs.rename_all, errors))
            .collect();
        Self {
            item,
            runtime: attrs.runtime,
            companion: attrs.companion.unwrap_or_else(|| format_ident!("{}Fields", item.ident)),
            fields,
        }
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
    fn read(field: &'a syn::Field, rename_all: Option<Case>, errors: &mut Errors) -> Option<Self> {
        let ident = field.ident.as_ref()?;
        let attrs = FieldAttrs::read(&field.attrs, errors);
        let name = ident.unraw().to_string();
        let (stored, stored_span) = match attrs.rename {
            Some(rename) => (rename.value(), rename.span()),
            None => (rename_all.map_or_else(|| name.clone(), |case| case.apply(&name)), ident.span()),
        };
        Some(Self {
            ident,
            vis: &field.vis,
            ty: &field.ty,
            attrs: &field.attrs,
            setter: Ident::new(&format!("set_{name}"), ident.span()),
            stored,
            stored_span,
            storage: match attrs.json {
                false => Storage::Value,
                true if tokens::option_of(&field.ty).is_some() => Storage::JsonOption,
                true => Storage::Json,
            },
            default: attrs.default,
        })
    }
}
