//! Reads `#[session(…)]`: keys with their spans, values of the kind that the key takes.

use std::time::Duration;

use proc_macro2::{Group, Ident, Span};
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::spanned::Spanned;
use syn::{Attribute, Expr, ExprLit, ExprPath, Lit, LitStr, Meta, Path, Token, parse_quote, token};

mod case;
mod keys;
mod suggest;
mod ttl;

pub(crate) use self::case::Case;
use self::keys::{Key, Place, Takes};
use crate::errors::Errors;

/// What is written on the struct.
pub(crate) struct StructAttrs {
    /// The runtime's path. `None` if it is unreadable, so that no code is written that could not find it.
    pub(crate) runtime: Option<Path>,
    pub(crate) companion: Option<Ident>,
    pub(crate) on_decode_error: Option<OnDecodeError>,
    pub(crate) prefix: Option<LitStr>,
    pub(crate) rename_all: Option<Case>,
}

/// What is written on a field.
pub(crate) struct FieldAttrs {
    pub(crate) alias: Option<LitStr>,
    pub(crate) json: bool,
    pub(crate) on_decode_error: Option<OnDecodeError>,
    pub(crate) rename: Option<LitStr>,
    pub(crate) default: Option<DefaultValue>,
    pub(crate) skip: bool,
    /// How long the field is kept after a write.
    pub(crate) ttl: Option<Duration>,
    /// Where the functions are that code the field.
    pub(crate) with: Option<Path>,
}

/// What a missing field is, if not what its type says.
pub(crate) enum DefaultValue {
    /// `default`: the type's `Default`.
    OfType,
    /// `default = …`.
    Expression(Box<Expr>),
}

/// What becomes of a stored value that the type cannot hold.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum OnDecodeError {
    Error,
    Default,
}

impl StructAttrs {
    pub(crate) fn read(attrs: &[Attribute], errors: &mut Errors) -> Self {
        let entries = Entries::read(attrs, Place::Struct, errors);
        Self {
            runtime: entries.runtime(),
            companion: entries.text(&keys::FIELDS).and_then(|name| {
                name.parse().map_err(|_| errors.at(name.span(), "not the name of a type")).ok()
            }),
            on_decode_error: OnDecodeError::read(&entries, errors),
            prefix: entries.text(&keys::PREFIX),
            rename_all: entries.case(errors),
        }
    }
}

impl FieldAttrs {
    pub(crate) fn read(attrs: &[Attribute], errors: &mut Errors) -> Self {
        let entries = Entries::read(attrs, Place::Field, errors);
        entries.exclude_all_but(&keys::SKIP, &keys::DEFAULT, errors);
        entries.exclude(&keys::JSON, &keys::WITH, errors);
        Self {
            alias: entries.text(&keys::ALIAS),
            json: entries.find(&keys::JSON).is_some(),
            on_decode_error: OnDecodeError::read(&entries, errors),
            rename: entries.text(&keys::RENAME),
            default: entries.find(&keys::DEFAULT).map(|entry| match &entry.value {
                None => DefaultValue::OfType,
                Some(value) => DefaultValue::Expression(Box::new(value.clone())),
            }),
            skip: entries.find(&keys::SKIP).is_some(),
            ttl: entries.text(&keys::TTL).and_then(|text| read_ttl(&text, errors)),
            with: entries.find(&keys::WITH).and_then(Entry::as_module),
        }
    }
}

impl OnDecodeError {
    fn read(entries: &Entries, errors: &mut Errors) -> Option<Self> {
        let text = entries.text(&keys::ON_DECODE_ERROR)?;
        match text.value().as_str() {
            "error" => Some(Self::Error),
            "default" => Some(Self::Default),
            _ => {
                errors.at(text.span(), "expected `\"default\"` or `\"error\"`");
                None
            }
        }
    }
}

/// What is written on a type that is stored as one field.
pub(crate) struct ValueAttrs {
    /// As in [`StructAttrs`].
    pub(crate) runtime: Option<Path>,
    /// The case, and where it is asked for.
    pub(crate) rename_all: Option<(Case, Span)>,
}

impl ValueAttrs {
    pub(crate) fn read(attrs: &[Attribute], errors: &mut Errors) -> Self {
        let entries = Entries::read(attrs, Place::Value, errors);
        let span = entries.find(&keys::RENAME_ALL).map(|entry| entry.span);
        Self { runtime: entries.runtime(), rename_all: entries.case(errors).zip(span) }
    }
}

/// What is written on a variant of such a type.
pub(crate) struct VariantAttrs {
    pub(crate) rename: Option<LitStr>,
    /// Where `default` stands.
    pub(crate) default: Option<Span>,
}

impl VariantAttrs {
    pub(crate) fn read(attrs: &[Attribute], errors: &mut Errors) -> Self {
        let entries = Entries::read(attrs, Place::Variant, errors);
        Self {
            rename: entries.text(&keys::RENAME),
            default: entries.find(&keys::DEFAULT_VARIANT).map(|entry| entry.span),
        }
    }
}

fn read_case(name: &LitStr, errors: &mut Errors) -> Option<Case> {
    let text = name.value();
    let case = Case::parse(&text);
    if case.is_none() {
        errors
            .at(name.span(), format!("unknown case `{text}`, {}", hint(&text, case::NAMES, "the cases are")));
    }
    case
}

fn read_ttl(text: &LitStr, errors: &mut Errors) -> Option<Duration> {
    ttl::parse(&text.value()).map_err(|message| errors.at(text.span(), message)).ok()
}

/// The keys that stand on one struct or field, each at most once.
struct Entries(Vec<Entry>);

struct Entry {
    key: &'static Key,
    span: Span,
    value: Option<Expr>,
}

