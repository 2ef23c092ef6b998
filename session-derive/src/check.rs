//! The rules for `#[derive(Session)]`. Each function checks a single rule and reports every
//! violation.

use std::collections::{HashMap, HashSet};

use proc_macro2::{Ident, Span};
use syn::ext::IdentExt;
use syn::{Data, Fields};

use crate::ast::{Field, Input};
use crate::check_index;
use crate::errors::Errors;
use crate::reserved::{COMMON_TRAIT_METHODS, SESSION_METHODS};
use crate::tokens;

pub(crate) fn check(input: &Input<'_>, errors: &mut Errors) {
    only_structs_with_named_fields(input, errors);
    no_lifetimes(input, errors);
    no_elided_lifetimes(input, errors);
    fields_differ(input, errors);
    companion_has_its_own_name(input, errors);
    no_nested_options(input, errors);
    stored_names_differ(input, errors);
    aliases_are_free(input, errors);
    no_reserved_stored_name(input, errors);
    no_empty_prefix(input, errors);
    no_cached_field_expires(input, errors);
    getters_and_setters_differ(input, errors);
    no_hidden_methods(input, errors);
    check_index::check(input, errors);
}

fn only_structs_with_named_fields(input: &Input<'_>, errors: &mut Errors) {
    let (span, found) = match &input.item.data {
        Data::Struct(data) => match data.fields {
            Fields::Named(_) => return,
            Fields::Unnamed(_) => (input.item.ident.span(), "a tuple struct"),
            Fields::Unit => (input.item.ident.span(), "a unit struct"),
        },
        Data::Enum(data) => (data.enum_token.span, "an enum"),
        Data::Union(data) => (data.union_token.span, "a union"),
    };
    errors.report(span, format!("a session must be a struct with named fields, not {found}"));
}

/// Sessions are stored, so they outlive every borrow.
fn no_lifetimes(input: &Input<'_>, errors: &mut Errors) {
    for lifetime in input.item.generics.lifetimes() {
        errors.report(
            lifetime.lifetime.span(),
            "session fields must own their data: remove the lifetime",
        );
    }
}

fn no_elided_lifetimes(input: &Input<'_>, errors: &mut Errors) {
    if input.all_fields().any(|(_, ty)| tokens::has_elided_lifetime(ty)) {
        errors.defer_to_compiler();
    }
}

fn fields_differ(input: &Input<'_>, errors: &mut Errors) {
    let mut seen = HashSet::new();
    if !input.all_fields().all(|(ident, _)| seen.insert(ident)) {
        errors.defer_to_compiler();
    }
}

fn companion_has_its_own_name(input: &Input<'_>, errors: &mut Errors) {
    if input.companion == input.item.ident {
        errors.report(input.companion.span(), "the struct itself has this name");
    }
}

/// `None` is stored as a missing field, so `Some(None)` could not be told apart from `None`.
fn no_nested_options(input: &Input<'_>, errors: &mut Errors) {
    for field in &input.fields {
        if tokens::option_inner(field.ty).and_then(tokens::option_inner).is_some() {
            errors.push(syn::Error::new_spanned(
                field.ty,
                "an `Option` in an `Option` cannot be stored: `None` and `Some(None)` would both \
                 be a missing field",
            ));
        }
    }
}

fn stored_names_differ(input: &Input<'_>, errors: &mut Errors) {
    let mut owners: HashMap<&str, &Field<'_>> = HashMap::new();
    for field in &input.fields {
        let first = owners.entry(&field.stored).or_insert(field);
        // The compiler already rejects two fields with the same name.
        if first.ident != field.ident {
            let (stored, first, ident) = (&field.stored, first.ident, field.ident);
            errors.report(
                field.stored_span,
                format!("`{ident}` and `{first}` have the same stored name `{stored}`"),
            );
        }
    }
}

