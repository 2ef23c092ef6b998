//! Untrusted input.

use std::time::Duration;

use serde_json::Value;
use session_runtime::SessionConfig;
use session_tests::acceptance::{App, Client, Script, World};
use session_tests::cookies::{self, OTHER_SECRET, SECRET};

async fn visitor(app: &App) -> Client {
    let mut client = app.client();
    client.run(Script::new().set("count", 1)).await;
    client
}

/// Returns the commands caused by a request with these credentials, and the count that the request
/// reads.
async fn asked(world: &World, app: &App, credentials: &[Vec<u8>]) -> (Vec<String>, Value) {
    let mut count = Value::Null;
    let asked = world.commands(async || {
        count =
            app.client().run_with(credentials, Script::new().get("count")).await.values().remove(0);
    });
    (asked.await, count)
}

/// Behaviour: forged cookie.
pub(crate) async fn a_credential_with_any_byte_changed_is_no_session(world: World) {
    let app = world.app().await;
    let credential = visitor(&app).await.credential().into_bytes();
    let begin = world.credential(b"").len();
    for at in begin..credential.len() {
        let mut forged = credential.clone();
        forged[at] = if forged[at] == b'A' { b'B' } else { b'A' };
        assert_eq!(asked(&world, &app, &[forged]).await, (vec![], 0.into()), "byte {at}");
    }
    let mut forged = credential;
    *forged.last_mut().unwrap() ^= 1;
    let reply = app.client().run_with(&[forged], Script::new().set("count", 5)).await;
    assert_eq!(reply.issued().len(), 1, "a write begins a new session");
}

/// Behaviour: secret rotation.
pub(crate) async fn a_credential_signed_by_an_older_key_is_reissued_when_found_live(world: World) {
    let mut client = visitor(&world.app().await).await;
    let old = client.credential();
    let rotated = world.app_with(|config| config.secret(format!("{OTHER_SECRET},{SECRET}"))).await;
    client.move_to(&rotated);
    assert!(client.ignore(Script::new()).await.issued().is_empty(), "not touched");
    let reply = client.run(Script::new().get("count")).await;
    assert_eq!(reply.values(), [1]);
    assert_eq!(reply.issued().len(), 1);
    assert_eq!(cookies::id_of(&old), cookies::id_of(&client.credential()), "the same session");
    assert_ne!(old, client.credential(), "signed anew");
    assert!(client.run(Script::new().get("count")).await.issued().is_empty());
}

/// Behaviour: secret rotation.
pub(crate) async fn a_credential_signed_by_a_removed_key_is_no_session(world: World) {
    let credential = visitor(&world.app().await).await.credential();
    let app = world.app_with(|config| config.secret(OTHER_SECRET)).await;
    let reply =
        app.client().run_with(&[&credential], Script::new().get("count").set("count", 2)).await;
    assert_eq!((reply.status, &reply.values()[0]), (200, &0.into()));
    assert_ne!(cookies::id_of(&credential), cookies::id_of(&reply.issued()[0]));
}

/// RFC 6265, section 4.1.1: some proxies and servers put the value of a cookie in quotes.
pub(crate) async fn a_value_in_quotes_is_the_value(world: World) {
    let app = world.app().await;
    let cookie = visitor(&app).await.credential();
    let (name, value) = cookie.split_once('=').unwrap();
    for (quoted, expected) in [
        (format!("{name}=\"{value}\""), 1),
        (format!("theme=\"a, b\"; {name} = \"{value}\" ; lang=en"), 1),
        (format!("{name}=\"\"{value}\"\""), 0),
        (format!("{name}=\"{value}"), 0),
        (format!("{name}={value}\""), 0),
    ] {
        let reply = app.client().run_with(&[&quoted], Script::new().get("count")).await;
        assert_eq!(reply.values(), [expected], "{quoted}");
    }
}

/// Behaviour: unsigned cookie.
pub(crate) async fn an_unsigned_id_is_never_accepted(world: World) {
    let app = world.app().await;
    let id = cookies::id_of(&visitor(&app).await.credential());
    for value in
        [id.clone(), format!("{id}."), format!("{id}.{}", "A".repeat(43)), format!(".{id}")]
    {
        let unsigned = world.credential(value.as_bytes());
        assert_eq!(asked(&world, &app, &[unsigned]).await, (vec![], 0.into()));
    }
}

