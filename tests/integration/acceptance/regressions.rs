//! Published bugs of other libraries, each with a test that this library does not have the bug.

use std::time::Duration;

use futures::future::join_all;
use serde_json::json;
use session_runtime::{SameSite, SessionConfig};
use session_tests::acceptance::{App, Client, Script, World};
use session_tests::cookies::{self, id_of, key_of};

async fn visitor(app: &App) -> Client {
    let mut client = app.client();
    client.run(Script::new().set("count", 1).set("name", "x")).await;
    client
}

fn look() -> Script {
    Script::new().get("count").get("name")
}

/// Returns the stored value under the key of a credential, with the Redis type name. On memory,
/// nothing is checked.
fn stored(world: &World, credential: &str) -> Option<String> {
    world.server().map(|server| server.cli(&["TYPE", &key_of(credential)]))
}

/// [CVE-2025-46336] of rack-session, and the same in [connect-redis 328]: a request reads the
/// session before a logout and writes all data back at the end. This restores the logged-out
/// session. Here, a request that only reads changes nothing, and the id stays dead.
///
/// [CVE-2025-46336]: https://github.com/rack/rack-session/security/advisories/GHSA-9j94-67jr-4cqj
/// [connect-redis 328]: https://github.com/tj/connect-redis/issues/328
pub(crate) async fn a_request_that_ends_after_a_logout_restores_nothing(world: World) {
    let app = world.app().await;
    for (gate, slow) in
        [("reads", look().gate("reads")), ("writes", look().gate("writes").set("name", "old"))]
    {
        let mut client = visitor(&app).await;
        let credential = client.credential();
        let request = {
            let (client, credential) = (client.clone(), credential.clone());
            tokio::spawn(async move { client.run_with(&[credential], slow).await })
        };
        app.gates.arrival(gate).await;
        client.run(Script::new().destroy()).await;
        app.gates.open(gate);
        let reply = request.await.unwrap();
        assert_eq!(
            reply.results()[..2],
            [json!({ "ok": 1 }), json!({ "ok": "x" })],
            "it read before"
        );
        assert!(reply.issued().is_empty());
        assert!(
            stored(&world, &credential).is_none_or(|stored| stored == "string"),
            "a tombstone at most"
        );
        let again = app.client().run_with(&[&credential], look().session_exists()).await;
        assert_eq!(again.values(), [json!(0), json!(""), json!(false)]);
    }
}

/// actix-session's Redis store handles an update of a missing session by saving a new session
/// (`RedisSessionStore::update`: "no update: fall back to save"). Here the session is gone, and the
/// client keeps the same credential.
pub(crate) async fn an_update_of_a_session_that_is_gone_is_not_a_creation(world: World) {
    let app = world.app().await;
    for gate in ["expired", "destroyed"] {
        let mut client = visitor(&app).await;
        let credential = client.credential();
        let request = {
            let (client, credential) = (client.clone(), credential.clone());
            let script = look().gate(gate).set("count", 2).remove("name").clear();
            tokio::spawn(async move { client.run_with(&[credential], script).await })
        };
        app.gates.arrival(gate).await;
        match gate {
            "expired" => world.elapse(Duration::from_secs(2 * 24 * 3600)),
            _ => drop(client.run(Script::new().destroy()).await),
        }
        app.gates.open(gate);
        let reply = request.await.unwrap();
        for result in &reply.results()[3..] {
            assert_eq!(*result, json!({ "error": ["gone"] }));
        }
        assert!(reply.issued().is_empty());
        assert!(stored(&world, &credential).is_none_or(|stored| stored != "hash"));
    }
}

