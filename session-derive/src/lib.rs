//! `#[derive(Session)]`.

#![forbid(unsafe_code)]

use proc_macro::TokenStream;

/// Makes a struct a session schema.
#[proc_macro_derive(Session, attributes(session))]
pub fn derive_session(_input: TokenStream) -> TokenStream {
    TokenStream::new()
}
