//! The field table. A struct lets the compiler find an entry by name instead of by position among
//! hundreds.

use proc_macro2::TokenStream;
use quote::quote;
use syn::Generics;

use super::context::Context;
use super::spec;
use crate::ast::Input;
use crate::tokens;

pub(crate) fn expand(input: &Input<'_>, context: &Context<'_>, bounded: &Generics) -> TokenStream {
    let self_ty = &context.self_ty;
    let (declared, arguments, where_clause) = context.generics.split_for_impl();
    let (impl_generics, _, bounds) = bounded.split_for_impl();
    let idents: Vec<_> =
        input.fields.iter().map(|field| tokens::with_expansion_span(field.ident)).collect();
    let types = input.fields.iter().map(|field| tokens::replace_self(field.ty, self_ty));
    let specs = input.fields.iter().map(spec::expand);
    let phantom_field = context.phantom_field(&quote!(__parameters));
    let phantom_value = context.phantom_value(&quote!(__parameters));
    quote! {
        struct __Specs #declared #where_clause {
            #(#idents: __session::FieldSpec<#types>,)*
            #phantom_field
        }

        impl #impl_generics #self_ty #bounds {
            const __SESSION_SPECS: &'static __Specs #arguments =
                &__Specs { #(#idents: #specs,)* #phantom_value };
        }
    }
}

/// The path of the table.
pub(crate) fn path(context: &Context<'_>) -> TokenStream {
    let self_ty = &context.self_ty;
    quote!(<#self_ty>::__SESSION_SPECS)
}
