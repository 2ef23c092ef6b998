//! The code that `#[derive(Session)]` generates.
//!
//! The companion type stands next to the struct. Everything else is inside a `const _`, so the
//! names `__session` (the runtime) and `__Specs` (the field table) cannot clash with other names.
//! All paths are absolute: the user's crate may have no prelude, or a type of the user called
//! `Option`.

mod companion;
mod context;
mod docs;
mod finder;
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

/// Generates the code for a struct without errors.
pub(crate) fn expand(input: &Input<'_>) -> TokenStream {
    let context = Context::new(input);
    let bounded = generics::with_field_bounds(input, &context.generics, &context.self_ty);
    let table = table::expand(input, &context, &bounded);
    let methods = companion::expand(input, &context, &bounded);
    let finders = finder::expand(input, &context, &bounded);
    let schema = schema::expand(input, &context, &bounded);
    assemble(input, &context, &quote!(#table #methods #finders #schema))
}

/// Generates the code after an error: the same names and types, without behaviour. The rest of the
/// program then compiles without further errors.
pub(crate) fn stand_in(input: &Input<'_>) -> TokenStream {
    if input.runtime.is_none() || input.companion == input.item.ident {
        return TokenStream::new();
    }
    let context = Context::new(input);
    let methods = companion::stand_in(input, &context);
    let finders = finder::stand_in(input, &context);
    let schema = schema::stand_in(input, &context);
    assemble(input, &context, &quote!(#methods #finders #schema))
}

/// Puts the companion type in front of the block with everything else.
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
