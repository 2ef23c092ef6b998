//! `sessionctl count`.

use serde_json::json;
use session_tests::acceptance::World;

use crate::account::sign_in;
use crate::ctl;

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
    // A step looks at 500 keys, and waits half a second for the next.
    assert_eq!(ctl(&world, &["count", "--rate", "1000"]).ok(), "5\n");
}
