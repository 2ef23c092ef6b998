//! Faults of the server and of the network, with real processes.

use std::time::{Duration, Instant};

use serde_json::json;
use session_tests::acceptance::{App, Client, Script, World};
use session_tests::cookies::{id_of, key_of};
use session_tests::proxy::Proxy;
use session_tests::server::RedisServer;

const DEADLINE: Duration = Duration::from_millis(400);
/// A generous limit for slow machines. A hanging operation would take forever.
const BOUND: Duration = Duration::from_secs(5);

async fn world_behind(proxy: &Proxy, server: RedisServer) -> World {
    World::redis_at(server, &proxy.url(), DEADLINE).await
}

async fn visitor(app: &App) -> Client {
    let mut client = app.client();
    client.run(Script::new().set("count", 1)).await;
    client
}

fn page() -> Script {
    Script::new().get("count").set("count", 2).strict()
}

/// Sends requests until the page is served again. Until then, every request may fail.
async fn is_served_again(client: &mut Client) {
    let begin = Instant::now();
    while client.run(page()).await.status != 200 {
        assert!(begin.elapsed() < BOUND, "it does not come back");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn is_unavailable(client: &mut Client) {
    let begin = Instant::now();
    let reply = client.run(page()).await;
    assert!(begin.elapsed() < BOUND, "within the deadline");
    assert_eq!((reply.status, reply.body.as_str()), (503, "Service Unavailable"));
    assert!(reply.issued().is_empty());
    let reply = client.run(Script::new().get("count").set("count", 2)).await;
    for result in reply.results() {
        assert_eq!(result["error"][0], "unavailable", "never an empty session");
    }
}

/// Behaviours: store down, store back. The program is not restarted. The session was saved to disk.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_killed_is_unavailable_and_then_back() {
    let args = ["--appendonly", "yes", "--appendfsync", "always"];
    let server = RedisServer::start_with(&args);
    let url = server.url();
    let mut world = World::redis_at(server, &url, DEADLINE).await;
    let app = world.app().await;
    let mut client = visitor(&app).await;
    let before = client.credential();
    for _ in 0..2 {
        world.server_mut().kill();
        is_unavailable(&mut client).await;
        let anonymous = app.client().run(Script::new().get("count").set("count", 1)).await;
        assert_eq!(anonymous.results(), [json!({ "ok": 0 }), json!({ "error": ["unavailable"] })]);
        world.server_mut().restart();
        is_served_again(&mut client).await;
    }
    assert_eq!(client.run(Script::new().get("count")).await.values(), [2]);
    assert_eq!(client.credential(), before);
}

/// Behaviour: store back. A session that was not saved to disk starts empty, under a new id.
#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_the_server_lost_starts_anew() {
    let mut world = World::redis().await;
    let app = world.app().await;
    let mut client = visitor(&app).await;
    let before = client.credential();
    world.server_mut().restart();
    is_served_again(&mut client).await;
    assert_ne!(id_of(&client.credential()), id_of(&before));
}

/// Behaviours: store down, store back.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_frozen_is_unavailable_and_then_back() {
    let server = RedisServer::start();
    let url = server.url();
    let mut world = World::redis_at(server, &url, DEADLINE).await;
    let app = world.app().await;
    let mut client = visitor(&app).await;
    world.server_mut().pause();
    is_unavailable(&mut client).await;
    world.server_mut().resume();
    is_served_again(&mut client).await;
}

/// Behaviour: store back.
#[tokio::test(flavor = "multi_thread")]
async fn a_black_holed_connection_is_replaced() {
    let server = RedisServer::start();
    let proxy = Proxy::start(server.port());
    let world = world_behind(&proxy, server).await;
    let app = world.app().await;
    let mut client = visitor(&app).await;
    proxy.black_hole_existing();
    is_served_again(&mut client).await;
    proxy.black_hole();
    is_unavailable(&mut client).await;
    proxy.clear_up();
    is_served_again(&mut client).await;
}

