//! The session of tower-sessions in each kind of store.

use std::sync::Arc;

use ::tower_sessions::Session;
use axum::http::Request;
use futures::future::join_all;
use session_runtime::testing::Browser;
use session_runtime::{SessionConfig, Sessions};
use session_tests::cookies::SECRET;
use session_tests::deployment::Shared;
use session_tests::server::{Make, RedisServer};
use tokio::sync::Barrier;

use super::{Typed, send, typed};

/// Signs in, changes, renews and ends a session.
async fn goes_through_its_life(sessions: &Sessions) {
    let mut browser = Browser::new(sessions);
    let layer = sessions.tower_sessions_layer();
    send(&mut browser, &layer, |request| async move {
        let session = session_of(&request);
        session.insert("count", 1).await.unwrap();
        session.insert("user", "ada").await.unwrap();
    })
    .await;
    let mut before = browser.with_sessions(sessions);
    send(&mut browser, &layer, |request| async move {
        let session = session_of(&request);
        assert_eq!(session.get("count").await.unwrap(), Some(1));
        session.cycle_id().await.unwrap();
        session.insert("count", 2).await.unwrap();
        session.remove::<String>("user").await.unwrap();
    })
    .await;
    assert_eq!(typed(&mut browser).await, (Some(2), None, String::new()));
    assert_eq!(typed(&mut before).await.0, None);
    let mut ended = browser.with_sessions(sessions);
    send(&mut browser, &layer, |request| async move {
        session_of(&request).flush().await.unwrap();
    })
    .await;
    assert_eq!(typed(&mut ended).await.0, None);
}

fn session_of(request: &Request<()>) -> Session {
    request.extensions().get::<Session>().unwrap().clone()
}

async fn on(url: &str) -> Sessions {
    Sessions::new(SessionConfig::new().secret(SECRET).store(url)).await.unwrap()
}

#[tokio::test]
async fn in_memory() {
    goes_through_its_life(&on("memory:").await).await;
}

#[tokio::test]
async fn on_one_server_of_each_make() {
    for make in [Make::Usual, Make::Redis8, Make::Valkey9] {
        let Some(server) = RedisServer::start_make(make) else { continue };
        goes_through_its_life(&on(&server.url()).await).await;
    }
}

#[tokio::test]
async fn behind_sentinels() {
    let deployment = Shared::sentinel().await;
    goes_through_its_life(&on(&deployment.url()).await).await;
}

#[tokio::test]
async fn on_a_cluster() {
    let deployment = Shared::cluster().await;
    goes_through_its_life(&on(&deployment.url()).await).await;
}

#[tokio::test]
async fn requests_at_once_lose_no_values_on_a_server() {
    const REQUESTS: usize = 20;

    let server = RedisServer::start();
    let sessions = on(&server.url()).await;
    let mut browser = Browser::new(&sessions);
    let layer = sessions.tower_sessions_layer();
    send(&mut browser, &layer, |request| async move {
        session_of(&request).insert("begun", true).await.unwrap();
    })
    .await;
    let all_have_read = Arc::new(Barrier::new(REQUESTS));
    let requests = (0..REQUESTS).map(|number| {
        let (mut browser, layer) = (browser.with_sessions(&sessions), layer.clone());
        let all_have_read = Arc::clone(&all_have_read);
        async move {
            send(&mut browser, &layer, move |request| async move {
                let session = session_of(&request);
                assert_eq!(session.get("begun").await.unwrap(), Some(true));
                all_have_read.wait().await;
                session.insert(&format!("key-{number}"), number).await.unwrap();
            })
            .await
        }
    });
    for ((), response) in join_all(requests).await {
        assert_eq!(response.status(), 200);
    }
    send(&mut browser, &layer, |request| async move {
        let session = session_of(&request);
        for number in 0..REQUESTS {
            let value = session.get(&format!("key-{number}")).await.unwrap();
            assert_eq!(value, Some(number));
        }
    })
    .await;
}

/// Only the fields of tower-sessions are transferred and written.
#[tokio::test]
async fn the_commands_name_only_fields_under_the_prefix() {
    let server = RedisServer::start();
    let sessions = on(&server.url()).await;
    let mut browser = Browser::new(&sessions);
    let cart = async |session: session_runtime::Session<Typed>| session.set_cart("tea").await;
    browser.visit(cart).await.unwrap();
    let monitor = server.monitor();
    send(&mut browser, &sessions.tower_sessions_layer(), |request| async move {
        let session = session_of(&request);
        session.insert("count", 1).await.unwrap();
        session.insert("count", 2).await.unwrap();
    })
    .await;
    let commands = monitor.finish();
    let reads = commands.iter().filter(|command| command.contains("HSCAN")).count();
    let writes = commands
        .iter()
        .filter(|command| command.contains("\"ts.count\"") && !command.starts_with("lua "));
    let writes = writes.count();
    assert_eq!((reads, writes), (1, 1), "{commands:#?}");
    assert!(!commands.iter().any(|command| command.contains("cart")), "{commands:#?}");
}
