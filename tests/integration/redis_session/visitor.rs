//! A visitor of one or more applications.

use reqwest::header::SET_COOKIE;
use reqwest::{Client, Method};
use session_tests::jar::Jar;

/// A visitor of one or more applications, who keeps their cookies.
#[derive(Debug, Clone, Default)]
pub(crate) struct Visitor {
    http: Client,
    pub(crate) jar: Jar,
    /// The number of responses that set or removed a cookie.
    pub(crate) cookies_set: usize,
}

impl Visitor {
    pub(crate) async fn get(&mut self, url: &str) -> String {
        self.ok(Method::GET, url, "").await
    }

    pub(crate) async fn post(&mut self, url: &str) -> String {
        self.ok(Method::POST, url, "").await
    }

    pub(crate) async fn ok(&mut self, method: Method, url: &str, body: &str) -> String {
        let (status, text) = self.send(method, url, body).await;
        assert_eq!(status, 200, "{url}: {text}");
        text
    }

    /// Returns the status and the body.
    pub(crate) async fn send(&mut self, method: Method, url: &str, body: &str) -> (u16, String) {
        let request = self.http.request(method, url).body(body.to_owned());
        let response = self.jar.send(request).await;
        self.cookies_set += usize::from(response.headers().contains_key(SET_COOKIE));
        (response.status().as_u16(), response.text().await.unwrap())
    }
}
