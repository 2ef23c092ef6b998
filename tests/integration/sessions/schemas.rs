//! Several schemas in one session: `#[session(prefix = "…")]` keeps the fields apart.

use axum::Router;
use axum::routing::{get, post};
use reqwest::Client;
use reqwest::header::{COOKIE, SET_COOKIE};
use session_runtime::store::SessionKey;
use session_runtime::{
    Error, MemoryStore, Schema, Session, SessionConfig, SessionHandle, Sessions,
};
use session_tests::cookies::SECRET;
use tokio::net::TcpListener;

#[derive(Session)]
#[session(prefix = "auth.")]
struct Auth {
    user: Option<String>,
    count: u64,
}

#[derive(Session)]
#[session(prefix = "cart.", rename_all = "camelCase")]
struct Cart {
    #[session(json)]
    all_items: Vec<String>,
    count: u64,
}

/// The whole session, without prefixes.
#[derive(Session)]
struct Whole {
    #[session(rename = "auth.user")]
    user: String,
    #[session(rename = "cart.count")]
    items: u64,
    other: String,
}

async fn fill(auth: Session<Auth>, cart: Session<Cart>) -> Result<String, Error> {
    let (first, second) =
        tokio::join!(auth.set_user("ada"), cart.set_all_items(vec!["tea".to_owned()]));
    first.and(second)?;
    auth.set_count(1).await?;
    cart.set_count(2).await?;
    assert_eq!(auth.session_id(), cart.session_id());
    show(auth, cart).await
}

async fn show(auth: Session<Auth>, cart: Session<Cart>) -> Result<String, Error> {
    let (user, logins) = (auth.user().await?, auth.count().await?);
    Ok(format!("{user:?} {logins} {:?} {}", cart.all_items().await?, cart.count().await?))
}

async fn clear_cart(auth: Session<Auth>, cart: Session<Cart>) -> Result<String, Error> {
    cart.clear().await?;
    show(auth, cart).await
}

/// Serves the three handlers, and returns the base URL.
async fn serve() -> String {
    let config = SessionConfig::new().secret(SECRET);
    let sessions = Sessions::with_store(config, MemoryStore::new()).unwrap();
    let app = Router::new()
        .route("/", get(show).post(fill))
        .route("/clear", post(clear_cart))
        .layer(sessions.layer());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async { axum::serve(listener, app).await.unwrap() });
    url
}

#[tokio::test]
async fn two_schemas_of_one_handler_share_one_cookie() {
    let (url, client) = (serve().await, Client::new());
    let response = client.post(&url).send().await.unwrap();
    let cookies: Vec<_> = response.headers().get_all(SET_COOKIE).iter().cloned().collect();
    assert_eq!(cookies.len(), 1, "{cookies:?}");
    let cookie = cookies[0].to_str().unwrap().split(';').next().unwrap().to_owned();
    assert_eq!(response.text().await.unwrap(), "Some(\"ada\") 1 [\"tea\"] 2");

    let cleared = client.post(url.clone() + "/clear").header(COOKIE, &cookie).send().await.unwrap();
    assert!(cleared.headers().get(SET_COOKIE).is_none());
    assert_eq!(cleared.text().await.unwrap(), "Some(\"ada\") 1 [] 0");
    let shown = client.get(&url).header(COOKIE, &cookie).send().await.unwrap();
    assert_eq!(shown.text().await.unwrap(), "Some(\"ada\") 1 [] 0");
}

/// Returns the handle of a new request without a cookie, and the store behind the handle.
fn request() -> (SessionHandle, MemoryStore) {
    let store = MemoryStore::new();
    let config = SessionConfig::new().secret(SECRET);
    (Sessions::with_store(config, store.clone()).unwrap().open([]), store)
}

#[tokio::test]
async fn two_schemas_are_fields_of_one_hash() {
    let (handle, store) = request();
    let (auth, cart, whole) =
        (handle.session::<Auth>(), handle.session::<Cart>(), handle.session::<Whole>());
    auth.set_user("ada").await.unwrap();
    cart.set_count(2).await.unwrap();
    whole.set_other("x").await.unwrap();
    assert_eq!((whole.user().await.unwrap().as_str(), whole.items().await.unwrap()), ("ada", 2));
    let key = SessionKey::new("app", &auth.session_id().unwrap());
    let (expires_in, hashes) = store.inspect(&key);
    assert!(expires_in.is_some() && hashes == 1);

    auth.clear().await.unwrap();
    assert_eq!((auth.user().await.unwrap(), cart.count().await.unwrap()), (None, 2));
    assert_eq!(whole.other().await.unwrap(), "x");
}

#[tokio::test]
async fn two_schemas_see_one_state() {
    let (handle, _store) = request();
    let (auth, cart) = (handle.session::<Auth>(), handle.session::<Cart>());
    assert!(!auth.exists().await.unwrap());
    cart.set_count(2).await.unwrap();
    assert!(auth.exists().await.unwrap());
    let before = cart.session_id();
    auth.rotate().await.unwrap();
    assert_ne!(cart.session_id(), before);
    assert_eq!(cart.count().await.unwrap(), 2);
    auth.destroy().await.unwrap();
    assert!(!cart.exists().await.unwrap());
    assert_eq!(cart.count().await.unwrap(), 0);
}

/// Otherwise a cleared value would reappear under the old name.
#[tokio::test]
async fn clearing_clears_aliases_too() {
    #[derive(Session)]
    struct Renamed {
        #[session(alias = "other")]
        note: String,
    }
    let (handle, _store) = request();
    let (whole, renamed) = (handle.session::<Whole>(), handle.session::<Renamed>());
    whole.set_other("x").await.unwrap();
    renamed.clear().await.unwrap();
    assert_eq!(whole.other().await.unwrap(), "");
}

#[test]
fn stored_names_begin_with_the_prefix() {
    assert_eq!(Auth::STORED_NAMES, ["auth.user", "auth.count"]);
    assert_eq!(Cart::STORED_NAMES, ["cart.allItems", "cart.count"]);
}
