//! The types and paths that several parts of the expansion name.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote};
use syn::Generics;

use super::generics;
use crate::ast::Input;

pub(crate) struct Context<'a> {
    /// The struct's lifetimes, which are only there after an error.
    pub(crate) lifetimes: Vec<&'a Ident>,
    /// The struct's parameters, with `T: 'static`.
    pub(crate) generics: Generics,
    /// The struct's type.
    pub(crate) self_ty: TokenStream,
    /// The companion's type.
    pub(crate) companion: TokenStream,
    /// The runtime's path.
    pub(crate) runtime: TokenStream,
}

impl<'a> Context<'a> {
    pub(crate) fn new(input: &Input<'a>) -> Self {
        let generics = generics::with_static_bounds(input);
        let (ident, arguments) = (&input.companion, generics.split_for_impl().1);
        let companion = quote!(#ident #arguments);
        Self {
            lifetimes: input
                .item
                .generics
                .lifetimes()
                .map(|lifetime| &lifetime.lifetime.ident)
                .collect(),
            companion,
            self_ty: generics::self_ty(input),
            runtime: input.runtime.to_token_stream(),
            generics,
        }
    }

    /// The declaration of a field that names the type parameters, if there are any. It is `Send`
    /// and `Sync` whatever they are.
    pub(crate) fn phantom_field(&self, name: &TokenStream) -> Option<TokenStream> {
        let types: Vec<_> = self.generics.type_params().map(|param| &param.ident).collect();
        (!types.is_empty())
            .then(|| quote!(#name: ::core::marker::PhantomData<fn() -> (#(*const #types,)*)>,))
    }

    /// The value of that field.
    pub(crate) fn phantom_value(&self, name: &TokenStream) -> Option<TokenStream> {
        self.phantom_field(name).map(|_| quote!(#name: ::core::marker::PhantomData))
    }
}
