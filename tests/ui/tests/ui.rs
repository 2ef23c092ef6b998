//! Checks the compiler's messages. Each mistake gets a single message, at the right words. The
//! cases are in `cases/`, with a folder for each kind of mistake.
//!
//! The messages depend on the compiler. With another version the test is skipped, or fails with
//! `SESSION_UI_REQUIRED=1`. `TRYBUILD=overwrite cargo test -p session-ui-tests` updates the
//! messages.

use std::env;
use std::process::Command;

/// Compiler version of the messages in `cases/**/*.stderr`.
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
