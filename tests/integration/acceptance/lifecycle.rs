//! The life cycle: expiry, deadlines, strict ids.

use std::time::Duration;

use serde_json::json;
use session_runtime::Lifetime;
use session_runtime::store::SessionStore;
use session_tests::acceptance::{Client, Script, Store, World};
use session_tests::cookies::{self, id_of, key_of};
use session_tests::store_suite::logout;

const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);

async fn visitor(world: &World) -> (session_tests::acceptance::App, Client) {
    let app = world.app().await;
    let mut client = app.client();
    client.run(Script::new().set("count", 1)).await;
    (app, client)
}

/// Behaviour: expiry.
pub(crate) async fn an_idle_session_expires(world: World) {
    let (_app, mut client) = visitor(&world).await;
    world.elapse(DAY - HOUR / 60);
    assert_eq!(client.run(Script::new().get("count")).await.values(), [1]);
    world.elapse(DAY + HOUR / 60);
    assert_eq!(client.run(Script::new().get("count")).await.values(), [0]);
}

/// Behaviour: expiry.
pub(crate) async fn activity_postpones_the_idle_expiry(world: World) {
    let (_app, mut client) = visitor(&world).await;
    for script in
        [Script::new().get("name"), Script::new().set("name", "x"), Script::new().exists("name")]
    {
        world.elapse(20 * HOUR);
        client.run(script).await;
    }
    world.elapse(20 * HOUR);
    assert_eq!(client.run(Script::new().get("count")).await.values(), [1]);
}

/// Behaviour: expiry.
pub(crate) async fn no_activity_postpones_the_absolute_deadline(world: World) {
    let (_app, mut client) = visitor(&world).await;
    for _ in 0..36 {
        world.elapse(20 * HOUR - HOUR / 60);
        client.run(Script::new().get("count").set("name", "x")).await;
    }
    let before = client.credential();
    world.elapse(HOUR);
    let reply = client.run(Script::new().get("count").set("count", 5)).await;
    assert_eq!(reply.values()[0], 0);
    assert_ne!(id_of(&client.credential()), id_of(&before));
}

/// The store gets no request.
pub(crate) async fn a_session_past_its_deadline_is_absent_without_asking(world: World) {
    let app = world.app().await;
    let expired = world.signed(&cookies::id(world.now() - 30 * DAY, 0));
    let asked = world.commands(async || {
        let reply =
            app.client().run_with(&[&expired], Script::new().get("count").remove("count")).await;
        assert_eq!(reply.values(), [json!(0), json!(false)]);
    });
    assert_eq!(asked.await, Vec::<String>::new());
}

pub(crate) async fn every_expiry_is_capped_by_the_absolute_deadline(world: World) {
    let lifetime = Lifetime::normal().idle(10 * HOUR).max(12 * HOUR);
    let app = world.app_with(|config| config.lifetime(lifetime)).await;
    let mut client = app.client();
    client.run(Script::new().set("count", 1)).await;
    world.elapse(8 * HOUR);
    for script in [Script::new().get("count"), Script::new().set("count", 2)] {
        client.run(script).await;
        assert!(world.times_to_live().iter().all(|left| (1..=4 * 3_600_000).contains(left)));
    }
    world.elapse(4 * HOUR - Duration::from_secs(2));
    assert_eq!(client.run(Script::new().get("count")).await.values(), [2]);
    world.elapse(Duration::from_secs(2));
    assert_eq!(client.run(Script::new().get("count")).await.values(), [0]);
}

/// Behaviour: expiry.
pub(crate) async fn a_creation_time_in_the_future_is_refused(world: World) {
    let app = world.app().await;
    let asked = async |ahead: u64| {
        let credential = world.signed(&cookies::id(world.now() + Duration::from_secs(ahead), 0));
        world
            .commands(async || {
                app.client().run_with(&[&credential], Script::new().get("count")).await;
            })
            .await
    };
    assert_eq!(asked(302).await, Vec::<String>::new());
    world.assert_commands(asked(299).await, &["hget", "pexpire"]);
}

