//! The derive macro of `session-runtime`.
//!
//! Not to be depended on directly: `session-runtime` re-exports the macro, and documents it there with examples that are compiled.
//!
//! The macro goes stage by stage, a file each: `ast` holds what was written and reads the attributes through `attr`, `check` holds
//! the rules, one function each, and `expand` writes the code, or what stands in for it after an error. `value` does the same for
//! `#[derive(FieldValue)]`. Nothing but this file knows that it runs inside a compiler; the rest is tested as ordinary code.

#![forbid(unsafe_code)]

mod ast;
mod attr;
mod check;
mod errors;
mod expand;
mod lints;
mod reserved;
#[cfg(test)]
mod snapshots;
mod tokens;
mod value;

use proc_macro::TokenStream;
use proc_macro2::TokenStream as TokenStream2;
use syn::DeriveInput;

use crate::ast::Input;
use crate::errors::Errors;

#[allow(
    missing_docs,
    reason = "documented where session-runtime re-exports it, with examples that are compiled"
)]
#[proc_macro_derive(Session, attributes(session))]
pub fn derive_session(input: TokenStream) -> TokenStream {
    derive(input.into()).into()
}

#[allow(
    missing_docs,
    reason = "documented where session-runtime re-exports it, with examples that are compiled"
)]
#[proc_macro_derive(FieldValue, attributes(session))]
pub fn derive_field_value(input: TokenStream) -> TokenStream {
    value::derive(input.into()).into()
}

fn derive(input: TokenStream2) -> TokenStream2 {
    syn::parse2(input).map_or_else(|error| error.to_compile_error(), |input| expand_or_report(&input))
}

/// The expansion, or every error of the struct at once beside a stand-in, so that the rest of the program is checked as usual.
fn expand_or_report(input: &DeriveInput) -> TokenStream2 {
    let mut errors = Errors::default();
    let input = Input::read(input, &mut errors);
    check::check(&input, &mut errors);
    match errors.finish() {
        None => expand::expand(&input),
        Some(mut output) => {
            output.extend(expand::stand_in(&input));
            output
        }
    }
}
