//! An HTTP client that exposes all headers and can keep credentials.

use std::time::Duration;

use reqwest::header::{HeaderMap, SET_COOKIE};
use serde_json::Value;
use session_runtime::Transport;

use super::script::Script;
use super::wallet::Wallet;
use super::world::App;

/// A visitor's browser with respect to cookies, or another client with respect to bearer tokens. It
/// keeps the credentials of each response and sends them again.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    base: String,
    wallet: Wallet,
}

impl Client {
    pub(crate) fn new(base: &str, transport: Transport) -> Self {
        let http =
            reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Self { http, base: base.to_owned(), wallet: Wallet::new(transport) }
    }

    /// Sends a script to the handler with the client's credentials, and keeps the credentials of
    /// the reply.
    pub async fn run(&mut self, script: Script) -> Reply {
        let reply = self.send("/do", &script, &[&self.credential()]).await;
        self.wallet.keep(&reply.headers);
        reply
    }

    /// Sends a script to a handler that takes no session.
    pub async fn ignore(&mut self, script: Script) -> Reply {
        let reply = self.send("/ignore", &script, &[&self.credential()]).await;
        self.wallet.keep(&reply.headers);
        reply
    }

    /// Sends a script with these credentials instead of the client's, each in a header of its own.
    /// Keeps no credentials.
    pub async fn run_with(&self, credentials: &[impl AsRef<[u8]>], script: Script) -> Reply {
        self.send("/do", &script, credentials).await
    }

    /// Returns the credential as the client would send it: the cookie, `NAME=VALUE`, or the bearer
    /// token.
    pub fn credential(&self) -> String {
        self.wallet.credential()
    }

    /// Replaces all credentials of the client with this one.
    pub fn set_credential(&mut self, credential: &str) {
        self.wallet.set(credential);
    }

    /// Directs further requests to another program.
    pub fn move_to(&mut self, app: &App) {
        self.base.clone_from(&app.base);
    }

    async fn send(&self, path: &str, script: &Script, credentials: &[impl AsRef<[u8]>]) -> Reply {
        let request = self.http.post(format!("{}{path}", self.base)).json(script);
        let present = credentials.iter().map(AsRef::as_ref).filter(|one| !one.is_empty());
        let request = present.fold(request, |request, one| self.wallet.attach(request, one));
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let [issuing, other] = self.wallet.issuing_headers();
        assert!(!headers.contains_key(other), "{other} although the transport has {issuing}");
        Reply { status, headers, body: response.text().await.unwrap(), issuing }
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
    issuing: &'static str,
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

    /// Returns the credentials that the client gets: all `Set-Cookie` headers, or all
    /// `Session-Token` headers.
    pub fn issued(&self) -> Vec<String> {
        self.all(self.issuing)
    }

    /// Returns whether the client gets a single credential, which removes the client's own: a
    /// cookie of age zero, or an empty token.
    pub fn removes_credential(&self) -> bool {
        let [credential] = &self.issued()[..] else { return false };
        credential.is_empty() || credential.contains("Max-Age=0")
    }

    /// Returns whether the client keeps its new credential for this time. The age of a cookie says
    /// so. A token has no age.
    pub fn lasts_for(&self, time: Duration) -> bool {
        let age = format!("; Max-Age={}", time.as_secs());
        self.issued()
            .iter()
            .any(|credential| self.issuing != SET_COOKIE.as_str() || credential.contains(&age))
    }

    /// Returns all headers with this name.
    pub fn all(&self, name: &str) -> Vec<String> {
        self.headers.get_all(name).iter().map(|value| value.to_str().unwrap().to_owned()).collect()
    }
}
