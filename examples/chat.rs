//! A chat over WebSockets. When a session ends, every page of the session says so at once, in each
//! tab and on each device.
//!
//! ```sh
//! cargo run --example chat
//! ```
//!
//! The guide explains each step: `session_runtime::guide::live_connections`.

use std::error::Error as StdError;
use std::time::Duration;

use axum::Router;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::extract::{Form, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use serde::Deserialize;
use session_runtime::{EndReason, Error, Lifetime, Session, Sessions};
use tokio::sync::broadcast;
use tokio::time::timeout;

#[derive(Session)]
struct Auth {
    /// Name of the user. The index finds all sessions of a user.
    #[session(index)]
    user: Option<String>,
}

/// Everything that is said, for all connections.
type Chat = broadcast::Sender<String>;

#[tokio::main]
async fn main() -> Result<(), Box<dyn StdError>> {
    tracing_subscriber::fmt().init();
    let sessions = Sessions::new(session_examples::config()?).await?;
    sessions.require::<Auth>().await?;
    let app = Router::new()
        .route("/", get(Html(include_str!("chat.html"))))
        .route("/chat.js", get(script))
        .route("/user", get(user))
        .route("/socket", get(socket))
        .route("/sign-in", post(sign_in))
        .route("/sign-out", post(sign_out))
        .route("/sign-out-everywhere", post(sign_out_everywhere))
        .layer(sessions.layer())
        .with_state(Chat::new(100));
    axum::serve(session_examples::listener().await?, app).await?;
    Ok(())
}

async fn script() -> impl IntoResponse {
    ([(CONTENT_TYPE, "text/javascript; charset=utf-8")], include_str!("chat.js"))
}

#[derive(Deserialize)]
struct SignIn {
    user: String,
}

/// **Only for this demonstration**, anybody may take any name: see `login.rs` for passwords and for
/// form tokens. `SameSite=Lax` keeps the cookie out of the forms and WebSockets of other sites.
async fn sign_in(auth: Session<Auth>, Form(form): Form<SignIn>) -> Result<Redirect, Error> {
    let login = auth.write().set(auth.user(), form.user).keep_only(());
    login.renew(Lifetime::normal()).commit().await?;
    Ok(Redirect::to("/"))
}

async fn sign_out(auth: Session<Auth>) -> Result<Redirect, Error> {
    auth.destroy().await?;
    Ok(Redirect::to("/"))
}

async fn sign_out_everywhere(auth: Session<Auth>, sessions: Sessions) -> Result<Redirect, Error> {
    if let Some(user) = auth.user().await? {
        sessions.find(Auth::by_user(&user)).end_all().await?;
    }
    // This browser need not keep the cookie.
    auth.destroy().await?;
    Ok(Redirect::to("/"))
}

/// Returns the name of the user. The page asks before each connection, because a browser does not
/// tell a page why a WebSocket was refused.
async fn user(auth: Session<Auth>) -> Result<Response, Error> {
    Ok(match auth.user().await? {
        Some(user) => user.into_response(),
        // The session has a new id, and the browser does not have the new cookie yet.
        None if auth.end_reason().await? == Some(EndReason::Moved) => {
            StatusCode::CONFLICT.into_response()
        }
        None => StatusCode::UNAUTHORIZED.into_response(),
    })
}

async fn socket(
    auth: Session<Auth>,
    State(chat): State<Chat>,
    upgrade: WebSocketUpgrade,
) -> Result<Response, Error> {
    let Some(user) = auth.user().await? else {
        return Ok(StatusCode::UNAUTHORIZED.into_response());
    };
    let mut member = Member { auth, user, said: chat.subscribe(), chat };
    Ok(upgrade.on_upgrade(async move |mut socket| {
        let ended = member.auth.ended();
        tokio::select! {
            reason = ended => close(socket, reason).await,
            () = member.talk(&mut socket) => {}
        }
    }))
}

/// Tells the page why the connection closes: see `chat.js`. Then reads until the page has closed
/// too, because unread messages would reset the connection. A page may also have stopped reading.
async fn close(mut socket: WebSocket, reason: EndReason) {
    let frame = CloseFrame { code: reason.close_code(), reason: "".into() };
    let closing = async {
        let _ = socket.send(Message::Close(Some(frame))).await;
        while let Some(Ok(_)) = socket.recv().await {}
    };
    let _ = timeout(Duration::from_secs(5), closing).await;
}

/// A user in a connection.
struct Member {
    auth: Session<Auth>,
    user: String,
    chat: Chat,
    said: broadcast::Receiver<String>,
}

impl Member {
    /// Passes messages on until the page closes the connection.
    async fn talk(&mut self, socket: &mut WebSocket) {
        loop {
            tokio::select! {
                message = socket.recv() => match message {
                    Some(Ok(Message::Text(text))) => self.say(&text).await,
                    Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                    Some(Ok(_)) => {}
                },
                line = self.said.recv() => {
                    // A connection that is too slow misses messages.
                    let Ok(line) = line else { continue };
                    if socket.send(Message::text(line)).await.is_err() {
                        return;
                    }
                }
            }
        }
    }

    async fn say(&self, text: &str) {
        // A message is a use of the session, like a request. While the store is away, the chat goes
        // on.
        if self.auth.touch().await.unwrap_or(true) {
            // There is at least this connection.
            let _ = self.chat.send(format!("{}: {text}", self.user));
        }
    }
}
