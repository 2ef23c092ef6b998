//! `sessionctl show`.

use serde_json::{Value, json};
use session_runtime::Session;
use session_tests::acceptance::World;
use session_tests::cookies::SECRET;

use crate::account::{Account, sign_in, tag};
use crate::{ctl, ctl_with};

async fn account(world: &World) -> Session<Account> {
    let session = sign_in(&world.sessions(|config| config), 42).await;
    session.set_name("Ada \x1b[2J".to_owned()).await.unwrap();
    session.set_avatar(vec![0xff, 0xd8, 0]).await.unwrap();
    session.set_email("ada@example.com".to_owned()).await.unwrap();
    session
}

pub(crate) async fn a_session_is_shown_without_its_values(world: World) {
    let session = account(&world).await;
    let (tag, before) = (tag(&session), world.times_to_live());
    let shown = ctl(&world, &["show", &tag]).ok();
    for (line, words) in [
        (0, vec!["tag", &*tag]),
        (4, vec!["lifetime", "normal"]),
        (6, vec!["FIELD", "KIND", "BYTES"]),
        (7, vec!["avatar", "binary", "3"]),
        (9, vec!["name", "text", "8"]),
        (10, vec!["user", "text", "2"]),
    ] {
        let words_of = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(words_of(shown.lines().nth(line).unwrap()), words, "{shown}");
    }
    assert!(shown.lines().nth(5).unwrap().starts_with("index       user, since 20"), "{shown}");
    assert!(shown.lines().nth(8).unwrap().starts_with("email                     encrypted"));
    assert_eq!(shown.lines().count(), 11);
    assert!(!shown.contains("Ada") && !shown.contains("ada@"), "{shown}");
    // With the ellipsis of a log line.
    assert!(ctl(&world, &["show", &format!("{tag}…")]).ok().contains(&tag));
    let after = world.times_to_live();
    assert!(before.iter().max() >= after.iter().max(), "a look refreshes nothing");
}

pub(crate) async fn values_are_shown_on_demand(world: World) {
    let tag = tag(&account(&world).await);
    let key = [("SESSION_SECRET", SECRET)];
    let shown = ctl_with(&world, &["show", "--values", &tag], &key).ok();
    assert!(shown.contains("  Ada \\u{1b}[2J\n") && !shown.contains('\x1b'), "{shown}");
    assert!(shown.contains("  ada@example.com\n") && shown.contains("  base64:/9gA\n"), "{shown}");
    let other_key = ("SESSION_SECRET", "base64:PuX1uN4hYc2f0pXwL6f3dW0v0m8Jr3VbX2n0m7c5Q1k=");
    for (key, reason) in [
        (&[][..], "neither SESSION_ENCRYPTION_KEYS nor SESSION_SECRET has a key"),
        (&[other_key], "a key that is not configured"),
    ] {
        let shown = ctl_with(&world, &["show", "--values", &tag], key).ok();
        assert!(!shown.contains("ada@") && shown.contains(reason), "{shown}");
    }
    let shown = ctl_with(&world, &["show", "--values", "--json", &tag], &key).json();
    let field = |name: &str| {
        let fields = shown["fields"].as_array().unwrap();
        fields.iter().find(|field| field["name"] == name).unwrap().clone()
    };
    let text = |name: &str, kind: &str, text: &str| {
        let stored: Value = field(name)["bytes"].clone();
        assert_eq!(
            field(name),
            json!({ "name": name, "kind": kind, "bytes": stored, "text": text })
        );
    };
    text("name", "text", "Ada \x1b[2J");
    text("user", "text", "42");
    text("email", "encrypted", "ada@example.com");
    let avatar = json!({ "name": "avatar", "kind": "binary", "bytes": 3, "base64": "/9gA" });
    assert_eq!(field("avatar"), avatar);
    assert_eq!((shown["tag"].as_str(), &shown["lifetime_class"]), (Some(&*tag), &json!(0)));
    assert_eq!(
        (&shown["indexes"][0]["index"], &shown["indexes"][0]["field"]),
        (&json!("user"), &json!("user"))
    );
}