/// Behaviour: unsigned cookie.
pub(crate) async fn a_value_signed_for_another_cookie_is_not_accepted(world: World) {
    let admin = world.app_with(|config| config.cookie_name("admin")).await;
    let of_user = visitor(&admin).await.credential().replacen("admin=", "user=", 1);
    let user = world.app_with(|config: SessionConfig| config.cookie_name("user")).await;
    assert_eq!(asked(&world, &user, &[of_user.into_bytes()]).await, (vec![], 0.into()));
}

/// Behaviour: unknown id.
pub(crate) async fn an_id_that_the_store_does_not_know_is_never_adopted(world: World) {
    let app = world.app().await;
    let unknown = world.signed(&cookies::id(world.now(), 0));
    let reply =
        app.client().run_with(&[&unknown], Script::new().get("count").set("count", 1)).await;
    assert_eq!(reply.values()[0], 0);
    assert_ne!(cookies::id_of(&reply.issued()[0]), cookies::id_of(&unknown));
    let written_first = world.commands(async || {
        let reply = app.client().run_with(&[&unknown], Script::new().set("count", 1)).await;
        assert_ne!(cookies::id_of(&reply.issued()[0]), cookies::id_of(&unknown));
    });
    world.assert_commands(written_first.await, &["evalsha", "evalsha"]);
}

/// Behaviour: malformed id.
pub(crate) async fn junk_never_reaches_the_store(world: World) {
    let app = world.app().await;
    let long = "x".repeat(10 * 1024);
    let values: [&[u8]; 10] = [
        b"",
        b"x",
        long.as_bytes(),
        b"\xff\xfe",
        b"a\tb",
        b"*",
        b"?",
        b"[]",
        b"*?[]{}",
        b"../../etc",
    ];
    for value in values {
        assert_eq!(asked(&world, &app, &[world.credential(value)]).await, (vec![], 0.into()));
    }
    // HTTP itself rejects these values. Only an adapter could let them through.
    for credential in [
        world.credential(b"\0"),
        world.credential(b"a\r\nSet-Cookie: b"),
        b"=".to_vec(),
        b";;;".to_vec(),
        Vec::new(),
    ] {
        let session = app.open(&credential).session::<session_tests::acceptance::Visitor>();
        assert_eq!(session.count().await.unwrap(), 0);
    }
}

/// Behaviour: several cookies.
pub(crate) async fn the_live_one_of_two_cookies_wins_in_either_order(world: World) {
    let app = world.app().await;
    let live = visitor(&app).await.credential();
    let stale = world.signed(&cookies::id(world.now(), 0));
    let forged = format!("{}x", &live[..live.len() - 1]);
    for other in [stale, forged] {
        for header in [format!("{live}; {other}"), format!("{other}; {live}")] {
            let reply =
                app.client().run_with(&[&header], Script::new().get("count").set("count", 1)).await;
            assert_eq!(reply.values()[0], 1);
            assert!(reply.issued().is_empty(), "the write went to the live one");
        }
    }
}

pub(crate) async fn four_candidates_are_asked_and_no_more(world: World) {
    let app = world.app().await;
    let live = visitor(&app).await.credential();
    let younger = world.now() + Duration::from_secs(1);
    let stale = |count: usize| {
        (0..count).map(|_| world.signed(&cookies::id(younger, 0)) + "; ").collect::<String>()
    };
    for (before, expected) in [(3, 1), (4, 0)] {
        let header = stale(before) + &live;
        let (commands, count) = asked(&world, &app, &[header.into_bytes()]).await;
        assert_eq!(count, expected);
        world.assert_commands(commands, &["hget", "pexpire"].repeat(4));
    }
}

/// Behaviour: several cookies.
pub(crate) async fn all_cookie_headers_are_read(world: World) {
    let app = world.app().await;
    let live = visitor(&app).await.credential().into_bytes();
    let headers = [b"a=1; b=2".to_vec(), b"c=\xff".to_vec(), live];
    assert_eq!(asked(&world, &app, &headers).await.1, 1);
}

/// Behaviour: several cookies.
pub(crate) async fn large_cookies_of_others_do_no_harm(world: World) {
    let app = world.app().await;
    let live = visitor(&app).await.credential();
    let header = format!("tracking={}; {live}; more={}", "x".repeat(8000), "y".repeat(8000));
    assert_eq!(asked(&world, &app, &[header.into_bytes()]).await.1, 1);
}
