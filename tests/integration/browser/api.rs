//! `examples/api` in a real browser: cookies beside tokens, and pages of another origin.

use axum::Router;
use axum::response::Html;
use axum::routing::get;
use reqwest::Client;
use serde_json::{Value, json};
use session_tests::browser::{Browser, Page};
use session_tests::example::Example;
use tokio::net::TcpListener;

const GUIDE: &str = include_str!("../../../session-runtime/src/guide/bearer.md");

/// Serves an empty page. `localhost` and `127.0.0.1` are different sites.
async fn other_origin() -> String {
    let page = async || Html("<!DOCTYPE html><title>Another origin</title>");
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://localhost:{}", listener.local_addr().unwrap().port());
    let app = Router::new().route("/", get(page));
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    url
}

/// Starts the example for the pages of this origin.
fn start(origin: &str) -> Example {
    Example::start("api", &[("ALLOWED_ORIGIN", origin)])
}

/// Gives the page the guide's client of this example, as `call`.
async fn load_client(page: &Page, example: &Example) {
    let (_, client) = GUIDE.split_once("```js\n").unwrap();
    let (client, _) = client.split_once("```").unwrap();
    let client = client.replace("https://api.example.com", example.url());
    let post =
        "const post = (path, body) => call(path, { method: 'POST', body: JSON.stringify(body),
        headers: { 'Content-Type': 'application/json' } });";
    let script = json!(format!("{client}{post}"));
    page.run(&format!(
        "const script = document.createElement('script'); script.textContent = {script};
         document.head.append(script);"
    ))
    .await;
}

/// Signs the page's client in, and returns the status, or the error of a refused request.
async fn sign_in(page: &Page, user: &str) -> Value {
    let sign_in = format!(
        "return post('/api/login', {{ name: '{user}', password: 'an example' }})
             .then(answer => answer.status, error => error.name)"
    );
    page.run(&sign_in).await
}

async fn me(page: &Page) -> Value {
    page.run("return call('/api/me').then(answer => answer.json())").await
}

fn ada() -> Value {
    json!({ "user": "ada" })
}

/// A program beside the browser, without a cookie store.
struct Phone<'a> {
    example: &'a Example,
    token: String,
}

impl<'a> Phone<'a> {
    async fn sign_in(example: &'a Example, user: &str) -> Self {
        let login = json!({ "name": user, "password": "an example" });
        let request = Client::new().post(format!("{}/api/login", example.url())).json(&login);
        let response = request.send().await.unwrap();
        let token = response.headers()["session-token"].to_str().unwrap().to_owned();
        Self { example, token }
    }

    async fn user(&self) -> Result<Value, u16> {
        let request = Client::new().get(format!("{}/api/me", self.example.url()));
        let response = request.bearer_auth(&self.token).send().await.unwrap();
        match response.status().as_u16() {
            200 => Ok(response.json().await.unwrap()),
            refused => Err(refused),
        }
    }

    async fn change_password(&self) -> u16 {
        let change = json!({ "password": "an example", "new_password": "another" });
        let request = Client::new().post(format!("{}/api/password", self.example.url()));
        request.bearer_auth(&self.token).json(&change).send().await.unwrap().status().as_u16()
    }
}

#[tokio::test]
async fn a_browser_with_a_cookie_and_a_program_with_a_token_use_the_same_application() {
    let Some(browser) = Browser::start() else { return };
    let example = Example::start("api", &[]);
    let page = browser.open(example.url()).await;
    page.expect_title("Sign in").await;
    page.follow("#login").await;
    page.expect_title("Welcome").await;
    let (phone, grace) =
        (Phone::sign_in(&example, "ada").await, Phone::sign_in(&example, "grace").await);
    assert_eq!((page.text("#user").await, phone.user().await), ("ada".to_owned(), Ok(ada())));
    let alone = "return fetch('/api/me').then(answer => answer.status)";
    assert_eq!(page.run(alone).await, 401);
    page.reload().await;
    page.expect_title("Welcome").await;

    page.follow("#logout").await;
    page.expect_title("Sign in").await;
    assert_eq!(phone.user().await, Ok(ada()));
    page.follow("#login").await;
    page.expect_title("Welcome").await;
    assert_eq!(phone.change_password().await, 204);
    page.visit(example.url()).await;
    page.expect_title("Sign in").await;
    assert_eq!(grace.user().await, Ok(json!({ "user": "grace" })));
}

