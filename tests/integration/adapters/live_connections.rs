//! Connections that stay open, and close as soon as their session ends.

use std::time::Duration;

use axum::Router;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::http::StatusCode;
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use futures::{StreamExt, stream};
use reqwest::header::COOKIE;
use session_runtime::{EndReason, Error, Session, Sessions};
use session_tests::cookies::id_of;
use session_tests::log::{Log, logged};
use session_tests::websocket::Connection;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::axum::serve;
use super::{Visitor, count, get as ask, sessions, sessions_on_a_server};

/// Ends the session of a connection in another request.
async fn end(sessions: &Sessions, cookie: &str, by: &str) {
    let session = sessions.open([cookie.as_bytes()]).session::<Visitor>();
    match by {
        "logout" => session.destroy().await.unwrap(),
        "rotation" => session.rotate().await.unwrap(),
        _ => {
            let id = id_of(cookie).parse().unwrap();
            sessions.open_id::<Visitor>(&id).destroy().await.unwrap();
        }
    }
}

/// `/` counts, and `/socket` says the same again. A visitor without a session is refused.
async fn closes_at_each_end(sessions: &Sessions, base: &str, log: &Log) {
    for (by, code) in [("logout", 1008), ("rotation", 1012), ("administrator", 1008)] {
        let cookie = ask(&format!("{base}/"), "").await.cookies().remove(0);
        let (mut connection, _) = Connection::open(base, "/socket", &cookie).await;
        for said in ["first", "second"] {
            assert_eq!(connection.say(said).await, said);
        }
        end(sessions, &cookie, by).await;
        assert_eq!(connection.close_code().await, code, "{by}");
        assert_eq!(Connection::refused(base, "/socket", &cookie).await, 401, "{by}");
    }
    assert_eq!(Connection::refused(base, "/socket", "").await, 401);
    assert!(!log.text().contains("after the response headers"), "{}", log.text());
}

/// Each client gets the code, although the server has unread messages of the client at the end.
async fn closes_while_clients_send(sessions: &Sessions, base: &str) {
    let cookie = ask(&format!("{base}/"), "").await.cookies().remove(0);
    let mut clients = JoinSet::new();
    for _ in 0..20 {
        let (mut connection, _) = Connection::open(base, "/socket", &cookie).await;
        assert_eq!(connection.say("hello").await, "hello");
        clients.spawn(connection.close_code_while_sending());
    }
    end(sessions, &cookie, "logout").await;
    assert_eq!(clients.join_all().await, [Some(1008); 20]);
}

async fn connect(session: Session<Visitor>, upgrade: WebSocketUpgrade) -> Result<Response, Error> {
    if !session.exists().await? {
        return Ok(StatusCode::UNAUTHORIZED.into_response());
    }
    Ok(upgrade.on_upgrade(move |socket| talk_until_the_end(session, socket)))
}

async fn talk_until_the_end(session: Session<Visitor>, mut socket: WebSocket) {
    tokio::select! {
        reason = session.ended() => close(socket, reason).await,
        () = talk(&mut socket) => {}
    }
}

/// As in the guide.
async fn close(mut socket: WebSocket, reason: EndReason) {
    let frame = CloseFrame { code: reason.close_code(), reason: "".into() };
    let closing = async {
        let _ = socket.send(Message::Close(Some(frame))).await;
        while let Some(Ok(_)) = socket.recv().await {}
    };
    let _ = timeout(Duration::from_secs(5), closing).await;
}

async fn talk(socket: &mut WebSocket) {
    while let Some(Ok(message)) = socket.recv().await {
        if socket.send(message).await.is_err() {
            return;
        }
    }
}

/// Serves on axum.
async fn serve_connections(sessions: &Sessions) -> String {
    let routes = Router::new()
        .route("/", get(count))
        .route("/socket", get(connect))
        .route("/events", get(events));
    serve(routes.layer(sessions.layer())).await
}

#[tokio::test]
async fn a_websocket_on_axum_closes_with_the_code_of_the_end() {
    let (log, _guard) = logged();
    let sessions = sessions();
    closes_at_each_end(&sessions, &serve_connections(&sessions).await, &log).await;
    let (_server, sessions) = sessions_on_a_server().await;
    closes_at_each_end(&sessions, &serve_connections(&sessions).await, &log).await;
}

#[tokio::test]
async fn a_client_that_sends_without_pause_gets_the_code_on_axum() {
    let sessions = sessions();
    closes_while_clients_send(&sessions, &serve_connections(&sessions).await).await;
}

async fn events(session: Session<Visitor>) -> Result<Response, Error> {
    if !session.exists().await? {
        return Ok(StatusCode::UNAUTHORIZED.into_response());
    }
    let news = stream::once(async { Ok::<_, Error>(Event::default().data("hello")) });
    let endless = news.chain(stream::pending());
    Ok(Sse::new(endless.take_until(session.ended())).into_response())
}

async fn streams_until_each_end(sessions: &Sessions, base: &str) {
    let events = format!("{base}/events");
    for by in ["logout", "rotation", "administrator"] {
        let cookie = ask(base, "").await.cookies().remove(0);
        let request = reqwest::Client::new().get(&events).header(COOKIE, &cookie);
        let mut response = request.send().await.unwrap();
        assert_eq!(response.chunk().await.unwrap().unwrap(), "data: hello\n\n");
        end(sessions, &cookie, by).await;
        assert_eq!(response.chunk().await.unwrap(), None, "{by}");
        assert_eq!(ask(&events, &cookie).await.status, 401, "{by}");
    }
    assert_eq!(ask(&events, "").await.status, 401);
}

