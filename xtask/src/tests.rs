//! Checks that the recipes match the scripts.

#![allow(clippy::unwrap_used, reason = "a failure is a failed test")]

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use crate::recipe::{RECIPES, root};

/// Scripts that only other scripts call.
const HELPERS: [&str; 5] = [
    "fuzz/own-coverage",
    "fuzz/unpack",
    "tests/hygiene/rustdoc-json",
    "tests/support/python/environments",
    "tests/wheel",
];

#[test]
fn recipe_names_are_unique() {
    let names: BTreeSet<_> = RECIPES.iter().map(|recipe| recipe.name).collect();
    assert_eq!(names.len(), RECIPES.len());
}

#[test]
fn every_recipe_has_one_line_of_help() {
    for recipe in RECIPES {
        assert!(!recipe.help.is_empty() && !recipe.help.contains('\n'), "{}", recipe.name);
    }
}

#[test]
fn every_recipe_runs_an_executable_script() {
    let scripts = executable_scripts();
    for recipe in RECIPES {
        let program = recipe.command[0];
        assert!(program == "cargo" || scripts.contains(program), "{}: {program}", recipe.name);
    }
}

#[test]
fn every_executable_script_has_a_recipe() {
    let programs: BTreeSet<_> =
        RECIPES.iter().map(|recipe| recipe.command[0]).chain(HELPERS).collect();
    for script in executable_scripts() {
        assert!(programs.contains(script.as_str()), "{script}");
    }
}

#[test]
fn the_workflow_has_the_steps_of_ci() {
    let listed = Command::new(root().join(".ci/run")).arg("--list").output().unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    let steps: Vec<_> = listed.lines().filter_map(|line| line.split(':').next()).collect();
    let workflow = fs::read_to_string(root().join(".github/workflows/ci.yml")).unwrap();
    let jobs = workflow.lines().skip_while(|line| line.trim() != "step:").skip(1);
    let jobs: Vec<_> = jobs.map_while(|line| line.trim().strip_prefix("- ")).collect();
    assert_eq!(jobs, steps);
}

/// The paths start at the root, or in the sources of either crate.
#[test]
fn contributing_names_paths_that_exist() {
    let text = fs::read_to_string(root().join("CONTRIBUTING.md")).unwrap();
    let quoted = text.split('`').skip(1).step_by(2);
    let is_path = |word: &&str| word.contains('/') && !word.contains([' ', '\n']);
    let is_placeholder = |word: &str| word.contains("FOLDER") || word.contains("NAME");
    let paths =
        quoted.filter(is_path).filter(|word| !is_placeholder(word) && !word.starts_with("target"));
    let mut count = 0;
    for path in paths {
        let bases = ["", "session-runtime/src", "session-derive/src"];
        assert!(bases.iter().any(|base| root().join(base).join(path).exists()), "{path}");
        count += 1;
    }
    assert!(count > 20, "{count}");
}

/// Returns paths relative to the root of the project.
fn executable_scripts() -> BTreeSet<String> {
    let mut scripts = BTreeSet::new();
    collect(root(), &mut scripts);
    scripts
}

fn collect(folder: &Path, scripts: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        let metadata = fs::symlink_metadata(&path).unwrap();
        if metadata.is_dir() && entry.file_name() != "target" && entry.file_name() != ".git" {
            collect(&path, scripts);
        } else if metadata.is_file() && metadata.permissions().mode() & 0o111 != 0 {
            scripts.insert(path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned());
        }
    }
}
