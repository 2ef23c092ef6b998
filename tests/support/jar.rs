//! A visitor's cookies.

use reqwest::header::{COOKIE, HeaderMap, SET_COOKIE};
use reqwest::{RequestBuilder, Response};

/// A browser's cookies for one site, with names and values. The jar sends `Secure` cookies even
/// without TLS.
#[derive(Clone, Debug, Default)]
pub struct Jar {
    /// `NAME=VALUE` of each cookie.
    cookies: Vec<String>,
}

impl Jar {
    /// Returns the cookies as a `Cookie` header, which is empty without cookies.
    pub fn header(&self) -> String {
        self.cookies.join("; ")
    }

    /// Replaces all cookies with this cookie, `NAME=VALUE`.
    pub fn set(&mut self, cookie: &str) {
        self.cookies = vec![cookie.to_owned()];
    }

    /// Applies the `Set-Cookie` headers.
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

    /// Sends a request with the cookies, and keeps the cookies of the response.
    pub async fn send(&mut self, mut request: RequestBuilder) -> Response {
        if !self.cookies.is_empty() {
            request = request.header(COOKIE, self.header());
        }
        let response = request.send().await.unwrap();
        self.keep(response.headers());
        response
    }
}
