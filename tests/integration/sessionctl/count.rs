//! `sessionctl count`.

use std::cell::RefCell;

use serde_json::json;
use session_tests::acceptance::World;
use session_tests::sessionctl::{command, start};
use session_tests::until;

use crate::account::{sign_in, tag};
use crate::ctl;
use crate::many::sign_in_all;

pub(crate) async fn all_sessions_are_counted(world: World) {
    let sessions = world.sessions(|config| config);
    assert_eq!(ctl(&world, &["count"]).stdout, "0\n");
    for user in [1, 2, 2, 3, 3] {
        sign_in(&sessions, user).await;
    }
    assert_eq!(ctl(&world, &["count"]).ok(), "5\n");
    assert_eq!(ctl(&world, &["count", "--json"]).json(), json!({ "sessions": 5 }));
    assert_eq!(ctl(&world, &["count", "--by", "user=2"]).ok(), "2\n");
    assert_eq!(ctl(&world, &["count", "--prefix", "other"]).stdout, "0\n");
    // The next step comes after a tenth of a second.
    assert_eq!(ctl(&world, &["count", "--rate", "5000"]).ok(), "5\n");
}

/// There is nothing to wait for before the first step, and after the last.
#[tokio::test]
async fn a_walk_of_one_step_does_not_wait() {
    let world = World::redis().await;
    let session = sign_in(&world.sessions(|config| config), 42).await;
    let tag = tag(&session);
    for args in [&["count"][..], &["list"], &["show", "--", &tag], &["stats"]] {
        let mut program = command(&[&args[..1], &["--rate", "1"], &args[1..]].concat());
        program.env("SESSION_REDIS", world.server().unwrap().url());
        let running = RefCell::new(start(program));
        let has_ended = || running.borrow_mut().child().try_wait().unwrap().is_some();
        until("the end", async || has_ended()).await;
        assert_eq!(running.into_inner().end().code, Some(0), "{args:?}");
    }
}

/// A walk with a rate waits for longer than another walk takes.
#[tokio::test]
async fn a_rate_delays_the_steps() {
    let world = World::redis().await;
    sign_in_all(&world.sessions(|config| config), 3_000, 1).await;
    let server = world.server().unwrap();
    let steps = || server.counts().calls("scan");
    ctl(&world, &["count"]).ok();
    let whole = steps();
    assert!(whole > 3, "{whole}");
    let mut program = command(&["count", "--rate", "1"]);
    program.env("SESSION_REDIS", server.url());
    let paced = start(program);
    until("the first step", async || steps() > whole).await;
    ctl(&world, &["count"]).ok();
    assert_eq!(steps(), whole + 1 + whole);
    assert_eq!(paced.kill().code, None);
}
