//! The runtime's message that fits a type which cannot be stored. Only the name of the type is
//! known here.

use syn::Type;

use crate::tokens;

/// The end of the name of the functions in the runtime that refuse such a type with its own
/// message.
pub(crate) fn suffix(ty: &Type) -> &'static str {
    match tokens::option_inner(ty).unwrap_or(ty) {
        Type::Reference(_) => "_reference",
        Type::Path(path) => {
            path.path.segments.last().map_or("", |last| suffix_for_name(&last.ident.to_string()))
        }
        _ => "",
    }
}

fn suffix_for_name(name: &str) -> &'static str {
    match name {
        "Instant" => "_instant",
        "DateTime" | "NaiveDate" | "NaiveDateTime" | "NaiveTime" => "_by_feature",
        "Date" | "OffsetDateTime" | "PrimitiveDateTime" | "Timestamp" | "Uuid" | "Zoned" => {
            "_by_feature"
        }
        _ => "",
    }
}

/// Text that serde can write, and can read for nobody.
pub(crate) fn is_str_reference(ty: &Type) -> bool {
    match tokens::option_inner(ty).unwrap_or(ty) {
        Type::Reference(reference) => {
            matches!(&*reference.elem, Type::Path(path) if path.path.is_ident("str"))
        }
        _ => false,
    }
}
