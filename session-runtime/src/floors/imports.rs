//! The imports of each file, with re-exports followed to the file that defines the name.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use syn::visit::Visit;

/// A file, and another file that defines a name used in the first.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Import {
    pub(super) file: PathBuf,
    pub(super) target: PathBuf,
}

/// The parsed sources of a crate.
#[derive(Default)]
pub(super) struct Sources {
    modules: BTreeMap<Vec<String>, Module>,
    /// Each path that leads into the crate, with its file.
    paths: Vec<(PathBuf, Vec<String>)>,
}

#[derive(Default)]
struct Module {
    file: PathBuf,
    reexports: BTreeMap<String, Vec<String>>,
}

impl Sources {
    pub(super) fn of_this_crate() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let mut sources = Self::default();
        sources.read_folder(&root, &root);
        sources
    }

    fn read_folder(&mut self, root: &Path, folder: &Path) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                self.read_folder(root, &path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                self.add(path.strip_prefix(root).unwrap(), &fs::read_to_string(&path).unwrap());
            }
        }
    }

    /// Adds a file by its path within `src`.
    pub(super) fn add(&mut self, file: &Path, text: &str) {
        let parsed = syn::parse_file(text).unwrap();
        Visitor { sources: self, file, module: module_of(file) }.visit_module(&parsed.items);
    }

    /// Returns each import of another file. The crate root, its tests and the guide, which is
    /// documentation, are outside the floors.
    pub(super) fn imports(&self) -> BTreeSet<Import> {
        let is_counted = |file: &Path| {
            !["lib", "guide", "example", "floors"].contains(&&*super::folder(file))
                && !file.iter().any(|part| part == "tests" || part == "tests.rs")
        };
        let paths = self.paths.iter().filter(|(file, _)| is_counted(file));
        paths
            .map(|(file, path)| Import { file: file.clone(), target: self.resolve(path) })
            .filter(|import| import.file != import.target)
            .collect()
    }

    /// Returns the file that defines the name at the end of a path.
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

/// Returns the path of a file's module. The path of the crate root is empty.
fn module_of(file: &Path) -> Vec<String> {
    let mut parts: Vec<_> =
        file.with_extension("").iter().map(|part| part.to_string_lossy().into_owned()).collect();
    if parts.last().is_some_and(|last| last == "mod" || last == "lib") {
        parts.pop();
    }
    parts
}

/// Collects the paths of a file that lead into this crate.
struct Visitor<'a> {
    sources: &'a mut Sources,
    file: &'a Path,
    module: Vec<String>,
}

impl Visitor<'_> {
    fn visit_module(&mut self, items: &[syn::Item]) {
        self.module().file = self.file.to_owned();
        items.iter().for_each(|item| self.visit_item(item));
    }

    fn module(&mut self) -> &mut Module {
        self.sources.modules.entry(self.module.clone()).or_default()
    }

    fn add_path(&mut self, path: Vec<String>) {
        self.sources.paths.push((self.file.to_owned(), path));
    }

    /// Returns the path from the crate root, if the path leads into the crate.
    fn absolute(&self, path: &[String]) -> Option<Vec<String>> {
        let mut base = match &*path[0] {
            "crate" | "session_runtime" => Vec::new(),
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
                let before = [before, &[path.ident.to_string()]].concat();
                self.add_tree(&path.tree, &before, is_reexport);
            }
            syn::UseTree::Group(group) => {
                group.items.iter().for_each(|item| self.add_tree(item, before, is_reexport));
            }
            syn::UseTree::Name(name) => {
                self.add_use(before, &name.ident, &name.ident, is_reexport);
            }
            syn::UseTree::Rename(rename) => {
                self.add_use(before, &rename.ident, &rename.rename, is_reexport);
            }
            syn::UseTree::Glob(_) => {
                if let Some(path) = before.first().and_then(|_| self.absolute(before)) {
                    self.add_path(path);
                }
            }
        }
    }

    fn add_use(
        &mut self,
        before: &[String],
        name: &syn::Ident,
        known_as: &syn::Ident,
        is_reexport: bool,
    ) {
        let mut path = before.to_vec();
        if before.is_empty() || name != "self" {
            path.push(name.to_string());
        }
        // A re-export of a child may omit `self`.
        if is_reexport && self.absolute(&path).is_none() {
            path.insert(0, "self".to_owned());
        }
        if let Some(path) = self.absolute(&path) {
            if is_reexport {
                self.module().reexports.insert(known_as.to_string(), path.clone());
            }
            self.add_path(path);
        }
    }

    fn add_names(&mut self, names: &[String]) {
        if names.len() > 1
            && let Some(path) = self.absolute(names)
        {
            self.add_path(path);
        }
    }
}

impl<'ast> Visit<'ast> for Visitor<'_> {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        if !is_test(item) {
            syn::visit::visit_item(self, item);
        }
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if let Some((_, items)) = &item.content {
            self.module.push(item.ident.to_string());
            self.visit_module(items);
            self.module.pop();
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        let is_reexport = !matches!(item.vis, syn::Visibility::Inherited);
        self.add_tree(&item.tree, &[], is_reexport);
    }

    /// Handles `extern crate self as …`, which is another name of the crate root.
    fn visit_item_extern_crate(&mut self, item: &'ast syn::ItemExternCrate) {
        if item.ident == "self" {
            self.add_path(Vec::new());
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        self.add_names(&names_of(path));
        syn::visit::visit_path(self, path);
    }

    /// Moves exported macros to the crate root, wherever they are defined.
    fn visit_item_macro(&mut self, item: &'ast syn::ItemMacro) {
        if let Some(name) = &item.ident
            && item.attrs.iter().any(|attribute| attribute.path().is_ident("macro_export"))
        {
            let definition = [&*self.module, &[name.to_string()]].concat();
            let root = self.sources.modules.entry(Vec::new()).or_default();
            root.reexports.insert(name.to_string(), definition);
        }
        syn::visit::visit_item_macro(self, item);
    }

    /// Searches the tokens of a macro, which may contain paths.
    fn visit_macro(&mut self, item: &'ast syn::Macro) {
        self.add_names(&names_of(&item.path));
        paths_among(&item.tokens.to_string()).iter().for_each(|names| self.add_names(names));
    }

    /// Ignores the path of `pub(in …)`, which is not an import.
    fn visit_visibility(&mut self, _: &'ast syn::Visibility) {}
}

fn names_of(path: &syn::Path) -> Vec<String> {
    path.segments.iter().map(|part| part.ident.to_string()).collect()
}

/// Returns the paths in a text of tokens, with all other names.
fn paths_among(tokens: &str) -> Vec<Vec<String>> {
    let is_name = |letter: char| letter.is_alphanumeric() || letter == '_';
    let (mut paths, mut rest, mut goes_on) = (Vec::<Vec<String>>::new(), tokens, false);
    while let Some(first) = rest.chars().next() {
        let end = rest.find(|letter| !is_name(letter)).unwrap_or(rest.len());
        let (token, after) = match end {
            0 if rest.starts_with("::") => rest.split_at(2),
            0 => rest.split_at(first.len_utf8()),
            _ => rest.split_at(end),
        };
        match paths.last_mut() {
            Some(path) if is_name(first) && goes_on => path.push(token.to_owned()),
            _ if is_name(first) => paths.push(vec![token.to_owned()]),
            _ => {}
        }
        goes_on = token == "::" || goes_on && token.trim().is_empty();
        rest = after;
    }
    paths
}

/// Returns whether an item is compiled only for tests.
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
