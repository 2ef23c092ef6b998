//! An HTTP client that exposes all headers and can keep cookies.

use reqwest::header::{COOKIE, HeaderMap, HeaderValue, SET_COOKIE};
use serde_json::Value;

use super::script::Script;
use super::world::App;
use crate::jar::Jar;

/// A visitor's browser with respect to cookies: it keeps each `Set-Cookie` and sends the cookies
/// again.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    base: String,
    jar: Jar,
}

impl Client {
    pub(crate) fn new(base: &str) -> Self {
        let http =
            reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Self { http, base: base.to_owned(), jar: Jar::default() }
    }

    /// Sends a script to the handler with the client's cookies, and keeps the cookies of the reply.
    pub async fn run(&mut self, script: Script) -> Reply {
        let reply = self.send("/do", &script, &[&self.jar.header()]).await;
        self.jar.keep(&reply.headers);
        reply
    }

    /// Sends a script to a handler that takes no session.
    pub async fn ignore(&mut self, script: Script) -> Reply {
        let reply = self.send("/ignore", &script, &[&self.jar.header()]).await;
        self.jar.keep(&reply.headers);
        reply
    }

    /// Sends a script with these `Cookie` headers instead of the client's cookies. Keeps no
    /// cookies.
    pub async fn run_with(&self, cookie_headers: &[impl AsRef<[u8]>], script: Script) -> Reply {
        self.send("/do", &script, cookie_headers).await
    }

    /// Returns the session cookie as the client would send it: `NAME=VALUE`.
    pub fn cookie(&self) -> String {
        self.jar.header()
    }

    /// Replaces all cookies of the client with this cookie.
    pub fn set_cookie(&mut self, cookie: &str) {
        self.jar.set(cookie);
    }

    /// Directs further requests to another program.
    pub fn move_to(&mut self, app: &App) {
        self.base.clone_from(&app.base);
    }

    async fn send(
        &self,
        path: &str,
        script: &Script,
        cookie_headers: &[impl AsRef<[u8]>],
    ) -> Reply {
        let mut request = self.http.post(format!("{}{path}", self.base)).json(script);
        for header in cookie_headers.iter().map(AsRef::as_ref).filter(|header| !header.is_empty()) {
            request = request.header(COOKIE, HeaderValue::from_bytes(header).unwrap());
        }
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Reply { status, headers, body: response.text().await.unwrap() }
    }
}

/// A complete response.
#[derive(Debug)]
pub struct Reply {
    /// The status code.
    pub status: u16,
    /// All headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: String,
}

impl Reply {
    /// Returns the results of the script's steps.
    pub fn results(&self) -> Vec<Value> {
        serde_json::from_str(&self.body)
            .unwrap_or_else(|_| panic!("results, not {} {}", self.status, self.body))
    }

    /// Returns the values of the script's steps. Panics if a step failed.
    pub fn values(&self) -> Vec<Value> {
        let value = |result: Value| {
            result.get("ok").cloned().unwrap_or_else(|| panic!("a step failed: {result}"))
        };
        self.results().into_iter().map(value).collect()
    }

    /// Returns all `Set-Cookie` headers.
    pub fn set_cookies(&self) -> Vec<String> {
        self.all(SET_COOKIE.as_str())
    }

    /// Returns all headers with this name.
    pub fn all(&self, name: &str) -> Vec<String> {
        self.headers.get_all(name).iter().map(|value| value.to_str().unwrap().to_owned()).collect()
    }
}
