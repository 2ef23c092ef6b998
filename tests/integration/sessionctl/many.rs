//! Many sessions.

use std::collections::BTreeSet;
use std::env;
use std::time::Instant;

use serde_json::Value;
use session_runtime::Sessions;
use session_tests::acceptance::World;
use session_tests::sessionctl::run;

use crate::account::{Account, tag};
use crate::ctl;
use crate::watch::{Watching, url};

/// The number of sessions. `SESSION_TEST_MANY` sets another, such as 100000.
pub(crate) fn many() -> usize {
    env::var("SESSION_TEST_MANY").map_or(2_500, |many| many.parse().unwrap())
}

/// The number of users with about the same number of sessions.
const USERS: usize = 10;

/// Creates sessions, and returns their tags.
pub(crate) async fn sign_in_all(
    sessions: &Sessions,
    count: usize,
    users: usize,
) -> BTreeSet<String> {
    let mut tags = BTreeSet::new();
    for begin in (0..count).step_by(500) {
        let sign_in = |at: usize| async move {
            let session = sessions.open([]).session::<Account>();
            session.set_user((at % users) as u64).await.unwrap();
            tag(&session)
        };
        tags.extend(futures::future::join_all((begin..count.min(begin + 500)).map(sign_in)).await);
    }
    tags
}

pub(crate) async fn each_command_works_on_many_sessions(world: World) {
    let sessions = world.sessions(|config| config);
    let many = many();
    // Builds the program.
    run(&["--version"]).ok();
    let mut clock = Clock(Instant::now());
    let mut tags = sign_in_all(&sessions, many, USERS).await;
    clock.lap("created");
    // Two of so many tags may be equal.
    let shared = many - tags.len();
    assert_eq!(ctl(&world, &["count"]).ok(), format!("{many}\n"));
    clock.lap("count");
    let listed = ctl(&world, &["list", "--json"]).ok();
    clock.lap("list");
    let objects = listed.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let listed: Vec<_> = objects.map(|one| one["tag"].as_str().unwrap().to_owned()).collect();
    assert_eq!(listed.len(), many);
    assert_eq!(listed.iter().cloned().collect::<BTreeSet<_>>(), tags);
    let wanted = tags.pop_last().unwrap();
    clock.lap("the comparison in the test");
    assert!(ctl(&world, &["show", &wanted]).ok().contains(&wanted));
    clock.lap("show TAG");
    let all_of_one = many / USERS;
    assert_eq!(ctl(&world, &["count", "--by", "user=1"]).ok(), format!("{all_of_one}\n"));
    clock.lap("count --by");
    if shared == 0 {
        assert_eq!(ctl(&world, &["end", &wanted]).ok(), "ended 1\n");
        clock.lap("end TAG");
    }
    let of_user = ctl(&world, &["count", "--by", "user=1"]).ok();
    clock.lap("count --by");
    ctl(&world, &["check"]).ok();
    clock.lap("check");
    let watching = Watching::start(&url(&world), &["--limit", of_user.trim()]);
    clock.lap("the start of a watch");
    let ended = ctl(&world, &["end", "--by", "user=1", "--yes"]).ok();
    assert_eq!(ended, format!("ended {of_user}"));
    clock.lap("end --by");
    let (told, messages) = watching.rest();
    clock.lap("the end of the watch");
    assert!(told.iter().all(|event| event["event"] == "ended"), "{messages:?}");
    let ended = of_user.trim().parse::<usize>().unwrap();
    assert_eq!((told.len(), &*messages), (ended, &[][..]));
    let left = many - usize::from(shared == 0) - ended;
    assert_eq!(ctl(&world, &["count"]).ok(), format!("{left}\n"));
}

/// Prints times, for information.
struct Clock(Instant);

impl Clock {
    fn lap(&mut self, what: &str) {
        eprintln!("{what}: {:?}", self.0.elapsed());
        self.0 = Instant::now();
    }
}
