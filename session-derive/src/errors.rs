//! Collects the errors of all stages, so that a single compilation shows every mistake.

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

    /// Notes a mistake that the compiler reports too, so that the macro does not repeat the
    /// message.
    pub(crate) fn defer_to_compiler(&mut self) {
        self.deferred = true;
    }

    /// Returns the code that reports the errors. `None` if there are no errors.
    pub(crate) fn finish(self) -> Option<TokenStream> {
        match self.reported {
            Some(error) => Some(error.to_compile_error()),
            None => self.deferred.then(TokenStream::new),
        }
    }
}
