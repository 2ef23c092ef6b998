//! The complete output of the macro: for readers, and to review the effect of a change.
//!
//! `UPDATE_EXPECT=1 cargo test -p session-derive` updates the files.

use expect_test::{ExpectFile, expect_file};
use proc_macro2::TokenStream;
use quote::quote;
use syn::parse_quote;

#[test]
fn a_struct() {
    check(
        quote! {
            pub struct Visitor {
                /// How often they came.
                pub count: u64,
                #[session(rename = "called", alias = "kind")]
                r#type: Option<String>,
                #[session(json)]
                properties: Properties,
            }
        },
        &expect_file!["struct.rs"],
    );
}

#[test]
fn parameters_and_every_kind_of_default() {
    check(
        quote! {
            #[session(crate = renamed, fields = "Parts", prefix = "cart.", rename_all = "camelCase", on_decode_error = "default")]
            struct Cart<T: Clone = u8, const N: usize = 2> where T: Debug {
                #[session(json)]
                all_items: Vec<T>,
                #[session(json)]
                by_place: Option<[T; N]>,
                #[session(json, default = Vec::new())]
                parents: Vec<Self>,
                last: T,
                #[session(default, on_decode_error = "error")]
                first: T,
                #[session(default = if N > 1 { 'a' } else { 'b' })]
                letter: char,
            }
        },
        &expect_file!["parameters.rs"],
    );
}

#[test]
fn shown_fields() {
    check(
        quote! {
            struct Auth<T> {
                #[session(show, index)]
                user: Option<u64>,
                #[session(json, show)]
                r#type: T,
                hidden: bool,
            }
        },
        &expect_file!["shown.rs"],
    );
}

#[test]
fn a_custom_codec() {
    check(
        quote! {
            struct Account<T> {
                #[session(with = codecs::hex, ttl = "5m")]
                key: [u8; 32],
                #[session(with = "codecs::hex", default = None)]
                next: Option<T>,
                #[session(skip)]
                cache: Vec<T>,
                #[session(skip, default = 3)]
                tries: u8,
            }
        },
        &expect_file!["codec.rs"],
    );
}

#[test]
fn indexes() {
    check(
        quote! {
            pub struct Auth<T> {
                /// The user who is logged in.
                #[session(index, cached)]
                pub user: Option<u64>,
                #[session(index(name = "tenant-2", by = "of_tenant"), alias = "org")]
                r#type: Option<T>,
                count: u64,
            }
        },
        &expect_file!["indexes.rs"],
    );
}

#[test]
fn cached_fields() {
    check(
        quote! {
            #[session(cached)]
            struct Visitor {
                #[session(alias = "colours")]
                theme: String,
                #[session(cached = true)]
                language: String,
                #[session(skip)]
                tries: u8,
            }
        },
        &expect_file!["cached.rs"],
    );
}

#[test]
fn encrypted_fields() {
    check(
        quote! {
            struct Account {
                #[session(encrypt)]
                email: Option<String>,
                /// Documented.
                #[session(encrypt(pad = 64), json, cached)]
                address: Address,
                #[session(encrypt(accept_plain), index(name = "customer"), alias = "number")]
                customer: Option<u64>,
                #[session(encrypt(accept_plain, pad = 16), with = codec, ttl = "5m", default = 7)]
                pin: u64,
                count: u64,
            }
        },
        &expect_file!["encrypted.rs"],
    );
}

#[test]
fn an_enum() {
    check_value(
        quote! {
            #[session(rename_all = "kebab-case")]
            enum Theme {
                #[session(default)]
                VeryLight,
                #[session(rename = "night")]
                Dark,
            }
        },
        &expect_file!["enum.rs"],
    );
}

#[test]
fn a_newtype() {
    check_value(
        quote! {
            #[session(crate = renamed)]
            struct Of<T: Clone>(pub Wrapper<T>);
        },
        &expect_file!["newtype.rs"],
    );
}

fn check_value(input: TokenStream, expected: &ExpectFile) {
    let file = syn::parse2(crate::field_value(&syn::parse2(input).unwrap())).unwrap();
    expected.assert_eq(&prettyplease::unparse(&file));
}

#[test]
fn the_stand_in_after_an_error() {
    check(
        quote! {
            struct Visitor<'a> {
                #[session(jsn)]
                name: Cow<'a, str>,
                set_name: u8,
                #[session(index, json)]
                user: Option<u64>,
                #[session(index(by = "by_user"))]
                plain: u64,
            }
        },
        &expect_file!["stand_in.rs"],
    );
}

fn check(input: TokenStream, expected: &ExpectFile) {
    let file = syn::parse2(crate::session(&syn::parse2(input).unwrap())).unwrap();
    expected.assert_eq(&prettyplease::unparse(&file));
}

/// The macro generates the same code each time. Nothing depends on the order of a hash map.
#[test]
fn expansion_is_repeatable() {
    let expand = || {
        crate::session(&parse_quote! {
            struct Visitor {
                #[session(rename = "b")]
                a: u8,
                b: u8,
                set_b: u8,
            }
        })
        .to_string()
    };
    assert_eq!(expand(), expand());
}
