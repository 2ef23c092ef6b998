//! The end of a session: logout, and concurrent requests.

use std::time::Duration;

use serde_json::json;
use session_runtime::SameSite;
use session_tests::acceptance::{App, Body, Client, Script, World};
use session_tests::cookies::{self, id_of, key_of};
use session_tests::until;

async fn visitor(app: &App) -> Client {
    let mut client = app.client();
    client.run(Script::new().set("count", 1)).await;
    client
}

fn attributes(set_cookie: &str) -> Vec<String> {
    let mut attributes: Vec<_> = set_cookie.split("; ").skip(1).map(str::to_owned).collect();
    attributes
        .retain(|attribute| !attribute.starts_with("Max-Age") && !attribute.starts_with("Expires"));
    attributes.sort_unstable();
    attributes
}

/// Behaviour: destruction. Regression of tower-sessions 268, actix-session 299 and axum_session
/// 102, whose removal cookies have no effect.
pub(crate) async fn the_removal_cookie_has_the_attributes_of_the_one_it_removes(world: World) {
    let default = world.app().await;
    let configured = world.app_with(|config| {
        config
            .cookie_name("sid")
            .cookie_domain("example.com")
            .cookie_path("/app")
            .cookie_same_site(SameSite::None)
            .cookie_partitioned(true)
    });
    for app in [default, configured.await] {
        let mut client = app.client();
        let set = client.run(Script::new().set("count", 1)).await.issued().remove(0);
        let reply = client.run(Script::new().destroy()).await;
        let removals = reply.issued();
        assert_eq!(attributes(&removals[0]), attributes(&set));
        // A cookie set before the domain was configured belongs to the host alone.
        let mut host_only = attributes(&set);
        host_only.retain(|attribute| !attribute.starts_with("Domain="));
        let others: Vec<_> = removals[1..].iter().map(|removal| attributes(removal)).collect();
        assert_eq!(others, if set.contains("Domain=") { vec![host_only] } else { vec![] });
        for removal in removals {
            assert_eq!(removal.split('=').next(), set.split('=').next());
            assert!(removal.contains("Max-Age=0") && removal.contains("Expires="));
        }
        assert_eq!(reply.all("cache-control"), ["no-store"]);
        assert_eq!(client.credential(), "");
    }
}

/// Behaviour: destruction.
pub(crate) async fn a_destroyed_session_leaves_at_most_a_tombstone_that_expires(world: World) {
    let app = world.app().await;
    let mut client = visitor(&app).await;
    let credential = client.credential();
    client.run(Script::new().destroy()).await;
    if let Some(server) = world.server() {
        assert_eq!(server.cli::<String>(&["TYPE", &key_of(&credential)]), "string");
        assert!(server.cli::<i64>(&["PTTL", &key_of(&credential)]) > 60_000);
    }
    world.elapse(Duration::from_secs(3600));
    let reply =
        app.client().run_with(&[&credential], Script::new().get("count").set("count", 1)).await;
    assert_eq!(reply.values()[0], 0);
    assert_ne!(id_of(&reply.issued()[0]), id_of(&credential));
}

/// Behaviour: destruction.
pub(crate) async fn destroy_without_a_session_does_nothing(world: World) {
    let app = world.app().await;
    let asked = world.commands(async || {
        assert!(app.client().run(Script::new().destroy()).await.issued().is_empty());
        let stale = world.credential(b"stale");
        let reply = app.client().run_with(&[stale], Script::new().destroy()).await;
        assert!(reply.removes_credential(), "a stale credential is removed");
    });
    assert_eq!(asked.await, Vec::<String>::new());
}

