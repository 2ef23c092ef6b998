//! A bag that every stage puts its errors in, so that one compilation shows them all.

use std::fmt::Display;

use proc_macro2::{Span, TokenStream};

#[derive(Default)]
pub(crate) struct Errors {
    ours: Option<syn::Error>,
    compilers: bool,
}

impl Errors {
    pub(crate) fn at(&mut self, span: Span, message: impl Display) {
        self.push(syn::Error::new(span, message));
    }

    pub(crate) fn push(&mut self, error: syn::Error) {
        match &mut self.ours {
            Some(first) => first.combine(error),
            none => *none = Some(error),
        }
    }

    /// A mistake that the compiler finds in the struct itself: it is not reported twice.
    pub(crate) fn left_to_the_compiler(&mut self) {
        self.compilers = true;
    }

    /// The code that reports the errors, if there are any.
    pub(crate) fn finish(self) -> Option<TokenStream> {
        match self.ours {
            Some(error) => Some(error.to_compile_error()),
            None => self.compilers.then(TokenStream::new),
        }
    }
}
