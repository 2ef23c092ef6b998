//! Entries that are missing in the index of a user's sessions.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use session_runtime::{Session, Sessions};
use session_tests::acceptance::World;
use tokio::task::JoinSet;

/// The schema of an earlier release.
#[derive(Session)]
#[session(fields = "BeforeFields")]
struct Before {
    user: Option<u64>,
    account: Option<String>,
}

#[derive(Session)]
#[session(fields = "AuthFields")]
struct Auth {
    #[session(index)]
    user: Option<u64>,
    #[session(rename = "account.name", alias = "account", index(name = "account", by = "named"))]
    account: Option<String>,
}

/// Returns a manager on an empty store.
async fn indexed(world: &World) -> Sessions {
    let sessions = world.sessions(|config| config);
    assert_eq!(sessions.reindex::<Auth>().await.unwrap(), 0);
    assert!(sessions.reindex::<Before>().await.is_err_and(|error| error.is_unsupported()));
    sessions
}

async fn before(sessions: &Sessions, user: u64) -> Session<Before> {
    let session = sessions.create::<Before>().await.unwrap();
    session.set_user(user).await.unwrap();
    session
}

async fn sign_in(sessions: &Sessions, user: u64) -> Session<Auth> {
    let session = sessions.create::<Auth>().await.unwrap();
    session.set_user(user).await.unwrap();
    session
}

async fn count(sessions: &Sessions, user: u64) -> usize {
    sessions.find(Auth::by_user(user)).count().await.unwrap()
}

/// Behaviour: missing entries of an index.
pub(crate) async fn sessions_from_before_the_index_are_found(world: World) {
    let sessions = indexed(&world).await;
    let mut visitors = Vec::new();
    for user in [7, 7, 8] {
        visitors.push(before(&sessions, user).await);
    }
    visitors[2].set_account("ada").await.unwrap();
    let anonymous = sessions.create::<Before>().await.unwrap();
    anonymous.set_account(None).await.unwrap();
    visitors.push(before(&sessions, 9).await);
    visitors[3].destroy().await.unwrap();
    world.elapse(Duration::from_secs(60));
    assert_eq!((count(&sessions, 7).await, count(&sessions, 8).await), (0, 0));
    assert_eq!(sessions.reindex::<Auth>().await.unwrap(), 4);
    assert_eq!(sessions.reindex::<Auth>().await.unwrap(), 0);
    assert_eq!((count(&sessions, 7).await, count(&sessions, 8).await), (2, 1));
    for entry in sessions.find(Auth::by_user(7)).list().await.unwrap() {
        assert_eq!((entry.signed_in_at(), entry.data().unwrap().user), (None, Some(7)));
        let ago = world.now().duration_since(entry.last_used().unwrap().at).unwrap();
        assert!(ago >= Duration::from_secs(59), "no session is prolonged: {ago:?}");
    }
    // An entry goes along with a new id, also that of a field with its former name.
    visitors[0].rotate().await.unwrap();
    visitors[2].rotate().await.unwrap();
    let named = sessions.find(Auth::named("ada"));
    assert_eq!((count(&sessions, 7).await, named.count().await.unwrap()), (2, 1));
    visitors[2].account().remove().await.unwrap();
    assert_eq!(named.count().await.unwrap(), 0);
    assert_eq!(sessions.find(Auth::by_user(7)).end_all().await.unwrap(), 2);
    assert!(!visitors[0].exists().await.unwrap() && anonymous.exists().await.unwrap());
    // A sign-in by this release sets the time.
    let session = sessions.open_id::<Auth>(&visitors[2].session_id().unwrap());
    session.set_user(8).await.unwrap();
    let list = sessions.find(Auth::by_user(8)).list().await.unwrap();
    assert!(list.len() == 1 && list[0].signed_in_at().is_some());
}

