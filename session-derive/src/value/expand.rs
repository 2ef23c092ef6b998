//! The code that `#[derive(FieldValue)]` generates: an impl of `FieldValue`, and an impl of
//! `FieldDefault` if there is a default.

use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::{Field, Generics, parse_quote};

use super::ast::{Input, Shape, Variant};
use crate::{lints, tokens};

/// Generates the code for a type without errors.
pub(crate) fn expand(input: &Input<'_>) -> TokenStream {
    match &input.shape {
        Shape::Enum(variants) => expand_enum(input, variants),
        Shape::Newtype(field) => expand_newtype(input, field),
        Shape::Other => TokenStream::new(),
    }
}

/// Generates the code after an error, so that the rest of the program compiles without further
/// errors.
pub(crate) fn stand_in(input: &Input<'_>) -> TokenStream {
    if input.runtime.is_none() || input.item.generics.lifetimes().next().is_some() {
        return TokenStream::new();
    }
    let unreachable = quote!(::core::unreachable!());
    let generics = &input.item.generics;
    let value = value_impl(input, generics, &unreachable, &unreachable);
    let default = default_impl(input, generics, &unreachable);
    assemble(input, &quote!(#value #default))
}

fn expand_enum(input: &Input<'_>, variants: &[Variant<'_>]) -> TokenStream {
    let idents: Vec<_> = variants.iter().map(|variant| variant.ident).collect();
    let texts: Vec<_> =
        variants.iter().map(|variant| Literal::byte_string(variant.stored.as_bytes())).collect();
    let expected = expected(variants);
    let decode = quote! {
        match &stored[..] {
            #(#texts => ::core::result::Result::Ok(Self::#idents),)*
            _ => ::core::result::Result::Err(__session::InvalidValue::new(#expected)),
        }
    };
    let encode = quote! {
        ::core::result::Result::Ok(__session::Bytes::from_static(match self {
            #(Self::#idents => #texts,)*
        }))
    };
    let generics = &input.item.generics;
    let value = value_impl(input, generics, &decode, &encode);
    let default = variants.iter().find(|variant| variant.default.is_some());
    let default =
        default.map(|Variant { ident, .. }| default_impl(input, generics, &quote!(Self::#ident)));
    assemble(input, &quote!(#value #default))
}

/// Returns the error for an unknown text. The message does not contain the stored text.
fn expected(variants: &[Variant<'_>]) -> String {
    let texts: Vec<_> = variants.iter().map(|variant| format!("`{}`", variant.stored)).collect();
    format!("expected one of {}", texts.join(", "))
}

fn expand_newtype(input: &Input<'_>, field: &Field) -> TokenStream {
    let ty = &field.ty;
    let (first, last) = tokens::end_spans(ty);
    let (start, end) =
        (quote_spanned!(first=> <), quote_spanned!(last=> as __session::FieldValue>));
    let decode = quote!(::core::result::Result::map(#start #ty #end::decode(stored), Self));
    let encode = quote!(#start #ty #end::encode(&self.0));
    let value = value_impl(
        input,
        &with_bound(input, field, &quote!(__session::FieldValue)),
        &decode,
        &encode,
    );

    let default = quote!(Self(<#ty as __session::FieldDefault>::field_default()));
    // The compiler rejects a false bound without parameters immediately. With a lifetime, the bound
    // is only checked on use.
    let mut generics = input.item.generics.clone();
    generics
        .make_where_clause()
        .predicates
        .push(parse_quote!(for<'__session> #ty: __session::FieldDefault));
    let default = default_impl(input, &generics, &default);
    assemble(input, &quote!(#value #default))
}

/// Returns the type's parameters. If the field uses any of these, `bound` is added.
fn with_bound(input: &Input<'_>, field: &Field, bound: &TokenStream) -> Generics {
    let mut generics = input.item.generics.clone();
    let (ty, types) =
        (&field.ty, generics.type_params().map(|param| param.ident.clone()).collect::<Vec<_>>());
    if tokens::mentions_any(ty.to_token_stream(), &types.iter().collect::<Vec<_>>()) {
        generics.make_where_clause().predicates.push(parse_quote!(#ty: #bound));
    }
    for ident in types {
        generics.make_where_clause().predicates.push(parse_quote!(#ident: 'static));
    }
    generics
}

fn value_impl(
    input: &Input<'_>,
    generics: &Generics,
    decode: &TokenStream,
    encode: &TokenStream,
) -> TokenStream {
    let head = head(input, generics, "FieldValue");
    quote! {
        #head {
            fn decode(stored: __session::Bytes) -> ::core::result::Result<Self, __session::InvalidValue> {
                #decode
            }

            fn encode(&self) -> ::core::result::Result<__session::Bytes, __session::InvalidValue> {
                #encode
            }
        }
    }
}

fn default_impl(input: &Input<'_>, generics: &Generics, default: &TokenStream) -> TokenStream {
    let head = head(input, generics, "FieldDefault");
    quote! {
        #head {
            fn field_default() -> Self {
                #default
            }
        }
    }
}

fn head(input: &Input<'_>, generics: &Generics, name: &str) -> TokenStream {
    let mut ident = input.item.ident.clone();
    ident.set_span(Span::call_site());
    let name = Ident::new(name, Span::call_site());
    let (impl_generics, _, where_clause) = generics.split_for_impl();
    let arguments = input.item.generics.split_for_impl().1;
    quote! {
        #[automatically_derived]
        impl #impl_generics __session::#name for #ident #arguments #where_clause
    }
}

/// Puts everything in a block, where the name `__session` (the runtime) cannot clash with other
/// names.
fn assemble(input: &Input<'_>, content: &TokenStream) -> TokenStream {
    let runtime = input.runtime.to_token_stream();
    let allowed = lints::allow_attrs(input.item);
    quote! {
        #allowed
        const _: () = {
            use #runtime::__private as __session;
            #content
        };
    }
}
