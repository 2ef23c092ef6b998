//! The near cache during faults, with a checker of what its reads may return.
//!
//! Random tests put a load on several stores during a fault, and check the history. Each of the
//! tests in `schedules` forces one order of messages, which a random test rarely meets.

#![allow(clippy::unwrap_used, reason = "a failure is a failed test")]

mod checker;
mod deployments;
mod load;
mod network;
mod schedules;

use std::time::Duration;

use session_runtime::store::SessionKey;
use session_runtime::{Error, NearCache, Session, SessionConfig, SessionId, Sessions};
use session_tests::cookies::SECRET;
use tokio::sync::{Mutex, MutexGuard};

const MAX_STALENESS: Duration = Duration::from_millis(250);
const MAX_AGE: Duration = Duration::from_secs(1);
const TIMEOUT: Duration = Duration::from_secs(1);

/// Fields that start from one, so that zero stands for a field that is gone.
#[derive(Debug, Session)]
struct Visitor {
    #[session(cached)]
    count: u64,
    /// Always written together with `right`.
    #[session(cached)]
    left: u64,
    #[session(cached)]
    right: u64,
    #[session(cached)]
    fleeting: u64,
    uncached: u64,
}

/// A heavy load disturbs other loads.
async fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::const_new(());
    ALONE.lock().await
}

fn config(url: &str) -> SessionConfig {
    let url = format!("{url}?connections=2");
    SessionConfig::new().secret(SECRET).prefix("test").store(url).timeout(TIMEOUT)
}

/// Connects a program with a near cache.
async fn connect(url: &str) -> Sessions {
    connect_with(url, MAX_AGE).await
}

/// Connects a program with a near cache, whose values may have this age.
async fn connect_with(url: &str, max_age: Duration) -> Sessions {
    let cache = NearCache::new().max_staleness(MAX_STALENESS).max_age(max_age);
    Sessions::new(config(url).near_cache(cache)).await.unwrap()
}

/// Connects a program without a near cache.
async fn connect_another(url: &str) -> Sessions {
    Sessions::new(config(url)).await.unwrap()
}

/// Begins a session whose fields are one.
async fn begin(sessions: &Sessions) -> Result<SessionId, Error> {
    let session = sessions.create::<Visitor>().await?;
    let fields = [session.count(), session.left(), session.right(), session.fleeting()];
    fields.into_iter().fold(session.write(), |batch, field| batch.set(field, 1)).commit().await?;
    Ok(session.session_id().unwrap())
}

fn key_of(id: &SessionId) -> String {
    SessionKey::new("test", id).expose_secret().to_owned()
}
