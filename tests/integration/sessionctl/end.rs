//! `sessionctl end`.

use serde_json::json;
use session_tests::acceptance::World;

use crate::account::{sign_in, tag};
use crate::ctl;

pub(crate) async fn a_session_ends_by_its_tag(world: World) {
    let sessions = world.sessions(|config| config);
    let (ended, other) = (sign_in(&sessions, 42).await, sign_in(&sessions, 42).await);
    assert_eq!(ctl(&world, &["end", &tag(&ended)]).ok(), "ended 1\n");
    assert!(
        sessions
            .peek::<crate::account::Account>(&ended.session_id().unwrap())
            .await
            .unwrap()
            .is_none()
    );
    assert!(other.exists().await.unwrap());
    let again = ctl(&world, &["end", &tag(&ended)]).refused(4);
    assert!(again.contains(&format!("no session with the tag {} under", tag(&ended))), "{again}");
    assert_eq!(ctl(&world, &["end", &tag(&other), "--json"]).json(), json!({ "ended": 1 }));
}

pub(crate) async fn sessions_end_by_a_value(world: World) {
    let sessions = world.sessions(|config| config);
    let other = sign_in(&sessions, 7).await;
    for _ in 0..3 {
        sign_in(&sessions, 42).await;
    }
    let by_user = ["end", "--by", "user=42"];
    // Without a terminal, there is no answer.
    let refused = ctl(&world, &by_user).refused(2);
    assert!(
        refused.contains("3 sessions with user=42 under the prefix `app` on redis"),
        "{refused}"
    );
    assert_eq!(ctl(&world, &["count"]).ok(), "4\n");
    assert_eq!(ctl(&world, &[&by_user[..], &["--yes"]].concat()).ok(), "ended 3\n");
    assert!(ctl(&world, &by_user).refused(4).contains("no session with user=42"));
    // A single session ends without a question.
    assert_eq!(ctl(&world, &["end", "--by", "user=7", "--json"]).json(), json!({ "ended": 1 }));
    assert!(!other.exists().await.unwrap());
}
