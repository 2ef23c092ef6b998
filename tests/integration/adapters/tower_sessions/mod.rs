//! The `Session` of tower-sessions and the layer of axum-login, as views of the same session.

mod axum_login;
mod former;
mod races;
mod sessions;
mod stores;

use std::convert::Infallible;
use std::future::Future;
use std::sync::{Arc, Mutex};

use axum::http::{Request, Response};
use session_runtime::adapter::tower_sessions::TowerSessionsLayer;
use session_runtime::testing::{Browser, FailingStore};
use session_runtime::{MemoryStore, Session, SessionConfig, Sessions};
use session_tests::cookies::SECRET;
use tower::{Layer, service_fn};

/// The same fields as those of tower-sessions, and a field of its own.
#[derive(Debug, Session)]
struct Typed {
    #[session(rename = "ts.count", json)]
    count: Option<u64>,
    #[session(rename = "ts.user", json)]
    user: Option<String>,
    cart: String,
}

/// Returns a manager, its store that may fail, and a browser with a cart in its session.
async fn with_a_cart() -> (Sessions, FailingStore, Browser) {
    let (sessions, store) = on_a_failing_store();
    let mut browser = Browser::new(&sessions);
    browser.visit(async |session: Session<Typed>| session.set_cart("tea").await).await.unwrap();
    (sessions, store, browser)
}

fn on_a_failing_store() -> (Sessions, FailingStore) {
    let store = FailingStore::new(MemoryStore::new());
    let config = SessionConfig::new().secret(SECRET);
    (Sessions::with_store(config, store.clone()).unwrap(), store)
}

/// Reads the typed session of the browser.
async fn typed(browser: &mut Browser) -> (Option<u64>, Option<String>, String) {
    let read = async |session: Session<Typed>| {
        session.read((session.count(), session.user(), session.cart())).await
    };
    browser.visit(read).await.unwrap()
}

/// Sends a request through the layer to a handler. Returns the handler's answer and the response.
async fn send<T, F>(
    browser: &mut Browser,
    layer: &TowerSessionsLayer,
    handler: impl FnOnce(Request<()>) -> F + Send + 'static,
) -> (T, Response<String>)
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let (answer, response) = send_request(browser, layer, Request::new(()), handler).await;
    (answer.unwrap(), response)
}

/// The answer is `None` if the handler was not asked.
async fn send_request<T, F>(
    browser: &mut Browser,
    layer: &TowerSessionsLayer,
    request: Request<()>,
    handler: impl FnOnce(Request<()>) -> F + Send + 'static,
) -> (Option<T>, Response<String>)
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let answer = Arc::new(Mutex::new(None));
    let (told, handler) = (Arc::clone(&answer), Arc::new(Mutex::new(Some(handler))));
    let service = service_fn(move |request: Request<()>| {
        let running = handler.lock().unwrap().take().unwrap()(request);
        let told = Arc::clone(&told);
        async move {
            let answer = running.await;
            *told.lock().unwrap() = Some(answer);
            Ok::<_, Infallible>(Response::new(String::new()))
        }
    });
    let response = browser.send(layer.layer(service), request).await.unwrap();
    (answer.lock().unwrap().take(), response)
}
