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
        help: "the whole suite on real servers, or another COMMAND on them",
        command: &["tests/run"],
    },
    Recipe {
        name: "servers",
        help: "fetches the servers that the suite needs, and prints where they are",
        command: &["tests/run", "--servers-only"],
    },
    Recipe {
        name: "ci",
        help: "all that has to hold before a change goes in, or the STEPs of it; --list",
        command: &[".ci/run"],
    },
    Recipe {
        name: "hygiene",
        help: "features, oldest dependencies and compiler, licences, the public API; [STEP…]",
        command: &["tests/hygiene/run"],
    },
    Recipe {
        name: "counts",
        help: "instructions and allocations of operations, held to what is committed; [FILTER]",
        command: &["tests/perf/run"],
    },
    Recipe {
        name: "compile-time",
        help: "the compiler's time for the derive, beside serde's; [ROUNDS]",
        command: &["tests/perf/compile_time"],
    },
    Recipe {
        name: "mutants",
        help: "changes to the code that no unit test notices; takes an hour or more",
        command: &["tests/mutants"],
    },
    Recipe {
        name: "coverage",
        help: "the lines that the suite runs, file by file",
        command: &["tests/coverage"],
    },
    Recipe {
        name: "spelling",
        help: "misspelt words; [--write-changes]",
        command: &["tests/spelling"],
    },
    Recipe {
        name: "prose",
        help: "the length of sentences, their first words, pronouns; [--sentences RULE] [PATH…]",
        command: &["tests/prose"],
    },
    Recipe {
        name: "guide",
        help: "the guide's pages for GitHub, in guide/; [--check]",
        command: &["tests/guide"],
    },
    Recipe {
        name: "links",
        help: "the documentation's links, on the web too; [--offline]",
        command: &["tests/links"],
    },
    Recipe {
        name: "fuzz",
        help: "fuzzing of all that parses; [SECONDS [TARGET…]]",
        command: &["fuzz/run"],
    },
    Recipe {
        name: "minimise",
        help: "the fewest inputs that reach as much as the fuzz corpora; [TARGET…]",
        command: &["fuzz/minimise"],
    },
    Recipe {
        name: "bench",
        help: "the speed beside other libraries; [--quick]",
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
