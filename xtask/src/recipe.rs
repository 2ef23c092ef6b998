//! The recipes of `cargo xtask`.

use std::env;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

/// A script with a name for `cargo xtask`.
pub(crate) struct Recipe {
    pub(crate) name: &'static str,
    /// One line for the list of recipes.
    pub(crate) help: &'static str,
    /// The program, relative to the root of the project, and its first arguments. `cargo` is found
    /// on `PATH`.
    pub(crate) command: &'static [&'static str],
}

pub(crate) const RECIPES: &[Recipe] = &[
    Recipe {
        name: "test",
        help: "runs all tests on real servers, or another COMMAND with these servers",
        command: &["tests/run"],
    },
    Recipe {
        name: "servers",
        help: "fetches the servers for the tests, and prints their paths",
        command: &["tests/run", "--servers-only"],
    },
    Recipe {
        name: "ci",
        help: "runs all checks that a change must pass, or some steps; [STEP…] or --list",
        command: &[".ci/run"],
    },
    Recipe {
        name: "hygiene",
        help: "checks features, oldest dependencies and compiler, licences, the public API; \
               [STEP…]",
        command: &["tests/hygiene/run"],
    },
    Recipe {
        name: "ecosystem",
        help: "runs the tests of tower-sessions, axum-login and axum-messages on these sessions; \
               [--examples]",
        command: &["tests/ecosystem/run"],
    },
    Recipe {
        name: "alerts",
        help: "checks the alert rules and the dashboard of examples/metrics with promtool",
        command: &["tests/alerts"],
    },
    Recipe {
        name: "counts",
        help: "compares instructions and allocations of operations with the committed numbers; \
               [FILTER]",
        command: &["tests/perf/run"],
    },
    Recipe {
        name: "compile-time",
        help: "compares the compile time of the derive with serde's; [ROUNDS]",
        command: &["tests/perf/compile_time"],
    },
    Recipe {
        name: "mutants",
        help: "finds changes to the code that no unit test notices; takes an hour or more",
        command: &["tests/mutants"],
    },
    Recipe {
        name: "coverage",
        help: "shows the share of lines that the tests run, file by file",
        command: &["tests/coverage"],
    },
    Recipe {
        name: "spelling",
        help: "finds misspelled words; [--write-changes]",
        command: &["tests/spelling"],
    },
    Recipe {
        name: "prose",
        help: "measures sentences, their first words and pronouns; [--sentences RULE] [PATH…]",
        command: &["tests/prose"],
    },
    Recipe {
        name: "guide",
        help: "writes the guide's pages for GitHub, in guide/; [--check]",
        command: &["tests/guide"],
    },
    Recipe {
        name: "links",
        help: "checks the links of the documentation, also on the web; [--offline]",
        command: &["tests/links"],
    },
    Recipe {
        name: "fuzz",
        help: "fuzzes all parsers; [SECONDS [TARGET…]]",
        command: &["fuzz/run"],
    },
    Recipe {
        name: "minimise",
        help: "reduces the fuzz corpora to the inputs that add coverage; [TARGET…]",
        command: &["fuzz/minimise"],
    },
    Recipe {
        name: "bench",
        help: "compares the speed with other libraries; [--quick]",
        command: &["cargo", "run", "--release", "--manifest-path", "benches/Cargo.toml", "--"],
    },
];

impl Recipe {
    /// Runs the command with further arguments, and returns its exit status.
    pub(crate) fn run(&self, arguments: impl Iterator<Item = OsString>) -> io::Result<ExitCode> {
        let mut command = Command::new(self.program());
        command.args(&self.command[1..]).args(arguments).current_dir(root());
        for (variable, _) in env::vars_os().filter(|(variable, _)| is_of_this_crate(variable)) {
            command.env_remove(variable);
        }
        let code = command.status()?.code();
        Ok(code.and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from))
    }

    pub(crate) fn program(&self) -> PathBuf {
        match self.command[0] {
            "cargo" => "cargo".into(),
            script => root().join(script),
        }
    }
}

/// Returns whether cargo set this variable to describe the crate that it runs. Build scripts that
/// read such a variable would run again.
fn is_of_this_crate(variable: &OsString) -> bool {
    let variable = variable.to_string_lossy();
    variable == "CARGO"
        || ["CARGO_MANIFEST_", "CARGO_PKG_"].iter().any(|prefix| variable.starts_with(prefix))
}

pub(crate) fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}
