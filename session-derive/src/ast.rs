//! The parsed struct, its fields and all attributes.

use proc_macro2::{Ident, Span};
use quote::format_ident;
use syn::ext::IdentExt;
use syn::{Attribute, Data, DeriveInput, Fields, FieldsNamed, LitStr, Path, Type, Visibility};

use crate::attr::{
    DefaultValue, EncryptAttr, FieldAttrs, IndexAttr, OnDecodeError, StructAttrs, Ttl,
};
use crate::errors::Errors;
use crate::tokens;

/// The parsed struct. For any other item, `fields` is empty and [`check`](crate::check) reports an
/// error.
pub(crate) struct Input<'a> {
    pub(crate) item: &'a DeriveInput,
    /// Path of the runtime crate, if the attribute can be parsed.
    pub(crate) runtime: Option<Path>,
    /// Name of the companion type.
    pub(crate) companion: Ident,
    /// Prefix of all stored names.
    pub(crate) prefix: Option<LitStr>,
    /// All fields are cached, except those that say otherwise.
    pub(crate) cached: bool,
    /// Stored fields. Each has a getter and a setter.
    pub(crate) fields: Vec<Field<'a>>,
    pub(crate) skipped: Vec<SkippedField<'a>>,
}

pub(crate) struct Field<'a> {
    pub(crate) ident: &'a Ident,
    pub(crate) vis: &'a Visibility,
    pub(crate) ty: &'a Type,
    pub(crate) attrs: &'a [Attribute],
    pub(crate) setter: Ident,
    /// Stored name without the prefix, as `rename` would set the name.
    pub(crate) name: String,
    /// Name of the field in the hash, with a span.
    pub(crate) stored: String,
    pub(crate) stored_span: Span,
    /// Former stored name of the field, including any prefix.
    pub(crate) alias: Option<LitStr>,
    pub(crate) storage: Storage,
    pub(crate) default: Option<DefaultValue>,
    pub(crate) on_decode_error: OnDecodeError,
    pub(crate) ttl: Option<Ttl>,
    /// A near cache may keep the value.
    pub(crate) cached: bool,
    pub(crate) encrypt: Option<EncryptAttr>,
    /// Pages for administrators show the value.
    pub(crate) show: bool,
    pub(crate) index: Option<Index>,
}

/// The index of a field.
pub(crate) struct Index {
    /// Name of the index, with the span of the attribute that sets the name.
    pub(crate) name: String,
    pub(crate) name_span: Span,
    /// The name comes from the attribute, not from the field.
    pub(crate) is_named: bool,
    /// Name of the function that finds sessions.
    pub(crate) finder: Ident,
}

/// A field that is not part of the session.
pub(crate) struct SkippedField<'a> {
    pub(crate) ident: &'a Ident,
    pub(crate) ty: &'a Type,
    pub(crate) default: Option<DefaultValue>,
}

/// The way in which a field is stored.
pub(crate) enum Storage {
    /// As the field's type defines.
    Value,
    /// As JSON.
    Json,
    /// With the functions of this module.
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
            cached: attrs.cached,
            fields,
            skipped,
        }
    }

    pub(crate) fn indexed(&self) -> impl Iterator<Item = (&Field<'a>, &Index)> {
        self.fields.iter().filter_map(|field| field.index.as_ref().map(|index| (field, index)))
    }

    /// Returns all fields of the struct, including skipped fields.
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
        let stored = prefix + &name;
        Self {
            ident,
            vis: &field.vis,
            ty: &field.ty,
            attrs: &field.attrs,
            setter,
            index: attrs.index.map(|attr| Index::new(ident, &stored, attr)),
            stored,
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
            cached: attrs.cached.unwrap_or(struct_attrs.cached),
            encrypt: attrs.encrypt,
            show: attrs.show,
        }
    }

    /// Returns `T` if this is an `Option<T>` stored as `T`, where the encoding does not see the
    /// `Option`.
    pub(crate) fn option_inner(&self) -> Option<&'a Type> {
        match self.storage {
            Storage::Value => None,
            Storage::Json | Storage::With(_) => tokens::option_inner(self.ty),
        }
    }
}

impl Index {
    fn new(field: &Ident, stored: &str, attr: IndexAttr) -> Self {
        let (name, name_span, is_named) = match attr.name {
            Some(name) => (name.value(), name.span(), true),
            None => (stored.to_owned(), attr.span, false),
        };
        let finder =
            attr.by.unwrap_or_else(|| Ident::new(&format!("by_{}", field.unraw()), field.span()));
        Self { name, name_span, is_named, finder }
    }
}
