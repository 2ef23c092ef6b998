//! The view and the actions of a person in a browser.

use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::webdriver::{Connection, Refused};

/// An open browser, with the tab that was last opened or selected. CSS selectors name the elements.
/// A missing element is a failure.
#[derive(Debug)]
pub struct Page {
    browser: Connection,
}

/// A cookie in the browser.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs, reason = "the names of the attributes")]
pub struct Cookie {
    pub name: String,
    pub value: String,
    pub domain: String,
    pub path: String,
    pub secure: bool,
    pub http_only: bool,
    pub same_site: String,
    /// Seconds since 1970. `None` means until the browser is closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expiry: Option<u64>,
}

impl Page {
    pub(super) fn new(browser: Connection) -> Self {
        Self { browser }
    }

    /// Closes the browser, like a person.
    pub async fn close(self) {
        self.browser.delete("").await;
    }

    /// Goes to an address, like a person who types it.
    pub async fn visit(&self, url: &str) {
        self.browser.post("/url", json!({ "url": url })).await;
    }

    /// Presses the "reload" button.
    pub async fn reload(&self) {
        self.browser.post("/refresh", json!({})).await;
    }

    /// Presses the "back" button.
    pub async fn back(&self) {
        self.browser.post("/back", json!({})).await;
    }

    /// Returns the page's title.
    pub async fn title(&self) -> String {
        text(&self.browser.get("/title").await)
    }

    /// Waits for the page with this title.
    pub async fn expect_title(&self, title: &str) {
        let what = format!("the page `{title}`");
        wait_for(&what, async || (self.title().await == title).then_some(())).await;
    }

    /// Waits for a page whose title begins with this text.
    pub async fn expect_title_with(&self, beginning: &str) {
        let what = format!("a page `{beginning}…`");
        wait_for(&what, async || self.title().await.starts_with(beginning).then_some(())).await;
    }

    /// Waits for a page with this text in an element.
    pub async fn expect_text(&self, selector: &str, expected: &str) {
        let what = format!("`{expected}` in {selector}");
        // Between two pages, the element may be gone.
        let is_there = async || {
            let path = format!("{}/text", self.find(selector).await.ok()?);
            let found = self.browser.try_call(Method::GET, &path, None).await.ok()?;
            (text(&found) == expected).then_some(())
        };
        wait_for(&what, is_there).await;
    }

    /// Returns whether such an element exists.
    pub async fn has(&self, selector: &str) -> bool {
        match self.find(selector).await {
            Ok(_) => true,
            Err(refused) => {
                assert_eq!(refused.code, "no such element", "{refused:?}");
                false
            }
        }
    }

    /// Returns the text of an element.
    pub async fn text(&self, selector: &str) -> String {
        let element = self.element(selector).await;
        text(&self.browser.get(&format!("{element}/text")).await)
    }

    /// Returns the value of an input, including hidden inputs.
    pub async fn value(&self, selector: &str) -> String {
        let element = self.element(selector).await;
        text(&self.browser.get(&format!("{element}/property/value")).await)
    }

    /// Clicks an element.
    pub async fn click(&self, selector: &str) {
        let element = self.element(selector).await;
        self.browser.post(&format!("{element}/click"), json!({})).await;
    }

    /// Clicks a link or a form's button, and waits for the next page.
    pub async fn follow(&self, selector: &str) {
        const LEFT: &str = "the page before";
        self.run(&format!("document.title = '{LEFT}'")).await;
        self.click(selector).await;
        wait_for("another page", async || (self.title().await != LEFT).then_some(())).await;
    }

    /// Replaces the text of an input.
    pub async fn fill(&self, selector: &str, text: &str) {
        let element = self.element(selector).await;
        self.browser.post(&format!("{element}/clear"), json!({})).await;
        self.browser.post(&format!("{element}/value"), json!({ "text": text })).await;
    }

