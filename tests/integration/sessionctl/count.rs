//! `sessionctl count`.

use serde_json::json;
use session_tests::acceptance::{Visitor, World};

use crate::ctl;

pub(crate) async fn all_sessions_are_counted(world: World) {
    let sessions = world.sessions(|config| config);
    assert_eq!(ctl(&world, &["count"]).ok(), "0\n");
    for _ in 0..5 {
        sessions.create::<Visitor>().await.unwrap();
    }
    assert_eq!(ctl(&world, &["count"]).ok(), "5\n");
    assert_eq!(ctl(&world, &["count", "--json"]).json(), json!({ "sessions": 5 }));
    assert_eq!(ctl(&world, &["count", "--prefix", "other"]).ok(), "0\n");
}