/// The class is configured only in another instance of the same deployment. Such sessions are valid
/// here too, with the strictest lifetime, and can be ended here.
pub(crate) async fn a_session_of_an_unknown_class_has_the_strictest_lifetime(world: World) {
    let remembered = Lifetime::custom(9).idle(40 * DAY).max(400 * DAY);
    let newer = world.app_with(|config| config.lifetime(remembered)).await;
    let older = world.app().await;
    let mut client = newer.client();
    client.run(Script::new().renew(9).set("count", 1)).await.values();
    client.move_to(&older);
    assert_eq!(client.run(Script::new().get("count").set("count", 2)).await.values()[0], 1);
    let left = client.run(Script::new().expires_in()).await.values().remove(0).as_f64().unwrap();
    assert!((DAY.as_secs_f64() - left).abs() < 60.0, "{left}");
    let rotated = client.run(Script::new().rotate().get("count")).await;
    assert_eq!(rotated.values()[1], 2);
    let credential = client.credential();
    client.run(Script::new().destroy()).await.values();
    let reply = newer.client().run_with(&[&credential], Script::new().session_exists()).await;
    assert_eq!(reply.values(), [false]);
}

/// Behaviour: expired session.
pub(crate) async fn an_expired_session_gives_no_old_data_and_a_new_id(world: World) {
    let (_app, mut client) = visitor(&world).await;
    let before = client.credential();
    world.elapse(2 * DAY);
    let reply = client.run(Script::new().set("name", "new").get("count")).await;
    assert_eq!(reply.values()[1], 0);
    assert_ne!(id_of(&client.credential()), id_of(&before));
}

/// A tombstone under the session's key means gone, from the first read on.
pub(crate) async fn a_session_that_was_ended_elsewhere_is_gone(world: World) {
    let (_app, mut client) = visitor(&world).await;
    let id = id_of(&client.credential());
    match &world.store {
        Store::Memory(store) => {
            let key = session_runtime::store::SessionKey::new("app", &id.parse().unwrap());
            store.destroy(&key, logout(HOUR)).await.unwrap();
        }
        Store::Redis(_, server) => {
            let _: String = server.cli(&["SET", &key_of(&client.credential()), "", "PX", "60000"]);
        }
    }
    for script in [Script::new().get("count").set("count", 2), Script::new().set("count", 2)] {
        let reply = client.run(script.clone()).await;
        assert_eq!(reply.results().pop().unwrap(), json!({ "error": ["gone"] }));
        let page = client.run(script.strict()).await;
        assert_eq!((page.status, page.body.as_str()), (409, "Conflict"));
        assert!(reply.issued().is_empty() && page.issued().is_empty());
    }
    if let Some(server) = world.server() {
        assert_eq!(server.cli::<String>(&["TYPE", &key_of(&client.credential())]), "string");
    }
}

/// Behaviour: every key expires. This test has no faults.
pub(crate) async fn no_key_is_ever_without_an_expiry(world: World) {
    let app = world.app().await;
    let load = (0..16).map(|_| {
        let mut client = app.client();
        async move {
            for round in 0..20 {
                client
                    .run(
                        Script::new()
                            .get("count")
                            .set("count", round)
                            .set("name", "x")
                            .remove("name"),
                    )
                    .await;
            }
        }
    });
    let load = tokio::spawn(futures::future::join_all(load.collect::<Vec<_>>()));
    while !load.is_finished() {
        assert!(world.times_to_live().iter().all(|&left| left != -1), "a key without an expiry");
        tokio::task::yield_now().await;
    }
    load.await.unwrap();
    assert!(world.times_to_live().iter().all(|&left| left != -1));
}

/// Behaviour: prefixes are apart.
pub(crate) async fn two_prefixes_do_not_see_each_other(world: World) {
    let (_app, mut client) = visitor(&world).await;
    let other = world.app_with(|config| config.prefix("other")).await;
    client.move_to(&other);
    let before = client.credential();
    let reply = client.run(Script::new().get("count").set("count", 7)).await;
    assert_eq!(reply.values()[0], 0);
    assert_ne!(id_of(&client.credential()), id_of(&before));
}
