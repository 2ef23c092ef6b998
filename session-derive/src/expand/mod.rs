//! The code that `#[derive(Session)]` writes.
//!
//! Beside the struct stands the companion type; all else is inside one `const _`, where the names
//! `__session`, for the runtime, and `__Specs`, for the field table, meet nobody else's. Everything
//! is named by its whole path: the user's crate may have no prelude, or types of its own called
//! `Option`.

mod companion;
mod context;
mod docs;
mod generics;
mod hints;
mod schema;
mod spec;
mod table;

use proc_macro2::TokenStream;
use quote::quote;

use self::context::Context;
use crate::ast::Input;
use crate::lints;

/// The expansion of a struct in which no mistake was found.
pub(crate) fn expand(input: &Input<'_>) -> TokenStream {
    let context = Context::new(input);
    let bounded = generics::with_field_bounds(input, &context.generics, &context.self_ty);
    let table = table::expand(input, &context, &bounded);
    let methods = companion::expand(input, &context, &bounded);
    let schema = schema::expand(input, &context, &bounded);
    assemble(input, &context, &quote!(#table #methods #schema))
}

/// The fallback after an error: the same names and types without anything behind them, so that the
/// rest of the program has nothing else to complain about.
pub(crate) fn stand_in(input: &Input<'_>) -> TokenStream {
    if input.runtime.is_none() || input.companion == input.item.ident {
        return TokenStream::new();
    }
    let context = Context::new(input);
    let methods = companion::stand_in(input, &context);
    let schema = schema::stand_in(input, &context);
    assemble(input, &context, &quote!(#methods #schema))
}

/// The companion type, and the block around all else.
fn assemble(input: &Input<'_>, context: &Context<'_>, content: &TokenStream) -> TokenStream {
    let companion = companion::declaration(input, context);
    let (runtime, allowed) = (&context.runtime, lints::allow_attrs(input.item));
    quote! {
        #companion

        #allowed
        const _: () = {
            use #runtime::__private as __session;
            #content
        };
    }
}
