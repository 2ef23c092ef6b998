//! axum-login and axum-messages.

use std::convert::Infallible;

use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, StatusCode};
use axum::routing::{get, post};
use axum::{Router, response::IntoResponse};
use axum_login::{AuthUser, AuthnBackend, UserId, login_required};
use axum_messages::{Messages, MessagesManagerLayer};
use session_runtime::testing::{Browser, Failure};
use session_runtime::{Lifetime, Session, Sessions};

use super::{Typed, on_a_failing_store, typed, with_a_cart};

/// The users are their own passwords. The hash of a user changes with the version.
#[derive(Debug, Clone)]
pub(super) struct Backend {
    pub(super) version: u8,
}

#[derive(Debug, Clone)]
pub(super) struct User {
    pub(super) name: String,
    hash: [u8; 1],
}

pub(super) type AuthSession = axum_login::AuthSession<Backend>;

impl User {
    pub(super) fn of_version(version: u8, name: String) -> Self {
        Self { name, hash: [version] }
    }
}

impl AuthUser for User {
    type Id = String;

    fn id(&self) -> String {
        self.name.clone()
    }

    fn session_auth_hash(&self) -> &[u8] {
        &self.hash
    }
}

impl AuthnBackend for Backend {
    type User = User;
    type Credentials = String;
    type Error = Infallible;

    async fn authenticate(&self, name: String) -> Result<Option<User>, Infallible> {
        Ok(Some(User::of_version(self.version, name)))
    }

    async fn get_user(&self, name: &UserId<Self>) -> Result<Option<User>, Infallible> {
        self.authenticate(name.clone()).await
    }
}

fn app(sessions: &Sessions) -> Router {
    app_of_version(sessions, 1)
}

fn app_of_version(sessions: &Sessions, version: u8) -> Router {
    Router::new()
        .route("/protected", get(whoami))
        .route_layer(login_required!(Backend, login_url = "/login"))
        .route("/", get(whoami))
        .route("/login", post(login))
        .route("/logout", post(logout))
        .route("/messages", get(messages).post(leave_message))
        .layer(MessagesManagerLayer)
        .layer(sessions.auth_layer(Backend { version }))
}

pub(super) async fn whoami(auth: AuthSession) -> String {
    auth.user.map_or("nobody".to_owned(), |user| user.name)
}

async fn login(mut auth: AuthSession, name: String) -> impl IntoResponse {
    let user = auth.authenticate(name).await.unwrap().unwrap();
    auth.login(&user).await.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)
}

async fn logout(mut auth: AuthSession) -> impl IntoResponse {
    auth.logout().await.map(|_| ()).map_err(|_| StatusCode::SERVICE_UNAVAILABLE)
}

async fn leave_message(messages: Messages) {
    messages.info("saved");
}

async fn messages(messages: Messages) -> String {
    messages.map(|message| message.message).collect::<Vec<_>>().join(", ")
}

/// Sends a request and returns the status and body.
async fn send(
    browser: &mut Browser,
    app: Router,
    method: Method,
    path: &str,
    body: &str,
) -> (u16, String) {
    let request = Request::builder().method(method).uri(path);
    let request = request.body(Body::from(body.to_owned())).unwrap();
    let response = browser.send(app, request).await.unwrap();
    let status = response.status().as_u16();
    let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    (status, String::from_utf8(body.into()).unwrap())
}

async fn read(browser: &mut Browser, sessions: &Sessions, path: &str) -> (u16, String) {
    send(browser, app(sessions), Method::GET, path, "").await
}

async fn act(browser: &mut Browser, sessions: &Sessions, path: &str, body: &str) -> u16 {
    send(browser, app(sessions), Method::POST, path, body).await.0
}

