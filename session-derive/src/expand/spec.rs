//! The entries of the field table: type, names, storage and default of each field.

use std::time::Duration;

use proc_macro2::{Ident, TokenStream};
use quote::{quote, quote_spanned};
use syn::{Expr, Path, Type};

use super::hints;
use crate::ast::{Field, Storage};
use crate::attr::{DefaultValue, EncryptAttr, OnDecodeError};
use crate::tokens;

/// The entry of a field.
pub(crate) fn expand(field: &Field<'_>) -> TokenStream {
    let storage = storage_spec(field);
    let alias = field.alias.iter();
    let lenient = (field.on_decode_error == OnDecodeError::Default)
        .then(|| quote!(.default_on_decode_error()));
    let ttl = field.ttl.iter().map(|ttl| duration(ttl.time));
    let cached = field.cached.then(|| quote!(.cached()));
    let spec = quote!(#storage #(.with_alias(#alias))* #lenient #(.with_ttl(#ttl))* #cached);
    let spec = match &field.index {
        None => spec,
        Some(index) => {
            let (with_index, name) = (with_index(field.ty), &index.name);
            quote!(#with_index(#spec, #name))
        }
    };
    match &field.encrypt {
        None => spec,
        Some(attr) => encrypted(&spec, attr),
    }
}

/// The entry of an encrypted field. Without the feature of the runtime, the error marks the
/// attribute.
fn encrypted(spec: &TokenStream, attr: &EncryptAttr) -> TokenStream {
    let EncryptAttr { span, accept_plain, write_plain, block } = attr;
    quote_spanned! {*span=>
        __session::encrypted(#spec, #block, #accept_plain, #write_plain)
    }
}

/// The path of `with_index`, with the span of the type.
pub(crate) fn with_index(ty: &Type) -> TokenStream {
    let (first, last) = tokens::end_spans(ty);
    let start = quote_spanned!(first=> __session::FieldSpec::<);
    let end = quote_spanned!(last=> >::with_index);
    quote!(#start #ty #end)
}

fn duration(time: Duration) -> TokenStream {
    // The attribute's value always fits into 64 bits.
    let millis = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    quote!(::core::time::Duration::from_millis(#millis))
}

fn storage_spec(field: &Field<'_>) -> TokenStream {
    let (ty, name) = (field.ty, &field.stored);
    let default = field.default.as_ref().map(|default| default_fn(field, default));
    let expression =
        default.as_ref().filter(|_| matches!(field.default, Some(DefaultValue::Expression(_))));
    match (&field.storage, field.option_inner(), expression) {
        (Storage::Value, ..) => value_spec(ty, name, default),
        (Storage::Json, ..) if hints::is_str_reference(ty) => value_spec(ty, name, default),
        (Storage::Json, None, None) => inferring_call("json", ty, &quote!(#name)),
        (Storage::Json, None, Some(default)) => {
            inferring_call("json_or", ty, &quote!(#name, #default))
        }
        (Storage::Json, Some(inner), None) => inferring_call("json_option", inner, &quote!(#name)),
        (Storage::Json, Some(inner), Some(default)) => {
            inferring_call("json_option_or", inner, &quote!(#name, #default))
        }
        (Storage::With(module), inner, default) => {
            let (decode, encode) = codec_closures(module, inner.is_some());
            let function = if default.is_some() { "with_or" } else { "with" };
            let default = default.into_iter();
            typed_call(
                function,
                ty,
                &TokenStream::new(),
                &quote!(#name, #decode, #encode #(, #default)*),
            )
        }
    }
}

fn value_spec(ty: &Type, name: &str, default: Option<TokenStream>) -> TokenStream {
    let hint = hints::suffix(ty);
    match default {
        None => inferring_call(&format!("value{hint}"), ty, &quote!(#name)),
        Some(default) => inferring_call(&format!("value_or{hint}"), ty, &quote!(#name, #default)),
    }
}

/// Wraps the module's functions in closures for the field's type. Type errors point at the module's
/// name.
fn codec_closures(module: &Path, optional: bool) -> (TokenStream, TokenStream) {
    let span = tokens::expansion_span(tokens::end_spans(module).1);
    let decoded = quote_spanned!(span=> #module::decode(stored));
    let encoded = quote_spanned!(span=> #module::encode(value));
    let encoded = quote!(::core::result::Result::map(#encoded, ::core::option::Option::Some));
    if !optional {
        return (quote!(|stored| #decoded), quote!(|value| #encoded));
    }
    let encoded = quote! {
        |value| match value {
            ::core::option::Option::Some(value) => #encoded,
            ::core::option::Option::None => ::core::result::Result::Ok(::core::option::Option::None),
        }
    };
    (quote!(|stored| ::core::result::Result::map(#decoded, ::core::option::Option::Some)), encoded)
}

/// A call of a function that infers the way in which the type is stored.
fn inferring_call(function: &str, ty: &Type, arguments: &TokenStream) -> TokenStream {
    typed_call(function, ty, &quote!(_), arguments)
}

/// A call with the type as a generic argument. The call has the span of the type, so an error for a
/// type that cannot be stored marks the whole type.
pub(crate) fn typed_call(
    function: &str,
    ty: &Type,
    storage: &TokenStream,
    arguments: &TokenStream,
) -> TokenStream {
    let (first, last) = tokens::end_spans(ty);
    let function = Ident::new(function, first);
    let start = quote_spanned!(first=> __session::#function::<);
    let end = quote_spanned!(last=> , #storage>(#arguments));
    quote!(#start #ty #end)
}

fn default_fn(field: &Field<'_>, default: &DefaultValue) -> TokenStream {
    let ty = field.ty;
    match default {
        DefaultValue::OfType => quote!(<#ty as ::core::default::Default>::default),
        DefaultValue::Expression(value) => closure(ty, value),
    }
}

/// A block becomes the body of the closure. Parentheses are removed, because rustc's lint for
/// superfluous parentheses would fire.
pub(crate) fn closure(ty: &Type, value: &Expr) -> TokenStream {
    match value {
        Expr::Paren(paren) if paren.attrs.is_empty() => closure(ty, &paren.expr),
        Expr::Block(block) if block.attrs.is_empty() && block.label.is_none() => {
            quote!(|| -> #ty #block)
        }
        _ => quote!(|| -> #ty { #value }),
    }
}
