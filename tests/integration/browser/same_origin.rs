//! Forged requests in a real browser, with the same-origin check and without.

use axum::Router;
use axum::extract::Query;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::response::{Html, Response};
use axum::routing::{any, get};
use session_runtime::{Error, MemoryStore, SameSite, Session, SessionConfig, Sessions};
use session_tests::browser::{Browser, Page};
use session_tests::cookies::SECRET;
use tokio::net::TcpListener;

#[derive(Session)]
struct Account {
    transfers: u64,
}

async fn transfer(account: Session<Account>) -> Result<String, Error> {
    Ok(account.transfers().incr(1).await?.to_string())
}

/// Transfers in a WebSocket, and says how often.
async fn connect(account: Session<Account>, upgrade: WebSocketUpgrade) -> Result<Response, Error> {
    let said = transfer(account).await?;
    Ok(upgrade.on_upgrade(async move |mut socket: WebSocket| {
        let _ = socket.send(Message::text(said)).await;
    }))
}

async fn transfers(account: Session<Account>) -> Result<String, Error> {
    Ok(account.transfers().await?.to_string())
}

#[derive(serde::Deserialize)]
struct Target {
    url: Option<String>,
}

/// A page with a form to the URL. Scripts of the tests run there.
async fn page(Query(Target { url }): Query<Target>) -> Html<String> {
    let url = url.unwrap_or_default();
    Html(format!(
        r#"<!DOCTYPE html><title>Page</title>
        <form method="post" action="{url}"><button>Send</button></form>"#
    ))
}

/// The port of a server that listens on `127.0.0.1` and so on `localhost`, which is another site.
async fn serve(app: Router) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    port
}

/// Serves a page, and the same routes with the check, and under `/open` without.
async fn serve_bank(policy: SameSite, trusted: Option<String>) -> String {
    let config = SessionConfig::new().secret(SECRET).cookie_same_site(policy);
    let config = config.trusted_origins(trusted);
    let sessions = Sessions::with_store(config, MemoryStore::new()).unwrap();
    let changing =
        || Router::new().route("/transfer", any(transfer)).route("/socket", any(connect));
    let app = changing()
        .layer(sessions.layer().same_origin())
        .nest("/open", changing())
        .route("/", get(page))
        .route("/transfers", get(transfers))
        .layer(sessions.layer());
    format!("http://127.0.0.1:{}", serve(app).await)
}

/// Submits the form to the URL of the page at the origin.
async fn submit(page: &Page, origin: &str, url: &str) -> String {
    page.visit(&format!("{origin}/?url={url}")).await;
    page.follow("button").await;
    page.text("body").await
}

async fn fetch(page: &Page, origin: &str, url: &str) {
    page.visit(origin).await;
    let options = "{ method: 'POST', mode: 'no-cors', credentials: 'include' }";
    page.run(&format!("return fetch('{url}', {options}).then(() => 'done')")).await;
}

/// Returns the number of transfers, as the user sees it.
async fn made(page: &Page, bank: &str) -> String {
    page.visit(&format!("{bank}/transfers")).await;
    page.text("body").await
}

/// Connects from the page at the origin, and returns the first message.
async fn socket(page: &Page, origin: &str, url: &str) -> String {
    page.visit(origin).await;
    let url = url.replace("http", "ws");
    let script = format!(
        "return new Promise(resolve => {{
            const socket = new WebSocket('{url}');
            socket.onmessage = message => resolve(message.data);
            socket.onerror = () => resolve('refused');
        }})"
    );
    page.run(&script).await.as_str().unwrap().to_owned()
}

/// Behaviour: requests of other origins. Another port is another origin of the same site, and all
/// requests of its pages have the cookie.
#[tokio::test]
async fn forms_fetches_and_websockets_of_the_same_site_are_refused() {
    let Some(browser) = Browser::start() else { return };
    let other = format!("http://127.0.0.1:{}", serve(Router::new().route("/", get(page))).await);
    let bank = serve_bank(SameSite::Strict, None).await;
    let page = browser.open(&bank).await;
    let [transfer, open] = ["", "/open"].map(|at| format!("{bank}{at}/transfer"));
    assert_eq!(submit(&page, &bank, &transfer).await, "1");
    assert_eq!(submit(&page, &other, &transfer).await, "Forbidden");
    assert_eq!(submit(&page, &other, &open).await, "2", "forged");

    fetch(&page, &bank, &transfer).await;
    fetch(&page, &other, &transfer).await;
    assert_eq!(made(&page, &bank).await, "3");
    fetch(&page, &other, &open).await;
    assert_eq!(made(&page, &bank).await, "4", "forged");

    let [connect, open] = ["", "/open"].map(|at| format!("{bank}{at}/socket"));
    assert_eq!(socket(&page, &bank, &connect).await, "5");
    assert_eq!(socket(&page, &other, &connect).await, "refused");
    assert_eq!(socket(&page, &other, &open).await, "6", "forged");
}

/// This browser keeps cookies out of all requests of other sites but of forms.
#[tokio::test]
async fn forms_and_websockets_of_other_sites_are_refused_unless_trusted() {
    let Some(browser) = Browser::start() else { return };
    let other = format!("http://localhost:{}", serve(Router::new().route("/", get(page))).await);
    for trusted in [None, Some(other.clone())] {
        let is_trusted = trusted.is_some();
        let bank = serve_bank(SameSite::None, trusted).await;
        let page = browser.open(&bank).await;
        let [transfer, open] = ["", "/open"].map(|at| format!("{bank}{at}/transfer"));
        assert_eq!(submit(&page, &bank, &transfer).await, "1");
        let submitted = submit(&page, &other, &transfer).await;
        assert_eq!(submitted, if is_trusted { "2" } else { "Forbidden" });
        let forged = submit(&page, &other, &open).await;
        assert_eq!(forged, if is_trusted { "3" } else { "2" });

        let [connect, open] = ["", "/open"].map(|at| format!("{bank}{at}/socket"));
        assert_ne!(socket(&page, &other, &open).await, "refused");
        assert_eq!(socket(&page, &other, &connect).await != "refused", is_trusted);
        page.close().await;
    }
}