#[tokio::test]
async fn a_login_lasts_until_the_logout() {
    let (sessions, _) = on_a_failing_store();
    let mut browser = Browser::new(&sessions);
    assert_eq!(read(&mut browser, &sessions, "/protected").await.0, 307);
    assert_eq!(act(&mut browser, &sessions, "/login", "ada").await, 200);
    assert_eq!(read(&mut browser, &sessions, "/protected").await, (200, "ada".to_owned()));
    assert_eq!(act(&mut browser, &sessions, "/logout", "").await, 200);
    assert_eq!(browser.cookie(), None);
    assert_eq!(read(&mut browser, &sessions, "/protected").await.0, 307);
}

#[tokio::test]
async fn the_login_of_another_user_gives_a_new_id_and_keeps_the_typed_fields() {
    let (sessions, _, mut browser) = with_a_cart().await;
    for (user, is_new) in [("ada", true), ("ada", false), ("eve", true)] {
        let mut planted = browser.with_sessions(&sessions);
        assert_eq!(act(&mut browser, &sessions, "/login", user).await, 200);
        assert_eq!(read(&mut browser, &sessions, "/").await.1, user);
        assert_eq!(browser.cookie() != planted.cookie(), is_new);
        let planted = read(&mut planted, &sessions, "/").await.1;
        assert_eq!(planted, if is_new { "nobody" } else { user });
        assert_eq!(typed(&mut browser).await.2, "tea");
    }
}

#[tokio::test]
async fn a_user_who_signs_in_over_another_user_gets_a_new_id() {
    let (sessions, _) = on_a_failing_store();
    let mut attacker = Browser::new(&sessions);
    assert_eq!(act(&mut attacker, &sessions, "/login", "eve").await, 200);
    let mut victim = attacker.with_sessions(&sessions);
    assert_eq!(act(&mut victim, &sessions, "/login", "ada").await, 200);
    assert_eq!(read(&mut victim, &sessions, "/").await.1, "ada");
    assert_eq!(read(&mut attacker, &sessions, "/").await.1, "nobody");
}

#[tokio::test]
async fn a_changed_password_ends_the_session() {
    let (sessions, _) = on_a_failing_store();
    let mut browser = Browser::new(&sessions);
    assert_eq!(act(&mut browser, &sessions, "/login", "ada").await, 200);
    let changed = app_of_version(&sessions, 2);
    let read = send(&mut browser, changed, Method::GET, "/", "").await;
    assert_eq!((read.1.as_str(), browser.cookie()), ("nobody", None));
}

#[tokio::test]
async fn a_failed_login_or_logout_changes_nothing() {
    let (sessions, store, mut browser) = with_a_cart().await;
    for (path, before) in [("/login", "nobody"), ("/logout", "ada")] {
        // The first operation is the read of axum-login.
        store.fail_after(1, Failure::Unavailable);
        assert_eq!(act(&mut browser, &sessions, path, "ada").await, 503, "{path}");
        store.recover();
        assert_eq!(read(&mut browser, &sessions, "/").await.1, before);
        assert_eq!(typed(&mut browser).await.2, "tea");
        assert_eq!(act(&mut browser, &sessions, path, "ada").await, 200);
    }
}

#[tokio::test]
async fn a_late_request_does_not_bring_a_login_back() {
    let (sessions, _) = on_a_failing_store();
    let mut browser = Browser::new(&sessions);
    assert_eq!(act(&mut browser, &sessions, "/login", "ada").await, 200);
    let mut late = browser.with_sessions(&sessions);
    assert_eq!(act(&mut browser, &sessions, "/logout", "").await, 200);
    assert_eq!(act(&mut late, &sessions, "/messages", "").await, 409);
    assert_eq!(read(&mut late, &sessions, "/").await.1, "nobody");
}

#[tokio::test]
async fn a_message_is_shown_once() {
    let (sessions, _) = on_a_failing_store();
    let mut browser = Browser::new(&sessions);
    assert_eq!(act(&mut browser, &sessions, "/messages", "").await, 200);
    assert_eq!(read(&mut browser, &sessions, "/messages").await.1, "saved");
    assert_eq!(read(&mut browser, &sessions, "/messages").await.1, "");
}

