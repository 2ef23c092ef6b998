//! Applications of the Python package `redis_session`. Their sources are in this folder. Each
//! application runs on a free port.

use std::env;
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::program::{Program, command_of};

/// Default secret of the applications' cookies: `cookie_secret` of Tornado, `SECRET_KEY` of Flask.
pub const SECRET: &str = "the tests' secret, which Python and Rust share";

/// A running application. It ends when this value is dropped or the test's process ends.
#[derive(Debug)]
pub struct Python {
    _program: Program,
    base_url: String,
}

/// Options of an application.
#[derive(Debug, Clone)]
pub struct Options {
    /// URL of the application's Redis.
    pub redis: String,
    /// Secret of the cookies. Default: [`SECRET`].
    pub secret: String,
    /// Prefix of the keys. Default: the package's default, `redis`.
    pub prefix: Option<String>,
    /// Time after the last use until a session expires, in seconds. Default: none, as in the
    /// package.
    pub expire: Option<u64>,
    /// Name of the cookie. Default: the package's default, `session-id`.
    pub cookie_id: Option<String>,
    /// Uses the bare id as the cookie, without a signature. Only Tornado supports this. Default:
    /// signed.
    pub is_unsigned: bool,
}

impl Options {
    /// Returns the default options, on the Redis at this URL.
    pub fn new(redis: impl Into<String>) -> Self {
        Self {
            redis: redis.into(),
            secret: SECRET.to_owned(),
            prefix: None,
            expire: None,
            cookie_id: None,
            is_unsigned: false,
        }
    }

    fn arguments(&self) -> Vec<String> {
        let given = [
            Some(format!("--session-redis={}", self.redis)),
            Some(format!("--cookie-secret={}", self.secret)),
            self.prefix.as_ref().map(|prefix| format!("--session-redis-prefix={prefix}")),
            self.expire.map(|seconds| format!("--session-expire={seconds}")),
            self.cookie_id.as_ref().map(|name| format!("--session-cookie-id={name}")),
            self.is_unsigned.then(|| "--session-cookie-secure=false".to_owned()),
        ];
        given.into_iter().flatten().collect()
    }
}

impl Python {
    /// Starts the application on Tornado.
    ///
    /// Without a Python that has the package, returns `None` and prints that the test is skipped.
    /// With `SESSION_PYTHON_REQUIRED=1`, panics instead.
    pub fn tornado(options: &Options) -> Option<Self> {
        // By default, Tornado logs every request.
        Self::start("tornado", options, &["--logging=error"])
    }

    /// Starts the application on Flask. Returns `None` like [`tornado`](Self::tornado).
    pub fn flask(options: &Options) -> Option<Self> {
        assert!(!options.is_unsigned, "the package signs every cookie on Flask");
        Self::start("flask", options, &[])
    }

    fn start(framework: &str, options: &Options, more: &[&str]) -> Option<Self> {
        let Some(python) = python(framework) else {
            skip(framework);
            return None;
        };
        let app = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join(format!("support/python/{framework}_app.py"));
        let mut command = command_of(python);
        // Writes no compiled files beside the sources, and hides the package's deprecation
        // warnings.
        command.args(["-B", "-W", "ignore"]).arg(app).args(options.arguments()).args(more);
        let mut program = Program::start(&mut command);
        let port = program.line_after("listening on ");
        Some(Self { _program: program, base_url: format!("http://127.0.0.1:{port}") })
    }

    /// `http://127.0.0.1:PORT`
    pub fn base_url(&self) -> &str {
        &self.base_url
    }
}

/// Returns the Python in the variable, or in the environment that `tests/run` created.
fn python(framework: &str) -> Option<PathBuf> {
    let variable = format!("SESSION_TEST_PYTHON_{}", framework.to_uppercase());
    if let Some(named) = env::var_os(variable).filter(|named| !named.is_empty()) {
        return Some(named.into());
    }
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    let made = tests.with_file_name("target").join("python").join(framework).join("bin/python");
    made.is_file().then_some(made)
}

fn skip(framework: &str) {
    let required = env::var_os("SESSION_PYTHON_REQUIRED").is_some_and(|required| required == "1");
    let reason = format!(
        "there is no Python with redis_session for {framework}: use ./tests/run, which installs it"
    );
    assert!(!required, "SESSION_PYTHON_REQUIRED is set, but {reason}");
    // `eprintln!` output is hidden if the test passes.
    let _ = writeln!(std::io::stderr(), "skipped a test with Python: {reason}");
}
