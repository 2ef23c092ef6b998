//! The floors of the crate: the imports that each folder may have.
//!
//! `ARCHITECTURE.md` describes the content of each folder.

mod imports;
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use imports::{Import, Sources};

/// The folders from the bottom to the top, each with the folders that it may import. All of these
/// stand further down, so there is no cycle.
const FLOORS: &[(&str, &[&str])] = &[
    ("clock", &[]),
    ("error", &[]),
    ("background", &[]),
    ("operation", &["error"]),
    ("random", &["error"]),
    ("encryption", &["error", "random"]),
    ("value", &["encryption", "error"]),
    ("id", &["error", "random"]),
    ("telemetry", &["error", "id"]),
    ("store", &["background", "clock", "error", "id", "operation", "telemetry", "value"]),
    ("config", &["error", "id", "random", "store"]),
    ("lifecycle", &["config", "error", "id", "store", "telemetry"]),
    ("http", &["config", "error", "id", "lifecycle"]),
    (
        "request",
        &[
            "background",
            "clock",
            "config",
            "encryption",
            "error",
            "http",
            "id",
            "lifecycle",
            "operation",
            "random",
            "store",
            "telemetry",
        ],
    ),
    (
        "session",
        &[
            "background",
            "clock",
            "config",
            "encryption",
            "error",
            "http",
            "id",
            "lifecycle",
            "operation",
            "request",
            "store",
            "telemetry",
            "value",
        ],
    ),
    ("private", &["error", "operation", "request", "session", "value"]),
    ("blocking", &["background", "error", "operation", "session"]),
    ("adapter", &["error", "http", "operation", "request", "session"]),
    ("invisible", &[]),
    ("admin", &["adapter", "background", "error", "id", "invisible", "request", "session"]),
    (
        "cli",
        &[
            "config",
            "encryption",
            "error",
            "id",
            "invisible",
            "lifecycle",
            "random",
            "request",
            "session",
            "store",
        ],
    ),
    ("bin", &["cli"]),
    ("testing", &["clock", "config", "error", "id", "operation", "session", "store"]),
];

/// Folders within a floor that must not import from each other.
const APART: &[(&str, &str)] = &[
    ("store/memory", "store/redis"),
    ("store/redis", "store/memory"),
    ("store/redis/net", "store/redis/commands"),
    ("store/redis/protocol", "store/redis/commands"),
    ("store/redis/protocol", "store/redis/net"),
];

#[test]
fn imports_run_downwards() {
    let wrong = wrong_imports(&Sources::of_this_crate().imports());
    assert!(
        wrong.is_empty(),
        "{}\nMove the code to another folder, or pass the value in. See the floors in ARCHITECTURE.md",
        wrong.join("\n")
    );
}

#[test]
fn floors_are_without_a_circle() {
    for (at, (name, allowed)) in FLOORS.iter().enumerate() {
        for import in *allowed {
            assert!(
                FLOORS[..at].iter().any(|(below, _)| below == import),
                "{name} stands beneath {import}"
            );
        }
    }
}

#[test]
fn every_allowed_import_is_made() {
    let imports = Sources::of_this_crate().imports();
    let made: BTreeSet<_> =
        imports.iter().map(|import| (folder(&import.file), folder(&import.target))).collect();
    let allowed = FLOORS.iter().flat_map(|(from, to)| to.iter().map(move |to| (*from, *to)));
    let unused: Vec<_> = allowed
        .filter(|(from, to)| !made.contains(&((*from).to_owned(), (*to).to_owned())))
        .collect();
    assert_eq!(unused, []);
}

