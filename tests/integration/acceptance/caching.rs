//! Response headers for caches.

use session_tests::acceptance::{App, Client, Reply, Script, World};

async fn visitor(app: &App) -> Client {
    let mut client = app.client();
    client.run(Script::new().set("count", 7)).await;
    client
}

/// Returns a script for a page that every cache may keep.
fn public() -> Script {
    Script::new().header("cache-control", "public, max-age=60")
}

fn told(reply: &Reply) -> [String; 2] {
    [reply.all("vary").join(", "), reply.all("cache-control").join(", ")]
}

/// RFC 9111, section 3: shared caches must not store a body that depends on a session.
pub(crate) async fn a_body_that_uses_its_session_after_the_headers_is_private(world: World) {
    let app = world.app().await;
    let vary = world.request_headers();
    let mut client = visitor(&app).await;
    let late = || Script::new().get("count");
    for script in [public().late(late()), public().session_id().late(late())] {
        let reply = client.run(script).await;
        assert_eq!(told(&reply), [vary, "private, max-age=60"]);
        assert_eq!(reply.values().last().unwrap(), 7);
    }
    let held_back = client.run(public().header("cache-control", "no-store").late(late())).await;
    assert_eq!(told(&held_back), [vary, "public, max-age=60, no-store"]);
}

pub(crate) async fn a_body_that_can_find_no_session_is_as_public_as_its_handler_says(world: World) {
    let app = world.app().await;
    let vary = world.request_headers();
    let reply = app.client().run(public().get("count").late(Script::new().get("count"))).await;
    assert_eq!(told(&reply), [vary, "public, max-age=60"]);
    let mut client = visitor(&app).await;
    for script in [public(), public().body(session_tests::acceptance::Body::Streamed)] {
        assert_eq!(told(&client.ignore(script).await), ["", "public, max-age=60"]);
    }
}

/// RFC 9213, and RFC 9111, sections 5.2 and 5.2.2.3.
pub(crate) async fn no_cache_keeps_a_response_with_a_credential_or_a_session(world: World) {
    let app = world.app().await;
    let targeted = || {
        let script = Script::new().header("cdn-cache-control", "max-age=600");
        script
            .header("surrogate-control", "max-age=600")
            .header("surrogate-control", "content=\"ESI/1.0\"")
    };
    let mut client = app.client();
    for script in [targeted().set("count", 1), targeted().get("count")] {
        let reply = client.run(script).await;
        for name in ["cdn-cache-control", "surrogate-control"] {
            assert_eq!(reply.all(name), ["no-store"], "{name}");
        }
    }
    assert_eq!(client.ignore(targeted()).await.all("cdn-cache-control"), ["max-age=600"]);
    for given in
        ["must-understand, no-store", "max-age=60, x=\"a, no-store, b\"", "x=\"\\\", no-store, \""]
    {
        let script = Script::new().header("cache-control", given).set("count", 1);
        assert_eq!(app.client().run(script).await.all("cache-control"), ["no-store"], "{given}");
    }
}

/// Outer middlewares that extend `Vary` may only read the first line.
pub(crate) async fn the_first_line_of_vary_names_the_credential(world: World) {
    let app = world.app().await;
    let names = world.request_headers();
    let added = format!("Accept, {names}");
    let given = format!("origin, {}", names.to_lowercase());
    for (given, expected) in [
        (&["Accept", "Origin"][..], &[&*added, "Origin"][..]),
        (&["Accept"], &[&added]),
        (&["Accept", &given], &["Accept", &given]),
        (&[], &[names]),
    ] {
        let script = given.iter().fold(Script::new(), |script, line| script.header("vary", line));
        assert_eq!(app.client().run(script.get("count")).await.all("vary"), expected, "{given:?}");
    }
}
