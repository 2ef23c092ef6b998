//! Which server program the tests start.

use std::path::{Path, PathBuf};

/// The server to start: `SESSION_TEST_REDIS` if set, else `redis-server` or `valkey-server` on `PATH`, else what `tests/run` put into
/// `target/servers`.
pub fn server_binary() -> PathBuf {
    const NAMES: [&str; 2] = ["redis-server", "valkey-server"];
    if let Some(binary) = std::env::var_os("SESSION_TEST_REDIS") {
        return binary.into();
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let fetched = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/servers");
    let candidates = NAMES
        .into_iter()
        .flat_map(|name| std::env::split_paths(&path).map(move |directory| directory.join(name)))
        .chain(NAMES.map(|name| fetched.join(name)));
    candidates
        .into_iter()
        .find(|candidate| candidate.is_file())
        .expect("a redis-server or valkey-server: install one, or use ./tests/run, which fetches one")
}
