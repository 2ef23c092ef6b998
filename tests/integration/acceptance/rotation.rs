//! New ids for a session: rotation and renewal.

use std::time::Duration;

use serde_json::{Value, json};
use session_runtime::Lifetime;
use session_tests::acceptance::{App, Client, Script, Visitor, World};
use session_tests::cookies::{OTHER_SECRET, SECRET, id_of, key_of};

const DAY: Duration = Duration::from_secs(24 * 3600);

async fn visitor(app: &App) -> Client {
    let mut client = app.client();
    client.run(Script::new().set("count", 1).set("name", "x")).await;
    client
}

fn look() -> Script {
    Script::new().get("count").get("name")
}

fn seen() -> [Value; 2] {
    [json!(1), json!("x")]
}

/// Behaviour: rotation.
pub(crate) async fn rotation_keeps_the_data_under_a_new_id_and_the_old_one_is_dead(world: World) {
    let app = world.app().await;
    let mut client = visitor(&app).await;
    let old = client.credential();
    let reply = client.run(Script::new().rotate()).await;
    assert_eq!(reply.issued().len(), 1);
    assert_ne!(id_of(&client.credential()), id_of(&old));
    assert_eq!(client.run(look()).await.values(), seen());
    let stale = app.client().run_with(&[&old], Script::new().get("count").set("count", 5)).await;
    assert_eq!(stale.results(), [json!({ "ok": 0 }), json!({ "error": ["gone"] })]);
    assert!(stale.issued().is_empty());
    assert_eq!(client.run(look()).await.values(), seen());
}

/// Behaviour: rotation. Tag, creation time and lifetime stay the same. So the deadline is
/// unchanged, and logs can be followed.
pub(crate) async fn rotation_keeps_tag_expiry_and_deadline(world: World) {
    let app = world.app().await;
    let mut client = visitor(&app).await;
    let old = id_of(&client.credential());
    world.elapse(20 * DAY / 24);
    client.run(Script::new().rotate()).await;
    assert_eq!(id_of(&client.credential())[..16], old[..16], "tag, creation time and class");
    assert_ne!(id_of(&client.credential())[16..], old[16..], "secret");
    for _ in 0..29 {
        client.run(look()).await;
        world.elapse(DAY - DAY / 96);
    }
    assert_eq!(client.run(look()).await.values(), seen());
    world.elapse(DAY / 2);
    assert_eq!(client.run(look()).await.values(), [json!(0), json!("")], "over after 30 days");
}

/// Behaviour: rotation.
pub(crate) async fn rotation_and_writes_go_together_in_any_order(world: World) {
    let app = world.app().await;
    for script in [
        Script::new().rotate().set("count", 2),
        Script::new().set("count", 2).rotate(),
        Script::new().get("count").rotate().set("count", 2).rotate(),
        Script::new().rotate().rotate().set("count", 2),
        Script::new().join(Script::new().rotate().set("count", 2)),
        Script::new().join(Script::new().rotate().rotate()).set("count", 2),
        Script::new().join(Script::new().renew(1).rotate()).set("count", 2),
    ] {
        let mut client = visitor(&app).await;
        let old = client.credential();
        let reply = client.run(script.clone()).await;
        reply.values();
        assert_eq!(reply.issued().len(), 1, "{script:?}");
        assert_ne!(client.credential(), old);
        assert_eq!(client.run(look()).await.values(), [json!(2), json!("x")], "{script:?}");
    }
}

/// The first write gets a fresh id anyway.
pub(crate) async fn rotation_without_a_session_does_nothing(world: World) {
    let app = world.app().await;
    let asked = world.commands(async || {
        let reply = app.client().run(Script::new().rotate().renew(1).get("count")).await;
        assert_eq!(reply.values()[2], 0);
        assert!(reply.issued().is_empty());
    });
    assert_eq!(asked.await, Vec::<String>::new());
}

/// Behaviour: rotation.
pub(crate) async fn rotation_takes_one_round_trip(world: World) {
    let app = world.app().await;
    let mut client = visitor(&app).await;
    visitor(&app).await.run(Script::new().rotate()).await;
    let asked = world.commands(async || {
        client.run(Script::new().rotate().get("count")).await;
    });
    world.assert_commands(asked.await, &["evalsha", "hget"]);
}

/// Behaviour: parallel rotation.
pub(crate) async fn one_of_two_concurrent_rotations_wins_and_one_id_is_live(world: World) {
    let app = world.app().await;
    let client = visitor(&app).await;
    let rotate = |gate: &'static str| {
        let mut client = client.clone();
        tokio::spawn(async move {
            let reply = client.run(Script::new().get("count").gate(gate).rotate()).await;
            (reply.results().pop().unwrap(), reply.issued(), client)
        })
    };
    let both = [rotate("one"), rotate("two")];
    for gate in ["one", "two"] {
        app.gates.arrival(gate).await;
    }
    for gate in ["one", "two"] {
        app.gates.open(gate);
    }
    let both = futures::future::join_all(both).await.into_iter().map(Result::unwrap);
    let (won, lost): (Vec<_>, Vec<_>) = both.partition(|(result, ..)| result.get("ok").is_some());
    let (&[(_, _, ref winner)], [(error, issued, _)]) = (&won[..], &lost[..]) else {
        panic!("one winner")
    };
    assert_eq!((error, issued.len()), (&json!({ "error": ["gone"] }), 0));
    assert_eq!(winner.clone().run(look()).await.values(), seen());
    if let Some(server) = world.server() {
        let keys = server.keys();
        let hashes =
            keys.iter().filter(|key| server.cli::<String>(&["TYPE", key]) == "hash").count();
        assert_eq!((keys.len(), hashes), (2, 1));
    }
}

