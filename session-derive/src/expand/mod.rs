//! The code that the macro writes.
//!
//! Beside the struct stands the companion type; all else is inside one `const _`, where the names `__session`, for the runtime, and
//! `__Specs`, for the field table, meet nobody else's. Everything is named by its whole path: the user's crate may have no prelude,
//! or types of its own called `Option`.

mod generics;
mod hints;

use std::collections::HashSet;
use std::time::Duration;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::{Attribute, Expr, Generics, LitStr, Path, Type};

use crate::ast::{Field, Input, Skipped, Storage};
use crate::attr::{DefaultValue, OnDecodeError};
use crate::lints;
use crate::tokens;

/// The expansion of a struct in which no mistake was found.
pub(crate) fn expand(input: &Input<'_>) -> TokenStream {
    let names = Names::new(input);
    let bounded = generics::bounded(input, &names.owned, &names.this);
    let table = table(input, &names, &bounded);
    let methods = input.fields.iter().map(|field| {
        let (ident, specs) = (field.ident, specs(&names));
        let getter = quote!(__session::field(&self.handle, &#specs.#ident));
        let setter = quote!(__session::set(&self.handle, &#specs.#ident, value));
        methods(field, &names, &getter, &setter)
    });
    let methods = companion_impl(input, &names, &bounded, methods.collect());
    let schema = schema_impl(input, &names, &bounded, &Record::of(input, &names));
    assemble(input, &names, &quote!(#table #methods #schema))
}

/// What stands in after an error: the same names and types without anything behind them, so that the rest of the program has nothing
/// else to complain about.
pub(crate) fn stand_in(input: &Input<'_>) -> TokenStream {
    if input.runtime.is_none() || input.companion == input.item.ident {
        return TokenStream::new();
    }
    let names = Names::new(input);
    let unreachable = quote!(::core::unreachable!());
    let mut seen = HashSet::new();
    let methods = input
        .fields
        .iter()
        .filter(|field| seen.insert(field.ident.to_string()) && seen.insert(field.setter.to_string()))
        .map(|field| methods(field, &names, &unreachable, &unreachable))
        .collect();
    let methods = companion_impl(input, &names, &names.owned, methods);
    let schema = schema_impl(input, &names, &names.owned, &Record::stand_in());
    assemble(input, &names, &quote!(#methods #schema))
}

/// What several parts name.
struct Names<'a> {
    /// Lifetimes, which are only there after an error.
    lifetimes: Vec<&'a Ident>,
    /// The struct's parameters, with `T: 'static`.
    owned: Generics,
    /// The struct's type.
    this: TokenStream,
    /// The companion's type.
    companion: TokenStream,
    runtime: TokenStream,
}

impl<'a> Names<'a> {
    fn new(input: &Input<'a>) -> Self {
        let owned = generics::owned(input);
        let (ident, arguments) = (&input.companion, owned.split_for_impl().1);
        let companion = quote!(#ident #arguments);
        Self {
            lifetimes: input.item.generics.lifetimes().map(|lifetime| &lifetime.lifetime.ident).collect(),
            companion,
            this: generics::this(input),
            runtime: input.runtime.to_token_stream(),
            owned,
        }
    }

    /// The declaration of a field that names the type parameters, if there are any. It is `Send` and `Sync` whatever they are.
    fn parameters_field(&self, name: &TokenStream) -> Option<TokenStream> {
        let types: Vec<_> = self.owned.type_params().map(|param| &param.ident).collect();
        (!types.is_empty()).then(|| quote!(#name: ::core::marker::PhantomData<fn() -> (#(*const #types,)*)>,))
    }

    fn parameters_value(&self, name: &TokenStream) -> Option<TokenStream> {
        self.parameters_field(name).map(|_| quote!(#name: ::core::marker::PhantomData))
    }
}

/// The companion type, and the block around all else.
fn assemble(input: &Input<'_>, names: &Names<'_>, content: &TokenStream) -> TokenStream {
    let (companion, runtime, owned) = (&input.companion, &names.runtime, &names.owned);
    let (vis, allowed) = (tokens::as_expanded(&input.item.vis), lints::allowed(input.item));
    let where_clause = &owned.where_clause;
    let parameters = names.parameters_field(&quote!(parameters));
    let doc =
        format!(" The fields of a [`{}`] session: a getter and a setter each.", input.item.ident.unraw());
    quote! {
        #[doc = #doc]
        #allowed
        #vis struct #companion #owned #where_clause {
            handle: #runtime::__private::SessionHandle,
            #parameters
        }

        #allowed
        const _: () = {
            use #runtime::__private as __session;
            #content
        };
    }
}

/// The one table: a struct, so that the compiler looks an entry up by name and not by its place among hundreds.
fn table(input: &Input<'_>, names: &Names<'_>, bounded: &Generics) -> TokenStream {
    let this = &names.this;
    let (declared, arguments, where_clause) = names.owned.split_for_impl();
    let (impl_generics, _, bounds) = bounded.split_for_impl();
    let idents: Vec<_> = input.fields.iter().map(|field| tokens::as_expanded(field.ident)).collect();
    let types = input.fields.iter().map(|field| tokens::without_self(field.ty, this));
    let specs = input.fields.iter().map(|field| spec(field));
    let parameters = names.parameters_field(&quote!(__parameters));
    let no_parameters = names.parameters_value(&quote!(__parameters));
    quote! {
        struct __Specs #declared #where_clause {
            #(#idents: __session::FieldSpec<#types>,)*
            #parameters
        }

        impl #impl_generics #this #bounds {
            const __SESSION_SPECS: &'static __Specs #arguments =
                &__Specs { #(#idents: #specs,)* #no_parameters };
        }
    }
}

/// The table.
fn specs(names: &Names<'_>) -> TokenStream {
    let this = &names.this;
    quote!(<#this>::__SESSION_SPECS)
}

/// An entry of the table.
fn spec(field: &Field<'_>) -> TokenStream {
    let storage = storage(field);
    let alias = field.alias.iter();
    let lenient =
        (field.on_decode_error == OnDecodeError::Default).then(|| quote!(.default_on_decode_error()));
    let ttl = field.ttl.map(milliseconds).into_iter();
    quote!(#storage #(.with_alias(#alias))* #lenient #(.with_ttl(#ttl))*)
}

fn milliseconds(time: Duration) -> TokenStream {
    // The attribute has no more than 64 bits of them.
    let millis = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    quote!(::core::time::Duration::from_millis(#millis))
}

fn storage(field: &Field<'_>) -> TokenStream {
    let (ty, name) = (field.ty, &field.stored);
    let default = field.default.as_ref().map(|default| default_fn(field, default));
    let expression = default.as_ref().filter(|_| matches!(field.default, Some(DefaultValue::Expression(_))));
    match (&field.storage, field.content(), expression) {
        (Storage::Value, ..) => value(ty, name, default),
        (Storage::Json, ..) if hints::is_borrowed_text(ty) => value(ty, name, default),
        (Storage::Json, None, None) => call("json", ty, &quote!(#name)),
        (Storage::Json, None, Some(default)) => call("json_or", ty, &quote!(#name, #default)),
        (Storage::Json, Some(content), None) => call("json_option", content, &quote!(#name)),
        (Storage::Json, Some(content), Some(default)) => {
            call("json_option_or", content, &quote!(#name, #default))
        }
        (Storage::With(module), content, default) => {
            let (decode, encode) = codec(module, content.is_some());
            let function = if default.is_some() { "with_or" } else { "with" };
            let default = default.into_iter();
            call_of(function, ty, &TokenStream::new(), &quote!(#name, #decode, #encode #(, #default)*))
        }
    }
}

fn value(ty: &Type, name: &str, default: Option<TokenStream>) -> TokenStream {
    let hint = hints::suffix(ty);
    match default {
        None => call(&format!("value{hint}"), ty, &quote!(#name)),
        Some(default) => call(&format!("value_or{hint}"), ty, &quote!(#name, #default)),
    }
}

/// The module's functions, as functions of the field's type. What does not fit them is marked at the module's name.
fn codec(module: &Path, optional: bool) -> (TokenStream, TokenStream) {
    let span = tokens::expanded(tokens::ends(module).1);
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

/// A call of a function that infers how the type is stored.
fn call(function: &str, ty: &Type, arguments: &TokenStream) -> TokenStream {
    call_of(function, ty, &quote!(_), arguments)
}

/// A call with the type between its angle brackets, that stands where the type does: a type that cannot be stored is marked there, whole.
fn call_of(function: &str, ty: &Type, how: &TokenStream, arguments: &TokenStream) -> TokenStream {
    let (first, last) = tokens::ends(ty);
    let function = Ident::new(function, first);
    let start = quote_spanned!(first=> __session::#function::<);
    let end = quote_spanned!(last=> , #how>(#arguments));
    quote!(#start #ty #end)
}

fn default_fn(field: &Field<'_>, default: &DefaultValue) -> TokenStream {
    let ty = field.ty;
    match default {
        DefaultValue::OfType => quote!(<#ty as ::core::default::Default>::default),
        DefaultValue::Expression(value) => closure(ty, value),
    }
}

/// A block is the closure's own, and parentheses go: there would be one pair too many, and a lint that says so.
fn closure(ty: &Type, value: &Expr) -> TokenStream {
    match value {
        Expr::Paren(paren) if paren.attrs.is_empty() => closure(ty, &paren.expr),
        Expr::Block(block) if block.attrs.is_empty() && block.label.is_none() => quote!(|| -> #ty #block),
        _ => quote!(|| -> #ty { #value }),
    }
}

/// What a field that is not stored is made of.
fn default_of_skipped(field: &Skipped<'_>) -> TokenStream {
    match &field.default {
        Some(DefaultValue::Expression(value)) => {
            let default = closure(field.ty, value);
            quote!(__session::skipped_or(#default))
        }
        Some(DefaultValue::OfType) | None => {
            call_of("skipped", field.ty, &TokenStream::new(), &TokenStream::new())
        }
    }
}

fn methods(
    field: &Field<'_>,
    names: &Names<'_>,
    getter_body: &TokenStream,
    setter_body: &TokenStream,
) -> TokenStream {
    let (vis, setter) = (tokens::as_expanded(field.vis), &field.setter);
    let ty = tokens::without_lifetimes(tokens::without_self(field.ty, &names.this), &names.lifetimes);
    let ty = if tokens::elides_lifetime(field.ty) { tokens::with_static_references(ty) } else { ty };
    let docs = Docs::of(field);
    let (getter_docs, setter_docs) = (docs.getter(), docs.setter());
    // Where a message says that the method is defined.
    let at_field = tokens::expanded(field.ident.span());
    let getter = tokens::as_expanded(field.ident);
    let getter = quote_spanned!(at_field=> fn #getter(&self) -> __session::Field<'_, #ty>);
    let setter = quote_spanned! {at_field=>
        fn #setter<__V: __session::IntoField<#ty>>(&self, value: __V) -> __session::Operation<'_, ()>
    };
    quote! {
        #getter_docs
        #vis #getter {
            #getter_body
        }

        #setter_docs
        #vis #setter {
            #setter_body
        }
    }
}

/// A field's own documentation, which both of its methods carry.
struct Docs<'a> {
    name: Ident,
    attrs: Vec<&'a Attribute>,
    is_documented: bool,
}

impl<'a> Docs<'a> {
    fn of(field: &'a Field<'_>) -> Self {
        let carried = |attr: &&Attribute| attr.path().is_ident("doc") || attr.path().is_ident("deprecated");
        let attrs: Vec<_> = field.attrs.iter().filter(carried).collect();
        let is_documented = attrs.iter().any(|attr| attr.path().is_ident("doc"));
        Self { name: field.ident.unraw(), attrs, is_documented }
    }

    fn getter(&self) -> TokenStream {
        let attrs = &self.attrs;
        let doc = format!(" The field `{}`, read when it is awaited.", self.name);
        let doc = (!self.is_documented).then(|| quote!(#[doc = #doc]));
        quote!(#doc #(#attrs)*)
    }

    fn setter(&self) -> TokenStream {
        let attrs = &self.attrs;
        let doc = format!(" Sets the field `{}`.", self.name);
        let gap = self.is_documented.then(|| quote!(#[doc = ""]));
        quote!(#[doc = #doc] #gap #(#attrs)*)
    }
}

fn companion_impl(
    input: &Input<'_>,
    names: &Names<'_>,
    bounded: &Generics,
    methods: TokenStream,
) -> TokenStream {
    let companion = &names.companion;
    let name = input.companion.unraw().to_string();
    let (impl_generics, _, bounds) = bounded.split_for_impl();
    let (declared, _, where_clause) = names.owned.split_for_impl();
    quote! {
        impl #impl_generics #companion #bounds {
            #methods
        }

        #[automatically_derived]
        impl #declared ::core::fmt::Debug for #companion #where_clause {
            fn fmt(&self, formatter: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                formatter.debug_tuple(#name).field(&self.handle).finish()
            }
        }
    }
}

/// The struct as a whole: the names that it is stored under, and how it is read and written.
struct Record {
    consts: TokenStream,
    load: TokenStream,
    save: TokenStream,
}

impl Record {
    fn of(input: &Input<'_>, names: &Names<'_>) -> Self {
        let specs = specs(names);
        let values = values();
        let idents: Vec<_> = input.fields.iter().map(|field| field.ident).collect();
        let skipped: Vec<_> = input.skipped.iter().map(|field| field.ident).collect();
        let defaults = input.skipped.iter().map(default_of_skipped);
        Self {
            consts: consts(input),
            load: quote! {
                ::core::result::Result::Ok(Self {
                    #(#idents: #values.take(&#specs.#idents)?,)*
                    #(#skipped: #defaults,)*
                })
            },
            save: quote! {
                #(changes.set(&#specs.#idents, &record.#idents)?;)*
                ::core::result::Result::Ok(())
            },
        }
    }

    fn stand_in() -> Self {
        let unreachable = quote!(::core::unreachable!());
        Self { consts: names_const("STORED_NAMES", &[]), load: unreachable.clone(), save: unreachable }
    }
}

/// What is not as the trait has it by itself.
fn consts(input: &Input<'_>) -> TokenStream {
    let stored: Vec<_> = input.fields.iter().map(|field| field.stored.clone()).collect();
    let with_alias = |field: &Field<'_>| {
        [Some(field.stored.clone()), field.alias.as_ref().map(LitStr::value)].into_iter().flatten()
    };
    let read: Vec<_> = input.fields.iter().flat_map(with_alias).collect();
    let read_names = (read != stored).then(|| names_const("READ_NAMES", &read));
    let stored_names = names_const("STORED_NAMES", &stored);
    let has_ttl = input.fields.iter().any(|field| field.ttl.is_some());
    let has_ttl = has_ttl.then(|| {
        quote!(
            const HAS_TTL: ::core::primitive::bool = true;
        )
    });
    quote!(#stored_names #read_names #has_ttl)
}

fn names_const(name: &str, names: &[String]) -> TokenStream {
    let name = Ident::new(name, Span::call_site());
    quote!(const #name: &'static [&'static ::core::primitive::str] = &[#(#names),*];)
}

/// A name that the default of a skipped field does not see.
fn values() -> Ident {
    Ident::new("values", Span::mixed_site())
}

fn schema_impl(input: &Input<'_>, names: &Names<'_>, bounded: &Generics, record: &Record) -> TokenStream {
    let Record { consts, load, save } = record;
    let values = values();
    let (this, companion, companion_ident) = (&names.this, &names.companion, &input.companion);
    let no_parameters = names.parameters_value(&quote!(parameters));
    let (impl_generics, _, bounds) = bounded.split_for_impl();
    quote! {
        #[automatically_derived]
        impl #impl_generics __session::Schema for #this #bounds {
            type Fields = #companion;

            #consts

            fn fields(handle: __session::SessionHandle) -> Self::Fields {
                #companion_ident { handle, #no_parameters }
            }

            fn handle(fields: &Self::Fields) -> &__session::SessionHandle {
                &fields.handle
            }

            fn load(#values: &mut __session::Values) -> ::core::result::Result<Self, __session::Error> {
                #load
            }

            fn save(record: &Self, changes: &mut __session::Changes) -> ::core::result::Result<(), __session::Error> {
                #save
            }
        }
    }
}
