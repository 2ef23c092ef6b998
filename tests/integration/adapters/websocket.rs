//! A session in a connection that continues after the response headers were sent.

use std::time::Duration;

use axum::Router;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::response::Response;
use axum::routing::get;
use session_runtime::testing::ManualClock;
use session_runtime::{Error, MemoryStore, Session, SessionConfig, Sessions};
use session_tests::cookies::SECRET;
use session_tests::websocket::Connection;

use super::axum::serve;
use super::{Visitor, count, get as ask, sessions};

/// Serves a page that counts, and connections that carry out the visitor's commands.
async fn serve_connections(sessions: &Sessions) -> String {
    let app = Router::new()
        .route("/", get(count))
        .route("/socket", get(connect))
        .route("/begins", get(begin_and_connect))
        .route("/by-id", get(connect_by_id));
    serve(app.layer(sessions.layer())).await
}

async fn connect(session: Session<Visitor>, upgrade: WebSocketUpgrade) -> Response {
    upgrade.on_upgrade(move |socket| talk(socket, async move |said| obey(&session, &said).await))
}

async fn begin_and_connect(
    session: Session<Visitor>,
    upgrade: WebSocketUpgrade,
) -> Result<Response, Error> {
    session.set_count(10).await?;
    Ok(connect(session, upgrade).await)
}

/// Opens the session for each message, as a new request would.
async fn connect_by_id(
    sessions: Sessions,
    session: Session<Visitor>,
    upgrade: WebSocketUpgrade,
) -> Response {
    let id = session.session_id();
    upgrade.on_upgrade(move |socket| {
        talk(socket, async move |said| obey(&sessions.open_id(&id.unwrap()), &said).await)
    })
}

async fn talk(mut socket: WebSocket, answer: impl AsyncFn(String) -> String) {
    while let Some(Ok(message)) = socket.recv().await {
        let Ok(said) = message.to_text() else { break };
        if socket.send(Message::text(answer(said.to_owned()).await)).await.is_err() {
            break;
        }
    }
}

async fn obey(session: &Session<Visitor>, said: &str) -> String {
    let answer = match said {
        "read" => session.count().await.map(|count| count.to_string()),
        "incr" => session.count().incr(1).await.map(|count| count.to_string()),
        "touch" => session.touch().await.map(|live| live.to_string()),
        "rotate" => session.rotate().await.map(|()| String::new()),
        "destroy" => session.destroy().await.map(|()| String::new()),
        _ => session.exists().await.map(|exists| exists.to_string()),
    };
    match answer {
        Ok(answer) => answer,
        Err(error) if error.is_headers_sent() => "headers_sent".to_owned(),
        Err(error) if error.is_gone() => "gone".to_owned(),
        Err(error) => panic!("{error}"),
    }
}

#[tokio::test]
async fn a_live_session_is_read_and_written_through_a_connection() {
    let sessions = sessions();
    let base = serve_connections(&sessions).await;
    let cookie = ask(&base, "").await.cookies().remove(0);
    let (mut connection, _) = Connection::open(&base, "/socket", &cookie).await;
    assert_eq!(connection.say("read").await, "1");
    assert_eq!(connection.say("incr").await, "2");
    assert_eq!(ask(&base, &cookie).await.body, "3", "a request beside it");
    assert_eq!(connection.say("read").await, "3");
}

/// Behaviour: headers already sent.
#[tokio::test]
async fn changing_the_cookie_in_a_websocket_is_an_error() {
    let sessions = sessions();
    let base = serve_connections(&sessions).await;
    let (mut connection, _) = Connection::open(&base, "/socket", "").await;
    assert_eq!(
        connection.say("incr").await,
        "headers_sent",
        "there is no session, and no head to tell of one"
    );
    assert_eq!(connection.say("read").await, "0");
    let cookie = ask(&base, "").await.cookies().remove(0);
    let (mut connection, _) = Connection::open(&base, "/socket", &cookie).await;
    for said in ["rotate", "destroy"] {
        assert_eq!(connection.say(said).await, "headers_sent");
    }
    assert_eq!(connection.say("incr").await, "2", "the session lives on");
}

#[tokio::test]
async fn a_session_created_before_the_headers_has_its_cookie_in_them() {
    let base = serve_connections(&sessions()).await;
    let (mut connection, head) = Connection::open(&base, "/begins", "").await;
    let cookie = head["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    assert_eq!(connection.say("incr").await, "11");
    assert_eq!(ask(&base, &cookie).await.body, "12");
}

/// Behaviour: slow request against logout.
#[tokio::test]
async fn a_logout_elsewhere_ends_the_session_of_a_connection() {
    let sessions = sessions();
    let base = serve_connections(&sessions).await;
    let cookie = ask(&base, "").await.cookies().remove(0);
    let (mut connection, _) = Connection::open(&base, "/socket", &cookie).await;
    assert_eq!(connection.say("incr").await, "2");
    let handle = sessions.open([cookie.as_bytes()]);
    handle.session::<Visitor>().destroy().await.unwrap();
    assert_eq!(connection.say("incr").await, "gone");
    assert_eq!(connection.say("exists").await, "false");
}

#[tokio::test]
async fn a_connection_with_heartbeats_keeps_its_session() {
    let clock = ManualClock::default();
    let store = MemoryStore::with_clock(&clock);
    let config = SessionConfig::new().secret(SECRET);
    let sessions = Sessions::with_store(config, store).unwrap().with_clock(&clock);
    let base = serve_connections(&sessions).await;
    let cookie = ask(&base, "").await.cookies().remove(0);
    let (mut connection, _) = Connection::open(&base, "/socket", &cookie).await;
    for _ in 0..3 {
        assert_eq!(connection.say("touch").await, "true");
        clock.advance(Duration::from_secs(20 * 3600));
    }
    clock.advance(Duration::from_secs(20 * 3600));
    assert_eq!(connection.say("touch").await, "false");
}

/// Only the first read of a request refreshes the expiry, and a connection is a single request.
#[tokio::test]
async fn a_connection_that_only_reads_outlives_its_session_unless_it_asks_by_id() {
    for (path, expected) in [("/socket", "false"), ("/by-id", "true")] {
        let clock = ManualClock::default();
        let store = MemoryStore::with_clock(&clock);
        let config = SessionConfig::new().secret(SECRET);
        let sessions = Sessions::with_store(config, store).unwrap().with_clock(&clock);
        let base = serve_connections(&sessions).await;
        let cookie = ask(&base, "").await.cookies().remove(0);
        let (mut connection, _) = Connection::open(&base, path, &cookie).await;
        for _ in 0..2 {
            assert_eq!(connection.say("read").await, "1");
            clock.advance(Duration::from_secs(20 * 3600));
        }
        assert_eq!(connection.say("exists").await, expected, "{path}");
    }
}
