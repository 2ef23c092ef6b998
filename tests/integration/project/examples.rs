//! Every program in `examples/`, started as a user would and checked against its documentation. A
//! browser tests `login` and `chat` too.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use reqwest::header::{CONTENT_TYPE, COOKIE, SET_COOKIE, TE, USER_AGENT};
use reqwest::{Client, Method, RequestBuilder, Response};
use serde_json::{Value, json};
use session_tests::example::{self, Example};
use session_tests::program::Program;
use session_tests::websocket::Connection;

/// A cookie jar for the single cookie of an example.
#[derive(Default)]
struct Jar {
    cookie: Option<String>,
}

impl Jar {
    async fn send(&mut self, mut request: RequestBuilder) -> Response {
        if let Some(cookie) = &self.cookie {
            request = request.header(COOKIE, cookie);
        }
        let response = request.send().await.unwrap();
        if let Some(set) = response.headers().get(SET_COOKIE) {
            self.cookie = set.to_str().unwrap().split(';').next().map(str::to_owned);
        }
        response
    }

    async fn get(&mut self, url: &str) -> String {
        self.send(client().get(url)).await.text().await.unwrap()
    }

    async fn json(&mut self, method: Method, url: &str, body: &Value) -> (u16, Value) {
        let response = self.send(client().request(method, url).json(body)).await;
        (response.status().as_u16(), response.json().await.unwrap_or_default())
    }
}

/// A browser in the example `login`.
struct Device {
    jar: Jar,
    url: String,
}

impl Device {
    /// Signs a user in, with a browser of this name.
    async fn sign_in(example: &Example, user: &str, browser: &str) -> Self {
        let mut device = Self { jar: Jar::default(), url: example.url().to_owned() };
        let token = value_of(&device.get("/login").await, "form_token").to_owned();
        let form = device.form("/login").header(USER_AGENT, browser);
        let form = form.body(format!("form_token={token}&name={user}&password=an+example"));
        assert_eq!(device.jar.send(form).await.status(), 303);
        device
    }

    async fn get(&mut self, path: &str) -> String {
        self.jar.get(&format!("{}{path}", self.url)).await
    }

    async fn post(&mut self, path: &str, body: String) -> Response {
        let form = self.form(path).body(body);
        self.jar.send(form).await
    }

    async fn is_signed_in(&mut self) -> bool {
        self.jar.send(client().get(&self.url)).await.status() == 200
    }

    /// Returns the tag of the session, at the beginning of the cookie's value.
    fn tag(&self) -> &str {
        let (_, value) = self.jar.cookie.as_deref().unwrap().split_once('=').unwrap();
        &value[..8]
    }

    fn form(&self, path: &str) -> RequestBuilder {
        let request = client().post(format!("{}{path}", self.url));
        request.header(CONTENT_TYPE, "application/x-www-form-urlencoded")
    }
}