#[test]
fn files_import_each_other_only_as_parent_and_child() {
    let mut graph = BTreeMap::<PathBuf, BTreeSet<PathBuf>>::new();
    for Import { file, target } in Sources::of_this_crate().imports() {
        if !is_within(&file, &target) && !is_within(&target, &file) {
            graph.entry(file).or_default().insert(target);
        }
    }
    let circles = graph.keys().filter_map(|start| {
        let circle = way(&graph, start, start, &mut BTreeSet::new())?;
        let names: Vec<_> = circle.iter().map(|file| file.display().to_string()).collect();
        Some(format!("{} -> {}", names.join(" -> "), start.display()))
    });
    let circles: Vec<_> = circles.collect();
    assert!(circles.is_empty(), "circles of imports:\n{}", circles.join("\n"));
}

/// The table of the document has the same rows. A packaged crate comes without the document.
#[test]
fn the_document_has_the_same_floors() {
    let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ARCHITECTURE.md");
    let Ok(document) = fs::read_to_string(document) else { return };
    let rows = document.lines().skip_while(|line| *line != "## Floors");
    let rows = rows.skip_while(|line| !line.starts_with("| `")).take_while(|line| !line.is_empty());
    let mut above = Vec::new();
    for (row, (name, allowed)) in rows.map(row).zip(FLOORS) {
        let (folder, imports) = row;
        assert_eq!(folder, *name, "the order of the floors");
        assert_eq!(allowed_by(&imports, &above), *allowed, "{name}");
        above.push(folder);
    }
    assert_eq!(above.len(), FLOORS.len());
}

/// Returns the folder of a row, and the cell of its imports.
fn row(line: &str) -> (String, String) {
    let cells: Vec<_> = line.split('|').map(str::trim).collect();
    (cells[1].trim_matches('`').to_owned(), cells[3].to_owned())
}

/// Returns the folders of a cell, in alphabetical order.
fn allowed_by(cell: &str, above: &[String]) -> Vec<String> {
    let named = |names: &str| names.split(", ").map(str::to_owned).collect::<Vec<_>>();
    let mut allowed = match cell.strip_prefix("all above") {
        Some(rest) => {
            let except = named(rest.strip_prefix(" but ").unwrap_or_default());
            above.iter().filter(|name| !except.contains(name)).cloned().collect()
        }
        None if cell.is_empty() => Vec::new(),
        None => named(cell),
    };
    allowed.sort();
    allowed
}

/// Returns the imports that [`FLOORS`] and [`APART`] do not allow.
fn wrong_imports(imports: &BTreeSet<Import>) -> Vec<String> {
    let wrong = imports.iter().filter(|import| !is_allowed(import));
    wrong
        .map(|Import { file, target }| format!("{} imports {}", file.display(), target.display()))
        .collect()
}

fn is_allowed(Import { file, target }: &Import) -> bool {
    let (from, to) = (folder(file), folder(target));
    let Some((_, allowed)) = FLOORS.iter().find(|(name, _)| *name == from) else { return false };
    let is_apart = APART.iter().any(|(from, to)| file.starts_with(from) && target.starts_with(to));
    !is_apart && (from == to || allowed.contains(&&*to))
}

/// Returns the files from `from` to an importer of `to`.
fn way(
    graph: &BTreeMap<PathBuf, BTreeSet<PathBuf>>,
    from: &Path,
    to: &Path,
    seen: &mut BTreeSet<PathBuf>,
) -> Option<Vec<PathBuf>> {
    let imports = graph.get(from)?;
    if imports.contains(to) {
        return Some(vec![from.to_owned()]);
    }
    for next in imports {
        if seen.insert(next.clone())
            && let Some(rest) = way(graph, next, to, seen)
        {
            return Some([vec![from.to_owned()], rest].concat());
        }
    }
    None
}

/// Returns whether a file is a module of the other file.
fn is_within(file: &Path, parent: &Path) -> bool {
    parent.file_name().is_some_and(|name| name == "mod.rs")
        && parent.parent().is_some_and(|folder| file.starts_with(folder))
}

/// Returns the first part of a path, without the extension of a file.
fn folder(file: &Path) -> String {
    let first = file.iter().next().unwrap_or_default().to_string_lossy();
    first.trim_end_matches(".rs").to_owned()
}
