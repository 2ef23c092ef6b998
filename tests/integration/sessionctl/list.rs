//! `sessionctl list`.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::Value;
use session_runtime::Lifetime;
use session_tests::acceptance::World;

use crate::account::{sign_in, tag};
use crate::ctl;

/// Returns a column of a table without its heading.
fn column(table: &str, at: usize) -> Vec<String> {
    let cells = table.lines().skip(1).map(|line| line.split_whitespace().nth(at).unwrap());
    cells.map(str::to_owned).collect()
}

pub(crate) async fn all_sessions_are_listed_once(world: World) {
    let sessions = world.sessions(|config| config);
    let mut tags = BTreeSet::new();
    for user in 0..7 {
        tags.insert(tag(&sign_in(&sessions, user).await));
    }
    let listed = ctl(&world, &["list"]).ok();
    assert!(listed.starts_with("TAG       CREATED               LAST USED"), "{listed}");
    assert_eq!(column(&listed, 0).into_iter().collect::<BTreeSet<_>>(), tags);
    assert_eq!(listed.lines().count(), 8);
    assert_eq!(ctl(&world, &["list", "--limit", "3"]).ok().lines().count(), 4);
    let lines = ctl(&world, &["list", "--json"]).ok();
    let objects = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let listed: BTreeSet<_> = objects.map(|one| one["tag"].as_str().unwrap().to_owned()).collect();
    assert_eq!(listed, tags);
}

/// A time before the creation would be no fact, but a guess with wrong lifetimes.
#[tokio::test]
async fn a_last_use_before_the_creation_is_unknown() {
    let world = World::redis().await;
    let hour = Lifetime::normal().idle(Duration::from_secs(3_600));
    sign_in(&world.sessions(|config| config.lifetime(hour)), 42).await;
    let list = |variables: &[(&str, &str)]| crate::ctl_with(&world, &["list"], variables).ok();
    assert_eq!(column(&list(&[]), 2), ["unknown"]);
    let listed = list(&[("SESSION_EXPIRE", "3600")]);
    assert!(column(&listed, 2) >= column(&listed, 1), "{listed}");
    assert_eq!(ctl(&world, &["list", "--json"]).json()["last_used_at"], Value::Null);
}

pub(crate) async fn sessions_with_a_value_are_listed(world: World) {
    let sessions = world.sessions(|config| config);
    sign_in(&sessions, 7).await;
    let first = sign_in(&sessions, 42).await;
    let second = sign_in(&sessions, 42).await;
    second.set_phone("+49 30".to_owned()).await.unwrap();
    let tags = BTreeSet::from([tag(&first), tag(&second)]);
    let listed = ctl(&world, &["list", "--by", "user=42"]).ok();
    assert!(listed.lines().next().unwrap().ends_with("SIGNED IN"), "{listed}");
    assert_eq!(column(&listed, 0).into_iter().collect::<BTreeSet<_>>(), tags);
    let limited = ctl(&world, &["list", "--by", "user=42", "--limit", "1"]).ok();
    assert_eq!(limited.lines().count(), 2);
    let by_wrong_name = |command: &[&str]| {
        ctl(&world, &[command, &["--by", "user=42", "--field", "account"]].concat())
    };
    assert_eq!(by_wrong_name(&["list"]).stdout, "", "no session has the value in this field");
    assert_eq!(by_wrong_name(&["count"]).stdout, "0\n");
    // In a cluster, the list proves a recent entry, whatever the field has.
    if !world.is_cluster() {
        assert_eq!(by_wrong_name(&["end", "--yes"]).code, Some(4));
    }
    let listed = ctl(&world, &["list", "--by", "user=42"]).ok();
    assert_eq!(column(&listed, 0).into_iter().collect::<BTreeSet<_>>(), tags, "the list stays");
    // An encrypted value is found with the key alone.
    let by_phone = ["list", "--by", "phone=+49 30"];
    assert_eq!(ctl(&world, &by_phone).stdout, "");
    let key = [("SESSION_SECRET", session_tests::cookies::SECRET)];
    let listed = crate::ctl_with(&world, &by_phone, &key).ok();
    assert_eq!(column(&listed, 0), [tag(&second)]);
}
