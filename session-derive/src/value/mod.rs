//! `#[derive(FieldValue)]`: an enum without data, or a newtype, becomes the type of a session field. The same stages.

mod ast;
mod check;
mod expand;

use proc_macro2::TokenStream;
use syn::DeriveInput;

use self::ast::Input;
use crate::errors::Errors;

pub(crate) fn derive(input: TokenStream) -> TokenStream {
    syn::parse2(input).map_or_else(|error| error.to_compile_error(), |input| expand_or_report(&input))
}

fn expand_or_report(input: &DeriveInput) -> TokenStream {
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
