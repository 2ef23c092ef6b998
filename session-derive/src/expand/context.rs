//! Types and paths for several parts of the expansion.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote};
use syn::{Generics, Type};

use super::generics;
use crate::ast::Input;
use crate::tokens;

pub(crate) struct Context<'a> {
    /// Lifetimes of the struct. Only a struct with errors has any.
    pub(crate) lifetimes: Vec<&'a Ident>,
    /// Parameters of the struct, with `T: 'static`.
    pub(crate) generics: Generics,
    /// Type of the struct.
    pub(crate) self_ty: TokenStream,
    /// Type of the companion.
    pub(crate) companion: TokenStream,
    /// Path of the runtime crate.
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

    /// Returns the type of a field, or a part of this type, for use in the companion's methods.
    pub(crate) fn field_type(&self, ty: &Type) -> TokenStream {
        let owned =
            tokens::lifetimes_to_static(tokens::replace_self(ty, &self.self_ty), &self.lifetimes);
        if tokens::has_elided_lifetime(ty) { tokens::elided_to_static(owned) } else { owned }
    }

    /// Declares a field that uses the type parameters, if there are any. The field is always `Send`
    /// and `Sync`.
    pub(crate) fn phantom_field(&self, name: &TokenStream) -> Option<TokenStream> {
        let types: Vec<_> = self.generics.type_params().map(|param| &param.ident).collect();
        (!types.is_empty())
            .then(|| quote!(#name: ::core::marker::PhantomData<fn() -> (#(*const #types,)*)>,))
    }

    /// Value of the [phantom field](Self::phantom_field).
    pub(crate) fn phantom_value(&self, name: &TokenStream) -> Option<TokenStream> {
        self.phantom_field(name).map(|_| quote!(#name: ::core::marker::PhantomData))
    }
}
