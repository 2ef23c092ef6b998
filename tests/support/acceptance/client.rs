//! A client that shows every header, and keeps one cookie if asked to.

use reqwest::header::{COOKIE, HeaderMap, HeaderValue, SET_COOKIE};
use serde_json::Value;

use super::script::Script;
use super::world::App;
use crate::jar::Jar;

/// A visitor's browser, as far as sessions go: it keeps what `Set-Cookie` says and sends it again.
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

    /// Sends a script to the handler, with the client's cookies, and keeps the cookies of the
    /// reply.
    pub async fn run(&mut self, script: Script) -> Reply {
        let reply = self.send("/do", &script, &[&self.jar.header()]).await;
        self.jar.keep(&reply.headers);
        reply
    }

    /// The same for a handler that takes no session.
    pub async fn ignore(&mut self, script: Script) -> Reply {
        let reply = self.send("/ignore", &script, &[&self.jar.header()]).await;
        self.jar.keep(&reply.headers);
        reply
    }

    /// Sends a script with these `Cookie` headers in place of the client's cookies, and keeps
    /// nothing.
    pub async fn run_with(&self, cookie_headers: &[impl AsRef<[u8]>], script: Script) -> Reply {
        self.send("/do", &script, cookie_headers).await
    }

    /// The session's cookie as the client would send it: `NAME=VALUE`.
    pub fn cookie(&self) -> String {
        self.jar.header()
    }

    /// Has the client send this, and nothing else.
    pub fn set_cookie(&mut self, cookie: &str) {
        self.jar.set(cookie);
    }

    /// Has the client's next requests go to another program.
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

/// A response, read to its end.
#[derive(Debug)]
pub struct Reply {
    /// The status code.
    pub status: u16,
    /// Every header.
    pub headers: HeaderMap,
    /// The body.
    pub body: String,
}

impl Reply {
    /// What the script's steps came to.
    pub fn results(&self) -> Vec<Value> {
        serde_json::from_str(&self.body)
            .unwrap_or_else(|_| panic!("results, not {} {}", self.status, self.body))
    }

    /// What the script's steps gave, none of which failed.
    pub fn values(&self) -> Vec<Value> {
        let value = |result: Value| {
            result.get("ok").cloned().unwrap_or_else(|| panic!("a step failed: {result}"))
        };
        self.results().into_iter().map(value).collect()
    }

    /// Every `Set-Cookie` header.
    pub fn set_cookies(&self) -> Vec<String> {
        self.all(SET_COOKIE.as_str())
    }

    /// Every header of this name.
    pub fn all(&self, name: &str) -> Vec<String> {
        self.headers.get_all(name).iter().map(|value| value.to_str().unwrap().to_owned()).collect()
    }
}
