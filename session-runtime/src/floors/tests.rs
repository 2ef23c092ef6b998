//! Tests that find imports upwards, in every notation.

use std::path::Path;

use super::imports::Sources;
use super::wrong_imports;

/// Returns the wrong imports of a small crate with this text in `store/mod.rs`.
fn wrong_in_store(text: &str) -> Vec<String> {
    let mut sources = Sources::default();
    let root = "pub use session::Session; pub mod batch { pub use crate::session::Batch; }";
    for (file, text) in [
        ("lib.rs", root),
        ("error/mod.rs", "pub struct Error;"),
        (
            "session/mod.rs",
            "pub struct Session; pub struct Batch; #[macro_export] macro_rules! write_session { () => {} }",
        ),
        ("store/mod.rs", text),
    ] {
        sources.add(Path::new(file), text);
    }
    wrong_imports(&sources.imports())
}

#[test]
fn an_import_downwards_is_right() {
    assert_eq!(
        wrong_in_store("use crate::error::Error; type Other = super::error::Error;"),
        [""; 0]
    );
}

#[test]
fn an_import_upwards_is_named_with_both_files() {
    for text in [
        "use crate::session::Session;",
        "use super::session::Session;",
        "use crate::{error::Error, session::Session as Other};",
        "use crate::Session;",
        "use crate::batch::Batch;",
        "type Other = crate::session::Session;",
        "type Other = session_runtime::Session;",
        "fn other() { let _ = crate::session::Session; }",
        "mod inner { use super::super::session::Session; }",
        "fn other() { print(vec![crate::session::Session]); }",
        "fn other() { crate::write_session!(); }",
        "macro_rules! other { () => { $crate::session::Session } }",
    ] {
        assert_eq!(wrong_in_store(text), ["store/mod.rs imports session/mod.rs"], "{text}");
    }
}

#[test]
fn an_import_of_the_whole_crate_is_wrong() {
    for text in [
        "use crate::*;",
        "use super::*;",
        "use crate as root;",
        "use crate::{self as root};",
        "extern crate self as root;",
        "fn other() { let _ = crate::unknown; }",
    ] {
        assert_eq!(wrong_in_store(text), ["store/mod.rs imports lib.rs"], "{text}");
    }
}

#[test]
fn tests_may_import_all() {
    assert_eq!(wrong_in_store("#[cfg(test)] mod tests { use crate::session::Session; }"), [""; 0]);
}
