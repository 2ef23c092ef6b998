//! Selects the runtime's error message for a type that cannot be stored. Only the name of the type
//! is known here.

use syn::Type;

use crate::tokens;

/// Returns the suffix of the runtime function with the error message for this type.
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

/// Returns whether the type is `&str`. serde can serialize this type, but cannot deserialize it.
pub(crate) fn is_str_reference(ty: &Type) -> bool {
    match tokens::option_inner(ty).unwrap_or(ty) {
        Type::Reference(reference) => {
            matches!(&*reference.elem, Type::Path(path) if path.path.is_ident("str"))
        }
        _ => false,
    }
}