#[tokio::test]
async fn another_data_key_is_another_field() {
    let (sessions, _) = on_a_failing_store();
    let mut browser = Browser::new(&sessions);
    let app = |key| {
        let layer = sessions.auth_layer(Backend { version: 1 });
        let routes = Router::new().route("/", get(whoami)).route("/login", post(login));
        routes.layer(layer.with_data_key(key))
    };
    send(&mut browser, app("staff"), Method::POST, "/login", "ada").await;
    for (key, user) in [("staff", "ada"), ("customers", "nobody")] {
        assert_eq!(send(&mut browser, app(key), Method::GET, "/", "").await.1, user);
    }
}

#[tokio::test]
async fn an_inner_layer_of_axum_login_renews_the_session_of_the_outer_layer() {
    let (sessions, _, mut browser) = with_a_cart().await;
    let app = || {
        let routes = Router::new().route("/", get(whoami)).route("/login", post(login));
        let inner = routes.layer(sessions.auth_layer(Backend { version: 1 }));
        inner.layer(sessions.tower_sessions_layer())
    };
    for user in ["ada", "eve"] {
        let before = browser.cookie().map(str::to_owned);
        send(&mut browser, app(), Method::POST, "/login", user).await;
        assert_ne!(browser.cookie().map(str::to_owned), before);
        assert_eq!(send(&mut browser, app(), Method::GET, "/", "").await.1, user);
    }
    browser.visit(async |session: Session<Typed>| session.destroy().await).await.unwrap();
    assert_eq!(send(&mut browser, app(), Method::GET, "/", "").await.1, "nobody");
}

#[tokio::test]
async fn layers_with_different_keys_each_renew_the_session() {
    let (sessions, _) = on_a_failing_store();
    let app = || {
        let routes = Router::new().route("/", get(whoami)).route("/login", post(login));
        let layer = |key| sessions.auth_layer(Backend { version: 1 }).with_data_key(key);
        routes.layer(layer("inner")).layer(layer("outer"))
    };
    let mut attacker = Browser::new(&sessions);
    send(&mut attacker, app(), Method::POST, "/login", "eve").await;
    let mut victim = attacker.with_sessions(&sessions);
    send(&mut victim, app(), Method::POST, "/login", "ada").await;
    assert_eq!(send(&mut victim, app(), Method::GET, "/", "").await.1, "ada");
    assert_eq!(send(&mut attacker, app(), Method::GET, "/", "").await.1, "nobody");
}

/// As in the guide.
#[tokio::test]
async fn a_typed_login_before_that_of_axum_login_leaves_both_with_the_same_user() {
    async fn sign_in(mut auth: AuthSession, session: Session<Typed>, name: String) {
        let user = auth.authenticate(name).await.unwrap().unwrap();
        let login = session.write().set(session.cart(), user.id()).keep_only(());
        login.renew(Lifetime::remembered()).commit().await.unwrap();
        auth.session.load().await.unwrap();
        auth.login(&user).await.unwrap();
    }

    let (sessions, _, mut browser) = with_a_cart().await;
    let app = || {
        let routes = Router::new().route("/", get(whoami)).route("/sign-in", post(sign_in));
        routes.layer(sessions.auth_layer(Backend { version: 1 }))
    };
    for user in ["ada", "ada", "eve"] {
        send(&mut browser, app(), Method::POST, "/sign-in", user).await;
        assert_eq!(send(&mut browser, app(), Method::GET, "/", "").await.1, user);
        assert_eq!(typed(&mut browser).await.2, user);
        let lifetime = async |session: Session<Typed>| {
            session.cart().await.unwrap();
            session.lifetime().map(Lifetime::class)
        };
        assert_eq!(browser.visit(lifetime).await, Some(1));
    }
}