/// Behaviour: write against rotation.
pub(crate) async fn a_write_on_the_old_id_after_a_rotation_is_gone(world: World) {
    let app = world.app().await;
    let mut client = visitor(&app).await;
    let slow = {
        let mut client = client.clone();
        tokio::spawn(async move {
            client.run(Script::new().get("count").gate("read").set("count", 9).strict()).await
        })
    };
    app.gates.arrival("read").await;
    let old = client.credential();
    client.run(Script::new().rotate()).await;
    app.gates.open("read");
    let reply = slow.await.unwrap();
    assert_eq!((reply.status, reply.issued().len()), (409, 0));
    assert_eq!(client.run(look()).await.values(), seen());
    if let Some(server) = world.server() {
        assert_eq!(server.cli::<String>(&["TYPE", &key_of(&old)]), "string");
    }
}

/// Behaviour: expiry.
pub(crate) async fn renewal_restarts_the_absolute_deadline(world: World) {
    let app = world.app().await;
    let mut client = visitor(&app).await;
    for _ in 0..29 {
        world.elapse(DAY - DAY / 96);
        client.run(look()).await;
    }
    let reply = client.run(Script::new().renew(0)).await;
    assert_eq!(reply.issued().len(), 1);
    for _ in 0..29 {
        world.elapse(DAY - DAY / 96);
        assert_eq!(client.run(look()).await.values(), seen());
    }
    world.elapse(DAY / 2);
    assert_eq!(client.run(look()).await.values(), seen());
    world.elapse(DAY - DAY / 96);
    assert_eq!(client.run(look()).await.values(), [json!(0), json!("")]);
}

/// The lifetime for "remember me".
pub(crate) async fn a_remembered_session_outlives_the_browser_and_a_normal_one(world: World) {
    let app = world.app().await;
    let mut client = visitor(&app).await;
    let reply = client.run(Script::new().renew(1)).await;
    assert!(reply.lasts_for(180 * DAY));
    world.elapse(29 * DAY);
    assert_eq!(client.run(look()).await.values(), seen());
    world.elapse(31 * DAY);
    assert_eq!(client.run(look()).await.values(), [json!(0), json!("")]);
}

/// A visitor without a session logs in. The lifetime applies to the session that the first write of
/// the login creates.
pub(crate) async fn renewal_without_a_session_sets_the_lifetime_of_the_next_session(world: World) {
    let app = world.app().await;
    let mut client = app.client();
    let reply = client.run(Script::new().renew(1).set("count", 1)).await;
    assert!(reply.lasts_for(180 * DAY));
    world.elapse(29 * DAY);
    assert_eq!(client.run(Script::new().get("count")).await.values(), [1]);
}

pub(crate) async fn a_lifetime_that_is_not_configured_is_refused(world: World) {
    let app = world.app().await;
    let mut client = visitor(&app).await;
    let reply = client.run(Script::new().renew(7)).await;
    assert_eq!(reply.results(), [json!({ "error": ["config"] })]);
    assert_eq!(client.run(look()).await.values(), seen());
}

/// Behaviour: planted login cookie. `renew` at login leaves a cookie or token behind that an
/// attacker planted.
pub(crate) async fn renewal_replaces_a_planted_session(world: World) {
    let app = world.app().await;
    let mut attacker = visitor(&app).await;
    let mut victim = app.client();
    victim.set_credential(&attacker.credential());
    victim.run(Script::new().renew(0).set("name", "victim")).await;
    assert_ne!(victim.credential(), attacker.credential());
    let reply = attacker.run(Script::new().get("name").set("name", "attacker")).await;
    assert_eq!(reply.results(), [json!({ "ok": "" }), json!({ "error": ["gone"] })]);
    assert_eq!(victim.run(Script::new().get("name")).await.values(), ["victim"]);
}

/// Behaviour: secret rotation. An outdated credential is never re-issued beside a rotation.
pub(crate) async fn rotation_of_a_session_with_an_old_signature_issues_one_credential(
    world: World,
) {
    let app = world.app().await;
    let mut client = visitor(&app).await;
    let rotated = world.app_with(|config| config.secret(format!("{OTHER_SECRET},{SECRET}"))).await;
    client.move_to(&rotated);
    let old = client.credential();
    let reply = client.run(Script::new().get("count").rotate()).await;
    assert_eq!(reply.issued().len(), 1);
    assert_ne!(id_of(&client.credential()), id_of(&old));
    let ended = client.clone().run(Script::new().get("count").destroy()).await;
    assert!(ended.removes_credential());
}

/// `renew` selects a lifetime. The configuration sets the durations.
pub(crate) async fn a_lifetime_that_differs_from_the_configuration_is_refused(world: World) {
    let sessions = world.sessions(|config| config.lifetime(Lifetime::remembered().max(10 * DAY)));
    let session = sessions.create::<Visitor>().await.unwrap();
    assert!(session.renew(Lifetime::remembered().max(7 * DAY)).await.unwrap_err().is_config());
    session.renew(Lifetime::remembered()).await.unwrap();
    session.renew(Lifetime::remembered().max(10 * DAY)).await.unwrap();
}
