//! The functions of the struct that find sessions by an indexed field.

use std::collections::HashSet;

use proc_macro2::{Ident, TokenStream};
use quote::{quote, quote_spanned};
use syn::Generics;

use super::context::Context;
use super::docs::Docs;
use super::{spec, table};
use crate::ast::{Field, Index, Input};
use crate::tokens;

pub(crate) fn expand(
    input: &Input<'_>,
    context: &Context<'_>,
    bounded: &Generics,
) -> Option<TokenStream> {
    let finders = input
        .indexed()
        .map(|(field, index)| finder(field, index, context, &query(field, &table::path(context))));
    finders_impl(context, bounded, &finders.collect())
}

/// The body of a function.
fn query(field: &Field<'_>, table: &TokenStream) -> TokenStream {
    let (ident, find) = (field.ident, checked(field, "index_query"));
    quote!(#find(&#table.#ident, value))
}

/// The beginning of a block that calls this function of the runtime with an indexed field. A type
/// that cannot be indexed causes a single message.
///
/// The first line causes the same error as the field table, and the compiler drops the duplicate.
/// The call causes another error with the same span, which the compiler drops too. In a direct
/// call, the error would have the span of an argument instead.
pub(super) fn checked(field: &Field<'_>, function: &str) -> TokenStream {
    let with_index = spec::with_index(field.ty);
    let (first, last) = tokens::end_spans(field.ty);
    let function = Ident::new(function, last);
    let (start, end) = (quote_spanned!(first=> __session::), quote!(#function));
    quote! {
        let _ = #with_index;
        let find = #start #end;
        find
    }
}

/// The functions after an error. The bodies never run.
pub(crate) fn stand_in(input: &Input<'_>, context: &Context<'_>) -> Option<TokenStream> {
    let unreachable = quote!(::core::unreachable!());
    let mut seen = HashSet::new();
    let finders = input
        .indexed()
        .filter(|(_, index)| seen.insert(index.finder.to_string()))
        .map(|(field, index)| finder(field, index, context, &unreachable));
    finders_impl(context, &context.generics, &finders.collect())
}

fn finder(
    field: &Field<'_>,
    index: &Index,
    context: &Context<'_>,
    body: &TokenStream,
) -> TokenStream {
    let vis = tokens::with_expansion_span(field.vis);
    let name = tokens::with_expansion_span(&index.finder);
    // Only a struct with errors has an index on any other type.
    let ty = context.field_type(tokens::option_inner(field.ty).unwrap_or(field.ty));
    let docs = Docs::new(field).finder();
    let at_name = tokens::expansion_span(index.finder.span());
    let signature = quote_spanned! {at_name=>
        fn #name<__V: __session::IntoField<#ty>>(value: __V) -> __session::IndexQuery<Self>
    };
    quote! {
        #docs
        #vis #signature {
            #body
        }
    }
}

fn finders_impl(
    context: &Context<'_>,
    generics: &Generics,
    finders: &TokenStream,
) -> Option<TokenStream> {
    let self_ty = &context.self_ty;
    let (impl_generics, _, bounds) = generics.split_for_impl();
    (!finders.is_empty()).then(|| quote!(impl #impl_generics #self_ty #bounds { #finders }))
}
