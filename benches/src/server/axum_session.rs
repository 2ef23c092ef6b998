//! axum_session on Redis. A session is a JSON value. The copy in memory is switched off, so that
//! every request goes to Redis.

use axum::Router;
use axum::extract::Path;
use axum_session::{Key, Session, SessionConfig, SessionLayer, SessionStore};
use axum_session_redispool::SessionRedisPool;
use redis::io::tcp::TcpSettings;
use redis::{Client, IntoConnectionInfo};
use redis_pool::RedisPool;
use time::Duration;

use super::{AGE, IDLE_SECONDS, NAME, SECRET, THEME, USER, five_line, large_text, new_count};
use crate::Failure;

/// The largest number of concurrent requests. Each request takes a connection from the pool, and an
/// empty pool opens a new connection.
const CONNECTIONS: usize = 256;

pub(crate) async fn pages(redis: &str) -> Result<Router, Failure> {
    let info = format!("redis://{redis}").into_connection_info()?;
    let client = Client::open(info.set_tcp_settings(TcpSettings::default().set_nodelay(true)))?;
    let pool = SessionRedisPool::from(RedisPool::new(client, CONNECTIONS, None));
    let config = SessionConfig::default()
        .with_session_name("session-id")
        .with_key(Key::from(SECRET))
        .with_ip_and_user_agent(false)
        .with_lifetime(Duration::seconds(IDLE_SECONDS.cast_signed()))
        .with_memory_lifetime(Duration::ZERO);
    let store = SessionStore::new(Some(pool), config).await?;
    let pages = axum_pages!().route("/grow/{fields}/{bytes}", axum::routing::get(grow));
    Ok(pages.layer(SessionLayer::new(store)))
}

type Visit = Session<SessionRedisPool>;

fn count(session: &Visit) -> u64 {
    session.get("count").unwrap_or_default()
}

async fn seed_one(session: Visit) -> &'static str {
    session.set("count", 0);
    "ok"
}

async fn seed_five(session: Visit) -> &'static str {
    session.set("count", 0);
    session.set("name", NAME);
    session.set("vip", true);
    session.set("age", AGE);
    session.set("theme", THEME);
    "ok"
}

async fn seed_large(session: Visit) -> &'static str {
    session.set("count", 0);
    session.set("blob", large_text());
    "ok"
}

async fn grow(session: Visit, Path((fields, bytes)): Path<(usize, usize)>) -> &'static str {
    for field in 0..fields {
        session.set(&format!("field {field}"), "x".repeat(bytes));
    }
    "ok"
}

async fn read(session: Visit) -> String {
    count(&session).to_string()
}

async fn write(session: Visit) -> &'static str {
    session.set("count", new_count());
    "ok"
}

async fn counter(session: Visit) -> String {
    session.set("count", count(&session) + 1);
    count(&session).to_string()
}

/// axum_session has no increment. This is the code that users write.
async fn incr(session: Visit) -> String {
    let after = count(&session) + 1;
    session.set("count", after);
    after.to_string()
}

async fn five(session: Visit) -> String {
    let name: String = session.get("name").unwrap_or_default();
    let theme: String = session.get("theme").unwrap_or_default();
    let (vip, age) =
        (session.get("vip").unwrap_or_default(), session.get("age").unwrap_or_default());
    five_line(count(&session), &name, vip, age, &theme)
}

/// All reads use the data that was loaded before the handler.
async fn five_batched(session: Visit) -> String {
    five(session).await
}

async fn login(session: Visit) -> &'static str {
    session.renew();
    session.set("user", USER);
    "ok"
}