/// Behaviour: destruction. Deletions work when the server's memory is full.
pub(crate) async fn destroy_works_when_memory_is_full(world: World) {
    let Some(server) = world.server() else { return };
    let app = world.app().await;
    let mut client = visitor(&app).await;
    visitor(&app).await.run(Script::new().rotate().destroy()).await;
    server.on_every_master(&["CONFIG", "SET", "maxmemory", "1"]);
    let refused = client.run(Script::new().set("name", "x").get("count")).await;
    assert_eq!(refused.results()[1], json!({ "ok": 1 }));
    assert!(refused.results()[0].get("error").is_some());
    client.run(Script::new().remove("count").destroy()).await.values();
    assert_eq!(client.credential(), "");
}

/// Behaviour: write after destruction.
pub(crate) async fn a_write_after_destroy_begins_a_session_under_a_new_id(world: World) {
    let app = world.app().await;
    let mut client = visitor(&app).await;
    let before = client.credential();
    let reply =
        client.run(Script::new().destroy().get("count").set("name", "new").get("name")).await;
    assert_eq!(reply.values()[1..], [json!(0), json!(null), json!("new")]);
    let [credential] = &reply.issued()[..] else { panic!("one credential") };
    assert!(!reply.removes_credential());
    assert_ne!(id_of(credential), id_of(&before));
    assert_eq!(
        client.run(Script::new().get("count").get("name")).await.values(),
        [json!(0), json!("new")]
    );
}

/// Commit rules: after several changes in any order, the last change decides.
pub(crate) async fn the_credential_follows_the_last_of_many_changes(world: World) {
    let app = world.app().await;
    for (script, lives) in [
        (Script::new().rotate().destroy(), false),
        (Script::new().destroy().rotate(), false),
        (Script::new().renew(1).destroy(), false),
        (Script::new().destroy().set("count", 1).destroy(), false),
        (Script::new().destroy().set("count", 1), true),
        (Script::new().destroy().set("count", 1).rotate(), true),
        (Script::new().rotate().destroy().renew(1).set("count", 1), true),
        (Script::new().set("count", 1).rotate().renew(1), true),
    ] {
        let mut client = visitor(&app).await;
        let reply = client.run(script.clone()).await;
        reply.values();
        assert_eq!(reply.issued().len(), 1, "{script:?}");
        assert_eq!(!client.credential().is_empty(), lives, "{script:?}");
        let expected = u64::from(lives);
        assert_eq!(client.run(Script::new().get("count")).await.values(), [expected], "{script:?}");
    }
    let mut begun_and_ended = app.client();
    let reply = begun_and_ended.run(Script::new().set("count", 1).destroy()).await;
    assert!(reply.issued().is_empty(), "the client never had a credential");
}

/// Behaviour: slow request against logout. Regression of rack's CVE-2025-46336, connect-redis 328
/// and the fallback from update to save in actix-session. There, a slow request restores a
/// logged-out session.
pub(crate) async fn a_slow_request_does_not_bring_a_logged_out_session_back(world: World) {
    let app = world.app().await;
    for (number, slow) in [
        Script::new().gate("0").set("count", 9),
        Script::new().get("count").gate("1").set("count", 9),
        Script::new().set("name", "x").gate("2").set("count", 9),
        Script::new().get("count").gate("3").get("count").set("count", 9),
        Script::new().get("count").gate("4").remove("count"),
        Script::new().get("count").gate("5").rotate(),
    ]
    .into_iter()
    .enumerate()
    {
        let gate = number.to_string();
        let mut client = visitor(&app).await;
        let credential = client.credential();
        let request = {
            let mut client = client.clone();
            tokio::spawn(async move { client.run(slow.strict()).await })
        };
        app.gates.arrival(&gate).await;
        client.run(Script::new().destroy()).await;
        app.gates.open(&gate);
        let reply = request.await.unwrap();
        assert_eq!((reply.status, reply.issued().len()), (409, 0), "slow request {number}");
        if let Some(server) = world.server() {
            assert_eq!(
                server.cli::<String>(&["TYPE", &key_of(&credential)]),
                "string",
                "no hash comes back"
            );
        }
    }
}

