//! The rules for `#[derive(FieldValue)]`. Each function checks a single rule and reports every
//! violation.

use std::collections::HashMap;

use proc_macro2::Ident;
use syn::spanned::Spanned;
use syn::{Data, Fields};

use super::ast::{Input, Shape, Variant};
use crate::errors::Errors;

pub(crate) fn check(input: &Input<'_>, errors: &mut Errors) {
    no_lifetimes(input, errors);
    match &input.shape {
        Shape::Enum(variants) => check_enum(input, variants, errors),
        Shape::Newtype(field) => {
            newtypes_have_no_names(input, errors);
            no_attributes_on_the_content(field, errors);
        }
        Shape::Other => only_enums_and_newtypes(input, errors),
    }
}

fn check_enum(input: &Input<'_>, variants: &[Variant<'_>], errors: &mut Errors) {
    some_variant(input, variants, errors);
    no_data(variants, errors);
    stored_texts_differ(variants, errors);
    one_default(variants, errors);
}

fn only_enums_and_newtypes(input: &Input<'_>, errors: &mut Errors) {
    let found = match &input.item.data {
        Data::Struct(data) => match &data.fields {
            Fields::Unit => "a unit struct".to_owned(),
            Fields::Named(_) => "a struct with named fields".to_owned(),
            Fields::Unnamed(fields) => {
                format!("a tuple struct with {} fields", fields.unnamed.len())
            }
        },
        Data::Enum(_) => "an enum".to_owned(),
        Data::Union(_) => "a union".to_owned(),
    };
    errors.report(
        input.item.ident.span(),
        format!(
            "`FieldValue` can be derived for an enum without data or a tuple struct with one \
             field, but this is {found}: store it with `#[session(json)]`"
        ),
    );
}

/// Sessions are stored, so they outlive every borrow.
fn no_lifetimes(input: &Input<'_>, errors: &mut Errors) {
    for lifetime in input.item.generics.lifetimes() {
        errors.report(
            lifetime.lifetime.span(),
            "session values must own their data: remove the lifetime",
        );
    }
}

fn newtypes_have_no_names(input: &Input<'_>, errors: &mut Errors) {
    if let Some((_, span)) = input.rename_all {
        errors.report(span, "`rename_all` is for enums: a tuple struct is stored as its field");
    }
}

fn no_attributes_on_the_content(field: &syn::Field, errors: &mut Errors) {
    for attr in field.attrs.iter().filter(|attr| attr.path().is_ident("session")) {
        errors.report(
            attr.path().span(),
            "no attributes are allowed here: a tuple struct is stored as its field",
        );
    }
}

fn some_variant(input: &Input<'_>, variants: &[Variant<'_>], errors: &mut Errors) {
    if variants.is_empty() {
        errors.report(input.item.ident.span(), "an enum without variants has no value to store");
    }
}

fn no_data(variants: &[Variant<'_>], errors: &mut Errors) {
    for variant in variants.iter().filter(|variant| !matches!(variant.fields, Fields::Unit)) {
        let ident = variant.ident;
        errors.report(
            ident.span(),
            format!(
                "`{ident}` holds data, but only its name would be stored: store the enum with \
                 `#[session(json)]`"
            ),
        );
    }
}

fn stored_texts_differ(variants: &[Variant<'_>], errors: &mut Errors) {
    let mut owners: HashMap<&str, &Ident> = HashMap::new();
    for variant in variants {
        let first = owners.entry(&variant.stored).or_insert(variant.ident);
        // The compiler already rejects two variants with the same name.
        if first != &variant.ident {
            let (ident, stored) = (variant.ident, &variant.stored);
            errors.report(
                variant.stored_span,
                format!("`{ident}` and `{first}` have the same stored name `{stored}`"),
            );
        }
    }
}

fn one_default(variants: &[Variant<'_>], errors: &mut Errors) {
    let mut defaults =
        variants.iter().filter_map(|variant| Some((variant.ident, variant.default?)));
    let Some((first, _)) = defaults.next() else { return };
    for (_, span) in defaults {
        errors.report(span, format!("`{first}` is already the default"));
    }
}
