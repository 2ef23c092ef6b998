//! The permissions of an operator, as the guide names them.

use session_tests::acceptance::World;
use session_tests::cookies::id;
use session_tests::sessionctl::{Run, run_with};

use crate::account::{sign_in, tag};

const GUIDE: &str = include_str!("../../../session-runtime/src/guide/sessionctl.md");

/// Returns the words of the guide's line for a user.
fn line_of(user: &str) -> Vec<&'static str> {
    let begin = format!("ACL SETUSER {user} ");
    let line = GUIDE.lines().find(|line| line.starts_with(&begin));
    line.expect("the guide has a line for the user").split_whitespace().collect()
}

/// Runs the commands of a user, each on a new session. Returns the runs.
async fn commands(world: &World, user: &str) -> Vec<Run> {
    let url = world.server().unwrap().url().replace("://", &format!("://{user}:password@"));
    let sessions = world.sessions(|config| config);
    let session = sign_in(&sessions, 42).await;
    let tag = tag(&session);
    let ctl = |args: &[&str]| run_with(args, &[("SESSION_REDIS", &url)]);
    let mut runs = vec![
        ctl(&["list"]),
        ctl(&["count", "--by", "user=42"]),
        ctl(&["list", "--by", "user=42"]),
        ctl(&["show", "--", &tag]),
        ctl(&["show", "--", &shared_tag(world).await]),
    ];
    if user == "operator" {
        sign_in(&sessions, 42).await;
        runs.extend([ctl(&["end", "--", &tag]), ctl(&["end", "--by", "user=42", "--yes"])]);
    }
    runs
}

/// Creates two sessions with the same tag.
async fn shared_tag(world: &World) -> String {
    let [one, other] = [id(world.now(), 0), id(world.now(), 0)];
    let tag = &one[..8];
    world.begin_under(&one).await;
    world.begin_under(&format!("{tag}{}", &other[8..])).await;
    tag.to_owned()
}

/// Scripts and the progress bar cope without these. The line of the guide has them all the same:
/// entries of lists are removed at once, and tombstones take less room.
const OPTIONAL: [&str; 4] = ["+exists", "+zrem", "+zremrangebyscore", "+dbsize"];

#[tokio::test]
async fn a_user_needs_the_permissions_of_the_guide_and_no_other() {
    let world = World::redis().await;
    let server = world.server().unwrap();
    for user in ["viewer", "operator"] {
        let line = line_of(user);
        let _: String = server.cli(&line);
        for run in commands(&world, user).await {
            assert_eq!(run.code, Some(0), "{run:?}");
        }
        let mut optional = Vec::new();
        server.on_every_master(&["SCRIPT", "FLUSH"]);
        for permission in line.iter().filter(|word| word.starts_with('+')) {
            let _: String = server.cli(&["ACL", "SETUSER", user, &permission.replace('+', "-")]);
            let runs = commands(&world, user).await;
            let failed: Vec<_> = runs.iter().filter(|run| run.code != Some(0)).collect();
            if failed.is_empty() {
                optional.push(*permission);
            }
            for run in failed {
                let is_named = run.stderr.contains(permission);
                assert!(run.code == Some(1) && is_named, "{user} without {permission}: {run:?}");
            }
            let _: String = server.cli(&["ACL", "SETUSER", user, permission]);
            server.on_every_master(&["FLUSHALL"]);
            // A server that does not know a script needs its text.
            server.on_every_master(&["SCRIPT", "FLUSH"]);
        }
        let known: Vec<_> = OPTIONAL.into_iter().filter(|word| line.contains(word)).collect();
        assert_eq!(optional, known, "{user}");
    }
}

/// The guide names two more permissions for a cluster.
#[tokio::test]
async fn a_user_of_a_cluster_needs_two_more() {
    let world = World::cluster().await;
    let server = world.server().unwrap();
    for user in ["viewer", "operator"] {
        let line = [&line_of(user)[..], &["+cluster|slots", "+asking"]].concat();
        server.on_every_master(&line);
        for run in commands(&world, user).await {
            assert_eq!(run.code, Some(0), "{run:?}");
        }
        server.on_every_master(&["ACL", "DELUSER", user]);
    }
}
