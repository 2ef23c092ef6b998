//! Reads that the near cache answers.

use std::time::Duration;

use session_runtime::{NearCache, Session, SessionConfig, SessionId, Sessions};
use session_tests::cookies::SECRET;
use session_tests::server::RedisServer;
use session_tests::until;

const SECOND: Duration = Duration::from_secs(1);

#[derive(Session)]
struct Visitor {
    #[session(cached)]
    theme: String,
    #[session(cached)]
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
