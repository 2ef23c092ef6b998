//! A program that is killed in the middle.

use session_runtime::Sessions;
use session_tests::acceptance::World;
use session_tests::deployment::Deployment;
use session_tests::sessionctl::{command, start};
use session_tests::until;

use crate::account::Account;
use crate::ctl;
use crate::many::sign_in_all;

const MANY: usize = 2_000;

pub(crate) async fn a_killed_end_leaves_nothing_half_done(world: World) {
    let sessions = world.sessions(|config| config);
    let server = world.server().unwrap();
    sign_in_all(&sessions, MANY, 1).await;
    let before = server.keys();
    let end = ["end", "--by", "user=0", "--yes"];
    let mut program = command(&end);
    program.env("SESSION_REDIS", server.url());
    let running = start(program);
    until("some sessions end", async || ended(server) > 0).await;
    assert_eq!(running.kill().code, None, "killed before the end");
    let live = live(&sessions).await;
    let (mut whole, mut dead) = (0, 0);
    for key in before.iter().filter(|key| !key.contains(":by:")) {
        match &*server.cli::<String>(&["TYPE", key]) {
            "hash" => {
                let user: Option<String> = server.cli(&["HGET", key, "user"]);
                let fields: usize = server.cli(&["HLEN", key]);
                // The user, the permanent field and the label.
                assert_eq!((user.as_deref(), fields), (Some("0"), 3), "{key}");
                whole += 1;
            }
            "string" => dead += 1,
            kind => panic!("{key} is {kind}"),
        }
        assert!(server.cli::<i64>(&["PTTL", key]) > 0, "{key}");
    }
    assert_eq!((whole, whole + dead), (live, MANY));
    assert!(dead > 0 && live > 0, "{dead} of {MANY} ended");
    assert_eq!(ctl(&world, &end).ok(), format!("ended {live}\n"));
    assert_eq!(self::live(&sessions).await, 0);
}

/// Returns the number of sessions that the index shows.
async fn live(sessions: &Sessions) -> usize {
    sessions.find(Account::by_user(0)).count().await.unwrap()
}

/// Returns the number of tombstones among some keys.
fn ended(server: &Deployment) -> usize {
    let keys = server.masters().into_iter().map(|master| {
        let (_, keys): (String, Vec<String>) =
            master.cli(&["SCAN", "0", "TYPE", "string", "COUNT", "100000"]);
        keys.len()
    });
    keys.sum()
}