#[tokio::test]
async fn an_event_stream_on_axum_ends_with_its_session() {
    let (log, _guard) = logged();
    let sessions = sessions();
    streams_until_each_end(&sessions, &serve_connections(&sessions).await).await;
    let (_server, sessions) = sessions_on_a_server().await;
    streams_until_each_end(&sessions, &serve_connections(&sessions).await).await;
    assert!(!log.text().contains("after the response headers"), "{}", log.text());
}

mod on_actix {
    use std::time::Duration;

    use actix_web::web::{self, Payload};
    use actix_web::{HttpRequest, HttpResponse, rt};
    use actix_ws::{CloseCode, Message, MessageStream};
    use session_runtime::Session;
    use session_tests::log::Log;
    use tokio::time::timeout;

    use super::{
        Sessions, Visitor, closes_at_each_end, closes_while_clients_send, count, sessions,
        sessions_on_a_server,
    };
    use crate::actix::{Served, serve};

    async fn connect(
        session: Session<Visitor>,
        request: HttpRequest,
        body: Payload,
    ) -> actix_web::Result<HttpResponse> {
        if !session.exists().await? {
            return Ok(HttpResponse::Unauthorized().finish());
        }
        let (response, socket, messages) = actix_ws::handle(&request, body)?;
        rt::spawn(talk_until_the_end(session, socket, messages));
        Ok(response)
    }

    async fn talk_until_the_end(
        session: Session<Visitor>,
        socket: actix_ws::Session,
        mut messages: MessageStream,
    ) {
        tokio::select! {
            reason = session.ended() => {
                let code = CloseCode::from(reason.close_code());
                let _ = timeout(Duration::from_secs(5), socket.close(Some(code.into()))).await;
            }
            () = talk(socket.clone(), &mut messages) => {}
        }
    }

    async fn talk(mut socket: actix_ws::Session, messages: &mut MessageStream) {
        while let Some(Ok(Message::Text(text))) = messages.recv().await {
            if socket.text(text).await.is_err() {
                return;
            }
        }
    }

    fn serve_connections(sessions: Sessions, log: Log) -> Served {
        serve(move |app| {
            let routes = web::scope("")
                .route("/", web::get().to(count))
                .route("/socket", web::get().to(connect))
                .wrap(sessions.middleware());
            app.service(routes);
            // The worker is another thread.
            app.app_data(log.record());
        })
    }

    #[tokio::test]
    async fn a_websocket_closes_with_the_code_of_the_end() {
        let log = Log::default();
        let sessions = sessions();
        let served = serve_connections(sessions.clone(), log.clone());
        closes_at_each_end(&sessions, &served.base, &log).await;
        let (_server, sessions) = sessions_on_a_server().await;
        let served = serve_connections(sessions.clone(), log.clone());
        closes_at_each_end(&sessions, &served.base, &log).await;
    }

    #[tokio::test]
    async fn a_client_that_sends_without_pause_gets_the_code() {
        let sessions = sessions();
        let served = serve_connections(sessions.clone(), Log::default());
        closes_while_clients_send(&sessions, &served.base).await;
    }
}

mod on_poem {
    use std::time::Duration;

    use futures::{SinkExt, StreamExt};
    use poem::http::StatusCode;
    use poem::web::websocket::{Message, WebSocket, WebSocketStream};
    use poem::{EndpointExt, IntoResponse, Response, Route, handler};
    use session_runtime::{EndReason, Error, Session, Sessions};
    use session_tests::log::logged;
    use tokio::time::timeout;

    use super::{
        Visitor, closes_at_each_end, closes_while_clients_send, sessions, sessions_on_a_server,
    };
    use crate::poem::{count, serve};

    #[handler]
    async fn connect(session: Session<Visitor>, upgrade: WebSocket) -> Result<Response, Error> {
        if !session.exists().await? {
            return Ok(StatusCode::UNAUTHORIZED.into_response());
        }
        let connection = upgrade.on_upgrade(move |socket| talk_until_the_end(session, socket));
        Ok(connection.into_response())
    }

    async fn talk_until_the_end(session: Session<Visitor>, mut socket: WebSocketStream) {
        tokio::select! {
            reason = session.ended() => close(socket, reason).await,
            () = talk(&mut socket) => {}
        }
    }

    async fn close(mut socket: WebSocketStream, reason: EndReason) {
        let closing = async {
            let _ = socket.send(Message::close_with(reason.close_code(), "")).await;
            while let Some(Ok(_)) = socket.next().await {}
        };
        let _ = timeout(Duration::from_secs(5), closing).await;
    }

    async fn talk(socket: &mut WebSocketStream) {
        while let Some(Ok(message)) = socket.next().await {
            if socket.send(message).await.is_err() {
                return;
            }
        }
    }

    async fn serve_connections(sessions: &Sessions) -> String {
        let routes = Route::new().at("/", count).at("/socket", connect);
        serve(routes.with(sessions.layer())).await
    }

    #[tokio::test]
    async fn a_websocket_closes_with_the_code_of_the_end() {
        let (log, _guard) = logged();
        let sessions = sessions();
        closes_at_each_end(&sessions, &serve_connections(&sessions).await, &log).await;
        let (_server, sessions) = sessions_on_a_server().await;
        closes_at_each_end(&sessions, &serve_connections(&sessions).await, &log).await;
    }

    #[tokio::test]
    async fn a_client_that_sends_without_pause_gets_the_code() {
        let sessions = sessions();
        closes_while_clients_send(&sessions, &serve_connections(&sessions).await).await;
    }
}