/// Returns the value of the first input or button of this name.
fn value_of<'a>(page: &'a str, name: &str) -> &'a str {
    let (_, value) = page.split_once(&format!(r#"name="{name}" value=""#)).unwrap();
    value.split('"').next().unwrap()
}

/// Returns a client that does not follow redirects, so the redirect and the cookie are visible.
fn client() -> Client {
    Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap()
}

async fn counts(example: &str) {
    let example = Example::start(example, &[]);
    let (mut one, mut other) = (Jar::default(), Jar::default());
    assert_eq!(one.get(example.url()).await, "count: 1\n");
    assert_eq!(one.get(example.url()).await, "count: 2\n");
    assert_eq!(other.get(example.url()).await, "count: 1\n");
}

#[tokio::test]
async fn counter_counts_visits_and_keeps_a_profile() {
    counts("counter").await;
    let example = Example::start("counter", &[]);
    let mut jar = Jar::default();
    let profile = format!("{}/profile", example.url());
    let form = client().post(&profile).header(CONTENT_TYPE, "application/x-www-form-urlencoded");
    jar.send(form.body("name=Ada&age=36&languages=en,fr")).await;
    let expected = json!({ "name": "Ada", "vip": true, "age": 36, "properties": { "languages": ["en", "fr"] } });
    assert_eq!(serde_json::from_str::<Value>(&jar.get(&profile).await).unwrap(), expected);
}

#[tokio::test]
async fn counter_takes_options_over_the_environment_over_a_file() {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("counter.toml");
    let settings = r#"
        store = "memory:"
        cookie_name = "by-file"
        cookie_secure = false
        cookie_path = "/by-file"
        cookie_domain = "by-file.example"
        lifetimes = [{ class = "normal", persistent = true, max = 1000 }]
    "#;
    fs::write(&file, settings).unwrap();
    let options = ["--config", file.to_str().unwrap(), "--session-cookie-path=/by-option"];
    let variables =
        [("SESSION_COOKIE_PATH", "/by-variable"), ("SESSION_COOKIE_DOMAIN", "by-variable.example")];
    let example = Example::start_with("counter", &options, &variables);
    let response = client().get(example.url()).send().await.unwrap();
    let set = response.headers()[SET_COOKIE].to_str().unwrap();
    let (pair, attributes) = set.split_once("; ").unwrap();
    assert!(pair.starts_with("by-file="), "{set}");
    let attributes: BTreeSet<_> =
        attributes.split("; ").filter(|text| !text.starts_with("Max-Age=")).collect();
    assert_eq!(
        attributes,
        ["Domain=by-variable.example", "HttpOnly", "Path=/by-option", "SameSite=Lax"].into()
    );
    assert!(set.contains("Max-Age="), "{set}");
}

/// Both with options and with the environment alone. An unreadable value ends the program, so a
/// missing warning cannot hang the test.
#[test]
fn a_misspelled_variable_is_logged() {
    for example in ["counter", "flash"] {
        let variables = [("SESSION_COOKIE_SECUR", "false"), ("SESSION_EXPIRE", "soon")];
        let said = Program::start(&mut example::command(example, &[], &variables))
            .line_after("did you mean the name in `meant`?");
        assert!(said.contains("SESSION_COOKIE_SECURE"), "{example}: {said}");
    }
}

#[tokio::test]
async fn flash_shows_a_message_once() {
    let example = Example::start("flash", &[]);
    let mut jar = Jar::default();
    jar.send(client().post(format!("{}/save", example.url()))).await;
    assert!(jar.get(example.url()).await.contains("Saved."));
    assert!(!jar.get(example.url()).await.contains("Saved."));
}

#[tokio::test]
async fn login_lists_the_sessions_of_a_user_and_ends_them() {
    let example = Example::start("login", &[]);
    let mut laptop = Device::sign_in(&example, "ada", "Laptop").await;
    let mut phone = Device::sign_in(&example, "ada", "<Phone>").await;
    let mut tablet = Device::sign_in(&example, "ada", "Tablet").await;
    let mut grace = Device::sign_in(&example, "grace", "Desk").await;
    let page = laptop.get("/devices").await;
    for text in ["<strong>Laptop</strong>, this device", "<li>&lt;Phone&gt;", "<li>Tablet"] {
        assert!(page.contains(text), "{text}: {page}");
    }
    assert!(!page.contains("Desk") && !page.contains(laptop.tag()), "{page}");

    let token = value_of(&page, "form_token").to_owned();
    let end = |tag: &str| format!("form_token={token}&tag={tag}");
    let forged = format!("tag={}", phone.tag());
    assert_eq!(laptop.post("/devices/end", forged).await.status(), 403);
    assert_eq!(laptop.post("/devices/end", end(grace.tag())).await.status(), 303);
    assert!(phone.is_signed_in().await && grace.is_signed_in().await);
    assert_eq!(laptop.post("/devices/end", end(phone.tag())).await.status(), 303);
    assert!(!phone.is_signed_in().await && tablet.is_signed_in().await);
    assert_eq!(laptop.post("/devices/end-others", end("")).await.status(), 303);
    assert!(!tablet.is_signed_in().await && laptop.is_signed_in().await);

    assert_eq!(laptop.post("/admin", format!("{}&name=grace", end(""))).await.status(), 403);
    let token = value_of(&grace.get("/admin").await, "form_token").to_owned();
    let done = grace.post("/admin", format!("form_token={token}&name=ada")).await;
    assert!(done.text().await.unwrap().contains("1 sessions were ended."));
    assert!(!laptop.is_signed_in().await && grace.is_signed_in().await);
}

#[tokio::test]
async fn login_signs_the_oldest_of_six_devices_out() {
    let example = Example::start("login", &[]);
    let mut devices = Vec::new();
    for number in 0..6 {
        devices.push(Device::sign_in(&example, "ada", &format!("Device {number}")).await);
    }
    for (number, device) in devices.iter_mut().enumerate() {
        assert_eq!(device.is_signed_in().await, number > 0, "{number}");
    }
}

/// Signs in at the example `chat`, and returns the cookie.
async fn join_chat(example: &Example, jar: &mut Jar, user: &str) -> String {
    let request = client().post(format!("{}/sign-in", example.url()));
    let form = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
    assert_eq!(jar.send(form.body(format!("user={user}"))).await.status(), 303);
    jar.cookie.clone().unwrap()
}

#[tokio::test]
async fn chat_closes_the_connections_of_ended_sessions() {
    let example = Example::start("chat", &[]);
    let url = |path| format!("{}{path}", example.url());
    let connect = async |cookie: &str| Connection::open(example.url(), "/socket", cookie).await.0;
    let (mut laptop, mut phone, mut desk) = (Jar::default(), Jar::default(), Jar::default());
    let of_laptop = join_chat(&example, &mut laptop, "ada").await;
    let of_phone = join_chat(&example, &mut phone, "ada").await;
    let of_desk = join_chat(&example, &mut desk, "grace").await;
    let mut tabs = [connect(&of_laptop).await, connect(&of_laptop).await];
    let mut other = connect(&of_phone).await;
    let mut stays = connect(&of_desk).await;
    assert_eq!(tabs[0].say("hello").await, "ada: hello");
    for tab in [&mut tabs[1], &mut other, &mut stays] {
        assert_eq!(tab.hear().await, "ada: hello");
    }

    laptop.send(client().post(url("/sign-out"))).await;
    for tab in &mut tabs {
        assert_eq!(tab.close_code().await, 1008);
    }
    assert_eq!(Connection::refused(example.url(), "/socket", &of_laptop).await, 401);
    assert_eq!(laptop.send(client().get(url("/user"))).await.status(), 401);

    // The second login gives the phone a new id.
    let (former, of_phone) = (of_phone, join_chat(&example, &mut phone, "ada").await);
    assert_eq!(other.close_code().await, 1012);
    let mut other = connect(&of_phone).await;
    assert_eq!(phone.get(&url("/user")).await, "ada");
    let late = client().get(url("/user")).header(COOKIE, former);
    assert_eq!(late.send().await.unwrap().status(), 409);

    laptop = Jar::default();
    let mut first = connect(&join_chat(&example, &mut laptop, "ada").await).await;
    phone.send(client().post(url("/sign-out-everywhere"))).await;
    for tab in [&mut first, &mut other] {
        assert_eq!(tab.close_code().await, 1008);
    }
    assert_eq!(stays.say("still here").await, "grace: still here");
}

#[tokio::test]
async fn json_api_keeps_a_cart_and_tells_errors_as_json() {
    let example = Example::start("json_api", &[]);
    let mut jar = Jar::default();
    let cart = format!("{}/cart", example.url());
    let item = |article| format!("{cart}/items/{article}");
    assert_eq!(
        jar.json(Method::PUT, &item("tea"), &json!({ "quantity": 2 })).await,
        (200, json!({ "tea": 2 }))
    );
    let both = json!({ "milk": 1, "tea": 2 });
    assert_eq!(
        jar.json(Method::PUT, &item("milk"), &json!({ "quantity": 1 })).await,
        (200, both.clone())
    );
    let refused = json!({ "error": "at most 99 of an article" });
    assert_eq!(
        jar.json(Method::PUT, &item("tea"), &json!({ "quantity": 100 })).await,
        (422, refused)
    );
    assert_eq!(
        jar.json(Method::GET, &cart, &Value::Null).await,
        (200, json!({ "coupon": null, "items": both }))
    );
    let stale = jar.cookie.clone();
    assert_eq!(jar.json(Method::DELETE, &cart, &Value::Null).await, (204, Value::Null));
    jar.cookie = stale;
    let gone = json!({ "error": "your session has ended" });
    assert_eq!(jar.json(Method::PUT, &item("tea"), &json!({ "quantity": 1 })).await, (409, gone));
}

#[tokio::test]
async fn admin_shows_sessions_to_the_staff_alone() {
    let example = Example::start("admin", &[]);
    let url = |path| format!("{}{path}", example.url());
    let mut jar = Jar::default();
    let stranger = jar.send(client().get(url("/admin/sessions?by=user&value=ada"))).await;
    assert_eq!(
        (stranger.status().as_u16(), &stranger.headers()["location"]),
        (303, &"/login".parse().unwrap())
    );
    for (password, expected) in [("guess", "/login"), ("let+me+in", "/admin/sessions")] {
        let form = client().post(url("/login"));
        let form = form.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        let reply = jar.send(form.body(format!("password={password}"))).await;
        assert_eq!(reply.headers()["location"], expected);
    }
    let page = jar.get(&url("/admin/sessions?by=user&value=ada")).await;
    assert!(page.contains("3 live sessions") && page.contains("curl/8.14.1"), "{page}");
    assert!(page.contains("root") && !page.contains("private"), "{page}");
}

#[tokio::test]
async fn metrics_shows_what_sessions_do() {
    let example = Example::start("metrics", &[]);
    let mut jar = Jar::default();
    assert_eq!(jar.get(example.url()).await, "count: 1\n");
    assert_eq!(jar.get(example.url()).await, "count: 2\n");
    let page = jar.get(&format!("{}/metrics", example.url())).await;
    for line in [
        "# TYPE session_operations_total counter",
        r#"session_operations_total{operation="incr",outcome="ok"} 2"#,
        "# TYPE session_operation_duration_seconds histogram",
        r#"session_operation_duration_seconds_bucket{operation="incr",le="1"} 2"#,
        "session_created_total 1",
    ] {
        assert!(page.lines().any(|told| told == line), "{line}: {page}");
    }
}

#[tokio::test]
async fn shared_counts_on_one_session_under_both_frameworks() {
    let mut example = Example::start("shared", &[]);
    let axum = example.url().to_owned();
    let actix = format!("http://{}", example.line_after("actix-web at http://"));
    let mut jar = Jar::default();
    for (url, expected) in [(&axum, 1), (&actix, 2), (&axum, 3)] {
        assert_eq!(jar.get(url).await, format!("count: {expected}\n"));
    }
}

#[tokio::test]
async fn threads_counts() {
    counts("threads").await;
}

#[tokio::test]
async fn actix_counter_counts() {
    counts("actix_counter").await;
}

#[tokio::test]
async fn hyper_by_hand_counts() {
    counts("hyper_by_hand").await;
}

#[tokio::test]
async fn hyper_tower_counts() {
    counts("hyper_tower").await;
}

#[tokio::test]
async fn blocking_counter_counts() {
    counts("blocking_counter").await;
}

#[tokio::test]
async fn poem_counter_counts() {
    counts("poem_counter").await;
}

#[tokio::test]
async fn salvo_counter_counts() {
    counts("salvo_counter").await;
}

#[tokio::test]
async fn warp_counter_counts() {
    counts("warp_counter").await;
}

/// A gRPC message has a byte for the compression flag, four bytes for the length, and the payload.
/// Here the payload is the number as field 1.
#[tokio::test]
async fn tonic_counter_counts() {
    let example = Example::start("tonic_counter", &[]);
    let client = Client::builder().http2_prior_knowledge().build().unwrap();
    let mut jar = Jar::default();
    for count in 1..=2 {
        let call = client.post(format!("{}/session.Counter/Count", example.url()));
        let call =
            call.header(CONTENT_TYPE, "application/grpc").header(TE, "trailers").body(vec![0; 5]);
        let reply = jar.send(call).await.bytes().await.unwrap();
        assert_eq!(reply[..], [0, 0, 0, 0, 2, 8, count]);
    }
}
