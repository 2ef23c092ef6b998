//! Documentation for the companion's methods, and for the functions that find sessions.

use proc_macro2::{Ident, TokenStream};
use quote::quote;
use syn::Attribute;
use syn::ext::IdentExt;

use crate::ast::Field;

/// The documentation of a field, for the getter, the setter and the finder.
pub(crate) struct Docs<'a> {
    name: Ident,
    attrs: Vec<&'a Attribute>,
    is_documented: bool,
    is_encrypted: bool,
}

impl<'a> Docs<'a> {
    pub(crate) fn new(field: &'a Field<'_>) -> Self {
        let carried =
            |attr: &&Attribute| attr.path().is_ident("doc") || attr.path().is_ident("deprecated");
        let attrs: Vec<_> = field.attrs.iter().filter(carried).collect();
        let is_documented = attrs.iter().any(|attr| attr.path().is_ident("doc"));
        let is_encrypted = field.encrypt.is_some();
        Self { name: field.ident.unraw(), attrs, is_documented, is_encrypted }
    }

    pub(crate) fn getter(&self) -> TokenStream {
        let attrs = &self.attrs;
        let field = if self.is_encrypted { "encrypted field" } else { "field" };
        let doc = format!(" Returns the {field} `{}`. Await it to read the value.", self.name);
        let doc = (!self.is_documented).then(|| quote!(#[doc = #doc]));
        quote!(#doc #(#attrs)*)
    }

    pub(crate) fn setter(&self) -> TokenStream {
        self.below(&format!(" Sets the field `{}`.", self.name))
    }

    pub(crate) fn finder(&self) -> TokenStream {
        let name = &self.name;
        self.below(&format!(" Finds sessions by the field `{name}`, with `Sessions::find`."))
    }

    /// The field's documentation below a first paragraph.
    fn below(&self, doc: &str) -> TokenStream {
        let attrs = &self.attrs;
        let gap = self.is_documented.then(|| quote!(#[doc = ""]));
        quote!(#[doc = #doc] #gap #(#attrs)*)
    }
}
