//! Reads that the near cache answers.

use std::time::Duration;

use session_runtime::store::SessionKey;
use session_runtime::{NearCache, RedisStore, Session, SessionConfig, SessionId, Sessions};
use session_tests::cookies::SECRET;
use session_tests::server::{Make, RedisServer};
use session_tests::until;

const SECOND: Duration = Duration::from_secs(1);

#[derive(Session)]
struct Visitor {
    #[session(cached)]
    theme: String,
    #[session(cached, index)]
    user: Option<u64>,
    is_admin: bool,
}

/// A program with a near cache, and another program without.
struct World {
    server: RedisServer,
    near: Sessions,
    other: Sessions,
}

impl World {
    async fn new() -> Self {
        let server = RedisServer::start();
        let near = Sessions::new(config(&server).near_cache(cache())).await.unwrap();
        let other = Sessions::new(config(&server).refresh_below(0.5)).await.unwrap();
        Self { server, near, other }
    }

    /// Begins a session with a theme.
    async fn begin(&self) -> SessionId {
        let session = self.other.create::<Visitor>().await.unwrap();
        session.set_theme("dark").await.unwrap();
        session.session_id().unwrap()
    }

    /// Begins a session whose theme the near cache keeps.
    async fn begin_kept(&self) -> SessionId {
        let id = self.begin().await;
        until("the near cache keeps the theme", async || self.hits(&id).await).await;
        id
    }

    /// Returns whether a read of the theme asks the server nothing.
    async fn hits(&self, id: &SessionId) -> bool {
        let before = self.reads();
        self.theme(id).await;
        self.reads() == before
    }

    async fn theme(&self, id: &SessionId) -> String {
        self.near.open_id::<Visitor>(id).theme().await.unwrap()
    }

    fn reads(&self) -> u64 {
        let counts = self.server.counts();
        counts.calls("hget") + counts.calls("hmget")
    }
}

fn config(server: &RedisServer) -> SessionConfig {
    SessionConfig::new().secret(SECRET).prefix("test").store(server.url()).timeout(2 * SECOND)
}

/// News must come in these tests, because the limits are long.
fn cache() -> NearCache {
    NearCache::new().max_staleness(20 * SECOND).max_age(600 * SECOND)
}

#[tokio::test]
async fn a_cached_field_is_read_without_the_server() {
    let world = World::new().await;
    let id = world.begin_kept().await;
    let before = world.reads();
    for _ in 0..100 {
        assert_eq!(world.theme(&id).await, "dark");
    }
    assert_eq!(world.reads(), before);
    let session = world.near.open_id::<Visitor>(&id);
    assert_eq!(session.theme().fresh().await.unwrap(), "dark");
    assert!(!session.is_admin().await.unwrap());
    assert_eq!(world.reads(), before + 2);
}

#[tokio::test]
async fn a_change_by_another_program_is_noticed() {
    let world = World::new().await;
    let id = world.begin_kept().await;
    world.other.open_id::<Visitor>(&id).set_theme("light").await.unwrap();
    until("the news", async || world.theme(&id).await == "light").await;
    until("the new value is kept", async || world.hits(&id).await).await;
    world.other.open_id::<Visitor>(&id).destroy().await.unwrap();
    until("the end", async || world.theme(&id).await.is_empty()).await;
}

#[tokio::test]
async fn an_own_write_is_seen_at_once() {
    let world = World::new().await;
    let id = world.begin_kept().await;
    for user in 0..200 {
        let session = world.near.open_id::<Visitor>(&id);
        session.set_user(user).await.unwrap();
        let again = world.near.open_id::<Visitor>(&id);
        assert_eq!(again.user().await.unwrap(), Some(user));
        assert_eq!(again.read((again.user(), again.theme())).await.unwrap().0, Some(user));
    }
}

/// The session has another id in the list than in the cookie of the reader, until the list is read.
#[tokio::test]
async fn an_end_of_all_sessions_of_a_user_is_seen_at_once() {
    let world = World::new().await;
    for user in 0..50 {
        let session = world.near.create::<Visitor>().await.unwrap();
        session.set_user(user).await.unwrap();
        session.rotate().await.unwrap();
        let id = session.session_id().unwrap();
        let read = async || world.near.open_id::<Visitor>(&id).user().await.unwrap();
        until("the near cache keeps the user", async || {
            let before = world.reads();
            assert_eq!(read().await, Some(user));
            world.reads() == before
        })
        .await;
        assert_eq!(world.near.find(Visitor::by_user(user)).end_all().await.unwrap(), 1);
        assert_eq!(read().await, None);
    }
}

#[tokio::test]
async fn a_store_that_is_shared_has_one_near_cache() {
    let world = World::new().await;
    let store = RedisStore::connect(&world.server.url()).await.unwrap();
    let config = || config(&world.server).near_cache(cache());
    let [one, other] = [config(), config().cookie_name("other")]
        .map(|config| Sessions::with_store(config, store.clone()).unwrap());
    let id = world.begin().await;
    let theme = async |sessions: &Sessions| sessions.open_id::<Visitor>(&id).theme().await.unwrap();
    until("the near cache keeps the theme", async || {
        let before = world.reads();
        theme(&one).await;
        world.reads() == before
    })
    .await;
    let before = world.reads();
    assert_eq!(theme(&other).await, "dark");
    assert_eq!(world.reads(), before);
    other.open_id::<Visitor>(&id).set_theme("light").await.unwrap();
    assert_eq!(theme(&one).await, "light");
}

#[tokio::test]
async fn a_session_that_expires_soon_is_refreshed_by_a_kept_value() {
    let world = World::new().await;
    let id = world.begin_kept().await;
    let key = SessionKey::new("test", &id);
    let hour = 3600 * 1000;
    let left = || world.server.cli::<i64>(&["PTTL", key.expose_secret()]);
    let _: u32 = world.server.cli(&["PEXPIRE", key.expose_secret(), &hour.to_string()]);
    until("a refresh", async || {
        world.theme(&id).await;
        left() > 2 * hour
    })
    .await;
}

/// A refused command is not sent again and again.
#[tokio::test]
async fn without_a_permission_reads_are_as_without_a_near_cache() {
    for (make, refused) in [(Make::Usual, "-client|caching"), (Make::Redis8, "-hpttl")] {
        let Some(server) = RedisServer::start_make(make) else { continue };
        let _: String = server.cli(&["ACL", "SETUSER", "default", refused]);
        let sessions = Sessions::new(config(&server).near_cache(cache())).await.unwrap();
        let id = sessions.create::<Visitor>().await.unwrap();
        id.set_theme("dark").await.unwrap();
        let id = id.session_id().unwrap();
        let read = async || sessions.open_id::<Visitor>(&id).theme().await.unwrap();
        for _ in 0..3 {
            assert_eq!(read().await, "dark");
        }
        let before = server.counts();
        for _ in 0..10 {
            assert_eq!(read().await, "dark");
        }
        let counts = server.counts() - before;
        assert_eq!((counts.calls("hget"), counts.calls("hmget")), (10, 0), "{refused}");
    }
}
