//! Which server program the tests start.

use std::path::{Path, PathBuf};
use std::process::Command;

const NAMES: [&str; 2] = ["redis-server", "valkey-server"];

/// The server to start: `SESSION_TEST_REDIS` if set, else `redis-server` or `valkey-server` on `PATH`, else what `tests/run` put into
/// `target/servers`.
pub fn server_binary() -> PathBuf {
    if let Some(binary) = std::env::var_os("SESSION_TEST_REDIS") {
        return binary.into();
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let candidates = NAMES
        .into_iter()
        .flat_map(|name| std::env::split_paths(&path).map(move |directory| directory.join(name)))
        .chain(fetched());
    candidates
        .into_iter()
        .find(|candidate| candidate.is_file())
        .expect("a redis-server or valkey-server: install one, or use ./tests/run, which fetches one")
}

/// The server to start where single fields have to expire: `SESSION_TEST_REDIS_FIELDS` if set, else the usual one if it can do that, else
/// what `tests/run` put into `target/servers`.
pub fn field_expiry_binary() -> Option<PathBuf> {
    if let Some(binary) = std::env::var_os("SESSION_TEST_REDIS_FIELDS") {
        return Some(binary.into());
    }
    std::iter::once(server_binary()).chain(fetched()).find(|binary| expires_fields(binary))
}

fn fetched() -> impl Iterator<Item = PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/servers");
    NAMES.into_iter().map(move |name| directory.join(name))
}

/// Redis 7.4, Valkey 9. They say `Redis server v=7.0.15 …`.
fn expires_fields(binary: &Path) -> bool {
    let Ok(output) = Command::new(binary).arg("--version").output() else { return false };
    let text = String::from_utf8_lossy(&output.stdout);
    let version = text.split_once(" v=").map_or("", |(_, rest)| rest);
    let mut numbers = version.split('.').map_while(|number| number.parse::<u32>().ok());
    let least = if text.starts_with("Valkey") { (9, 0) } else { (7, 4) };
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)) >= least
}
