//! The floors of the crate: the imports that each folder may have.
//!
//! Reads every path of the sources that begins with `crate`, `super` or `self`, and follows
//! re-exports to the file that defines the name. `ARCHITECTURE.md` says what is in each folder.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use syn::visit::Visit;

/// The folders, from the bottom to the top, each with the folders that it may import. Each of
/// these stands further down, so that there is no circle.
const FLOORS: &[(&str, &[&str])] = &[
    ("clock", &[]),
    ("error", &[]),
    ("background", &[]),
    ("operation", &["error"]),
    ("random", &["error"]),
    ("value", &["error"]),
    ("id", &["error", "random"]),
    ("telemetry", &["error", "id", "operation"]),
    ("store", &["background", "clock", "error", "id", "operation", "random", "telemetry", "value"]),
    ("config", &["error", "id", "random", "store"]),
    ("lifecycle", &["config", "error", "id", "store", "telemetry"]),
    ("http", &["clock", "config", "error", "id", "lifecycle"]),
    (
        "request",
        &[
            "clock",
            "config",
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
            "clock",
            "config",
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
    ("private", &["error", "operation", "request", "session", "store", "value"]),
    ("blocking", &["background", "error", "operation", "session"]),
    ("adapter", &["error", "http", "operation", "request", "session"]),
    ("testing", &["clock", "config", "error", "id", "operation", "request", "session", "store"]),
];

#[test]
fn imports_run_downwards() {
    let sources = Sources::read();
    let mut wrong = Vec::new();
    for (file, target) in sources.imports() {
        let (from, to) = (folder(&file), folder(&target));
        let allowed = FLOORS.iter().find(|(name, _)| *name == from).map(|(_, allowed)| *allowed);
        match allowed {
            None => wrong.push(format!("{from}: no floor of this name, see `FLOORS`")),
            Some(allowed) if from != to && !allowed.contains(&&*to) => {
                wrong.push(format!("{} imports {}", file.display(), target.display()));
            }
            Some(_) => {}
        }
    }
    assert!(wrong.is_empty(), "imports that the floors do not allow:\n{}", wrong.join("\n"));
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
fn files_import_each_other_only_as_parent_and_child() {
    let sources = Sources::read();
    let mut graph = BTreeMap::<PathBuf, BTreeSet<PathBuf>>::new();
    for (file, target) in sources.imports() {
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

/// The files from `from` to one that imports `to`.
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

/// Returns whether a file is a module of the other one.
fn is_within(file: &Path, parent: &Path) -> bool {
    parent.file_name().is_some_and(|name| name == "mod.rs")
        && parent.parent().is_some_and(|folder| file.starts_with(folder))
}

/// The first part of a path, without the ending of a file.
fn folder(file: &Path) -> String {
    let first = file.iter().next().unwrap_or_default().to_string_lossy();
    first.trim_end_matches(".rs").to_owned()
}

/// The parsed sources, by module.
struct Sources {
    modules: BTreeMap<Vec<String>, Module>,
}

struct Module {
    file: PathBuf,
    paths: Vec<Vec<String>>,
    reexports: BTreeMap<String, Vec<String>>,
}

impl Sources {
    fn read() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let mut sources = Self { modules: BTreeMap::new() };
        sources.read_folder(&root, &root);
        sources
    }

    fn read_folder(&mut self, root: &Path, folder: &Path) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                self.read_folder(root, &path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                self.read_file(path.strip_prefix(root).unwrap(), &path);
            }
        }
    }

    fn read_file(&mut self, file: &Path, path: &Path) {
        let parsed = syn::parse_file(&fs::read_to_string(path).unwrap()).unwrap();
        let module = module_of(file);
        let mut paths =
            Paths { module: module.clone(), paths: Vec::new(), reexports: BTreeMap::new() };
        paths.visit_file(&parsed);
        let Paths { paths, reexports, .. } = paths;
        self.modules.insert(module, Module { file: file.to_owned(), paths, reexports });
    }

    /// Each file with each other file that it imports something of. The crate's root, its tests
    /// and the guide, which is documentation, stand outside the floors.
    fn imports(&self) -> BTreeSet<(PathBuf, PathBuf)> {
        let is_counted = |file: &Path| {
            !["lib", "guide", "floors"].contains(&&*folder(file))
                && !file.iter().any(|part| part == "tests" || part == "tests.rs")
        };
        let modules = self.modules.values().filter(|module| is_counted(&module.file));
        modules
            .flat_map(|module| {
                module.paths.iter().map(|path| (module.file.clone(), self.resolve(path)))
            })
            // Macros are exported at the crate's root, wherever they are defined.
            .filter(|(file, target)| file != target && folder(target) != "lib")
            .collect()
    }

    /// The file that defines the name at the end of a path.
    fn resolve(&self, path: &[String]) -> PathBuf {
        let depth =
            (0..=path.len()).rev().find(|at| self.modules.contains_key(&path[..*at])).unwrap();
        let module = &self.modules[&path[..depth]];
        match path.get(depth).and_then(|name| module.reexports.get(name)) {
            Some(target) if target[..] != path[..] => {
                self.resolve(&[target, &path[depth + 1..]].concat())
            }
            _ => module.file.clone(),
        }
    }
}

/// The path of a file's module. The crate's root is empty.
fn module_of(file: &Path) -> Vec<String> {
    let mut parts: Vec<_> =
        file.with_extension("").iter().map(|part| part.to_string_lossy().into_owned()).collect();
    if parts.last().is_some_and(|last| last == "mod" || last == "lib") {
        parts.pop();
    }
    parts
}

/// Collects the paths of a file that lead into this crate, from its root.
struct Paths {
    module: Vec<String>,
    paths: Vec<Vec<String>>,
    reexports: BTreeMap<String, Vec<String>>,
}

impl Paths {
    /// The path from the crate's root, if it leads into the crate.
    fn absolute(&self, path: &[String]) -> Option<Vec<String>> {
        let mut base = match &*path[0] {
            "crate" => Vec::new(),
            "self" => self.module.clone(),
            "super" => self.module.split_last()?.1.to_vec(),
            _ => return None,
        };
        let mut rest = &path[1..];
        while rest.first().is_some_and(|part| part == "super") {
            base.pop();
            rest = &rest[1..];
        }
        Some([base, rest.to_vec()].concat())
    }

    fn add_tree(&mut self, tree: &syn::UseTree, before: &[String], is_reexport: bool) {
        match tree {
            syn::UseTree::Path(path) => {
                self.add_tree(
                    &path.tree,
                    &[before, &[path.ident.to_string()]].concat(),
                    is_reexport,
                );
            }
            syn::UseTree::Group(group) => {
                group.items.iter().for_each(|item| self.add_tree(item, before, is_reexport));
            }
            syn::UseTree::Name(name) => {
                self.add_use(before, name.ident.to_string(), name.ident.to_string(), is_reexport);
            }
            syn::UseTree::Rename(rename) => {
                self.add_use(
                    before,
                    rename.ident.to_string(),
                    rename.rename.to_string(),
                    is_reexport,
                );
            }
            syn::UseTree::Glob(_) => self.add_use(before, String::new(), String::new(), false),
        }
    }

    fn add_use(&mut self, before: &[String], name: String, known_as: String, is_reexport: bool) {
        let mut path = before.to_vec();
        if !name.is_empty() && name != "self" {
            path.push(name);
        }
        let Some(first) = path.first() else { return };
        // A re-export of a child may leave `self` out.
        let is_local = ["crate", "self", "super"].contains(&&**first);
        if !is_local && is_reexport {
            path.insert(0, "self".to_owned());
        }
        if let Some(path) = self.absolute(&path) {
            if is_reexport {
                self.reexports.insert(known_as, path.clone());
            }
            self.paths.push(path);
        }
    }
}

impl<'ast> Visit<'ast> for Paths {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        if !is_test(item) {
            syn::visit::visit_item(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        let is_reexport = !matches!(item.vis, syn::Visibility::Inherited);
        self.add_tree(&item.tree, &[], is_reexport);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let parts: Vec<_> = path.segments.iter().map(|part| part.ident.to_string()).collect();
        if parts.len() > 1
            && let Some(path) = self.absolute(&parts)
        {
            self.paths.push(path);
        }
        syn::visit::visit_path(self, path);
    }

    /// The path of `pub(in …)` is no import.
    fn visit_visibility(&mut self, _: &'ast syn::Visibility) {}
}

/// Returns whether an item is compiled for tests alone.
fn is_test(item: &syn::Item) -> bool {
    let attributes = match item {
        syn::Item::Mod(item) => &item.attrs,
        syn::Item::Fn(item) => &item.attrs,
        syn::Item::Use(item) => &item.attrs,
        syn::Item::Impl(item) => &item.attrs,
        _ => return false,
    };
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute.meta.require_list().is_ok_and(|list| {
                let condition = list.tokens.to_string();
                condition == "test" || condition.starts_with("all (test")
            })
    })
}
