//! The rules for indexed fields, each in a function as in [`check`](crate::check).

use std::collections::HashMap;

use crate::ast::{Field, Input};
use crate::errors::Errors;
use crate::tokens;

/// The longest name of an index, in bytes.
const LONGEST_NAME: usize = 64;

pub(crate) fn check(input: &Input<'_>, errors: &mut Errors) {
    indexed_fields_are_optional(input, errors);
    index_beside_alias_is_named(input, errors);
    index_names_are_valid(input, errors);
    index_names_differ(input, errors);
    finders_differ(input, errors);
}

fn indexed_fields_are_optional(input: &Input<'_>, errors: &mut Errors) {
    for (field, _) in input.indexed() {
        if tokens::option_inner(field.ty).is_none() {
            errors.push(syn::Error::new_spanned(
                field.ty,
                "an indexed field must be an `Option`: a plain value would list every session \
                 under the default",
            ));
        }
    }
}

/// The default name would change with the stored name, and the index would start empty.
fn index_beside_alias_is_named(input: &Input<'_>, errors: &mut Errors) {
    for (field, index) in input.indexed().filter(|(_, index)| !index.is_named) {
        if let Some(alias) = &field.alias {
            errors.report(
                index.name_span,
                format!(
                    "an index needs a fixed name if the field has an alias: write `index(name = \
                     \"{}\")` to keep the index of the former name",
                    alias.value()
                ),
            );
        }
    }
}

fn index_names_are_valid(input: &Input<'_>, errors: &mut Errors) {
    for (_, index) in input.indexed() {
        let Some(mistake) = mistake_in_name(&index.name) else { continue };
        if index.is_named {
            errors.report(index.name_span, mistake);
        } else if !index.name.is_empty() {
            errors.report(
                index.name_span,
                format!(
                    "{mistake}: give the index another name than the field, with `index(name = \
                     \"…\")`"
                ),
            );
        }
    }
}

fn mistake_in_name(name: &str) -> Option<String> {
    let is_valid = |char: char| char.is_ascii_alphanumeric() || "_-.".contains(char);
    let len = name.len();
    if name.is_empty() {
        return Some(
            "the index name is empty: remove it, or write a name such as `\"user\"`".to_owned(),
        );
    }
    if len > LONGEST_NAME {
        return Some(format!(
            "an index name can have at most {LONGEST_NAME} bytes, this name has {len}"
        ));
    }
    let char = name.chars().find(|char| !is_valid(*char))?;
    Some(format!(
        "an index name can only have ASCII letters, digits, `_`, `-` and `.`, not {char:?}"
    ))
}

fn index_names_differ(input: &Input<'_>, errors: &mut Errors) {
    let mut owners: HashMap<&str, &Field<'_>> = HashMap::new();
    for (field, index) in input.indexed() {
        let first = owners.entry(&index.name).or_insert(field);
        // Fields with the same name or stored name are already reported.
        if first.stored != field.stored {
            let (name, first, ident) = (&index.name, first.ident, field.ident);
            errors.report(
                index.name_span,
                format!("`{ident}` and `{first}` have the same index name `{name}`"),
            );
        }
    }
}

fn finders_differ(input: &Input<'_>, errors: &mut Errors) {
    let mut owners: HashMap<String, &Field<'_>> = HashMap::new();
    for (field, index) in input.indexed() {
        let finder = &index.finder;
        let first = owners.entry(finder.to_string()).or_insert(field);
        if first.ident != field.ident {
            errors.report(
                finder.span(),
                format!(
                    "`{finder}` also finds sessions by `{}`: choose another name with `index(by = \
                     \"…\")`",
                    first.ident
                ),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_invalid_names() {
        for name in ["user", "v.user-id_2", "0", &"a".repeat(64)] {
            assert_eq!(mistake_in_name(name), None, "{name}");
        }
        for name in ["", "a b", "a:b", "a\0", "é", "a/b", "{a}", &"a".repeat(65)] {
            assert!(mistake_in_name(name).is_some(), "{name}");
        }
    }
}
