//! Reads of cached fields, fresh and otherwise. A near cache keeps values of stores that have one.

use std::time::Duration;

use session_runtime::{NearCache, Session, SessionConfig, Sessions};
use session_tests::acceptance::World;

#[derive(Debug, PartialEq, Session)]
#[session(cached)]
struct Visitor {
    #[session(alias = "colours")]
    theme: String,
    visits: u64,
    clicks: u64,
}

pub(crate) async fn a_fresh_read_sees_the_write_of_another_request(world: World) {
    let sessions = world.sessions(with_cache);
    let session = begin(&sessions).await;
    let id = Session::session_id(&session).unwrap();
    let other = sessions.open_id::<Visitor>(&id);
    for turn in 1..=20 {
        keep_values(&session).await;
        let theme = turn.to_string();
        other.write().set(other.theme(), &*theme).set(other.visits(), turn).commit().await.unwrap();

        let (kind, read) = match turn % 7 {
            0 => ("await", session.visits().fresh().await.unwrap()),
            1 => ("get", session.visits().fresh().get().await.unwrap()),
            2 => ("raw", number(session.theme().fresh().raw().await.unwrap())),
            3 => ("update", session.visits().fresh().update(|visits| visits).await.unwrap()),
            4 => (
                "tuple",
                session.read((session.theme(), session.visits().fresh())).await.unwrap().1,
            ),
            5 => {
                let fields = vec![session.clicks(), session.visits().fresh()];
                ("vector", session.read(fields).await.unwrap()[1])
            }
            _ => {
                other.visits().remove().await.unwrap();
                let exists = session.visits().fresh().exists().await.unwrap();
                ("exists", if exists { 0 } else { turn })
            }
        };
        assert_eq!(read, turn, "{kind}");
    }
}

pub(crate) async fn own_writes_are_read_after_values_were_kept(world: World) {
    let sessions = world.sessions(with_cache);
    let session = begin(&sessions).await;
    let id = Session::session_id(&session).unwrap();
    for turn in 1..=20 {
        keep_values(&session).await;
        let request = sessions.open_id::<Visitor>(&id);
        assert_eq!(request.visits().incr(1).await.unwrap(), turn);
        request.set_theme(turn.to_string()).await.unwrap();

        let theme = turn.to_string();
        assert_eq!(session.visits().await.unwrap(), turn);
        let whole = Visitor { theme: theme.clone(), visits: turn, clicks: 0 };
        assert_eq!(session.load().await.unwrap(), whole);
        let batch = session.read((session.theme(), session.visits())).await.unwrap();
        assert_eq!(batch, (theme, turn));
    }
    sessions.open_id::<Visitor>(&id).destroy().await.unwrap();
    assert!(!sessions.open_id::<Visitor>(&id).theme().exists().await.unwrap());
}

fn with_cache(config: SessionConfig) -> SessionConfig {
    let hour = Duration::from_secs(3600);
    config.near_cache(NearCache::new().max_staleness(hour / 60).max_age(hour))
}

async fn begin(sessions: &Sessions) -> Session<Visitor> {
    let session = sessions.create::<Visitor>().await.unwrap();
    session.visits().set(0).await.unwrap();
    session
}

/// Reads often enough for a near cache.
async fn keep_values(session: &Session<Visitor>) {
    for _ in 0..3 {
        session.load().await.unwrap();
    }
}

fn number(stored: Option<session_runtime::Bytes>) -> u64 {
    std::str::from_utf8(&stored.unwrap()).unwrap().parse().unwrap()
}
