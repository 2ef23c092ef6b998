//! The costs of each call, as documented.

use session_runtime::{Lifetime, Session, Sessions};
use session_tests::acceptance::World;

#[derive(Clone, Debug, Default, Session)]
struct Visitor {
    count: u64,
    name: String,
    age: Option<u32>,
}

/// Returns the commands of one call. With `warm`, the session is already live.
macro_rules! cost {
    ($world:expr, $sessions:expr, $warm:expr, |$session:ident| $call:expr) => {{
        let id = $sessions.create::<Visitor>().await.unwrap().session_id().unwrap();
        let $session: Session<Visitor> = $sessions.open_id(&id);
        if $warm {
            $session.name().await.unwrap();
        }
        $world
            .commands(async || {
                let _ = $call.await.unwrap();
            })
            .await
    }};
}

/// `ARCHITECTURE.md` lists the round trips of each operation.
pub(crate) async fn the_table_of_round_trips_is_true(world: World) {
    let sessions: Sessions = world.sessions(|config| config);
    let whole = Visitor::default();
    cost!(world, sessions, true, |s| s.count().incr(1));
    cost!(world, sessions, true, |s| s.rotate());
    cost!(world, sessions, true, |s| s.destroy());
    let read = |first: bool, command: &'static str| {
        if first { vec![command, "pexpire"] } else { vec![command] }
    };
    for live in [false, true] {
        world.assert_commands(cost!(world, sessions, live, |s| s.count()), &read(!live, "hget"));
        world.assert_commands(
            cost!(world, sessions, live, |s| s.count().get()),
            &read(!live, "hget"),
        );
        world.assert_commands(
            cost!(world, sessions, live, |s| s.count().raw()),
            &read(!live, "hget"),
        );
        world.assert_commands(
            cost!(world, sessions, live, |s| s.count().exists()),
            &read(!live, "hexists"),
        );
        let told: [&str; 2] = if live { ["hexists", "pttl"] } else { ["hexists", "pexpire"] };
        world.assert_commands(cost!(world, sessions, live, |s| s.exists()), &told);
        world.assert_commands(cost!(world, sessions, live, |s| s.touch()), &["hexists", "pttl"]);
        world.assert_commands(cost!(world, sessions, live, |s| s.load()), &read(!live, "hmget"));
        world.assert_commands(
            cost!(world, sessions, live, |s| s.read((s.count(), s.name()))),
            &read(!live, "hmget"),
        );
        world.assert_commands(
            cost!(world, sessions, live, |s| s.expires_in()),
            &["hexists", "pttl"],
        );
        world.assert_commands(
            cost!(world, sessions, live, |s| s.end_reason()),
            if live { &[] } else { &["hexists", "pttl"] },
        );
        for written in [
            cost!(world, sessions, live, |s| s.set_count(1)),
            cost!(world, sessions, live, |s| s.count().set(1)),
            cost!(world, sessions, live, |s| s.count().remove()),
            cost!(world, sessions, live, |s| s.name().take()),
            cost!(world, sessions, live, |s| s.name().replace("x")),
            cost!(world, sessions, live, |s| s.name().get_or_set("x")),
            cost!(world, sessions, live, |s| s.count().incr(1)),
            cost!(world, sessions, live, |s| s.count().compare_and_set(0, 1)),
            cost!(world, sessions, live, |s| s.write().set(s.count(), 3).remove(s.age()).commit()),
            cost!(world, sessions, live, |s| s.save(&whole)),
            cost!(world, sessions, live, |s| s.clear()),
            cost!(world, sessions, live, |s| s.rotate()),
            cost!(world, sessions, live, |s| s.renew(Lifetime::remembered())),
            cost!(world, sessions, live, |s| s.destroy()),
        ] {
            world.assert_commands(written, &["evalsha"]);
        }
        let updated = cost!(world, sessions, live, |s| s.count().update(|count| count + 1));
        let mut expected = read(!live, "hget");
        expected.push("evalsha");
        world.assert_commands(updated, &expected);
    }
}
