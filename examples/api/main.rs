//! One application for browsers, which get cookies, and for clients without cookies, which get
//! bearer tokens: mobile applications, programs, and web pages of another origin.
//!
//! ```sh
//! cargo run --example api
//! ```
//!
//! A client without cookies, in another terminal:
//!
//! ```sh
//! api=http://127.0.0.1:3000/api
//! token=$(curl -s --json '{"name": "ada", "password": "an example"}' $api/login | cut -d '"' -f 4)
//! curl -H "Authorization: Bearer $token" $api/me                     # {"user":"ada"}
//! curl -i -H "Authorization: Bearer $token" -X POST $api/ticket      # {"ticket":"…"}, for `/live`
//! token=$(curl -s -D - -H "Authorization: Bearer $token" $api/password \
//!     --json '{"password": "an example", "new_password": "another"}' |
//!     tr -d '\r' | sed -n 's/^session-token: //p')                   # a new token
//! curl -i -H "Authorization: Bearer $token" -X POST $api/logout      # session-token: (empty)
//! curl -i -H "Authorization: Bearer $token" $api/me                  # 401
//! ```
//!
//! Browsers sign in at http://127.0.0.1:3000. The guide explains each step:
//! `session_runtime::guide::bearer`.

mod live;
mod pages;

use std::env;
use std::error::Error as StdError;

use axum::extract::Request;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, WWW_AUTHENTICATE};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};
use session_runtime::{Error, Lifetime, Session, Sessions, Transport};
use subtle::ConstantTimeEq;
use tower_http::cors::CorsLayer;

use live::Tickets;

#[derive(Session)]
struct Auth {
    /// Name of the user. The index finds all sessions of a user, with cookies and with tokens.
    #[session(index)]
    user: Option<String>,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn StdError>> {
    tracing_subscriber::fmt().init();
    let config = session_examples::config()?.transport(Transport::CookieOrBearer);
    let tickets = Tickets::new(config.clone()).await?;
    let sessions = Sessions::new(config).await?;
    sessions.require::<Auth>().await?;
    let origin = env::var("ALLOWED_ORIGIN").unwrap_or_else(|_| "http://localhost:5173".to_owned());
    let api = Router::new()
        .route("/api/me", get(me))
        .route("/api/password", post(change_password))
        .route("/api/logout", post(logout))
        .route("/api/ticket", post(live::ticket))
        .route_layer(middleware::from_fn(require_token))
        .route("/api/login", post(login))
        .layer(cors(origin.parse()?))
        .layer(sessions.layer().bearer());
    let app = Router::new()
        .route("/", get(pages::home))
        .route("/login", get(pages::login_page).post(pages::login))
        .route("/logout", post(pages::logout))
        .route("/live", get(live::live))
        .merge(api)
        .layer(sessions.layer())
        .with_state(tickets);
    axum::serve(session_examples::listener().await?, app).await?;
    Ok(())
}

/// Lets the pages of one other origin call the API. Without `allow_credentials`, their browsers
/// send no cookies.
fn cors(origin: HeaderValue) -> CorsLayer {
    CorsLayer::new()
        .allow_origin([origin])
        .allow_methods([Method::GET, Method::POST])
        .allow_headers([AUTHORIZATION, CONTENT_TYPE])
        // Otherwise, scripts could not read this header.
        .expose_headers([HeaderName::from_static("session-token")])
}

/// Refuses requests without a bearer token, whose cookies would count. Pages of other sites can
/// cause such requests, even with `Authorization: Basic`, which browsers add on their own.
async fn require_token(request: Request, next: Next) -> Response {
    let authorization = request.headers().get(AUTHORIZATION).map(HeaderValue::as_bytes);
    let scheme = authorization.and_then(|value| value.get(.."Bearer ".len()));
    if scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"Bearer ")) {
        next.run(request).await
    } else {
        Failure::SignedOut.into_response()
    }
}

#[derive(Deserialize)]
struct Login {
    name: String,
    password: String,
}

/// Gives the token to the client in JSON. The header `Session-Token` has the same token.
async fn login(auth: Session<Auth>, Json(login): Json<Login>) -> Result<Json<Value>, Failure> {
    sign_in(&auth, &login, Lifetime::remembered()).await?;
    let token = auth.token().await?;
    Ok(Json(json!({ "token": token.map(|token| token.expose_secret().to_owned()) })))
}

/// See `login.rs` for the rules that are missing here: form tokens, and the end of all sessions
/// during a login.
async fn sign_in(auth: &Session<Auth>, login: &Login, lifetime: Lifetime) -> Result<(), Failure> {
    let user = demo_user(&login.name, &login.password).ok_or(Failure::WrongPassword)?;
    let batch = auth.write().set(auth.user(), user).keep_only(());
    Ok(batch.renew(lifetime).commit().await?)
}

async fn me(auth: Session<Auth>) -> Result<Json<Value>, Failure> {
    Ok(Json(json!({ "user": signed_in(&auth).await? })))
}

/// Returns the name of the user. An API does not redirect to a page for people.
async fn signed_in(auth: &Session<Auth>) -> Result<String, Failure> {
    auth.user().await?.ok_or(Failure::SignedOut)
}

#[derive(Deserialize)]
struct NewPassword {
    password: String,
    new_password: String,
}

/// The response has a new token in the header `Session-Token`. All other sessions of the user end,
/// in browsers too.
async fn change_password(
    auth: Session<Auth>,
    sessions: Sessions,
    Json(change): Json<NewPassword>,
) -> Result<StatusCode, Failure> {
    let user = signed_in(&auth).await?;
    if demo_user(&user, &change.password).is_none() || change.new_password.is_empty() {
        return Err(Failure::WrongPassword);
    }
    // A real application stores the new password here.
    auth.renew(auth.lifetime().unwrap_or(Lifetime::normal())).await?;
    sessions.find(Auth::by_user(&user)).end_others(&auth).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The response has an empty `Session-Token`: the client forgets the token.
async fn logout(auth: Session<Auth>) -> Result<StatusCode, Failure> {
    auth.destroy().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// **Only for this demonstration.** See `login.rs`.
fn demo_user(name: &str, password: &str) -> Option<&'static str> {
    let user = ["ada", "grace"].into_iter().find(|user| *user == name);
    user.filter(|_| password.as_bytes().ct_eq(b"an example").into())
}

/// Reason why a request of the API failed, sent as JSON.
enum Failure {
    SignedOut,
    WrongPassword,
    Session(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Session(error)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let (status, message) = match self {
            Self::SignedOut => (StatusCode::UNAUTHORIZED, "sign in"),
            Self::WrongPassword => (StatusCode::FORBIDDEN, "name and password do not match"),
            Self::Session(error) => session_failure(error),
        };
        let response = (status, Json(json!({ "error": message })));
        match status {
            // HTTP requires the header, which names the way to sign in.
            StatusCode::UNAUTHORIZED => ([(WWW_AUTHENTICATE, "Bearer")], response).into_response(),
            _ => response.into_response(),
        }
    }
}

/// The library logs the error and chooses the status.
fn session_failure(error: Error) -> (StatusCode, &'static str) {
    let status = error.into_response().status();
    let message = match status {
        StatusCode::CONFLICT => "your session has ended",
        StatusCode::SERVICE_UNAVAILABLE => "try again in a moment",
        _ => "something went wrong",
    };
    (status, message)
}