/// Session fixation by adoption, as in ruts and axum_session, and once in Rails, CherryPy and
/// wai-session. There, an id chosen by the client becomes the session id. Here, even a correctly
/// signed id is not adopted, whatever the handler calls.
pub(crate) async fn an_id_that_the_client_chose_never_becomes_its_sessions(world: World) {
    let app = world.app().await;
    for begins in [
        Script::new().set("count", 1),
        look().set("count", 1),
        Script::new().rotate().set("count", 1),
        Script::new().renew(1).set("count", 1),
        Script::new().clear().set("count", 1),
        Script::new().destroy().set("count", 1),
        Script::new().session_exists().expires_in().remove("count").set("count", 1),
        Script::new().join(Script::new().set("count", 1).set("name", "x").get("vip")),
    ] {
        let chosen = world.signed(&cookies::id(world.now(), 0));
        let reply = app.client().run_with(&[&chosen], begins.clone()).await;
        reply.values();
        let [credential] = &reply.issued()[..] else { panic!("one credential: {begins:?}") };
        assert_ne!(id_of(credential), id_of(&chosen), "{begins:?}");
        assert_ne!(id_of(credential)[..8], id_of(&chosen)[..8], "{begins:?}: not the tag either");
        assert!(stored(&world, &chosen).is_none_or(|stored| stored == "none"), "{begins:?}");
    }
}

/// [tower-sessions 260]: `cycle_id` deletes the old session before the new session is stored. If
/// storing fails, the data is lost. Here, the server may refuse any command of a rotation, and the
/// session stays unchanged.
///
/// [tower-sessions 260]: https://github.com/maxcountryman/tower-sessions/pull/260
pub(crate) async fn a_rotation_that_fails_loses_nothing(world: World) {
    let Some(server) = world.server() else { return };
    let app = world.app().await;
    for refused in ["rename", "set", "pexpire"] {
        let mut client = visitor(&app).await;
        let credential = client.credential();
        server.on_every_master(&["ACL", "SETUSER", "default", &format!("-{refused}")]);
        let reply = client.run(Script::new().rotate()).await;
        server.on_every_master(&["ACL", "SETUSER", "default", "+@all"]);
        assert!(reply.results()[0].get("error").is_some(), "{refused}");
        assert!(reply.issued().is_empty(), "{refused}");
        assert_eq!(client.run(look()).await.values(), [json!(1), json!("x")], "{refused}");
        assert_eq!(stored(&world, &credential).as_deref(), Some("hash"), "{refused}");
        assert!(world.times_to_live().iter().all(|&left| left != -1), "{refused}");
        client.run(Script::new().rotate()).await.values();
        assert_eq!(
            client.run(look()).await.values(),
            [json!(1), json!("x")],
            "{refused}: the next one works"
        );
    }
}

/// [actix-session 244] and [poem 196]: any change after `renew` overwrites the note about the
/// renewal, and the id stays. Here, only another `renew`, `rotate` or `destroy` overrides a
/// renewal.
///
/// [actix-session 244]: https://github.com/actix/actix-extras/issues/244
/// [poem 196]: https://github.com/poem-web/poem/issues/196
pub(crate) async fn a_change_after_a_renewal_does_not_cancel_it(world: World) {
    let app = world.app().await;
    for change in [
        Script::new().set("vip", true),
        Script::new().remove("age"),
        Script::new().set("vip", true).remove("vip"),
        Script::new().get("count").session_exists().expires_in(),
        Script::new().join(Script::new().set("vip", true).set("age", 3)),
    ] {
        for renewal in [Script::new().renew(0), Script::new().renew(1), Script::new().rotate()] {
            let mut client = visitor(&app).await;
            let old = client.credential();
            let reply = client.run(renewal.join(change.clone())).await;
            reply.values();
            assert_eq!(reply.issued().len(), 1, "{change:?}");
            assert_ne!(id_of(&client.credential()), id_of(&old), "{change:?}");
            assert_eq!(client.run(look()).await.values(), [json!(1), json!("x")], "{change:?}");
            let stale = app.client().run_with(&[&old], look().session_exists()).await;
            assert_eq!(stale.values(), [json!(0), json!(""), json!(false)], "{change:?}");
        }
    }
}

