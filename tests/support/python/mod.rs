//! Applications of the Python package `redis_session`: those beside this file, each on a port of
//! its own.

use std::env;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::program::Program;

/// What signs the applications' cookies unless told otherwise: `cookie_secret` of Tornado,
/// `SECRET_KEY` of Flask.
pub const SECRET: &str = "the tests' secret, which Python and Rust share";

/// A running application. It ends with this value, or with the test's process, however that ends.
#[derive(Debug)]
pub struct Python {
    _program: Program,
    base_url: String,
}

/// What an application is started with.
#[derive(Debug, Clone)]
pub struct Options {
    /// The URL of its Redis.
    pub redis: String,
    /// What signs its cookies: [`SECRET`] by default.
    pub secret: String,
    /// The prefix of its keys: the package's own, `redis`, by default.
    pub prefix: Option<String>,
    /// The sessions' expiry in seconds after their last use. By default they have none, as with
    /// the package.
    pub expire: Option<u64>,
    /// The cookie's name: the package's own, `session-id`, by default.
    pub cookie_id: Option<String>,
    /// Whether the cookie is the id itself, without a signature; only Tornado's may be. Signed by
    /// default.
    pub is_unsigned: bool,
}

impl Options {
    /// The defaults, on the Redis at this URL.
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
    /// `None` where there is no Python with the package, after printing that the test is skipped;
    /// with `SESSION_PYTHON_REQUIRED=1` that is a failure instead.
    pub fn tornado(options: &Options) -> Option<Self> {
        // It would tell every request.
        Self::start("tornado", options, &["--logging=error"])
    }

    /// Starts the application on Flask. `None` as with [`tornado`](Self::tornado).
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
        let mut command = Command::new(python);
        // Without compiled files beside the sources, and without the package's warnings of what is
        // deprecated.
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

/// What the variable names, else that of the environment which `tests/run` made.
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
    let reason =
        format!("no Python with redis_session for {framework}, ./tests/run makes sure of one");
    assert!(!required, "SESSION_PYTHON_REQUIRED is set, and there is {reason}");
    // Not `eprintln!`: that is not shown for a test that passes.
    let _ = writeln!(std::io::stderr(), "skipped a test with Python: {reason}");
}
