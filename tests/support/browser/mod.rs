//! A browser without a screen: Chromium, told what to do by ChromeDriver.

mod page;
mod webdriver;

pub use page::{Cookie, Page};

use std::env;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::program::Program;
use webdriver::Connection;

/// A browser with a profile of its own. It ends with this value, or with the test's process,
/// however that ends.
#[derive(Debug)]
pub struct Browser {
    driver: Program,
    base: String,
    chromium: PathBuf,
}

impl Browser {
    /// Starts the driver of a browser; [`open`](Self::open) starts the browser itself.
    ///
    /// `None` where there is none, after printing that the test is skipped; with
    /// `SESSION_BROWSER_REQUIRED=1` that is a failure instead.
    pub fn start() -> Option<Self> {
        let (Some(chromium), Some(driver)) =
            (chromium(), program("SESSION_BROWSER_DRIVER", &["chromedriver"]))
        else {
            skip("no chromium with chromedriver on PATH");
            return None;
        };
        let mut driver = Program::start(Command::new(driver).arg("--port=0").stderr(Stdio::null()));
        let port = driver.line_after("started successfully on port ");
        let base = format!("http://127.0.0.1:{}", port.trim_end_matches('.'));
        Some(Self { driver, base, chromium })
    }

    /// Opens a window on this address. Closed and opened again, the browser knows what a browser on
    /// disk keeps.
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

/// No screen, nothing over the network but what a test asks for, and no sandbox: root, as which
/// many containers run, can have none.
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

/// What the variable names, else the first of these on `PATH`.
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
    assert!(!required, "SESSION_BROWSER_REQUIRED is set, and there is {reason}");
    // Not `eprintln!`: that is not shown for a test that passes.
    let _ = writeln!(std::io::stderr(), "skipped a test in a browser: {reason}");
}