/// [Spring Session 3357]: under load, sessions that change the id in every request end up without
/// an expiry. There, data and expiry are sent one after the other. Here, 75 concurrent visitors run
/// as in the report, while the test inspects the store.
///
/// [Spring Session 3357]: https://github.com/spring-projects/spring-session/issues/3357
pub(crate) async fn ids_that_change_under_load_leave_no_key_without_an_expiry(world: World) {
    let app = world.app().await;
    let load = (0..75).map(|visitor| {
        let mut client = app.client();
        async move {
            for round in 0..4 {
                let change = if (visitor + round) % 2 == 0 {
                    Script::new().rotate()
                } else {
                    Script::new().renew(1)
                };
                client.run(Script::new().set("count", round).join(change)).await.values();
            }
        }
    });
    let load = tokio::spawn(join_all(load.collect::<Vec<_>>()));
    while !load.is_finished() {
        assert!(world.times_to_live().iter().all(|&left| left != -1), "a key without an expiry");
        tokio::task::yield_now().await;
    }
    load.await.unwrap();
    assert!(world.times_to_live().iter().all(|&left| left != -1));
}

/// [tower-sessions 268], [actix-session 299] and [axum_session 102]: the removal cookie lacks
/// `Secure`. So a browser refuses the removal for a name with a prefix, or with `SameSite=None`,
/// and the visitor stays logged in. Here, browsers accept the removal whenever they accept the
/// session cookie.
///
/// [tower-sessions 268]: https://github.com/maxcountryman/tower-sessions/pull/268
/// [actix-session 299]: https://github.com/actix/actix-extras/issues/299
/// [axum_session 102]: https://github.com/AscendingCreations/AxumSession/pull/102
pub(crate) async fn a_browser_takes_the_removal_as_it_took_the_cookie(world: World) {
    type Configure = fn(SessionConfig) -> SessionConfig;
    let configurations: [Configure; 4] = [
        |config| config,
        |config| config.cookie_name("__Host-login"),
        |config| {
            config.cookie_name("__Secure-login").cookie_domain("example.com").cookie_path("/app")
        },
        |config| {
            config.cookie_name("login").cookie_same_site(SameSite::None).cookie_partitioned(true)
        },
    ];
    for configure in configurations {
        let app = world.app_with(configure).await;
        let mut client = app.client();
        let set = client.run(Script::new().set("count", 1)).await.issued().remove(0);
        let removal = client.run(Script::new().destroy()).await.issued().remove(0);
        for cookie in [&set, &removal] {
            assert!(browser_takes(cookie), "{}", cookie.split_once(';').unwrap().1);
        }
        let place = |cookie: &str| {
            let name = cookie.split('=').next().unwrap().to_owned();
            (
                name,
                attribute(cookie, "Domain"),
                attribute(cookie, "Path"),
                attribute(cookie, "Partitioned"),
            )
        };
        assert_eq!(place(&set), place(&removal), "the same cookie, for a browser");
    }
}

/// Applies [RFC 6265bis §5.7] on prefixes, `SameSite=None` and partitioned cookies, over a secure
/// connection.
///
/// [RFC 6265bis §5.7]: https://datatracker.ietf.org/doc/html/draft-ietf-httpbis-rfc6265bis#section-5.7
fn browser_takes(cookie: &str) -> bool {
    let has = |name| attribute(cookie, name).is_some();
    let is = |name, value: &str| attribute(cookie, name).is_some_and(|given| given == value);
    let needs_secure = cookie.starts_with("__Host-")
        || cookie.starts_with("__Secure-")
        || is("SameSite", "None")
        || has("Partitioned");
    let is_bound_to_host = !cookie.starts_with("__Host-") || (is("Path", "/") && !has("Domain"));
    (has("Secure") || !needs_secure) && is_bound_to_host
}

/// Returns the value of an attribute, or an empty text without a value.
fn attribute(cookie: &str, name: &str) -> Option<String> {
    cookie.split("; ").skip(1).find_map(|attribute| {
        let (given, value) = attribute.split_once('=').unwrap_or((attribute, ""));
        given.eq_ignore_ascii_case(name).then(|| value.to_owned())
    })
}
