//! The derive macro of `session-runtime`.
//!
//! Not to be depended on directly: `session-runtime` re-exports the macro, and documents it there
//! with examples that are compiled.
//!
//! The macro goes stage by stage, a file each: `ast` holds what was written and reads the
//! attributes through `attr`, `check` holds the rules, one function each, and `expand` writes the
//! code, or what stands in for it after an error. `value` does the same for
//! `#[derive(FieldValue)]`. Nothing but this file knows that it runs inside a compiler; the rest is
//! tested as ordinary code.

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
use syn::{DeriveInput, parse_macro_input};

use crate::errors::Errors;

#[allow(
    missing_docs,
    reason = "documented where session-runtime re-exports it, with examples that are compiled"
)]
#[proc_macro_derive(Session, attributes(session))]
pub fn derive_session(input: TokenStream) -> TokenStream {
    session(&parse_macro_input!(input)).into()
}

#[allow(
    missing_docs,
    reason = "documented where session-runtime re-exports it, with examples that are compiled"
)]
#[proc_macro_derive(FieldValue, attributes(session))]
pub fn derive_field_value(input: TokenStream) -> TokenStream {
    field_value(&parse_macro_input!(input)).into()
}

fn session(item: &DeriveInput) -> TokenStream2 {
    run(item, ast::Input::read, check::check, expand::expand, expand::stand_in)
}

fn field_value(item: &DeriveInput) -> TokenStream2 {
    use crate::value::{ast, check, expand};

    run(item, ast::Input::read, check::check, expand::expand, expand::stand_in)
}

/// Takes a derive through its stages.
///
/// The output is the expansion. After an error it is every error of the item beside a stand-in, so
/// that the rest of the program is checked as usual.
fn run<'a, I>(
    item: &'a DeriveInput,
    read: fn(&'a DeriveInput, &mut Errors) -> I,
    check: fn(&I, &mut Errors),
    expand: fn(&I) -> TokenStream2,
    stand_in: fn(&I) -> TokenStream2,
) -> TokenStream2 {
    let mut errors = Errors::default();
    let input = read(item, &mut errors);
    check(&input, &mut errors);
    match errors.finish() {
        None => expand(&input),
        Some(mut output) => {
            output.extend(stand_in(&input));
            output
        }
    }
}
