//! Queries and small changes on types. Working on tokens covers macros inside types too.

use proc_macro2::{Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{GenericArgument, PathArguments, Type};

/// Returns `T` if the type is written as `Option<T>`, under any path.
pub(crate) fn option_inner(ty: &Type) -> Option<&Type> {
    let path = match ty {
        Type::Group(group) => return option_inner(&group.elem),
        Type::Paren(paren) => return option_inner(&paren.elem),
        Type::Path(path) if path.qself.is_none() => &path.path,
        _ => return None,
    };
    let last = path.segments.last()?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
    match arguments.args.first()? {
        GenericArgument::Type(inner) if last.ident == "Option" && arguments.args.len() == 1 => {
            Some(inner)
        }
        _ => None,
    }
}

/// Returns the spans of the first and the last token of a type or a path. Together, these span the
/// whole.
pub(crate) fn end_spans(ty: impl ToTokens) -> (Span, Span) {
    let mut spans = ty.to_token_stream().into_iter().map(|token| token.span());
    let first = spans.next().unwrap_or_else(Span::call_site);
    (first, spans.last().unwrap_or(first))
}

/// Returns the span of the expansion, at this location. Lints ignore code with this span.
pub(crate) fn expansion_span(location: Span) -> Span {
    Span::call_site().located_at(location)
}

/// Returns the tokens with the span of the expansion. `$crate` keeps the original span, which
/// determines the crate.
pub(crate) fn with_expansion_span(tokens: impl ToTokens) -> TokenStream {
    let expand = |token| match token {
        TokenTree::Group(group) => regroup(&group, with_expansion_span(group.stream())),
        TokenTree::Ident(ident) if ident == "$crate" => ident.into(),
        mut token => {
            token.set_span(expansion_span(token.span()));
            token
        }
    };
    tokens.into_token_stream().into_iter().map(expand).collect()
}

/// Returns whether the tokens contain any of the names.
pub(crate) fn mentions_any(tokens: TokenStream, names: &[&Ident]) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(ident) => names.contains(&&ident),
        TokenTree::Group(group) => mentions_any(group.stream(), names),
        _ => false,
    })
}