#[tokio::test]
async fn a_page_of_the_allowed_origin_keeps_its_token_and_gets_no_cookie() {
    let Some(browser) = Browser::start() else { return };
    let origin = other_origin().await;
    let example = start(&origin);
    let page = browser.open(example.url()).await;
    page.follow("#login").await;
    page.expect_title("Welcome").await;
    let cookie = page.cookie("session-id").await.unwrap();

    page.visit(&origin).await;
    load_client(&page, &example).await;
    assert_eq!(me(&page).await, json!({ "error": "sign in" }));
    assert_eq!(sign_in(&page, "grace").await, 200);
    assert_eq!(me(&page).await, json!({ "user": "grace" }));
    let replaced = "const former = token;
        return post('/api/password', { password: 'an example', new_password: 'another' })
            .then(answer => [answer.status, token !== former, token !== ''])";
    assert_eq!(page.run(replaced).await, json!([204, true, true]));
    assert_eq!(me(&page).await, json!({ "user": "grace" }));
    // An answer to the former token does not replace the new token.
    let overtaken = "const kept = token; token = 'former';
        const late = call('/api/me'); token = kept;
        return late.then(answer => [answer.status, token === kept])";
    assert_eq!(page.run(overtaken).await, json!([200, true]));
    let signed_out = "return post('/api/logout').then(answer => [answer.status, token])";
    assert_eq!(page.run(signed_out).await, json!([204, ""]));
    assert_eq!(me(&page).await, json!({ "error": "sign in" }));

    page.visit(example.url()).await;
    page.expect_title("Welcome").await;
    assert_eq!(page.cookie("session-id").await.unwrap(), cookie);
}

#[tokio::test]
async fn a_page_of_another_origin_opens_a_websocket_with_a_ticket_once() {
    let Some(browser) = Browser::start() else { return };
    let origin = other_origin().await;
    let example = start(&origin);
    let page = browser.open(&origin).await;
    load_client(&page, &example).await;
    assert_eq!(sign_in(&page, "ada").await, 200);
    let connected = "return (async () => {
        const { ticket } = await (await post('/api/ticket')).json();
        const url = `${api.replace('http', 'ws')}/live?ticket=${ticket}`;
        const open = () => new Promise(done => {
            const socket = new WebSocket(url);
            socket.onopen = () => done(socket);
            socket.onclose = ({ code }) => done(code);
        });
        const [socket, second] = [await open(), await open()];
        const said = new Promise(done => (socket.onmessage = ({ data }) => done(data)));
        socket.send('hello');
        const closed = new Promise(done => (socket.onclose = ({ code }) => done(code)));
        const answers = [second, await said];
        await post('/api/logout');
        return [...answers, await closed];
    })()";
    assert_eq!(page.run(connected).await, json!([1006, "ada: hello", 1008]));
}

#[tokio::test]
async fn a_page_of_an_origin_that_is_not_allowed_gets_nothing() {
    let Some(browser) = Browser::start() else { return };
    let (allowed, other) = (other_origin().await, other_origin().await);
    let example = start(&allowed);
    let phone = Phone::sign_in(&example, "ada").await;
    let page = browser.open(&other).await;
    load_client(&page, &example).await;
    assert_eq!(sign_in(&page, "ada").await, "TypeError");
    let stolen = format!(
        "token = '{}'; return call('/api/me').then(answer => answer.status, error => error.name)",
        phone.token
    );
    assert_eq!(page.run(&stolen).await, "TypeError");
    page.visit(&allowed).await;
    load_client(&page, &example).await;
    assert_eq!(page.run(&stolen).await, 200);
}
