//! A headless browser: Chromium, controlled by ChromeDriver.

mod page;
mod webdriver;

pub use page::{Cookie, Page};

use std::env;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use crate::program::{Program, command_of};
use webdriver::Connection;

/// A browser with a separate profile. The browser ends when this value is dropped or the test's
/// process ends.
#[derive(Debug)]
pub struct Browser {
    driver: Program,
    base: String,
    chromium: PathBuf,
}

impl Browser {
    /// Starts the driver of a browser. [`open`](Self::open) starts the browser itself.
    ///
    /// Without a browser, returns `None` and prints that the test is skipped. With
    /// `SESSION_BROWSER_REQUIRED=1`, panics instead.
    pub fn start() -> Option<Self> {
        let (Some(chromium), Some(driver)) =
            (chromium(), program("SESSION_BROWSER_DRIVER", &["chromedriver"]))
        else {
            skip("chromium or chromedriver is not on PATH");
            return None;
        };
        let (driver, port) = started(&driver);
        let base = format!("http://127.0.0.1:{}", port.trim_end_matches('.'));
        Some(Self { driver, base, chromium })
    }

    /// Opens a window at this address. A browser that is opened again still has everything that
    /// browsers keep on disk.
    pub async fn open(&self, url: &str) -> Page {
        let profile = self.driver.directory().join("profile");
        let mut arguments = ARGUMENTS.map(str::to_owned).to_vec();
        arguments.push(format!("--user-data-dir={}", profile.display()));
        let connection = Connection::open(&self.base, &self.chromium, &arguments).await;
        let page = Page::new(connection);
        page.visit(url).await;
        page
    }
}

/// Starts the driver, and returns its port. The driver listens on IPv6 first, and ends if another
/// program has the same port on IPv4.
fn started(driver: &Path) -> (Program, String) {
    let mut printed = String::new();
    for _ in 0..5 {
        let mut driver = Program::start(command_of(driver).arg("--port=0").stderr(Stdio::null()));
        match driver.line_or_end("started successfully on port ") {
            Ok(port) => return (driver, port),
            Err(line) => printed += &line,
        }
    }
    panic!("the driver of the browser does not start: {printed}");
}

/// No screen, no network access beyond the test, and no sandbox. The sandbox does not work for
/// root, the user in many containers.
const ARGUMENTS: [&str; 12] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--password-store=basic",
    "--window-size=800,700",
    "--lang=en",
];

fn chromium() -> Option<PathBuf> {
    program(
        "SESSION_BROWSER",
        &["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"],
    )
}

/// Returns the program in the variable, or the first of these names on `PATH`.
fn program(variable: &str, names: &[&str]) -> Option<PathBuf> {
    if let Some(program) = env::var_os(variable).filter(|program| !program.is_empty()) {
        return Some(program.into());
    }
    let path = env::var_os("PATH").unwrap_or_default();
    let candidates = names
        .iter()
        .flat_map(|name| env::split_paths(&path).map(move |directory| directory.join(name)));
    candidates.into_iter().find(|candidate| candidate.is_file())
}

fn skip(reason: &str) {
    let required = env::var_os("SESSION_BROWSER_REQUIRED").is_some_and(|required| required == "1");
    assert!(!required, "SESSION_BROWSER_REQUIRED is set, but {reason}");
    // `eprintln!` output is hidden if the test passes.
    let _ = writeln!(std::io::stderr(), "skipped a test in a browser: {reason}");
}