impl Entries {
    fn read(attrs: &[Attribute], place: Place, errors: &mut Errors) -> Self {
        let mut entries = Self(Vec::new());
        for attr in attrs.iter().filter(|attr| attr.path().is_ident("session")) {
            let Meta::List(list) = &attr.meta else {
                errors.at(attr.path().span(), format!("expected `#[session(…)]` with {}", key_list(place)));
                continue;
            };
            let read_list = |input: ParseStream<'_>| entries.read_list(input, place, errors);
            if let Err(error) = list.parse_args_with(read_list) {
                errors.push(error);
            }
        }
        entries
    }

    fn read_list(&mut self, input: ParseStream<'_>, place: Place, errors: &mut Errors) -> syn::Result<()> {
        while !input.is_empty() {
            if !input.peek(Ident::peek_any) {
                return Err(input.error(format!("expected one of {}", key_list(place))));
            }
            let name = Ident::parse_any(input)?;
            let key = known_key(&name, place, errors);
            let value = read_value(input, key, errors)?;
            if let (Some(key), Some(value)) = (key, value) {
                self.add(Entry { key, span: name.span(), value }, errors);
            }
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        Ok(())
    }

    /// Every key at most once, whatever it is.
    fn add(&mut self, entry: Entry, errors: &mut Errors) {
        let name = entry.key.name;
        match self.find(entry.key) {
            Some(first) if first.value.is_some() != entry.value.is_some() => {
                errors.at(entry.span, format!("`{name}` and `{name} = …` exclude each other"));
            }
            Some(_) => errors.at(entry.span, format!("duplicate attribute `{name}`")),
            None => {
                entry.check_value(errors);
                self.0.push(entry);
            }
        }
    }

    /// Next to this key only that other one may stand. Otherwise the second of the two is the mistake.
    fn exclude_all_but(&self, key: &Key, other: &Key, errors: &mut Errors) {
        for entry in self.0.iter().filter(|entry| ![key.name, other.name].contains(&entry.key.name)) {
            self.exclude(key, entry.key, errors);
        }
    }

    fn exclude(&self, key: &Key, other: &Key, errors: &mut Errors) {
        let mut both = self.0.iter().filter(|entry| [key.name, other.name].contains(&entry.key.name));
        if let (Some(first), Some(second)) = (both.next(), both.next()) {
            let (first, second_name) = (first.key.name, second.key.name);
            errors.at(second.span, format!("`{first}` and `{second_name}` exclude each other"));
        }
    }

    fn find(&self, key: &Key) -> Option<&Entry> {
        self.0.iter().find(|entry| entry.key.name == key.name)
    }

    fn runtime(&self) -> Option<Path> {
        match self.find(&keys::CRATE) {
            Some(entry) => entry.as_path().cloned(),
            None => Some(parse_quote!(::session_runtime)),
        }
    }

    fn case(&self, errors: &mut Errors) -> Option<Case> {
        self.text(&keys::RENAME_ALL).and_then(|name| read_case(&name, errors))
    }

    fn text(&self, key: &Key) -> Option<LitStr> {
        self.find(key)?.as_text().cloned()
    }
}

impl Entry {
    /// The value is there if one is needed, and is of the kind that the key takes.
    fn check_value(&self, errors: &mut Errors) {
        let fits = match (self.key.takes, &self.value) {
            (Takes::Nothing, None) | (Takes::MaybeExpression, _) => true,
            (Takes::Nothing, Some(_)) => false,
            (Takes::Text | Takes::Time, _) => self.as_text().is_some(),
            (Takes::Path, _) => self.as_path().is_some(),
            (Takes::Module, _) => self.as_module().is_some(),
        };
        if !fits {
            let span = self.value.as_ref().map_or(self.span, Spanned::span);
            errors.at(span, self.key.expected());
        }
    }

    fn as_text(&self) -> Option<&LitStr> {
        match ungroup(self.value.as_ref()?) {
            Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text),
            _ => None,
        }
    }

    fn as_module(&self) -> Option<Path> {
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

/// What a `macro_rules!` fragment hands over is wrapped.
fn ungroup(expr: &Expr) -> &Expr {
    match expr {
        Expr::Group(group) => ungroup(&group.expr),
        other => other,
    }
}

/// What follows a key, which may be nothing. `None` is what never follows one.
fn read_value(
    input: ParseStream<'_>,
    key: Option<&Key>,
    errors: &mut Errors,
) -> syn::Result<Option<Option<Expr>>> {
    if input.peek(token::Paren) {
        let arguments = input.parse::<Group>()?;
        if let Some(key) = key {
            errors.at(arguments.span(), key.expected());
        }
        return Ok(None);
    }
    input.parse::<Option<Token![=]>>()?.map(|_| input.parse()).transpose().map(Some)
}

fn known_key(name: &Ident, place: Place, errors: &mut Errors) -> Option<&'static Key> {
    let text = name.unraw().to_string();
    if let Some(key) = Key::find(&text, place) {
        return Some(key);
    }
    let message = match Key::find(&text, place.other()) {
        Some(_) => format!("`{text}` belongs on {}", place.other().name()),
        None => {
            let taker = if place == Place::Struct { "a struct" } else { place.name() };
            format!(
                "unknown attribute `{text}`, {}",
                hint(&text, &Key::names(place), &format!("{taker} takes"))
            )
        }
    };
    errors.at(name.span(), message);
    None
}

/// The name that was meant, or all that there are.
fn hint(text: &str, names: &[&str], otherwise: &str) -> String {
    match suggest::closest(text, names) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => format!("{otherwise} {}", list(names)),
    }
}

fn key_list(place: Place) -> String {
    list(&Key::names(place))
}

fn list(names: &[&str]) -> String {
    let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    names.join(", ")
}