/// Behaviour: unknown outcome.
#[tokio::test(flavor = "multi_thread")]
async fn a_failed_creation_sends_no_cookie() {
    let mut world = World::redis().await;
    let app = world.app().await;
    world.server_mut().kill();
    let reply = app.client().run(Script::new().set("count", 1)).await;
    assert_eq!(reply.results()[0]["error"][0], "unavailable");
    assert!(reply.issued().is_empty());
}

/// Behaviour: unknown outcome. A reply lost after execution gives an unknown outcome, and the
/// command is never executed twice.
#[tokio::test(flavor = "multi_thread")]
async fn a_lost_reply_is_an_unknown_outcome_that_the_next_operation_settles() {
    let server = RedisServer::start();
    let proxy = Proxy::start(server.port());
    let world = world_behind(&proxy, server).await;
    let app = world.app().await;
    let unknown = json!({ "error": ["unavailable", "outcome_unknown"] });
    proxy.break_after(0);
    let reply = app.client().run(Script::new().set("count", 1)).await;
    assert_eq!(reply.results(), std::slice::from_ref(&unknown));
    assert!(reply.issued().is_empty(), "what is not known is not promised");
    assert_eq!(world.server().unwrap().keys().len(), 1, "it was carried out");
    assert!(world.times_to_live()[0] > 0, "and expires");
    let mut client = app.client();
    is_served_again(&mut app.client()).await;
    proxy.break_after(0);
    let reply = client.run(Script::new().set("count", 7).get("count").set("name", "x")).await;
    assert_eq!(reply.results(), [unknown, json!({ "ok": 7 }), json!({ "ok": null })]);
    assert_eq!(reply.issued().len(), 1, "settled under the same id");
    assert_eq!(client.run(Script::new().get("count")).await.values(), [7]);
}

/// The same for a rotation. Repeating the rotation gives the same id, and no data is lost.
#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_whose_reply_was_lost_is_settled_by_what_follows() {
    let server = RedisServer::start();
    let proxy = Proxy::start(server.port());
    let world = world_behind(&proxy, server).await;
    let app = world.app().await;
    for follows in [
        Script::new().rotate(),
        Script::new(),
        Script::new().set("name", "x"),
        Script::new().renew(1),
    ] {
        let mut client = visitor(&app).await;
        let before = client.credential();
        proxy.break_after(0);
        let mut script = Script::new().rotate();
        script = script.join(follows.clone()).get("count");
        let reply = client.run(script).await;
        assert_eq!(reply.results()[0]["error"][1], "outcome_unknown");
        assert_eq!(reply.results().pop().unwrap(), json!({ "ok": 1 }), "{follows:?}");
        assert_ne!(id_of(&client.credential()), id_of(&before));
        assert_eq!(client.run(Script::new().get("count")).await.values(), [1]);
        assert_eq!(world.server().unwrap().cli::<String>(&["TYPE", &key_of(&before)]), "string");
    }
}

/// Behaviour: every key expires. No key is without an expiry, and no session is half written,
/// wherever a connection is cut.
#[tokio::test(flavor = "multi_thread")]
async fn connections_cut_at_random_leave_no_key_without_an_expiry() {
    let server = RedisServer::start();
    let proxy = Proxy::start(server.port());
    let world = world_behind(&proxy, server).await;
    let app = world.app().await;
    let load = (0..16).map(|_| {
        let mut client = app.client();
        async move {
            for round in 0..60 {
                client
                    .run(Script::new().get("count").set("count", round).rotate().set("name", "x"))
                    .await;
                if round % 7 == 0 {
                    client.run(Script::new().destroy()).await;
                }
            }
        }
    });
    let load = tokio::spawn(futures::future::join_all(load.collect::<Vec<_>>()));
    let mut cuts = 0;
    while !load.is_finished() {
        proxy.break_after(97 * cuts % 1009);
        cuts += 1;
        assert!(world.times_to_live().iter().all(|&left| left != -1), "a key without an expiry");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    load.await.unwrap();
    let server = world.server().unwrap();
    for key in server.keys() {
        if server.cli::<String>(&["TYPE", &key]) == "hash" {
            assert!(server.cli::<bool>(&["HEXISTS", &key, ""]), "half-written");
        }
    }
}