/// Behaviour: read against delete.
pub(crate) async fn reading_against_a_logout_leaves_no_session(world: World) {
    let app = world.app().await;
    for _ in 0..10 {
        let mut client = visitor(&app).await;
        let credential = client.credential();
        let readers =
            (0..8).map(|_| {
                let client = client.clone();
                let credential = credential.clone();
                async move {
                    client.run_with(&[credential], Script::new().get("count").get("name")).await
                }
            });
        let readers = tokio::spawn(futures::future::join_all(readers.collect::<Vec<_>>()));
        client.run(Script::new().destroy()).await;
        for reply in readers.await.unwrap() {
            reply.values();
            assert!(reply.issued().is_empty());
        }
        let reply = client.run_with(&[&credential], Script::new().session_exists()).await;
        assert_eq!(reply.values(), [false]);
    }
}

/// Behaviour: parallel rotation.
pub(crate) async fn logout_beats_a_rotation_at_the_same_time(world: World) {
    let app = world.app().await;
    let mut client = visitor(&app).await;
    let old = client.credential();
    let logout = {
        let mut client = client.clone();
        tokio::spawn(async move {
            client.run(Script::new().get("count").gate("read").destroy().strict()).await
        })
    };
    app.gates.arrival("read").await;
    client.run(Script::new().rotate()).await;
    client.run(Script::new().rotate()).await;
    app.gates.open("read");
    let reply = logout.await.unwrap();
    assert_eq!(reply.status, 200);
    assert!(reply.removes_credential());
    let after = client.run(Script::new().get("count").set("count", 3)).await;
    assert_eq!(
        after.results(),
        [json!({ "ok": 0 }), json!({ "error": ["gone"] })],
        "the successor is dead too"
    );
    let reply = client.run_with(&[&old], Script::new().session_exists()).await;
    assert_eq!(reply.values(), [false]);
}

/// The cookie of an ended session must not hide a live session. Otherwise the user is caught in a
/// login loop.
/// Behaviour: several cookies.
pub(crate) async fn a_dead_cookie_does_not_hide_a_live_one(world: World) {
    let app = world.app().await;
    let mut dead = visitor(&app).await;
    let dead_cookie = dead.credential();
    dead.run(Script::new().destroy()).await;
    let live = visitor(&app).await.credential();
    for header in [format!("{dead_cookie}; {live}"), format!("{live}; {dead_cookie}")] {
        let reply =
            app.client().run_with(&[&header], Script::new().get("count").set("name", "x")).await;
        assert_eq!(reply.values()[0], 1);
        assert!(reply.issued().is_empty());
    }
    let header = format!("{dead_cookie}; {live}");
    app.client().run_with(&[&header], Script::new().destroy()).await.values();
    assert_eq!(
        app.client().run_with(&[&live], Script::new().session_exists()).await.values(),
        [false]
    );
}

/// Behaviour: headers already sent.
pub(crate) async fn after_the_headers_changing_the_credential_is_an_error(world: World) {
    let app = world.app().await;
    let mut client = visitor(&app).await;
    let committed = json!({ "error": ["headers_sent"] });
    let asked = world.commands(async || {
        let reply =
            app.client().run(Script::new().late(Script::new().set("count", 1).get("count"))).await;
        assert_eq!(reply.results(), [committed.clone(), json!({ "ok": 0 })]);
        assert!(reply.issued().is_empty());
        let late = Script::new().rotate().renew(1).destroy();
        let reply = client.run(Script::new().late(late)).await;
        assert_eq!(reply.results(), [committed.clone(), committed.clone(), committed.clone()]);
        assert!(reply.issued().is_empty());
    });
    assert_eq!(asked.await, Vec::<String>::new());
    let reply = client
        .run(Script::new().get("count").late(Script::new().set("count", 7).get("count")))
        .await;
    assert_eq!(reply.values(), [json!(null), json!(7)], "other writes go on");
}

/// The credential follows the store, on every status.
pub(crate) async fn a_removal_is_on_every_kind_of_response(world: World) {
    let app = world.app().await;
    for status in [200, 204, 303, 404, 500] {
        let mut client = visitor(&app).await;
        let body = if status == 204 { Body::Empty } else { Body::Results };
        let reply = client.run(Script::new().destroy().status(status).body(body)).await;
        assert_eq!(reply.issued().len(), 1, "{status}");
    }
}

