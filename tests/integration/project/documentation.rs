//! The documentation has the same order everywhere, and search finds common terms.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Terms from other libraries, and common search words.
const SEARCHED: [&str; 16] = [
    "bearer",
    "csrf",
    "cycle_id",
    "encrypt",
    "flash",
    "flush",
    "health",
    "insert",
    "invalidate",
    "login",
    "logout",
    "metrics",
    "regenerate",
    "remove",
    "user_id",
    "websocket",
];

#[test]
fn every_searched_word_finds_something() {
    let mut sources = Vec::new();
    collect(&runtime(), &mut sources);
    let text: String = sources.iter().map(|path| fs::read_to_string(path).unwrap()).collect();
    for word in SEARCHED {
        let is_alias = text.contains(&format!("#[doc(alias = \"{word}\")]"));
        let is_item =
            text.contains(&format!("pub fn {word}")) || text.contains(&format!("pub mod {word} "));
        assert!(is_alias || is_item, "{word}");
    }
}

#[test]
fn the_guide_has_one_order() {
    let guide = fs::read_to_string(runtime().join("guide/mod.rs")).unwrap();
    let readme = fs::read_to_string(runtime().join("../../README.md")).unwrap();
    let pages = between(&guide, "pub mod ", " {}");
    assert!(pages.len() > 10, "{pages:?}");
    let table: Vec<_> =
        between(&guide, "| [`", "`]").into_iter().filter(|page| pages.contains(page)).collect();
    assert_eq!(table, pages, "the table of guide/mod.rs and its modules");
    let listed = between(&readme, "## The guide", "## ").concat();
    assert_eq!(between(&listed, "](guide/", ".md)"), pages, "README.md");
}

/// Each page links to the next page, and the last page has no such link.
#[test]
fn the_pages_of_the_guide_lead_from_one_to_the_next() {
    let guide = fs::read_to_string(runtime().join("guide/mod.rs")).unwrap();
    let pages = between(&guide, "pub mod ", " {}");
    let from_elsewhere = ["tower_sessions", "actix_session", "redis_session"];
    let read: Vec<_> = pages.into_iter().filter(|page| !from_elsewhere.contains(page)).collect();
    let next: Vec<_> = guide.lines().filter(|line| line.contains("Next: ")).collect();
    let next: Vec<_> = next.iter().flat_map(|line| between(line, "(crate::guide::", ")")).collect();
    assert_eq!(next, read[1..]);
}

#[test]
fn the_guide_lists_every_method_of_an_error() {
    let errors = fs::read_to_string(runtime().join("error/mod.rs")).unwrap();
    let guide = fs::read_to_string(runtime().join("guide/errors.md")).unwrap();
    let questions = between(&errors, "pub fn is_", "(");
    assert!(questions.len() > 10, "{questions:?}");
    for question in questions {
        assert!(guide.contains(&format!("(crate::Error::is_{question})")), "is_{question}");
    }
}

#[test]
fn the_readme_has_every_variable_of_a_setting() {
    let settings = fs::read_to_string(runtime().join("error/setting.rs")).unwrap();
    let readme = fs::read_to_string(runtime().join("../../README.md")).unwrap();
    let variables = between(&settings, "Self::new(\"", "\");");
    assert!(variables.len() > 10, "{variables:?}");
    for variable in variables.iter().filter_map(|names| names.rsplit('"').next()) {
        assert!(readme.contains(&format!("\n| `{variable}` |")), "{variable}");
    }
}

/// Readers see the imports, the schema and the handlers of an example. The macro `__example!` does
/// the rest of the set-up.
#[test]
fn no_example_hides_more_than_two_lines() {
    let mut count = 0;
    let mut offences = Vec::new();
    for path in pages() {
        for example in examples(&fs::read_to_string(&path).unwrap()) {
            let hidden = example.lines.iter().filter(|(_, line)| example.hides(line)).count();
            count += usize::from(hidden > 0);
            if hidden > 2 {
                let line = example.line;
                offences.push(format!("{}:{line}: {hidden} hidden lines", path.display()));
            }
        }
    }
    assert!(count > 100, "{count}");
    assert!(offences.is_empty(), "{offences:#?}");
}

/// A page of rustdoc shows no more columns of a line of code. Messages of the compiler, in blocks
/// of text, keep their lines.
#[test]
fn every_line_of_an_example_fits_a_page() {
    let mut offences = Vec::new();
    for path in pages() {
        for example in examples(&fs::read_to_string(&path).unwrap()) {
            let shown = example.lines.iter().filter(|(_, line)| !example.hides(line));
            for (number, line) in shown.filter(|_| example.language != "text") {
                let columns = line.chars().count();
                if columns > 94 {
                    offences.push(format!("{}:{number}: {columns} columns", path.display()));
                }
            }
        }
    }
    assert!(offences.is_empty(), "{offences:#?}");
}