/// An alias must not be the stored name of another field. Otherwise that field would be read and
/// removed.
fn aliases_are_free(input: &Input<'_>, errors: &mut Errors) {
    let mut owners: HashMap<String, String> = HashMap::new();
    for field in &input.fields {
        owners
            .entry(field.stored.clone())
            .or_insert(format!("the stored name of `{}`", field.ident));
    }
    for field in &input.fields {
        let Some(alias) = &field.alias else { continue };
        if let Some(owner) = owners.get(&alias.value()) {
            let alias_name = alias.value();
            errors.report(
                alias.span(),
                format!(
                    "`{alias_name}` is {owner}: an alias must be an old name that no field uses now"
                ),
            );
        }
        owners.entry(alias.value()).or_insert(format!("an alias of `{}`", field.ident));
    }
}

/// The empty name is reserved for the field that keeps a session without other fields alive. NUL is
/// reserved for the label of indexes.
fn no_reserved_stored_name(input: &Input<'_>, errors: &mut Errors) {
    let stored = input.fields.iter().map(|field| (field.stored.clone(), field.stored_span));
    let aliases = input.fields.iter().filter_map(|field| field.alias.as_ref());
    let aliases = aliases.map(|alias| (alias.value(), alias.span()));
    for (name, span) in stored.chain(aliases) {
        match &*name {
            "" => errors.report(span, "the empty name is reserved for the session itself"),
            "\0" => errors.report(span, "the name NUL is reserved for the session itself"),
            _ => {}
        }
    }
}

fn no_empty_prefix(input: &Input<'_>, errors: &mut Errors) {
    if let Some(prefix) = input.prefix.as_ref().filter(|prefix| prefix.value().is_empty()) {
        errors.report(
            prefix.span(),
            "the prefix is empty: remove it, or write a prefix such as `\"cart.\"`",
        );
    }
}

/// If another process changes a field's expiry, the near cache may learn of this too late.
fn no_cached_field_expires(input: &Input<'_>, errors: &mut Errors) {
    let reason = "a read could return the value after it has expired";
    for ttl in
        input.fields.iter().filter(|field| field.cached).filter_map(|field| field.ttl.as_ref())
    {
        errors.report(
            ttl.span,
            if input.cached {
                format!(
                    "`cached` on the struct and `ttl` cannot be used together: {reason}, so write \
                     `cached = false` here"
                )
            } else {
                format!("`cached` and `ttl` cannot be used together: {reason}")
            },
        );
    }
}

fn getters_and_setters_differ(input: &Input<'_>, errors: &mut Errors) {
    let setters: HashMap<&Ident, &Ident> =
        input.fields.iter().map(|field| (&field.setter, field.ident)).collect();
    for field in &input.fields {
        if let Some(other) = setters.get(field.ident) {
            let ident = field.ident;
            errors.report(
                ident.span(),
                format!(
                    "`{ident}` is also the name of the setter of `{other}`: rename this field, and \
                     keep its stored name with {}",
                    rename_attribute(field)
                ),
            );
        }
    }
}

/// Methods of `Session` and of traits would be called instead of the getter or setter.
fn no_hidden_methods(input: &Input<'_>, errors: &mut Errors) {
    for field in &input.fields {
        for method in [&field.ident.unraw(), &field.setter] {
            if let Some(owner) = reserved_by(&method.to_string()) {
                report_hidden(field, method, owner, errors);
            }
        }
    }
}

fn reserved_by(method: &str) -> Option<&'static str> {
    if SESSION_METHODS.contains(&method) {
        Some("a method of `Session`")
    } else if COMMON_TRAIT_METHODS.contains(&method) {
        Some("a method of a common trait")
    } else {
        None
    }
}

fn report_hidden(field: &Field<'_>, method: &Ident, owner: &str, errors: &mut Errors) {
    let span: Span = field.ident.span();
    errors.report(
        span,
        format!(
            "`{method}` is {owner}, which would hide this field: rename the field, and keep its \
             stored name with {}",
            rename_attribute(field)
        ),
    );
}

fn rename_attribute(field: &Field<'_>) -> String {
    format!("`#[session(rename = \"{}\")]`", field.name)
}
