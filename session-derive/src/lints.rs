//! Repeats the user's `allow` attributes for code that repeats the user's types.
//!
//! The macro adds no other `allow`. With `forbid` in the user's crate, each would be an error.
//! Generated tokens carry the [expansion's span](crate::tokens::expansion_span), where the compiler
//! reports hardly any lint. Repeated types keep the user's span, for better error messages.
//! Therefore the user's `allow` attributes must also apply to the repetition.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Data, DeriveInput, Field, Meta};

/// Returns the `allow` attributes of the item and of the fields. `expect` becomes `allow`, because
/// the repetition need not fulfil the expectation.
pub(crate) fn allow_attrs(item: &DeriveInput) -> TokenStream {
    let of_fields = fields(&item.data).flat_map(|field| &field.attrs);
    let attrs = item.attrs.iter().chain(of_fields);
    attrs
        .filter(|attr| attr.path().is_ident("allow") || attr.path().is_ident("expect"))
        .filter_map(|attr| match &attr.meta {
            Meta::List(list) => Some(&list.tokens),
            Meta::Path(_) | Meta::NameValue(_) => None,
        })
        .map(|lints| quote!(#[allow(#lints)]))
        .collect()
}

fn fields(data: &Data) -> impl Iterator<Item = &Field> {
    let fields = match data {
        Data::Struct(data) => Some(&data.fields),
        Data::Enum(_) | Data::Union(_) => None,
    };
    fields.into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use syn::parse_quote;

    use super::*;

    #[test]
    fn repeats_only_allow_attributes() {
        let item = parse_quote! {
            #[allow(deprecated, reason = "old data")]
            #[deny(unused)]
            #[doc = "allow"]
            #[allow]
            struct Visitor {
                #[session(default)]
                #[expect(non_snake_case)]
                firstSeen: u64,
            }
        };
        let repeated = quote! {
            #[allow(deprecated, reason = "old data")]
            #[allow(non_snake_case)]
        };
        assert_eq!(allow_attrs(&item).to_string(), repeated.to_string());
    }
}
