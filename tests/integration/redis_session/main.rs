//! The Python package `redis_session` beside this library. Python applications run as deployed, on
//! both supported frameworks, and share sessions with a Rust program.

#![allow(clippy::unwrap_used, reason = "a failure is a failed test")]

mod cluster;
mod golden;
mod lifecycle;
mod python_alone;
mod rust;
mod several_cookies;
mod shared;
mod values;
mod visitor;

use session_runtime::redis_session::CookieFormat;
use session_tests::python::{Options, Python};
use session_tests::server::RedisServer;

use visitor::Visitor;

/// A framework that the package supports, and the cookie format.
struct Framework {
    start: fn(&Options) -> Option<Python>,
    format: fn() -> CookieFormat,
}

const FRAMEWORKS: [Framework; 2] = [
    Framework { start: Python::tornado, format: rust::tornado },
    Framework { start: Python::flask, format: rust::flask },
];

/// A Python and a Rust program on the same server, with a shared visitor.
struct Both {
    server: RedisServer,
    python: Python,
    rust: String,
    visitor: Visitor,
}

impl Both {
    /// Rust writes the first of these formats. `None` stands for the Python framework's format.
    /// Returns `None` if this Python is missing.
    async fn start(framework: &Framework, formats: &[Option<CookieFormat>]) -> Option<Self> {
        let server = RedisServer::start();
        let python = (framework.start)(&Options::new(server.url()))?;
        let formats = formats.iter().map(|format| format.clone().unwrap_or_else(framework.format));
        let rust = rust::serve(rust::config(&server.url(), formats)).await;
        Some(Self { server, python, rust, visitor: Visitor::default() })
    }

    /// Rust writes Python's format, because Python is still running.
    async fn migrating(framework: &Framework) -> Option<Self> {
        Self::start(framework, &[None, Some(CookieFormat::Native)]).await
    }

    fn python(&self, path: &str) -> String {
        format!("{}{path}", self.python.base_url())
    }

    fn rust(&self, path: &str) -> String {
        format!("{}{path}", self.rust)
    }

    /// Returns the key of the visitor's session, as Python names it.
    async fn key(&mut self) -> String {
        let url = self.python("/id");
        format!("redis:sessions:{}", self.visitor.get(&url).await)
    }
}
