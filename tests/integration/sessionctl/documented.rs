//! The guide's page about the program.

use std::collections::BTreeSet;

use serde_json::Value;
use session_tests::acceptance::World;
use session_tests::cookies::SECRET;
use session_tests::sessionctl::run;

use crate::account::{sign_in, tag};
use crate::{ctl, ctl_with};

pub(crate) const GUIDE: &str = include_str!("../../../session-runtime/src/guide/sessionctl.md");

/// Returns the keys in the rows of the guide's table for a command.
pub(crate) fn documented(command: &str) -> BTreeSet<String> {
    let begin = format!("| `{command}` | `");
    let row = GUIDE.lines().filter_map(|line| line.strip_prefix(&begin));
    row.map(|rest| rest.split('`').next().unwrap().to_owned()).collect()
}

/// Adds the keys of an object, with those of its parts as `outer.inner`.
fn keys(value: &Value, outer: &str, into: &mut BTreeSet<String>) {
    match value {
        Value::Object(object) => object.iter().for_each(|(key, value)| {
            into.insert(format!("{outer}{key}"));
            keys(value, &format!("{outer}{key}."), into);
        }),
        Value::Array(values) => values.iter().for_each(|value| keys(value, outer, into)),
        _ => {}
    }
}

#[tokio::test]
async fn the_guide_has_all_keys_of_the_json() {
    let world = World::redis().await;
    let sessions = world.sessions(|config| config);
    let session = sign_in(&sessions, 42).await;
    session.set_avatar(vec![0xff]).await.unwrap();
    session.set_email("ada@example.com".to_owned()).await.unwrap();
    let tag = tag(&session);
    let show = ["show", "--json", "--values", "--", &tag];
    let key = [("SESSION_SECRET", SECRET)];
    for (command, printed) in [
        ("list", vec![ctl(&world, &["list", "--json"])]),
        ("count", vec![ctl(&world, &["count", "--json"])]),
        // With and without the key.
        ("show", vec![ctl(&world, &show), ctl_with(&world, &show, &key)]),
        ("key new", vec![run(&["key", "new", "--json"])]),
        ("key check", vec![ctl_with(&world, &["key", "check", "--json"], &key)]),
        ("stats", vec![ctl(&world, &["stats", "--json"])]),
        ("check", vec![ctl(&world, &["check", "--json"])]),
        ("end", vec![ctl(&world, &["end", "--json", "--", &tag])]),
    ] {
        let mut found = BTreeSet::new();
        for printed in printed {
            keys(&printed.json(), "", &mut found);
        }
        assert_eq!(found, documented(command), "{command}");
    }
}

#[test]
fn the_help_has_the_exit_codes_of_the_guide() {
    let help = run(&["--help"]).ok();
    let codes = help.lines().skip_while(|line| *line != "Exit codes:").skip(1);
    for line in codes.take_while(|line| !line.is_empty()) {
        let (code, meaning) = line.trim().split_once("  ").unwrap();
        assert!(GUIDE.contains(&format!("| {code} | {meaning} |")), "{line}");
    }
    assert!(help.contains("Exit codes:"));
}

#[test]
fn the_manual_and_the_completions_have_each_command() {
    let manual = run(&["man"]).ok();
    for command in
        ["list", "count", "stats", "show", "check", "watch", "end", "key new", "key check"]
    {
        let words: Vec<_> = command.split(' ').collect();
        assert!(manual.contains(&format!("sessionctl\\-{}", words[0])), "{command}: {manual}");
        let page = run(&[&["man"], &words[..]].concat()).ok();
        assert!(page.contains(&format!("sessionctl\\-{}", words.join("\\-"))), "{page}");
    }
    assert!(run(&["man", "explode"]).refused(2).contains("no such command"));
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        assert!(run(&["completion", shell]).ok().contains("prefix"), "{shell}");
    }
}