/// Issue "Lifecycle", 5: clearing a schema does not end the session.
pub(crate) async fn clearing_keeps_the_session_and_unknown_fields(world: World) {
    let app = world.app().await;
    let mut client = visitor(&app).await;
    if let Some(server) = world.server() {
        let _: u64 = server.cli(&["HSET", &key_of(&client.credential()), "unknown", "1"]);
    }
    let reply = client
        .run(Script::new().set("name", "x").clear().get("count").exists("name").session_exists())
        .await;
    assert_eq!(reply.values()[2..], [json!(0), json!(false), json!(true)]);
    assert!(reply.issued().is_empty());
    if let Some(server) = world.server() {
        assert_eq!(server.cli::<String>(&["HGET", &key_of(&client.credential()), "unknown"]), "1");
    }
    let asked = world.commands(async || {
        app.client().run(Script::new().clear()).await.values();
    });
    assert_eq!(asked.await, Vec::<String>::new());
}

/// `exists`, `expires_in` and `session_id`.
pub(crate) async fn a_session_describes_itself(world: World) {
    let app = world.app().await;
    let nothing = app.client().run(Script::new().session_id().session_exists().expires_in()).await;
    assert_eq!(nothing.values(), [json!(null), json!(false), json!(null)]);
    let mut client = visitor(&app).await;
    let id = id_of(&client.credential());
    world.elapse(Duration::from_secs(3600));
    let left = client.run(Script::new().expires_in()).await.values().remove(0).as_f64().unwrap();
    assert!((left - 23.0 * 3600.0).abs() < 60.0, "{left}");
    let told = client.run(Script::new().session_exists().session_id().expires_in()).await.values();
    assert_eq!(told[..2], [json!(true), json!(id)]);
    assert!((told[2].as_f64().unwrap() - 24.0 * 3600.0).abs() < 60.0, "{told:?}");
    let stale = world.signed(&cookies::id(world.now(), 0));
    let told =
        client.run_with(&[stale], Script::new().session_exists().session_id().expires_in()).await;
    assert_eq!(told.values(), [json!(false), json!(null), json!(null)]);
}

/// A session created by another program lacks the permanent field.
pub(crate) async fn a_session_of_another_program_exists_as_often_as_it_is_asked(world: World) {
    let Some(server) = world.server() else { return };
    let app = world.app().await;
    let credential = world.signed(&cookies::id(world.now(), 0));
    let _: u64 = server.cli(&["HSET", &key_of(&credential), "count", "5"]);
    let script = Script::new()
        .session_exists()
        .session_exists()
        .get("count")
        .set("count", 6)
        .session_exists();
    let reply = app.client().run_with(&[&credential], script).await;
    assert_eq!(reply.values(), [json!(true), json!(true), json!(5), json!(null), json!(true)]);
}

/// The threshold `refresh_below`.
pub(crate) async fn below_a_threshold_alone_the_first_read_refreshes(world: World) {
    let app = world.app_with(|config| config.refresh_below(0.5)).await;
    let mut client = visitor(&app).await;
    let hours_left = async |client: &Client| {
        let told = client.clone().run(Script::new().expires_in()).await;
        (told.values()[0].as_f64().unwrap() / 3600.0).round()
    };
    world.elapse(Duration::from_secs(10 * 3600));
    let asked = world
        .commands(async || assert_eq!(client.run(Script::new().get("count")).await.values(), [1]));
    world.assert_commands(asked.await, &["hget", "pttl"]);
    assert_eq!(hours_left(&client).await, 14.0);
    world.elapse(Duration::from_secs(4 * 3600));
    assert_eq!(client.run(Script::new().get("count")).await.values(), [1]);
    until("the refreshed expiry", async || hours_left(&client).await == 24.0).await;
}
