//! The Python package `redis_session` beside this library: its applications run as they are
//! deployed, on both of its frameworks, and share their sessions with a Rust program.

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

/// A framework of the package's, and the format of its cookies.
struct Framework {
    start: fn(&Options) -> Option<Python>,
    format: fn() -> CookieFormat,
}

const FRAMEWORKS: [Framework; 2] = [
    Framework { start: Python::tornado, format: rust::tornado },
    Framework { start: Python::flask, format: rust::flask },
];

/// A Python program and a Rust one on the same server, and a visitor of both.
struct Both {
    server: RedisServer,
    python: Python,
    rust: String,
    visitor: Visitor,
}

impl Both {
    /// Rust writes the first of these formats, of which `None` is Python's own. Nothing where there
    /// is no such Python.
    async fn start(framework: &Framework, formats: &[Option<CookieFormat>]) -> Option<Self> {
        let server = RedisServer::start();
        let python = (framework.start)(&Options::new(server.url()))?;
        let formats = formats.iter().map(|format| format.clone().unwrap_or_else(framework.format));
        let rust = rust::serve(rust::config(&server.url(), formats)).await;
        Some(Self { server, python, rust, visitor: Visitor::default() })
    }

    /// While Python runs.
    async fn migrating(framework: &Framework) -> Option<Self> {
        Self::start(framework, &[None, Some(CookieFormat::Native)]).await
    }

    fn python(&self, path: &str) -> String {
        format!("{}{path}", self.python.base_url())
    }

    fn rust(&self, path: &str) -> String {
        format!("{}{path}", self.rust)
    }

    /// The key of the visitor's session, as Python names it.
    async fn key(&mut self) -> String {
        let url = self.python("/id");
        format!("redis:sessions:{}", self.visitor.get(&url).await)
    }
}
