//! A single entry point for the project's scripts.
//!
//! `cargo xtask` lists the recipes. `cargo xtask RECIPE ARGUMENTS…` runs a recipe with these
//! arguments.

mod recipe;
#[cfg(all(test, unix))]
mod tests;

use std::env;
use std::ffi::OsString;
use std::process::ExitCode;

use recipe::{RECIPES, Recipe};

fn main() -> ExitCode {
    let mut arguments = env::args_os().skip(1);
    match arguments.next() {
        None => {
            print!("{}", list());
            ExitCode::SUCCESS
        }
        Some(name) => run(&name.to_string_lossy(), arguments),
    }
}

fn run(name: &str, arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let Some(recipe) = RECIPES.iter().find(|recipe| recipe.name == name) else {
        eprint!("no such recipe: {name}\n\n{}", list());
        return ExitCode::from(2);
    };
    recipe.run(arguments).unwrap_or_else(|error| {
        eprintln!("{}: {error}", recipe.command[0]);
        ExitCode::FAILURE
    })
}

fn list() -> String {
    let width = RECIPES.iter().map(|recipe| recipe.name.len()).max().unwrap_or(0);
    let line = |Recipe { name, help, .. }: &Recipe| format!("    {name:width$}   {help}\n");
    let lines: String = RECIPES.iter().map(line).collect();
    format!("cargo xtask RECIPE [ARGUMENTS]\n\n{lines}")
}