/// Only servers can lose a list, or have other programs that write.
pub(crate) async fn lists_and_labels_that_are_lost_come_back(world: World) {
    let sessions = indexed(&world).await;
    let Some(server) = world.server() else { return };
    let keys_with = |part: &str| -> Vec<String> {
        server.keys().into_iter().filter(|key| key.contains(part)).collect()
    };
    let mut visitors = Vec::new();
    for user in [7, 7, 8] {
        visitors.push(sign_in(&sessions, user).await);
    }
    let list = async |user| sessions.find(Auth::by_user(user)).list().await.unwrap();
    let times = async || {
        let mut times: Vec<_> =
            list(7).await.iter().map(|entry| entry.signed_in_at().unwrap()).collect();
        times.sort();
        times
    };
    let signed_in = times().await;
    for list in keys_with(":by:") {
        let _: i64 = server.cli(&["DEL", &list]);
    }
    assert_eq!(count(&sessions, 7).await, 0);
    assert_eq!(sessions.reindex::<Auth>().await.unwrap(), 3);
    assert_eq!(times().await, signed_in, "a label that is right keeps its time");
    for list in keys_with(":by:") {
        let left: i64 = server.cli(&["PTTL", &list]);
        assert!(left > 30 * 24 * 3_600_000, "a list outlives its sessions: {left}");
        let _: i64 = server.cli(&["DEL", &list]);
    }
    for session in keys_with("{") {
        let _: i64 = server.cli(&["HDEL", &session, "\0"]);
    }
    assert_eq!(sessions.reindex::<Auth>().await.unwrap(), 3);
    assert!(list(7).await.iter().all(|entry| entry.signed_in_at().is_none()));
    // Another program changes the user.
    let id = visitors[0].session_id().unwrap();
    let own = keys_with(id.tag());
    let _: i64 = server.cli(&["HSET", &own[0], "user", "8"]);
    assert_eq!((count(&sessions, 7).await, count(&sessions, 8).await), (1, 1));
    assert_eq!(sessions.reindex::<Auth>().await.unwrap(), 1);
    assert_eq!((count(&sessions, 7).await, count(&sessions, 8).await), (1, 2));
    visitors[0].rotate().await.unwrap();
    assert_eq!((count(&sessions, 7).await, count(&sessions, 8).await), (1, 2));
    assert!(world.times_to_live().iter().all(|left| *left > 0), "{:?}", world.times_to_live());
}

/// No session is added for a former user, and none is missed.
pub(crate) async fn reindex_beside_logins_and_rotations(world: World) {
    let sessions = indexed(&world).await;
    let mut from_before = Vec::new();
    for at in 0..40 {
        from_before.push(before(&sessions, 100 + at % 4).await);
    }
    let is_over = Arc::new(AtomicBool::new(false));
    let mut others = JoinSet::new();
    for at in 0..4 {
        let (sessions, is_over) = (sessions.clone(), Arc::clone(&is_over));
        others.spawn(async move {
            let mut user = at;
            let session = sign_in(&sessions, user).await;
            while !is_over.load(Ordering::Relaxed) {
                user = (user + 1) % 4;
                session.set_user(user).await.unwrap();
                session.rotate().await.unwrap();
                assert!(count(&sessions, user).await > 0);
            }
            user
        });
    }
    let reindexing = (0..3).map(|_| async { sessions.reindex::<Auth>().await.unwrap() });
    let added: usize = futures::future::join_all(reindexing).await.into_iter().sum();
    assert!(added >= 40, "{added}");
    for _ in 0..10 {
        sessions.reindex::<Auth>().await.unwrap();
    }
    is_over.store(true, Ordering::Relaxed);
    let users = others.join_all().await;
    for user in 0..4 {
        let expected = users.iter().filter(|other| **other == user).count();
        assert_eq!(count(&sessions, user).await, expected);
        assert_eq!(count(&sessions, 100 + user).await, 10);
    }
    assert_eq!(sessions.reindex::<Auth>().await.unwrap(), 0);
}
