//! Values.

use serde_json::{Value, json};
use session_tests::acceptance::{Client, Script, World};
use session_tests::cookies::key_of;

async fn visitor(world: &World) -> (session_tests::acceptance::App, Client) {
    let app = world.app().await;
    let mut client = app.client();
    client.run(Script::new().set("count", 1)).await;
    (app, client)
}

/// Behaviour: null and empty.
pub(crate) async fn missing_null_and_empty_stay_distinct(world: World) {
    let (_app, mut client) = visitor(&world).await;
    let look =
        || Script::new().get("nickname").exists("nickname").raw("nickname").get("note").raw("note");
    assert_eq!(
        client.run(look()).await.values(),
        [Value::Null, false.into(), Value::Null, Value::Null, Value::Null]
    );
    client.run(Script::new().set("nickname", "").set("note", json!({ "a": null }))).await;
    let values = client.run(look()).await.values();
    assert_eq!(
        values,
        ["".into(), true.into(), "".into(), json!({ "a": null }), r#"{"a":null}"#.into()]
    );
    client.run(Script::new().set("nickname", Value::Null).set("note", Value::Null)).await;
    assert_eq!(client.run(look()).await.values()[1], false);
    if let Some(server) = world.server() {
        let _: u64 = server.cli(&["HSET", &key_of(&client.credential()), "nickname", "null"]);
        assert_eq!(client.run(Script::new().get("nickname")).await.values(), ["null"]);
    }
}

/// Behaviour: any bytes.
pub(crate) async fn unicode_nul_and_a_mebibyte_are_read_unchanged(world: World) {
    let (_app, mut client) = visitor(&world).await;
    let full = "x".repeat(1 << 20);
    for text in ["Zoë \u{1F980} \u{202e}", "\0a\0", "\r\n\t\"'\\", &full] {
        client.run(Script::new().set("name", text)).await;
        assert_eq!(client.run(Script::new().get("name")).await.values(), [text]);
    }
}

/// Behaviour: size limits.
pub(crate) async fn a_value_over_the_limit_is_refused_before_anything_is_sent(world: World) {
    let (_app, mut client) = visitor(&world).await;
    let sent = world.commands(async || {
        let reply = client.run(Script::new().set("name", "x".repeat((1 << 20) + 1))).await;
        assert_eq!(reply.results(), [json!({ "error": ["too_large"] })]);
    });
    assert_eq!(sent.await, Vec::<String>::new());
}

/// Behaviour: other fields stay.
pub(crate) async fn writing_one_field_leaves_the_bytes_of_others(world: World) {
    let (_app, mut client) = visitor(&world).await;
    let Some(server) = world.server() else { return };
    let key = key_of(&client.credential());
    let _: u64 = server.cli(&[
        &b"HSET"[..],
        key.as_bytes(),
        b"unknown",
        b"\xff\0odd",
        b"small",
        b" 007 ",
        b"name",
        b"\xfe",
    ]);
    client.run(Script::new().set("count", 2).set("vip", true).remove("vip")).await;
    for (field, bytes) in [
        ("unknown", b"\xff\0odd".as_slice()),
        ("small", b" 007 "),
        ("name", b"\xfe"),
        ("count", b"2"),
    ] {
        assert_eq!(server.cli::<Vec<u8>>(&["HGET", &key, field]), bytes);
    }
}

/// Behaviour: own writes are seen.
pub(crate) async fn a_read_after_a_write_sees_it(world: World) {
    let (_app, mut client) = visitor(&world).await;
    let script = Script::new()
        .get("count")
        .set("count", 5)
        .get("count")
        .remove("count")
        .get("count")
        .exists("count");
    let values = client.run(script).await.values();
    assert_eq!(values, [1.into(), Value::Null, 5.into(), true.into(), 0.into(), false.into()]);
}

/// Behaviour: undecodable field.
pub(crate) async fn a_field_that_cannot_be_decoded_names_itself_and_harms_no_other(world: World) {
    let (_app, mut client) = visitor(&world).await;
    let Some(server) = world.server() else { return };
    let key = key_of(&client.credential());
    for (field, bytes) in
        [("small", "300"), ("age", "abc"), ("vip", "yes"), ("properties", "{\"a\":"), ("note", "")]
    {
        let _: u64 = server.cli(&["HSET", &key, field, bytes]);
        let results = client.run(Script::new().get(field).get("count").raw(field)).await.results();
        assert_eq!(
            results,
            [json!({ "error": ["decode"] }), json!({ "ok": 1 }), json!({ "ok": bytes })]
        );
        let strict = client.run(Script::new().get(field).strict()).await;
        assert_eq!((strict.status, strict.body.as_str()), (500, "Internal Server Error"));
    }
    client.run(Script::new().set("small", 3)).await;
    assert_eq!(client.run(Script::new().get("small")).await.values(), [3]);
}

/// Behaviour: reserved names.
pub(crate) async fn removing_the_last_field_ends_nothing(world: World) {
    let (_app, mut client) = visitor(&world).await;
    let before = client.credential();
    assert_eq!(
        client.run(Script::new().remove("count").remove("count")).await.values(),
        [true, false]
    );
    let reply = client.run(Script::new().get("count").set("count", 9)).await;
    assert!(reply.issued().is_empty());
    assert_eq!(client.credential(), before);
    assert_eq!(client.run(Script::new().get("count")).await.values(), [9]);
}

pub(crate) async fn a_missing_field_reads_as_its_default(world: World) {
    let app = world.app().await;
    let look = || {
        ["count", "name", "vip", "age", "properties", "credit"]
            .iter()
            .fold(Script::new(), |s, f| s.get(f))
    };
    let defaults = [0.into(), "".into(), false.into(), Value::Null, json!({}), 100.into()];
    let mut client = app.client();
    assert_eq!(client.run(look()).await.values(), defaults);
    client.run(Script::new().set("small", 1)).await;
    assert_eq!(client.run(look()).await.values(), defaults);
}

pub(crate) async fn fields_are_stored_as_the_python_package_stores_them(world: World) {
    let app = world.app().await;
    let script = Script::new()
        .set("count", u64::MAX)
        .set("credit", i64::MIN)
        .set("name", "Ada")
        .set("vip", true)
        .set("age", 36)
        .set("properties", json!({ "a": [1, null] }));
    let mut client = app.client();
    client.run(script).await;
    let look = ["count", "credit", "name", "vip", "age", "properties"]
        .iter()
        .fold(Script::new(), |s, f| s.raw(f));
    let raw = client.run(look).await.values();
    assert_eq!(
        raw,
        ["18446744073709551615", "-9223372036854775808", "Ada", "True", "36", r#"{"a":[1,null]}"#]
    );
}

pub(crate) async fn none_removes_the_field_and_creates_nothing(world: World) {
    let app = world.app().await;
    let asked = world.commands(async || {
        let reply =
            app.client().run(Script::new().set("age", Value::Null).set("note", Value::Null)).await;
        assert!(reply.issued().is_empty());
    });
    assert_eq!(asked.await, Vec::<String>::new());
    let mut client = app.client();
    client.run(Script::new().set("age", 3).set("age", Value::Null)).await;
    assert_eq!(client.run(Script::new().exists("age")).await.values(), [false]);
}
