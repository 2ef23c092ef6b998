//! One mistake, one message, on the right words: every case in `cases/`, a folder for each kind of
//! mistake.
//!
//! The messages are those of one compiler. Under another one the test is left out, unless
//! `SESSION_UI_REQUIRED=1` is set: then it fails. `TRYBUILD=overwrite cargo test -p
//! session-ui-tests` writes them anew.

use std::env;
use std::process::Command;

/// The compiler whose messages `cases/**/*.stderr` hold.
const COMPILER: &str = "rustc 1.95.";

#[test]
fn messages() {
    let compiler = compiler();
    if !compiler.starts_with(COMPILER) {
        let note = format!("the messages are pinned to {COMPILER}x, this is {compiler}");
        assert!(
            env::var_os("SESSION_UI_REQUIRED").is_none_or(|required| required != "1"),
            "{note}"
        );
        println!("skipped: {note}");
        return;
    }
    trybuild::TestCases::new().compile_fail("tests/cases/*/*.rs");
}

fn compiler() -> String {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).arg("--version").output().expect("rustc runs");
    String::from_utf8(output.stdout).expect("rustc speaks UTF-8")
}
