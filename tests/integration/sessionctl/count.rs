//! `sessionctl count`.

use serde_json::json;
use session_tests::acceptance::World;
use session_tests::sessionctl::{command, start};
use session_tests::until;

use crate::account::sign_in;
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
