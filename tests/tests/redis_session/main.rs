//! The Python package `redis_session` beside the tests: its applications run as they are deployed, on both of its frameworks.

#![allow(clippy::unwrap_used, reason = "a failure is a failed test")]

mod python_alone;

use reqwest::{Client, Method};
use session_tests::jar::Jar;
use session_tests::python::{Options, Python};

/// A visitor of one or more applications, who keeps their cookies.
#[derive(Debug, Default)]
struct Visitor {
    jar: Jar,
}

impl Visitor {
    async fn get(&mut self, url: &str) -> String {
        self.request(Method::GET, url).await
    }

    async fn post(&mut self, url: &str) -> String {
        self.request(Method::POST, url).await
    }

    async fn request(&mut self, method: Method, url: &str) -> String {
        let response = self.jar.send(Client::new().request(method, url)).await;
        assert!(response.status().is_success(), "{url}: {}", response.status());
        response.text().await.unwrap()
    }
}
