//! The derive macros of `session-runtime`.
//!
//! Do not depend on this crate directly. `session-runtime` re-exports the macros, with
//! documentation and compiled examples.
//!
//! The macros work in stages, with a file for each:
//!
//! - `ast` holds the parsed struct. The attributes are read through `attr`.
//! - `check` holds the rules, with a function for each. The rules for indexes are in `check_index`.
//! - `expand` generates the code, or a stand-in after an error.
//!
//! `value` does the same for `#[derive(FieldValue)]`. Only this file depends on running inside a
//! compiler. The rest is tested like ordinary code.

#![forbid(unsafe_code)]

mod ast;
mod attr;
mod check;
mod check_index;
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

/// Runs all stages of a derive.
///
/// Returns the expansion. After an error, returns all errors of the item and a stand-in, so that
/// the compiler checks the rest of the program as usual.
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
