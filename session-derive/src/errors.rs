//! A bag that every stage puts its errors in, so that one compilation shows them all.

use std::fmt::Display;

use proc_macro2::{Span, TokenStream};

#[derive(Default)]
pub(crate) struct Errors {
    reported: Option<syn::Error>,
    deferred: bool,
}

impl Errors {
    pub(crate) fn report(&mut self, span: Span, message: impl Display) {
        self.push(syn::Error::new(span, message));
    }

    pub(crate) fn push(&mut self, error: syn::Error) {
        match &mut self.reported {
            Some(first) => first.combine(error),
            none => *none = Some(error),
        }
    }

    /// A mistake that the compiler finds in the struct itself: it is not reported twice.
    pub(crate) fn defer_to_compiler(&mut self) {
        self.deferred = true;
    }

    /// The code that reports the errors, if there are any.
    pub(crate) fn finish(self) -> Option<TokenStream> {
        match self.reported {
            Some(error) => Some(error.to_compile_error()),
            None => self.deferred.then(TokenStream::new),
        }
    }
}
