//! The implementation of `Schema`: the stored names, and reads and writes of the whole struct.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote};
use syn::{Generics, LitStr};

use super::context::Context;
use super::{finder, spec, table};
use crate::ast::{Field, Input, SkippedField};
use crate::attr::{DefaultValue, EncryptAttr};

pub(crate) fn expand(input: &Input<'_>, context: &Context<'_>, bounded: &Generics) -> TokenStream {
    let (table, values) = (table::path(context), values_ident());
    let idents: Vec<_> = input.fields.iter().map(|field| field.ident).collect();
    let skipped = input.skipped.iter().map(|field| field.ident);
    let defaults = input.skipped.iter().map(skipped_default);
    let items = Items {
        consts: consts(input, &table),
        load: quote! {
            ::core::result::Result::Ok(Self {
                #(#idents: #values.take(&#table.#idents)?,)*
                #(#skipped: #defaults,)*
            })
        },
        save: quote! {
            #(changes.set(&#table.#idents, &record.#idents)?;)*
            ::core::result::Result::Ok(())
        },
    };
    schema_impl(input, context, bounded, &items)
}

/// The implementation after an error. The bodies never run.
pub(crate) fn stand_in(input: &Input<'_>, context: &Context<'_>) -> TokenStream {
    let unreachable = quote!(::core::unreachable!());
    let items = Items {
        consts: names_const("STORED_NAMES", &[]),
        load: unreachable.clone(),
        save: unreachable,
    };
    schema_impl(input, context, &context.generics, &items)
}

/// The parts of the implementation that differ after an error.
struct Items {
    consts: TokenStream,
    load: TokenStream,
    save: TokenStream,
}

/// The constants that differ from the trait's defaults.
fn consts(input: &Input<'_>, table: &TokenStream) -> TokenStream {
    let stored: Vec<_> = input.fields.iter().map(|field| field.stored.clone()).collect();
    let with_alias = |field: &Field<'_>| {
        [Some(field.stored.clone()), field.alias.as_ref().map(LitStr::value)].into_iter().flatten()
    };
    let read: Vec<_> = input.fields.iter().flat_map(with_alias).collect();
    let read_names = (read != stored).then(|| names_const("READ_NAMES", &read));
    let stored_names = names_const("STORED_NAMES", &stored);
    let has_ttl = input.fields.iter().any(|field| field.ttl.is_some());
    let has_ttl = has_ttl.then(|| true_const("HAS_TTL"));
    let (indexed, encrypted) = (indexed_const(input), encrypted_const(input));
    let is_cached = !input.fields.is_empty() && input.fields.iter().all(|field| field.cached);
    let cached = is_cached.then(|| true_const("CACHED"));
    let (shown, searched) = (shown_const(input, table), searched_const(input, table));
    quote!(#stored_names #read_names #has_ttl #indexed #encrypted #cached #shown #searched)
}

fn true_const(name: &str) -> TokenStream {
    let name = Ident::new(name, Span::call_site());
    quote!(const #name: ::core::primitive::bool = true;)
}

fn indexed_const(input: &Input<'_>) -> Option<TokenStream> {
    let indexed: Vec<_> = input
        .indexed()
        .map(|(field, index)| {
            let (index, stored) = (&index.name, &field.stored);
            quote!((#index, #stored))
        })
        .collect();
    let text = quote!(&'static ::core::primitive::str);
    (!indexed.is_empty())
        .then(|| quote!(const INDEXED: &'static [(#text, #text)] = &[#(#indexed),*];))
}

fn encrypted_const(input: &Input<'_>) -> Option<TokenStream> {
    let encrypted: Vec<_> = input
        .fields
        .iter()
        .filter_map(|field| field.encrypt.as_ref().map(|attr| encrypted_name(field, attr)))
        .collect();
    (!encrypted.is_empty())
        .then(|| quote!(const ENCRYPTED: &'static [__session::EncryptedName] = &[#(#encrypted),*];))
}

fn shown_const(input: &Input<'_>, table: &TokenStream) -> Option<TokenStream> {
    let shown: Vec<_> =
        input.fields.iter().filter(|field| field.show).map(|field| field.ident).collect();
    (!shown.is_empty()).then(|| {
        quote!(const SHOWN: &'static [&'static dyn __session::ShownField] = &[#(&#table.#shown),*];)
    })
}

fn searched_const(input: &Input<'_>, table: &TokenStream) -> Option<TokenStream> {
    let searched: Vec<_> = input
        .indexed()
        .map(|(field, _)| {
            let (ident, checked) = (field.ident, finder::checked(field, "searched_field"));
            quote!({ #checked(&#table.#ident) })
        })
        .collect();
    (!searched.is_empty()).then(|| {
        quote! {
            const SEARCHED: &'static [&'static dyn __session::SearchedField] = &[#(#searched),*];
        }
    })
}

fn encrypted_name(field: &Field<'_>, attr: &EncryptAttr) -> TokenStream {
    let EncryptAttr { accept_plain, write_plain, block, .. } = attr;
    let stored = &field.stored;
    let alias = option(field.alias.as_ref());
    let index = option(field.index.as_ref().map(|index| &index.name));
    quote! {
        __session::EncryptedName::new(#stored, #alias, #index, #block, #accept_plain, #write_plain)
    }
}

fn option(value: Option<impl ToTokens>) -> TokenStream {
    match value {
        Some(value) => quote!(::core::option::Option::Some(#value)),
        None => quote!(::core::option::Option::None),
    }
}

fn names_const(name: &str, names: &[String]) -> TokenStream {
    let name = Ident::new(name, Span::call_site());
    quote!(const #name: &'static [&'static ::core::primitive::str] = &[#(#names),*];)
}

/// The value of a skipped field.
fn skipped_default(field: &SkippedField<'_>) -> TokenStream {
    match &field.default {
        Some(DefaultValue::Expression(value)) => {
            let default = spec::closure(field.ty, value);
            quote!(__session::skipped_or(#default))
        }
        Some(DefaultValue::OfType) | None => {
            spec::typed_call("skipped", field.ty, &TokenStream::new(), &TokenStream::new())
        }
    }
}

/// A name that is invisible to the default expression of a skipped field.
fn values_ident() -> Ident {
    Ident::new("values", Span::mixed_site())
}

fn schema_impl(
    input: &Input<'_>,
    context: &Context<'_>,
    bounded: &Generics,
    items: &Items,
) -> TokenStream {
    let Items { consts, load, save } = items;
    let values = values_ident();
    let (self_ty, companion, companion_ident) =
        (&context.self_ty, &context.companion, &input.companion);
    let phantom_value = context.phantom_value(&quote!(parameters));
    let (impl_generics, _, bounds) = bounded.split_for_impl();
    quote! {
        #[automatically_derived]
        impl #impl_generics __session::Schema for #self_ty #bounds {
            type Fields = #companion;

            #consts

            fn fields(handle: __session::SessionHandle) -> Self::Fields {
                #companion_ident { handle, #phantom_value }
            }

            fn handle(fields: &Self::Fields) -> &__session::SessionHandle {
                &fields.handle
            }

            fn load(#values: &mut __session::Values<'_>) -> ::core::result::Result<Self, __session::Error> {
                #load
            }

            fn save(record: &Self, changes: &mut __session::Changes) -> ::core::result::Result<(), __session::Error> {
                #save
            }
        }
    }
}
