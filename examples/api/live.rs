//! WebSockets for clients with a bearer token. The WebSockets of browsers send no `Authorization`.
//! So the client gets a ticket for a single connection.

use std::time::Duration;

use axum::Json;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::extract::{Query, State};
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};
use session_runtime::{EndReason, Error, Lifetime, Session, SessionConfig, SessionId, Sessions};
use tokio::time::timeout;

use crate::{Auth, Failure, signed_in};

#[derive(Session)]
struct Ticket {
    /// The id of the session that asked for the ticket.
    owner: Option<String>,
}

/// The manager of the tickets, with a separate key prefix.
#[derive(Clone)]
pub(crate) struct Tickets(Sessions);

impl Tickets {
    /// A ticket is over after half a minute, used or not. So nothing has to be cleaned up.
    pub(crate) async fn new(config: SessionConfig) -> Result<Self, Error> {
        let lifetime = Lifetime::normal().idle(Duration::from_secs(30));
        let lifetime = lifetime.max(Duration::from_secs(60));
        Ok(Self(Sessions::new(config.prefix("tickets").lifetime(lifetime)).await?))
    }
}

pub(crate) async fn ticket(
    auth: Session<Auth>,
    State(Tickets(tickets)): State<Tickets>,
) -> Result<Json<Value>, Failure> {
    signed_in(&auth).await?;
    let owner = auth.session_id().ok_or(Failure::SignedOut)?;
    let ticket = tickets.create::<Ticket>().await?;
    ticket.set_owner(owner.expose_secret()).await?;
    let id = ticket.session_id().map(|id| id.expose_secret().to_owned());
    Ok(Json(json!({ "ticket": id })))
}

#[derive(Deserialize)]
pub(crate) struct TicketQuery {
    ticket: String,
}

pub(crate) async fn live(
    sessions: Sessions,
    State(Tickets(tickets)): State<Tickets>,
    Query(query): Query<TicketQuery>,
    upgrade: WebSocketUpgrade,
) -> Result<Response, Failure> {
    let owner = redeem(&tickets, &query.ticket).await?.ok_or(Failure::SignedOut)?;
    let auth = sessions.open_id::<Auth>(&owner);
    let user = signed_in(&auth).await?;
    Ok(upgrade.on_upgrade(async move |mut socket| {
        tokio::select! {
            reason = auth.ended() => close(socket, reason).await,
            () = talk(&auth, &user, &mut socket) => {}
        }
    }))
}

/// Returns the owner of a ticket, once. Of two connections at the same time, a single one gets the
/// owner.
async fn redeem(tickets: &Sessions, ticket: &str) -> Result<Option<SessionId>, Error> {
    // A text that is no id is a ticket that does not exist.
    let Ok(ticket) = SessionId::parse(ticket) else { return Ok(None) };
    let owner = tickets.open_id::<Ticket>(&ticket).owner().take().await?;
    owner.map(|owner| SessionId::parse(&owner)).transpose()
}

async fn talk(auth: &Session<Auth>, user: &str, socket: &mut WebSocket) {
    while let Some(Ok(message)) = socket.recv().await {
        let Message::Text(text) = message else { continue };
        // A message is a use of the session, like a request.
        let _ = auth.touch().await;
        if socket.send(Message::text(format!("{user}: {text}"))).await.is_err() {
            return;
        }
    }
}

/// Tells the client why the connection closes. See `chat.rs`.
async fn close(mut socket: WebSocket, reason: EndReason) {
    let frame = CloseFrame { code: reason.close_code(), reason: "".into() };
    let closing = async {
        let _ = socket.send(Message::Close(Some(frame))).await;
        while let Some(Ok(_)) = socket.recv().await {}
    };
    let _ = timeout(Duration::from_secs(5), closing).await;
}
