//! Concurrent operations and requests.

use std::time::Duration;

use futures::future::join_all;
use session_runtime::{Session, Sessions};
use session_tests::acceptance::{Script, Visitor, World};
use session_tests::cookies::{id_of, key_of};

/// Behaviour: parallel writes.
pub(crate) async fn writes_to_different_fields_at_once_both_survive(world: World) {
    let app = world.app().await;
    let mut client = app.client();
    client.run(Script::new().set("count", 0)).await;
    let slow = {
        let mut client = client.clone();
        tokio::spawn(async move {
            client.run(Script::new().get("name").gate("read").set("name", "slow")).await
        })
    };
    app.gates.arrival("read").await;
    client.run(Script::new().set("count", 5).set("vip", true)).await;
    app.gates.open("read");
    slow.await.unwrap();
    let values = client.run(Script::new().get("count").get("name").get("vip")).await.values();
    assert_eq!(values, [serde_json::json!(5), "slow".into(), true.into()]);
}

/// Behaviour: dropped futures.
pub(crate) async fn concurrent_first_writes_create_one_session(world: World) {
    let app = world.app().await;
    let fields = || {
        Script::new()
            .set("count", 1)
            .set("name", "x")
            .set("vip", true)
            .set("age", 3)
            .set("small", 4)
    };
    let mut client = app.client();
    assert_eq!(client.run(Script::new().join(fields())).await.issued().len(), 1);
    let look = || Script::new().get("count").get("name").get("vip").get("age").get("small");
    let whole = [1.into(), "x".into(), true.into(), 3.into(), serde_json::json!(4)];
    assert_eq!(client.run(look()).await.values(), whole);
    // The same with the credential of a session that the store no longer knows.
    world.elapse(Duration::from_secs(2 * 24 * 3600));
    let before = client.credential();
    client.run(Script::new().join(fields())).await;
    assert_ne!(client.credential(), before);
    assert_eq!(client.run(look()).await.values(), whole);
    assert_eq!(world.times_to_live().len(), world.server().map_or(0, |_| 1));
}

/// Behaviour: write against expiry.
pub(crate) async fn a_write_that_races_expiry_leaves_no_partial_session(world: World) {
    let app = world.app().await;
    let mut client = app.client();
    client.run(Script::new().set("count", 1).set("name", "old")).await;
    let slow = {
        let mut client = client.clone();
        tokio::spawn(async move {
            client.run(Script::new().get("count").gate("read").set("count", 2).strict()).await
        })
    };
    app.gates.arrival("read").await;
    world.elapse(Duration::from_secs(2 * 24 * 3600));
    app.gates.open("read");
    let reply = slow.await.unwrap();
    assert_eq!(reply.status, 409);
    assert!(reply.issued().is_empty());
    if let Some(server) = world.server() {
        assert_eq!(server.cli::<u64>(&["EXISTS", &key_of(&client.credential())]), 0);
    }
}

/// Behaviour: dropped futures.
pub(crate) async fn dropped_requests_leave_every_session_whole(world: World) {
    let sessions = world.sessions(|config| config);
    join_all((0..200u64).map(|round| dropped_request(sessions.clone(), round))).await;
    let Some(server) = world.server() else { return };
    for key in server.keys() {
        assert!(server.cli::<i64>(&["PTTL", &key]) > 0, "without an expiry");
        assert!(server.cli::<bool>(&["HEXISTS", &key, ""]), "without its permanent field");
    }
}

/// Polls the first write of a request a few times, drops the future, and continues under the same
/// id.
async fn dropped_request(sessions: Sessions, round: u64) {
    let handle = sessions.open([]);
    let session: Session<Visitor> = handle.session();
    let mut write = session.set_count(round);
    for _ in 0..round % 4 {
        if futures::poll!(&mut write).is_ready() {
            break;
        }
        tokio::task::yield_now().await;
    }
    drop(write);
    if round.is_multiple_of(2) {
        session.set_count(round).await.unwrap();
        let cookie = handle.finish().set_cookie().unwrap().to_owned();
        let next = sessions.open([cookie.split(';').next().unwrap().as_bytes()]);
        assert_eq!(next.session::<Visitor>().count().await.unwrap(), round);
    }
}

pub(crate) async fn two_managers_are_independent(world: World) {
    let user = world.app_with(|config| config.cookie_name("user")).await;
    let admin = world.app_with(|config| config.cookie_name("admin").prefix("admin")).await;
    let mut client = user.client();
    client.run(Script::new().set("count", 1)).await;
    client.move_to(&admin);
    client.run(Script::new().set("count", 2)).await;
    assert_eq!(client.run(Script::new().get("count")).await.values(), [2]);
    client.move_to(&user);
    assert_eq!(client.run(Script::new().get("count")).await.values(), [1]);
}

pub(crate) async fn a_layer_applied_twice_is_one_session(world: World) {
    let app = world.app_applied_twice().await;
    let mut client = app.client();
    let reply = client.run(Script::new().get("count").set("count", 1)).await;
    assert_eq!(reply.issued().len(), 1);
    assert_eq!((reply.all("vary").len(), reply.all("cache-control").len()), (1, 1));
    let id = id_of(&client.credential());
    assert_eq!(client.run(Script::new().get("count")).await.values(), [1]);
    assert_eq!(id_of(&client.credential()), id);
}