/// Returns the type for use outside the struct: `Self` becomes the struct's name.
pub(crate) fn replace_self(ty: impl ToTokens, self_ty: &TokenStream) -> TokenStream {
    let mut tokens = ty.into_token_stream().into_iter().peekable();
    let mut output = TokenStream::new();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Ident(ident) if ident == "Self" => {
                let is_prefix =
                    matches!(tokens.peek(), Some(TokenTree::Punct(next)) if next.as_char() == ':');
                output.extend(if is_prefix { quote!(<#self_ty>) } else { self_ty.clone() });
            }
            TokenTree::Group(group) => {
                output.extend([regroup(&group, replace_self(group.stream(), self_ty))]);
            }
            other => output.extend([other]),
        }
    }
    output
}

/// Returns whether a reference lacks a lifetime that a struct field requires. Function types do not
/// require any.
pub(crate) fn has_elided_lifetime(ty: &Type) -> bool {
    match ty {
        Type::Group(ty) => has_elided_lifetime(&ty.elem),
        Type::Paren(ty) => has_elided_lifetime(&ty.elem),
        Type::Array(ty) => has_elided_lifetime(&ty.elem),
        Type::Tuple(ty) => ty.elems.iter().any(has_elided_lifetime),
        Type::Reference(ty) => ty.lifetime.is_none() || has_elided_lifetime(&ty.elem),
        Type::Path(ty) => ty.path.segments.iter().any(|segment| match &segment.arguments {
            PathArguments::AngleBracketed(arguments) => arguments
                .args
                .iter()
                .any(|arg| matches!(arg, GenericArgument::Type(ty) if has_elided_lifetime(ty))),
            PathArguments::None | PathArguments::Parenthesized(_) => false,
        }),
        _ => false,
    }
}

/// Returns the tokens with `'static` on every reference without a lifetime.
pub(crate) fn elided_to_static(tokens: TokenStream) -> TokenStream {
    let mut tokens = tokens.into_iter().peekable();
    let mut output = TokenStream::new();
    while let Some(token) = tokens.next() {
        let elides =
            is_punct(&token, '&') && !tokens.peek().is_some_and(|next| is_punct(next, '\''));
        output.extend([match token {
            TokenTree::Group(group) => regroup(&group, elided_to_static(group.stream())),
            other => other,
        }]);
        output.extend(elides.then(|| quote!('static)));
    }
    output
}

fn is_punct(token: &TokenTree, char: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == char)
}

/// Returns the tokens with these lifetimes replaced by `'static`.
pub(crate) fn lifetimes_to_static(tokens: TokenStream, lifetimes: &[&Ident]) -> TokenStream {
    let mut after_quote = false;
    tokens
        .into_iter()
        .map(|token| {
            let is_lifetime = std::mem::take(&mut after_quote);
            match token {
                TokenTree::Ident(ident) if is_lifetime && lifetimes.contains(&&ident) => {
                    Ident::new("static", ident.span()).into()
                }
                TokenTree::Group(group) => {
                    regroup(&group, lifetimes_to_static(group.stream(), lifetimes))
                }
                other => {
                    after_quote = is_punct(&other, '\'');
                    other
                }
            }
        })
        .collect()
}

fn regroup(group: &Group, stream: TokenStream) -> TokenTree {
    let mut regrouped = Group::new(group.delimiter(), stream);
    regrouped.set_span(group.span());
    regrouped.into()
}

#[cfg(test)]
mod tests {
    use quote::format_ident;
    use syn::parse_quote;

    use super::*;

    #[test]
    fn recognizes_an_option_by_its_name() {
        for ty in [
            parse_quote!(Option<u8>),
            parse_quote!(::core::option::Option<u8>),
            parse_quote!((Option<u8>)),
        ] {
            assert!(
                option_inner(&ty).is_some_and(|inner| inner.to_token_stream().to_string() == "u8")
            );
        }
        for ty in [
            parse_quote!(Vec<u8>),
            parse_quote!(Option),
            parse_quote!(Option<'a>),
            parse_quote!([u8; 4]),
        ] {
            assert!(option_inner(&ty).is_none());
        }
    }

    #[test]
    fn replaces_self_and_lifetimes_wherever_they_are() {
        let replaced = replace_self(quote!((Self, [Self::Item; 2])), &quote!(Node));
        assert_eq!(replaced.to_string(), quote!((Node, [<Node>::Item; 2])).to_string());

        let replaced = lifetimes_to_static(quote!((&'a str, Cow<'b, a>)), &[&format_ident!("a")]);
        assert_eq!(replaced.to_string(), quote!((&'static str, Cow<'b, a>)).to_string());
    }

    #[test]
    fn knows_a_reference_without_a_lifetime() {
        for ty in
            [parse_quote!(&str), parse_quote!(Option<(u8, [&u8; 2])>), parse_quote!(&'static &str)]
        {
            assert!(has_elided_lifetime(&ty));
            let ty = syn::parse2(elided_to_static(ty.into_token_stream())).unwrap();
            assert!(!has_elided_lifetime(&ty));
        }
        for ty in [
            parse_quote!(&'static str),
            parse_quote!(fn(&str) -> u8),
            parse_quote!(Box<dyn Fn(&str)>),
        ] {
            assert!(!has_elided_lifetime(&ty));
        }
    }

    #[test]
    fn finds_a_parameter_at_any_depth() {
        let name = format_ident!("T");
        assert!(mentions_any(quote!(Vec<(u8, [T; 2])>), &[&name]));
        assert!(!mentions_any(quote!(Vec<(u8, [U; 2])>), &[&name]));
    }
}