/// Every behaviour that a test names is in the list, and every behaviour in the list has a test.
#[test]
fn the_list_of_behaviours_is_that_of_the_tests() {
    let list = fs::read_to_string(runtime().join("../../tests/README.md")).unwrap();
    let listed: BTreeSet<_> = between(&list, "\n- **", "**:").into_iter().collect();
    let mut sources = Vec::new();
    collect(&runtime().join("../../tests/integration"), &mut sources);
    collect(&runtime(), &mut sources);
    sources.retain(|path| !path.ends_with(file!().rsplit('/').next().unwrap()));
    let text: String = sources.iter().map(|path| fs::read_to_string(path).unwrap()).collect();
    let mentions =
        [between(&text, " Behaviour: ", "."), between(&text, " Behaviours: ", ".")].concat();
    let shown: BTreeSet<_> = mentions.iter().flat_map(|names| names.split(", ")).collect();
    assert!(listed.len() > 10, "{listed:?}");
    assert_eq!(shown, listed);
}

/// The documents for contributors give the full path of a file or folder, or the end of the path.
#[test]
fn every_path_in_the_documents_for_contributors_exists() {
    let root = runtime().join("../..");
    let mut known = Vec::new();
    collect_paths(&root, &mut known);
    for document in ["ARCHITECTURE.md", "CONTRIBUTING.md"] {
        let text = fs::read_to_string(root.join(document)).unwrap();
        let named: Vec<_> = code_spans(&text).filter(|span| is_path(span)).collect();
        assert!(named.len() > 20, "{document}: {named:?}");
        let missing: Vec<_> = named.into_iter().filter(|path| !is_known(path, &known)).collect();
        assert!(missing.is_empty(), "{document}: {missing:?}");
    }
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> Vec<&'a str> {
    text.split(before).skip(1).filter_map(|rest| rest.split(after).next()).collect()
}

/// A block of code in Markdown or in doc comments, with the lines and their numbers.
struct Example<'a> {
    line: usize,
    language: &'a str,
    lines: Vec<(usize, &'a str)>,
}

impl Example<'_> {
    /// Returns whether rustdoc leaves the line out.
    fn hides(&self, line: &str) -> bool {
        let line = line.trim_start();
        is_rust(self.language) && (line == "#" || line.starts_with("# "))
    }
}

/// Returns the blocks of code, without the marks of doc comments.
fn examples(text: &str) -> Vec<Example<'_>> {
    let mut examples: Vec<Example<'_>> = Vec::new();
    let mut is_open = false;
    for (line, number) in text.lines().zip(1..) {
        let line = without_mark(line);
        match line.trim_start().strip_prefix("```") {
            Some(_) if is_open => is_open = false,
            Some(language) => {
                is_open = true;
                let language = language.trim();
                examples.push(Example { line: number, language, lines: Vec::new() });
            }
            None if is_open => examples.last_mut().unwrap().lines.push((number, line)),
            None => {}
        }
    }
    examples
}

/// Returns the text of a doc comment, or the line if there is none.
fn without_mark(line: &str) -> &str {
    let comment = line.trim_start();
    let text = comment.strip_prefix("///").or_else(|| comment.strip_prefix("//!"));
    text.map_or(line, |text| text.strip_prefix(' ').unwrap_or(text))
}

/// Returns whether rustdoc reads a block as Rust. Words such as `no_run` also stand for Rust.
fn is_rust(language: &str) -> bool {
    !["json", "python", "sh", "text", "toml"].contains(&language.trim())
}

/// Returns the first word of each text between backticks.
fn code_spans(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2).filter_map(|span| span.split_whitespace().next())
}

/// Returns whether a word is the path of a file or folder in the repository. A placeholder in
/// capitals stands for any name.
fn is_path(word: &str) -> bool {
    let is_placeholder = word.split('/').any(|part| ["FOLDER", "NAME"].contains(&part));
    let is_plain = word.chars().all(|c| c.is_ascii_alphanumeric() || "_-./".contains(c));
    let endings = [".lua", ".md", ".rs", ".toml", ".txt"];
    let has_ending = endings.iter().any(|ending| word.ends_with(ending));
    let is_elsewhere = word.starts_with('/') || word.starts_with("target/");
    is_plain && !is_placeholder && !is_elsewhere && (word.contains('/') || has_ending)
}

/// Returns whether the path is the end of a known path. A path with a trailing slash must be a
/// folder.
fn is_known(path: &str, known: &[PathBuf]) -> bool {
    let is_folder = path.ends_with('/');
    known.iter().any(|known| known.ends_with(path) && (!is_folder || known.is_dir()))
}

/// The sources of the library, and the pages of its guide.
fn pages() -> Vec<PathBuf> {
    let mut paths = Vec::new();
    collect_paths(&runtime(), &mut paths);
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "md" || ending == "rs"));
    paths
}

fn collect_paths(folder: &Path, paths: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("target") && !path.ends_with(".git") {
            collect_paths(&path, paths);
        }
        paths.push(path);
    }
}

fn collect(folder: &Path, sources: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, sources);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            sources.push(path);
        }
    }
}

fn runtime() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../session-runtime/src")
}
