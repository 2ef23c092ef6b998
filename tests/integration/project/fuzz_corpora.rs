//! Inputs from fuzzing, run on the stable compiler.

use std::collections::BTreeSet;
use std::fs;
use std::panic::catch_unwind;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

#[path = "../../../fuzz/src/lib.rs"]
pub mod fuzz;

#[test]
fn every_target_has_a_corpus() {
    let files = fs::read_dir(path("fuzz_targets")).unwrap().map(|entry| entry.unwrap().path());
    let files: BTreeSet<_> =
        files.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect();
    assert_eq!(files, fuzz::TARGETS.map(|(name, _)| name.to_owned()).into());
}

/// The targets share a session, so the inputs run one after another.
#[test]
fn every_input_of_the_corpora_passes() {
    for (name, target) in fuzz::TARGETS {
        let corpus: Vec<_> = corpus(name).collect();
        assert!(corpus.len() > 3, "too few inputs of {name}");
        for (input, bytes) in regressions(name).chain(corpus) {
            assert!(catch_unwind(|| target(&bytes)).is_ok(), "{name}: {input}");
        }
    }
}

/// Returns the regressions of a target, with the file names.
fn regressions(target: &str) -> impl Iterator<Item = (String, Vec<u8>)> {
    let files =
        fs::read_dir(path("regressions").join(target)).unwrap().map(|entry| entry.unwrap().path());
    files.map(|file| (file.display().to_string(), fs::read(&file).unwrap()))
}

/// Returns the corpus of a target as stored in the file.
fn corpus(target: &str) -> impl Iterator<Item = (String, Vec<u8>)> {
    let file = fs::read_to_string(path("corpus").join(target).with_extension("base64")).unwrap();
    let lines: Vec<_> = file.lines().map(str::to_owned).collect();
    lines.into_iter().map(|line| {
        let bytes = STANDARD.decode(&line).unwrap();
        (line, bytes)
    })
}

fn path(folder: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../fuzz").join(folder)
}
