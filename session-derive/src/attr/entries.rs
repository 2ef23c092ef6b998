//! The keys of `#[session(…)]`, with spans and values. Each value has the kind that the key takes.

use proc_macro2::{Group, Ident, Span};
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::spanned::Spanned;
use syn::{
    Attribute, Expr, ExprLit, ExprPath, Lit, LitStr, Meta, Path, Token, parenthesized, parse_quote,
    token,
};

use super::case::{self, RenameRule};
use super::keys::{self, Key, Target, ValueKind};
use super::suggest;
use crate::errors::Errors;

/// The keys on a struct or field, each at most once.
#[derive(Default)]
pub(super) struct Entries(Vec<Entry>);

pub(super) struct Entry {
    key: &'static Key,
    pub(super) span: Span,
    pub(super) value: Option<Expr>,
    /// The keys in parentheses, as in `index(…)` or `encrypt(…)`.
    pub(super) arguments: Entries,
}

impl Entries {
    pub(super) fn read(attrs: &[Attribute], target: Target, errors: &mut Errors) -> Self {
        let mut entries = Self::default();
        for attr in attrs.iter().filter(|attr| attr.path().is_ident("session")) {
            let Meta::List(list) = &attr.meta else {
                errors.report(
                    attr.path().span(),
                    format!("expected `#[session(…)]` with {}", key_list(target)),
                );
                continue;
            };
            let read_list = |input: ParseStream<'_>| entries.read_list(input, target, errors);
            if let Err(error) = list.parse_args_with(read_list) {
                errors.push(error);
            }
        }
        entries
    }

    fn read_list(
        &mut self,
        input: ParseStream<'_>,
        target: Target,
        errors: &mut Errors,
    ) -> syn::Result<()> {
        while !input.is_empty() {
            if !input.peek(Ident::peek_any) {
                return Err(input.error(format!("expected one of {}", key_list(target))));
            }
            let name = Ident::parse_any(input)?;
            let key = known_key(&name, target, errors);
            let value = read_value(input, key, errors)?;
            if let (Some(key), Some((value, arguments))) = (key, value) {
                self.add(Entry { key, span: name.span(), value, arguments }, errors);
            }
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        Ok(())
    }

    /// Adds an entry, and reports a duplicate key.
    fn add(&mut self, entry: Entry, errors: &mut Errors) {
        let name = entry.key.name;
        match self.find(entry.key) {
            Some(first) if first.value.is_some() != entry.value.is_some() => {
                errors.report(
                    entry.span,
                    format!("`{name}` and `{name} = …` cannot be used together"),
                );
            }
            Some(_) => errors.report(entry.span, format!("duplicate attribute `{name}`")),
            None => {
                entry.check_value(errors);
                self.0.push(entry);
            }
        }
    }

    /// Allows no key beside `key` except `other`. Reports the second of two keys that exclude each
    /// other.
    pub(super) fn allow_only_beside(&self, key: &Key, other: &Key, errors: &mut Errors) {
        for entry in self.0.iter().filter(|entry| ![key.name, other.name].contains(&entry.key.name))
        {
            self.exclude(key, entry.key, errors);
        }
    }

    pub(super) fn exclude(&self, key: &Key, other: &Key, errors: &mut Errors) {
        if let Some((span, message)) = self.conflict(key, other) {
            errors.report(span, message);
        }
    }

    pub(super) fn exclude_because(
        &self,
        key: &Key,
        other: &Key,
        reason: &str,
        errors: &mut Errors,
    ) {
        if let Some((span, message)) = self.conflict(key, other) {
            errors.report(span, format!("{message}: {reason}"));
        }
    }

    /// Returns the span and the message for two keys that exclude each other.
    fn conflict(&self, key: &Key, other: &Key) -> Option<(Span, String)> {
        let mut both =
            self.0.iter().filter(|entry| [key.name, other.name].contains(&entry.key.name));
        let (first, second) = (both.next()?, both.next()?);
        let (first, span, second) = (first.key.name, second.span, second.key.name);
        Some((span, format!("`{first}` and `{second}` cannot be used together")))
    }

    pub(super) fn find(&self, key: &Key) -> Option<&Entry> {
        self.0.iter().find(|entry| entry.key.name == key.name)
    }

    pub(super) fn runtime(&self) -> Option<Path> {
        match self.find(&keys::CRATE) {
            Some(entry) => entry.as_path().cloned(),
            None => Some(parse_quote!(::session_runtime)),
        }
    }

    pub(super) fn rename_rule(&self, errors: &mut Errors) -> Option<RenameRule> {
        let name = self.text(&keys::RENAME_ALL)?;
        let text = name.value();
        let rule = RenameRule::parse(&text);
        if rule.is_none() {
            let hint = suggest::hint(&text, case::NAMES, "the cases are");
            errors.report(name.span(), format!("unknown case `{text}`, {hint}"));
        }
        rule
    }

    /// Returns whether the flag is set, or nothing if the key is missing.
    pub(super) fn flag(&self, key: &Key) -> Option<bool> {
        self.find(key)?.as_flag()
    }

    pub(super) fn text(&self, key: &Key) -> Option<LitStr> {
        self.find(key)?.as_text().cloned()
    }
}

impl Entry {
    /// Reports a missing value, and a value of the wrong kind.
    fn check_value(&self, errors: &mut Errors) {
        let fits = match (self.key.value_kind, &self.value) {
            (ValueKind::None | ValueKind::Arguments(_), value) => value.is_none(),
            (ValueKind::OptionalExpression, _) => true,
            (ValueKind::Text | ValueKind::Duration, _) => self.as_text().is_some(),
            (ValueKind::Flag, _) => self.as_flag().is_some(),
            (ValueKind::Integer(min), _) => self.as_integer().is_some_and(|value| value >= min),
            (ValueKind::Path, _) => self.as_path().is_some(),
            (ValueKind::Module, _) => self.as_module().is_some(),
        };
        if !fits {
            let span = self.value.as_ref().map_or(self.span, Spanned::span);
            errors.report(span, self.key.expected());
        }
    }

