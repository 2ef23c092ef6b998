//! Laziness, and the cookie or token that a client gets.

use std::time::Duration;

use session_runtime::{Lifetime, SameSite};
use session_tests::acceptance::{Body, Script, World};

/// Behaviour: ignoring costs nothing.
pub(crate) async fn a_handler_that_ignores_the_session_costs_nothing(world: World) {
    let app = world.app().await;
    let mut client = app.client();
    client.run(Script::new().set("count", 1)).await;
    let asked = world.commands(async || {
        let reply = client.ignore(Script::new()).await;
        assert!(reply.issued().is_empty() && reply.all("vary").is_empty());
        assert!(reply.all("cache-control").is_empty());
    });
    assert_eq!(asked.await, Vec::<String>::new());
}

/// Behaviour: ignoring costs nothing.
pub(crate) async fn a_read_without_a_session_sends_no_command(world: World) {
    let app = world.app().await;
    let asked = world.commands(async || {
        let reply = app
            .client()
            .run(Script::new().get("count").exists("name").raw("vip").remove("age"))
            .await;
        assert_eq!(reply.values(), [0.into(), false.into(), serde_json::Value::Null, false.into()]);
        assert!(reply.issued().is_empty());
    });
    assert_eq!(asked.await, Vec::<String>::new());
}

/// Behaviour: first write sets one cookie.
pub(crate) async fn the_first_write_sets_one_cookie_with_every_attribute(world: World) {
    let app = world.app().await;
    let reply = app.client().run(Script::new().set("count", 1).set("name", "x")).await;
    let [cookie] = &reply.issued()[..] else { panic!("one cookie") };
    let (pair, attributes) = cookie.split_once("; ").unwrap();
    assert!(
        pair.starts_with("__Host-session-id=") && pair.len() == "__Host-session-id=".len() + 84
    );
    let mut attributes: Vec<_> = attributes.split("; ").collect();
    attributes.sort_unstable();
    assert_eq!(attributes, ["HttpOnly", "Path=/", "SameSite=Lax", "Secure"]);
    assert_eq!(world.times_to_live().len(), world.server().map_or(0, |_| 1));
}

/// Behaviour: first write sets one cookie.
pub(crate) async fn configured_attributes_are_all_on_the_cookie(world: World) {
    let configured = world.app_with(|config| {
        config
            .cookie_name("sid")
            .cookie_domain("example.com")
            .cookie_path("/app")
            .cookie_http_only(false)
            .cookie_same_site(SameSite::None)
            .cookie_partitioned(true)
    });
    let reply = configured.await.client().run(Script::new().set("count", 1)).await;
    let [cookie] = &reply.issued()[..] else { panic!("one cookie") };
    let (pair, attributes) = cookie.split_once("; ").unwrap();
    assert!(pair.starts_with("sid="));
    let mut attributes: Vec<_> = attributes.split("; ").collect();
    attributes.sort_unstable();
    assert_eq!(
        attributes,
        ["Domain=example.com", "Partitioned", "Path=/app", "SameSite=None", "Secure"]
    );
}

/// A persistent cookie lasts until the absolute deadline, 400 days at most.
pub(crate) async fn a_persistent_lifetime_gives_the_cookie_an_age(world: World) {
    for (days, seconds) in [(10, 10 * 86_400), (500, 400 * 86_400)] {
        let max = Duration::from_secs(days * 86_400);
        let app = world
            .app_with(|config| config.lifetime(Lifetime::normal().max(max).persistent(true)))
            .await;
        let reply = app.client().run(Script::new().set("count", 1)).await;
        let cookie = &reply.issued()[0];
        assert!(cookie.contains(&format!("; Max-Age={seconds}")), "{cookie}");
    }
}

/// Behaviour: reading sets no cookie.
pub(crate) async fn a_read_only_request_issues_nothing_and_postpones_expiry(world: World) {
    let app = world.app().await;
    let mut client = app.client();
    client.run(Script::new().set("count", 7)).await;
    world.elapse(Duration::from_secs(20 * 3600));
    let asked = world.commands(async || {
        let reply = client.run(Script::new().get("count")).await;
        assert_eq!(reply.values(), [7]);
        assert!(reply.issued().is_empty());
    });
    world.assert_commands(asked.await, &["hget", "pexpire"]);
    world.elapse(Duration::from_secs(20 * 3600));
    assert_eq!(client.run(Script::new().get("count")).await.values(), [7]);
}

/// A read and a write take two round trips. Further reads are a single plain command each.
pub(crate) async fn a_page_that_counts_takes_two_round_trips(world: World) {
    let app = world.app().await;
    let mut client = app.client();
    client.run(Script::new().set("count", 1)).await;
    let page = Script::new().get("count").set("count", 2).get("count").get("name");
    let asked = world.commands(async || assert_eq!(client.run(page).await.values()[2], 2));
    let write = world.overwriting();
    let expected = [&["hget", "pexpire"], write, &["hget", "hget"]].concat();
    world.assert_commands(asked.await, &expected);
}

/// Behaviour: cookie on every response.
pub(crate) async fn the_credential_is_on_every_kind_of_response(world: World) {
    let app = world.app().await;
    let begins = || Script::new().set("count", 1);
    for script in [
        begins().body(Body::Empty).status(204),
        begins().body(Body::Streamed),
        begins().status(303).header("location", "/elsewhere"),
        begins().status(404),
        begins().status(500),
    ] {
        let status = script.clone();
        let reply = app.client().run(script).await;
        assert_eq!(reply.issued().len(), 1, "{status:?}");
    }
}

/// Behaviour: written before the response ends.
pub(crate) async fn the_next_request_reads_earlier_writes(world: World) {
    let app = world.app().await;
    let mut client = app.client();
    for count in 0..20 {
        let reply = client.run(Script::new().get("count").set("count", count + 1)).await;
        assert_eq!(reply.values()[0], count);
    }
}

/// Behaviour: other cookies survive.
pub(crate) async fn the_handlers_own_cookies_survive(world: World) {
    let app = world.app().await;
    let script = Script::new()
        .set("count", 1)
        .header("set-cookie", "theme=dark")
        .header("set-cookie", "lang=en");
    let cookies = app.client().run(script).await.issued();
    assert_eq!(cookies.len(), 3);
    assert!(cookies.iter().any(|cookie| cookie == "theme=dark"));
    assert!(cookies.iter().any(|cookie| cookie == "lang=en"));
}

/// Behaviour: caches keep nothing private.
pub(crate) async fn vary_names_the_credential_for_caches(world: World) {
    let app = world.app().await;
    let public = |script: Script| {
        script.header("cache-control", "public, max-age=60").header("vary", "Accept")
    };
    let told = |reply: &session_tests::acceptance::Reply| {
        (reply.all("vary").join(", "), reply.all("cache-control").join(", "))
    };
    let vary = format!("Accept, {}", world.request_headers());
    let mut client = app.client();
    let absent = client.run(public(Script::new().get("count"))).await;
    assert_eq!(told(&absent), (vary.clone(), "public, max-age=60".to_owned()));
    let begun = client.run(public(Script::new().set("count", 1))).await;
    assert_eq!(told(&begun), (vary.clone(), "no-store".to_owned()));
    let read = client.run(public(Script::new().get("count"))).await;
    assert_eq!(told(&read), (vary, "private, max-age=60".to_owned()));
    let ignored = client.ignore(public(Script::new())).await;
    assert_eq!(told(&ignored), ("Accept".to_owned(), "public, max-age=60".to_owned()));
}
