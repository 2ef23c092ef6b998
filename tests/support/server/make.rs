//! The server programs for the tests.

use std::path::{Path, PathBuf};

use crate::program::command_of;

/// A server program for the tests. `tests/run` provides each program. Without `tests/run`, tests
/// with a missing program are skipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Make {
    /// The server for most tests. By preference: `SESSION_TEST_REDIS`, `redis-server` or
    /// `valkey-server` on `PATH`, Redis 8, Valkey 9.
    Usual,
    /// A server that is too old: `SESSION_TEST_REDIS_6`, or the program from `tests/run` in
    /// `target/servers`.
    Redis6,
    /// `SESSION_TEST_REDIS_8`, or the program from `tests/run` in `target/servers`.
    Redis8,
    /// `SESSION_TEST_VALKEY_9`, or the program from `tests/run` in `target/servers`.
    Valkey9,
    /// A server that speaks TLS: `SESSION_TEST_TLS`, or the usual server if it speaks TLS. The
    /// value `none` means that there is no such server.
    Tls,
}

impl Make {
    /// Returns the path of the program. If there is none, returns `None` and prints this, or panics
    /// with `SESSION_SERVERS_REQUIRED=1`.
    pub fn program(self) -> Option<PathBuf> {
        let program = match std::env::var_os(self.variable()) {
            Some(named) if named == "none" => {
                eprintln!("skipped: {} says that no {self:?} server exists", self.variable());
                return None;
            }
            Some(named) => Some(named.into()),
            None => self.found(),
        };
        let is_required =
            std::env::var_os("SESSION_SERVERS_REQUIRED").is_some_and(|required| required == "1");
        assert!(program.is_some() || !is_required, "a {self:?} server is required");
        if program.is_none() {
            eprintln!("skipped: no {self:?} server, use ./tests/run to fetch the server");
        }
        program
    }

    fn variable(self) -> &'static str {
        match self {
            Self::Usual => "SESSION_TEST_REDIS",
            Self::Redis6 => "SESSION_TEST_REDIS_6",
            Self::Redis8 => "SESSION_TEST_REDIS_8",
            Self::Valkey9 => "SESSION_TEST_VALKEY_9",
            Self::Tls => "SESSION_TEST_TLS",
        }
    }

    fn found(self) -> Option<PathBuf> {
        match self {
            Self::Usual => {
                installed().or_else(|| Self::Redis8.found()).or_else(|| Self::Valkey9.found())
            }
            Self::Redis6 => fetched("redis-6/redis-server"),
            Self::Redis8 => fetched("redis-8/redis-server"),
            Self::Valkey9 => fetched("valkey-9/valkey-server"),
            Self::Tls => Self::Usual.found().filter(|program| speaks_tls(program)),
        }
    }
}

fn installed() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    ["redis-server", "valkey-server"]
        .into_iter()
        .flat_map(|name| std::env::split_paths(&path).map(move |directory| directory.join(name)))
        .find(|candidate| candidate.is_file())
}

fn fetched(name: &str) -> Option<PathBuf> {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/servers").join(name);
    program.is_file().then_some(program)
}

/// Returns whether the server speaks TLS. Such a server fails because of the missing certificate.
/// Other servers fail because of the port.
fn speaks_tls(program: &Path) -> bool {
    let tried = command_of(program).args(["--port", "0", "--tls-port", "1"]).output();
    tried.is_ok_and(|tried| {
        String::from_utf8_lossy(&tried.stdout).contains("Failed to configure TLS")
    })
}
