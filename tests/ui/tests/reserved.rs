//! Checks the reserved names of fields against the methods that would be called instead.

use std::collections::BTreeSet;
use std::path::Path;

use syn::{Expr, ImplItem, Item, Lit, Type, Visibility};

/// The list contains all methods and no other name.
#[test]
fn the_methods_of_session_are_reserved() {
    assert_eq!(
        reserved("SESSION_METHODS"),
        session_methods(),
        "session-derive/src/reserved.rs, session-runtime/src/session/"
    );
}

#[test]
fn no_name_is_reserved_twice() {
    let (methods, others) = (reserved("SESSION_METHODS"), reserved("COMMON_TRAIT_METHODS"));
    assert!(methods.is_disjoint(&others));
    assert!(methods.contains("session_id") && others.contains("clone"));
}

/// Each reserved name has a case with the message.
#[test]
fn every_reserved_name_has_a_case() {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/reserved-name");
    for name in reserved("SESSION_METHODS").union(&reserved("COMMON_TRAIT_METHODS")) {
        let case = cases.join(name.replace('_', "-")).with_extension("rs");
        assert!(case.exists(), "no case {}", case.display());
    }
}

/// The macro's documentation lists each reserved name.
#[test]
fn every_reserved_name_is_documented() {
    let page = read("../../session-runtime/src/derive.md");
    for name in reserved("SESSION_METHODS").union(&reserved("COMMON_TRAIT_METHODS")) {
        assert!(page.contains(&format!("`{name}`")), "{name} is not on the page");
    }
}

/// Returns the public methods in all blocks `impl<S: Schema> Session<S>`.
fn session_methods() -> BTreeSet<String> {
    let blocks =
        files("../../session-runtime/src/session").flat_map(|file| file.items).filter_map(|item| {
            match item {
                Item::Impl(block) if block.trait_.is_none() && is_session(&block.self_ty) => {
                    Some(block)
                }
                _ => None,
            }
        });
    let items = blocks.flat_map(|block| block.items);
    items
        .filter_map(|item| match item {
            ImplItem::Fn(method) if matches!(method.vis, Visibility::Public(_)) => {
                Some(method.sig.ident.to_string())
            }
            _ => None,
        })
        .collect()
}

/// Returns the parsed files of a folder.
fn files(folder: &str) -> impl Iterator<Item = syn::File> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let paths = std::fs::read_dir(folder).expect("the folder is there");
    let paths = paths.map(|entry| entry.expect("the folder can be read").path());
    let paths = paths.filter(|path| path.extension().is_some_and(|ending| ending == "rs"));
    paths.map(|path| parse(path.to_str().expect("the path is text")))
}

fn is_session(ty: &Type) -> bool {
    matches!(ty, Type::Path(ty) if ty.path.segments.last().is_some_and(|last| last.ident == "Session"))
}

/// Returns the names in one of the lists.
fn reserved(list: &str) -> BTreeSet<String> {
    let file = parse("../../session-derive/src/reserved.rs");
    let found = file.items.into_iter().find_map(|item| match item {
        Item::Const(item) if item.ident == list => Some(*item.expr),
        _ => None,
    });
    let Some(Expr::Reference(reference)) = found else { panic!("no list {list}") };
    let Expr::Array(array) = *reference.expr else { panic!("{list} is not a list") };
    array.elems.into_iter().map(text).collect()
}

fn text(element: Expr) -> String {
    match element {
        Expr::Lit(literal) => match literal.lit {
            Lit::Str(text) => text.value(),
            _ => panic!("not a text"),
        },
        _ => panic!("not a literal"),
    }
}

fn parse(path: &str) -> syn::File {
    syn::parse_file(&read(path)).expect("the source is Rust")
}

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    std::fs::read_to_string(path).expect("the file is there")
}
