//! The companion type, with a getter and a setter for each field.

use std::collections::HashSet;

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::Generics;
use syn::ext::IdentExt;

use super::context::Context;
use super::docs::Docs;
use super::table;
use crate::ast::{Field, Input};
use crate::{lints, tokens};

/// The declaration of the type, next to the struct.
pub(crate) fn declaration(input: &Input<'_>, context: &Context<'_>) -> TokenStream {
    let (companion, runtime, generics) = (&input.companion, &context.runtime, &context.generics);
    let (vis, allowed) =
        (tokens::with_expansion_span(&input.item.vis), lints::allow_attrs(input.item));
    let where_clause = &generics.where_clause;
    let phantom_field = context.phantom_field(&quote!(parameters));
    let doc = format!(
        " The fields of a [`{}`] session, with a getter and a setter for each field.",
        input.item.ident.unraw()
    );
    quote! {
        #[doc = #doc]
        #allowed
        #vis struct #companion #generics #where_clause {
            handle: #runtime::__private::SessionHandle,
            #phantom_field
        }
    }
}

/// The implementations for the type.
pub(crate) fn expand(input: &Input<'_>, context: &Context<'_>, bounded: &Generics) -> TokenStream {
    let table = table::path(context);
    let methods = input.fields.iter().map(|field| {
        let ident = field.ident;
        let field_of =
            if field.encrypt.is_some() { quote!(encrypted_field) } else { quote!(field) };
        let getter = quote!(__session::#field_of(&self.handle, &#table.#ident));
        let setter = quote!(__session::set(&self.handle, &#table.#ident, value));
        accessors(field, context, &getter, &setter)
    });
    impls(input, context, bounded, methods.collect())
}

/// The implementations after an error. The bodies never run.
pub(crate) fn stand_in(input: &Input<'_>, context: &Context<'_>) -> TokenStream {
    let unreachable = quote!(::core::unreachable!());
    let mut seen = HashSet::new();
    let methods = input
        .fields
        .iter()
        .filter(|field| {
            seen.insert(field.ident.to_string()) && seen.insert(field.setter.to_string())
        })
        .map(|field| accessors(field, context, &unreachable, &unreachable))
        .collect();
    impls(input, context, &context.generics, methods)
}

/// The getter and the setter of a field.
fn accessors(
    field: &Field<'_>,
    context: &Context<'_>,
    getter_body: &TokenStream,
    setter_body: &TokenStream,
) -> TokenStream {
    let (vis, setter) = (tokens::with_expansion_span(field.vis), &field.setter);
    let ty = context.field_type(field.ty);
    let docs = Docs::new(field);
    let (getter_docs, setter_docs) = (docs.getter(), docs.setter());
    // Error messages point here as the definition of the method.
    let at_field = tokens::expansion_span(field.ident.span());
    let getter = tokens::with_expansion_span(field.ident);
    let form = field.encrypt.as_ref().map(|_| quote_spanned!(at_field=> , __session::Encrypted));
    let getter = quote_spanned!(at_field=> fn #getter(&self) -> __session::Field<'_, #ty #form>);
    let setter = quote_spanned! {at_field=>
        fn #setter<__V: __session::IntoField<#ty>>(&self, value: __V) -> __session::Operation<'_, ()>
    };
    quote! {
        #getter_docs
        #vis #getter {
            #getter_body
        }

        #setter_docs
        #vis #setter {
            #setter_body
        }
    }
}

fn impls(
    input: &Input<'_>,
    context: &Context<'_>,
    bounded: &Generics,
    methods: TokenStream,
) -> TokenStream {
    let companion = &context.companion;
    let name = input.companion.unraw().to_string();
    let (impl_generics, _, bounds) = bounded.split_for_impl();
    let (declared, _, where_clause) = context.generics.split_for_impl();
    quote! {
        impl #impl_generics #companion #bounds {
            #methods
        }

        #[automatically_derived]
        impl #declared ::core::fmt::Debug for #companion #where_clause {
            fn fmt(&self, formatter: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                formatter.debug_tuple(#name).field(&self.handle).finish()
            }
        }
    }
}
