//! Parses `index` and `index(…)`, and refuses the keys that cannot stand beside an index.

use proc_macro2::{Ident, Span};
use syn::LitStr;

use super::entries::Entries;
use super::keys::{self, Key};
use crate::errors::Errors;

/// The keys that exclude an index, with the reason.
const EXCLUDED: [(Key, &str); 4] = [
    (keys::JSON, "equal values may have different JSON"),
    (keys::WITH, "instead of a codec, use your own type with `IndexValue`"),
    (keys::TTL, "the index would still list the session after the field expires"),
    (keys::DEFAULT, "a missing field must read as `None`"),
];

/// The attribute `index` of a field.
pub(crate) struct IndexAttr {
    /// Span of the key.
    pub(crate) span: Span,
    pub(crate) name: Option<LitStr>,
    /// Name of the function that finds sessions.
    pub(crate) by: Option<Ident>,
}

impl IndexAttr {
    pub(super) fn read(entries: &Entries, errors: &mut Errors) -> Option<Self> {
        let entry = entries.find(&keys::INDEX)?;
        for (key, reason) in &EXCLUDED {
            entries.exclude_because(&keys::INDEX, key, reason, errors);
        }
        Some(Self {
            span: entry.span,
            name: entry.arguments.text(&keys::NAME),
            by: entry.arguments.text(&keys::BY).and_then(|by| {
                let message = "expected the name of a function, such as `\"find_user\"`";
                by.parse().map_err(|_| errors.report(by.span(), message)).ok()
            }),
        })
    }
}
