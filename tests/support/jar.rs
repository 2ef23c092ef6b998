//! A visitor's cookies.

use reqwest::header::{COOKIE, HeaderMap, SET_COOKIE};
use reqwest::{RequestBuilder, Response};

/// What a browser keeps of its cookies, as far as one site goes: names and values. It sends even a
/// `Secure` cookie without TLS.
#[derive(Clone, Debug, Default)]
pub struct Jar {
    /// `NAME=VALUE` of each cookie.
    cookies: Vec<String>,
}

impl Jar {
    /// The cookies as a `Cookie` header has them; empty without any.
    pub fn header(&self) -> String {
        self.cookies.join("; ")
    }

    /// Has this cookie, `NAME=VALUE`, and no other.
    pub fn set(&mut self, cookie: &str) {
        self.cookies = vec![cookie.to_owned()];
    }

    /// Does what the `Set-Cookie` headers say.
    pub fn keep(&mut self, headers: &HeaderMap) {
        for set_cookie in headers.get_all(SET_COOKIE) {
            let set_cookie = set_cookie.to_str().unwrap();
            let (pair, attributes) = set_cookie.split_once(';').unwrap_or((set_cookie, ""));
            let name = pair.split('=').next();
            self.cookies.retain(|kept| kept.split('=').next() != name);
            if !attributes.contains("Max-Age=0") {
                self.cookies.push(pair.to_owned());
            }
        }
    }

    /// Sends a request with the cookies, and keeps those of the response.
    pub async fn send(&mut self, mut request: RequestBuilder) -> Response {
        if !self.cookies.is_empty() {
            request = request.header(COOKIE, self.header());
        }
        let response = request.send().await.unwrap();
        self.keep(response.headers());
        response
    }
}
