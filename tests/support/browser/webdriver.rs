//! The subset of [WebDriver](https://www.w3.org/TR/webdriver2/) that the tests need.

use std::path::Path;

use reqwest::Method;
use serde_json::{Value, json};

/// A running browser, identified by the driver's session.
#[derive(Debug, Clone)]
pub(super) struct Connection {
    http: reqwest::Client,
    session: String,
}

/// An error of the driver, with a code such as `no such element` and a message.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) code: String,
    message: String,
}

impl Connection {
    /// Starts a browser.
    pub(super) async fn open(driver: &str, chromium: &Path, arguments: &[String]) -> Self {
        let options = json!({ "binary": chromium, "args": arguments });
        let capabilities =
            json!({ "capabilities": { "alwaysMatch": { "goog:chromeOptions": options } } });
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let mut connection = Self { http, session: format!("{driver}/session") };
        let opened = connection.start(&capabilities).await;
        connection.session =
            format!("{}/{}", connection.session, opened["sessionId"].as_str().unwrap());
        connection
    }

    /// Starts a session, with retries. On a busy machine, the driver may fail because it reads the
    /// file with the browser's port too early.
    async fn start(&self, capabilities: &Value) -> Value {
        const TRIES: usize = 3;
        for _ in 1..TRIES {
            match self.try_call(Method::POST, "", Some(capabilities.clone())).await {
                Ok(opened) => return opened,
                Err(refused) if refused.code == "session not created" => {}
                Err(Refused { code, message }) => {
                    panic!("the browser did not start: {code}: {message}")
                }
            }
        }
        self.call(Method::POST, "", Some(capabilities.clone())).await
    }

    pub(super) async fn get(&self, path: &str) -> Value {
        self.call(Method::GET, path, None).await
    }

    pub(super) async fn post(&self, path: &str, body: Value) -> Value {
        self.call(Method::POST, path, Some(body)).await
    }

    pub(super) async fn delete(&self, path: &str) -> Value {
        self.call(Method::DELETE, path, None).await
    }

    async fn call(&self, method: Method, path: &str, body: Option<Value>) -> Value {
        let called = format!("{method} {path}");
        match self.try_call(method, path, body).await {
            Ok(value) => value,
            Err(Refused { code, message }) => {
                panic!("the browser refuses `{called}`: {code}: {message}")
            }
        }
    }

    pub(super) async fn try_call(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Result<Value, Refused> {
        let mut request = self.http.request(method, format!("{}{path}", self.session));
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = request.send().await.unwrap();
        let succeeded = response.status().is_success();
        let value = response.json::<Value>().await.unwrap()["value"].take();
        if succeeded {
            return Ok(value);
        }
        let text = |key: &str| value[key].as_str().unwrap_or_default().to_owned();
        Err(Refused { code: text("error"), message: text("message") })
    }
}