    /// Runs a script on the page, like the developer tools, and returns the result.
    pub async fn run(&self, script: &str) -> Value {
        self.browser.post("/execute/sync", json!({ "script": script, "args": [] })).await
    }

    /// Presses the key that moves the focus to the next control.
    pub async fn press_tab(&self) {
        self.press("\u{e004}").await;
    }

    /// Presses the key that carries out what has the focus.
    pub async fn press_enter(&self) {
        self.press("\u{e007}").await;
    }

    async fn press(&self, key: &str) {
        let steps =
            [json!({ "type": "keyDown", "value": key }), json!({ "type": "keyUp", "value": key })];
        let keyboard = json!({ "type": "key", "id": "keyboard", "actions": steps });
        self.browser.post("/actions", json!({ "actions": [keyboard] })).await;
    }

    /// Shows pages at this width, in the light or the dark scheme of colours.
    pub async fn emulate(&self, width: u32, height: u32, is_dark: bool) {
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500 });
        self.devtools("Emulation.setDeviceMetricsOverride", size).await;
        let scheme = if is_dark { "dark" } else { "light" };
        let feature = json!({ "name": "prefers-color-scheme", "value": scheme });
        self.devtools("Emulation.setEmulatedMedia", json!({ "features": [feature] })).await;
    }

    /// Switches the scripts of pages off, or on again.
    pub async fn set_scripts(&self, are_on: bool) {
        self.devtools("Emulation.setScriptExecutionDisabled", json!({ "value": !are_on })).await;
    }

    /// Returns a screenshot of the window, as a PNG file.
    pub async fn png(&self) -> Vec<u8> {
        STANDARD.decode(self.screenshot().await).unwrap()
    }

    async fn devtools(&self, command: &str, parameters: Value) -> Value {
        let call = json!({ "cmd": command, "params": parameters });
        self.browser.post("/goog/cdp/execute", call).await
    }

    /// Returns the cookie with this name that the browser would send to this page.
    pub async fn cookie(&self, name: &str) -> Option<Cookie> {
        let cookies: Vec<Cookie> =
            serde_json::from_value(self.browser.get("/cookie").await).unwrap();
        cookies.into_iter().find(|cookie| cookie.name == name)
    }

    /// Stores a cookie in the browser, as if this page had set it.
    pub async fn set_cookie(&self, cookie: &Cookie) {
        self.browser.post("/cookie", json!({ "cookie": cookie })).await;
    }

    /// Returns the visible tab.
    pub async fn tab(&self) -> String {
        text(&self.browser.get("/window").await)
    }

    /// Opens an address in another tab.
    pub async fn open_tab(&self, url: &str) -> String {
        let tab = text(&self.browser.post("/window/new", json!({ "type": "tab" })).await["handle"]);
        self.switch_to(&tab).await;
        self.visit(url).await;
        tab
    }

    /// Switches to another tab.
    pub async fn switch_to(&self, tab: &str) {
        self.browser.post("/window", json!({ "handle": tab })).await;
    }

    /// Returns a screenshot of the page, as a PNG file in base64.
    pub async fn screenshot(&self) -> String {
        text(&self.browser.get("/screenshot").await)
    }

    async fn element(&self, selector: &str) -> String {
        self.find(selector).await.unwrap_or_else(|refused| panic!("{selector}: {refused:?}"))
    }

    async fn find(&self, selector: &str) -> Result<String, Refused> {
        /// Key of an element's reference (WebDriver, section 12.2).
        const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";
        let by = json!({ "using": "css selector", "value": selector });
        let found = self.browser.try_call(Method::POST, "/element", Some(by)).await?;
        Ok(format!("/element/{}", text(&found[ELEMENT])))
    }
}

/// Polls for an answer, for up to twenty seconds.
async fn wait_for<T>(what: &str, ask: impl AsyncFn() -> Option<T>) -> T {
    let limit = Instant::now() + Duration::from_secs(20);
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(Instant::now() < limit, "timed out waiting for {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
