//! The rules of axe-core for accessible pages.

use std::env;
use std::fs;
use std::io::Write;

use serde_json::Value;
use session_tests::browser::Page;

/// The program of axe-core.
pub(crate) struct Axe(String);

impl Axe {
    /// Reads the program that `tests/run` fetches. Without it, returns `None` and prints that the
    /// checks are skipped, or panics with `SESSION_AXE_REQUIRED=1`.
    pub(crate) fn load() -> Option<Self> {
        let Some(path) = env::var_os("SESSION_AXE").filter(|path| !path.is_empty()) else {
            let is_required = env::var_os("SESSION_AXE_REQUIRED").is_some_and(|it| it == "1");
            assert!(!is_required, "SESSION_AXE names no file");
            let _ = writeln!(std::io::stderr(), "skipped the checks of axe-core: no SESSION_AXE");
            return None;
        };
        Some(Self(fs::read_to_string(path).unwrap()))
    }

    /// Returns a line for each rule that the page violates, with the elements.
    pub(crate) async fn violations(&self, page: &Page) -> Vec<String> {
        // The driver runs the script in the page, which the policy of the page does not prevent.
        page.run(&self.0).await;
        let found = page.run(RUN).await;
        let violations = found["violations"].as_array().unwrap();
        assert!(found["passes"].as_array().is_some_and(|passes| passes.len() > 10), "{found}");
        violations.iter().map(line).collect()
    }
}

/// The rules of WCAG 2.2 for the size of targets are not among the default rules.
const RUN: &str = "return axe.run(document, { resultTypes: ['violations'], \
                   rules: { 'target-size': { enabled: true } } })";

fn line(violation: &Value) -> String {
    let nodes = violation["nodes"].as_array().unwrap();
    let elements: Vec<_> = nodes.iter().map(|node| node["html"].to_string()).collect();
    format!("{}: {} {}", violation["id"], violation["help"], elements.join(" "))
}
