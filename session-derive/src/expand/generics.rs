//! Type parameters of the struct, and the bounds that the fields need.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote};
use syn::punctuated::Punctuated;
use syn::{GenericParam, Generics, Token, Type, WherePredicate, parse_quote};

use crate::ast::{Field, Input, SkippedField, Storage};
use crate::attr::DefaultValue;
use crate::tokens;

/// Returns the parameters with `T: 'static`. Lifetimes are left out: only a struct with errors has
/// any.
pub(crate) fn with_static_bounds(input: &Input<'_>) -> Generics {
    let generics = &input.item.generics;
    let lifetimes: Vec<&Ident> =
        generics.lifetimes().map(|lifetime| &lifetime.lifetime.ident).collect();
    let mut owned = generics.clone();
    if !lifetimes.is_empty() {
        owned.params = without_lifetimes(generics, &lifetimes);
        let clause = generics.where_clause.to_token_stream();
        owned.where_clause = syn::parse2(tokens::lifetimes_to_static(clause, &lifetimes)).ok();
    }
    let types: Vec<Ident> = owned.type_params().map(|param| param.ident.clone()).collect();
    for ident in types {
        owned.make_where_clause().predicates.push(parse_quote!(#ident: 'static));
    }
    owned
}

fn without_lifetimes(
    generics: &Generics,
    lifetimes: &[&Ident],
) -> Punctuated<GenericParam, Token![,]> {
    let kept = generics.params.iter().filter(|param| !matches!(param, GenericParam::Lifetime(_)));
    kept.filter_map(|param| {
        syn::parse2::<GenericParam>(tokens::lifetimes_to_static(param.to_token_stream(), lifetimes))
            .ok()
    })
    .collect()
}

/// Returns the type of the struct as other code writes it: `Visitor<T>`. Lifetimes, which only a
/// struct with errors has, become `'static`.
pub(crate) fn self_ty(input: &Input<'_>) -> TokenStream {
    let mut ident = input.item.ident.clone();
    ident.set_span(Span::call_site());
    let arguments = input.item.generics.params.iter().map(|param| match param {
        GenericParam::Lifetime(_) => quote!('static),
        GenericParam::Type(param) => param.ident.to_token_stream(),
        GenericParam::Const(param) => param.ident.to_token_stream(),
    });
    if input.item.generics.params.is_empty() {
        quote!(#ident)
    } else {
        quote!(#ident<#(#arguments),*>)
    }
}

/// Returns the parameters with the bounds that the fields need. A field type without parameters
/// needs no bound, because the compiler knows the type.
pub(crate) fn with_field_bounds(
    input: &Input<'_>,
    generics: &Generics,
    self_ty: &TokenStream,
) -> Generics {
    let names: Vec<&Ident> = generics
        .params
        .iter()
        .filter_map(|param| match param {
            GenericParam::Type(param) => Some(&param.ident),
            GenericParam::Const(param) => Some(&param.ident),
            GenericParam::Lifetime(_) => None,
        })
        .collect();
    let mut bounded = generics.clone();
    if !names.is_empty() {
        let is_generic = |ty: &Type| tokens::mentions_any(ty.to_token_stream(), &names);
        let stored = input.fields.iter().filter(|field| is_generic(field.ty));
        let skipped = input.skipped.iter().filter(|field| is_generic(field.ty));
        let predicates = &mut bounded.make_where_clause().predicates;
        predicates.extend(stored.clone().filter_map(|field| stored_bound(field, self_ty)));
        predicates.extend(stored.filter_map(|field| index_bound(field, self_ty)));
        predicates.extend(skipped.filter_map(|field| skipped_bound(field, self_ty)));
    }
    bounded
}

fn skipped_bound(field: &SkippedField<'_>, self_ty: &TokenStream) -> Option<WherePredicate> {
    if matches!(field.default, Some(DefaultValue::Expression(_))) {
        return None;
    }
    let ty = tokens::replace_self(field.ty, self_ty);
    Some(parse_quote!(#ty: ::core::default::Default))
}

fn index_bound(field: &Field<'_>, self_ty: &TokenStream) -> Option<WherePredicate> {
    field.index.as_ref()?;
    let ty = tokens::replace_self(tokens::option_inner(field.ty)?, self_ty);
    Some(parse_quote!(#ty: __session::IndexValue))
}

/// Returns the same bounds as the function that creates the field's entry in the table.
fn stored_bound(field: &Field<'_>, self_ty: &TokenStream) -> Option<WherePredicate> {
    let stored = match &field.storage {
        Storage::Value => Some(quote!(__session::Stored)),
        Storage::Json => Some(quote!(__session::Serialize + __session::DeserializeOwned)),
        Storage::With(_) => None,
    };
    let default = match (&field.default, &field.storage) {
        (Some(DefaultValue::Expression(_)), _) => None,
        (None, Storage::Value) => Some(quote!(__session::FieldDefault)),
        _ if field.option_inner().is_some() => None,
        _ => Some(quote!(::core::default::Default)),
    };
    let bounds: Vec<_> = stored.into_iter().chain(default).collect();
    let ty = tokens::replace_self(field.option_inner().unwrap_or(field.ty), self_ty);
    (!bounds.is_empty()).then(|| parse_quote!(#ty: #(#bounds)+*))
}