    /// A key without a value is `true`.
    fn as_flag(&self) -> Option<bool> {
        match self.value.as_ref().map(ungroup) {
            None => Some(true),
            Some(Expr::Lit(ExprLit { lit: Lit::Bool(flag), .. })) => Some(flag.value),
            Some(_) => None,
        }
    }

    pub(super) fn as_text(&self) -> Option<&LitStr> {
        match ungroup(self.value.as_ref()?) {
            Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text),
            _ => None,
        }
    }

    /// An integer without a suffix that fits 16 bits.
    pub(super) fn as_integer(&self) -> Option<u16> {
        match ungroup(self.value.as_ref()?) {
            Expr::Lit(ExprLit { lit: Lit::Int(int), .. }) if int.suffix().is_empty() => {
                int.base10_parse().ok()
            }
            _ => None,
        }
    }

    pub(super) fn as_module(&self) -> Option<Path> {
        let from_text = || self.as_text()?.parse_with(Path::parse_mod_style).ok();
        self.as_path().cloned().or_else(from_text)
    }

    fn as_path(&self) -> Option<&Path> {
        match ungroup(self.value.as_ref()?) {
            Expr::Path(ExprPath { qself: None, path, .. }) => Some(path),
            _ => None,
        }
    }
}

/// Removes the invisible group around an expression from a `macro_rules!` fragment.
fn ungroup(expr: &Expr) -> &Expr {
    match expr {
        Expr::Group(group) => ungroup(&group.expr),
        other => other,
    }
}

/// Reads the value or the arguments after a key, if there are any. Returns `None` if the tokens
/// cannot follow the key.
fn read_value(
    input: ParseStream<'_>,
    key: Option<&Key>,
    errors: &mut Errors,
) -> syn::Result<Option<(Option<Expr>, Entries)>> {
    if !input.peek(token::Paren) {
        let value = input.parse::<Option<Token![=]>>()?.map(|_| input.parse()).transpose()?;
        return Ok(Some((value, Entries::default())));
    }
    if let Some(&Key { value_kind: ValueKind::Arguments(target), .. }) = key {
        let list;
        parenthesized!(list in input);
        let mut arguments = Entries::default();
        arguments.read_list(&list, target, errors)?;
        return Ok(Some((None, arguments)));
    }
    let arguments = input.parse::<Group>()?;
    if let Some(key) = key {
        errors.report(arguments.span(), key.expected());
    }
    Ok(None)
}

fn known_key(name: &Ident, target: Target, errors: &mut Errors) -> Option<&'static Key> {
    let text = name.unraw().to_string();
    if let Some(key) = Key::find(&text, target) {
        return Some(key);
    }
    let message = match Key::find(&text, target.counterpart()) {
        Some(_) => format!("`{text}` belongs on {}", target.counterpart().description()),
        None => {
            let taker = if target == Target::Struct { "a struct" } else { target.description() };
            format!(
                "unknown attribute `{text}`, {}",
                suggest::hint(&text, &Key::names(target), &format!("{taker} takes"))
            )
        }
    };
    errors.report(name.span(), message);
    None
}

fn key_list(target: Target) -> String {
    suggest::list(&Key::names(target))
}
