//! By hand: axum, a signed cookie, and the same commands through `redis` over a single connection.
//! There is no layer in between.

mod commands;
mod cookie;
mod near;

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, HeaderName, StatusCode};
use redis::aio::MultiplexedConnection;
use redis::{FromRedisValue, RedisResult};

use self::commands::Writes;
use self::cookie::{Id, Signer};
use self::near::Near;
use super::{AGE, NAME, THEME, USER, five_line, large_text, new_count};
use crate::Failure;

/// Check that a write requires an existing session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Guard {
    /// No, as in a typical handler. A write may restore a session that has ended in the meantime.
    None,
    /// Yes, like session-runtime.
    Exists,
}

#[derive(Clone)]
struct App {
    connection: MultiplexedConnection,
    shared: Arc<Shared>,
}

struct Shared {
    signer: Signer,
    writes: Writes,
    near: Option<Arc<Near>>,
}

type Page = Result<String, StatusCode>;
type PageWithCookie = Result<([(HeaderName, String); 1], &'static str), StatusCode>;

pub(crate) async fn pages(redis: &str, guard: Guard) -> Result<Router, Failure> {
    routes(commands::connect(redis).await?, guard, None).await
}

/// Returns the pages with a near cache. Writes are not guarded.
pub(crate) async fn near_pages(redis: &str) -> Result<Router, Failure> {
    let near = Arc::new(Near::new());
    let connection = commands::connect_near(redis, near.clone()).await?;
    routes(connection, Guard::None, Some(near)).await
}

async fn routes(
    mut connection: MultiplexedConnection,
    guard: Guard,
    near: Option<Arc<Near>>,
) -> Result<Router, Failure> {
    let writes = Writes::prepare(guard, &mut connection).await?;
    let shared = Arc::new(Shared { signer: Signer::new()?, writes, near });
    Ok(axum_pages!(login_listed, read_and_write).with_state(App { connection, shared }))
}

async fn seed_one(State(app): State<App>) -> PageWithCookie {
    app.begin(&[("count", "0")]).await
}

async fn seed_five(State(app): State<App>) -> PageWithCookie {
    let age = AGE.to_string();
    let fields = [("count", "0"), ("name", NAME), ("vip", "True"), ("age", &age), ("theme", THEME)];
    app.begin(&fields).await
}

async fn seed_large(State(app): State<App>) -> PageWithCookie {
    app.begin(&[("count", "0"), ("blob", &large_text())]).await
}

async fn read(State(mut app): State<App>, headers: HeaderMap) -> Page {
    let Some(id) = app.shared.signer.verified(&headers) else { return Ok("0".to_owned()) };
    let count: Option<u64> = app.first_read(&id.key(), "count").await.map_err(failed)?;
    Ok(count.unwrap_or_default().to_string())
}

async fn write(State(mut app): State<App>, headers: HeaderMap) -> Result<&'static str, StatusCode> {
    let key = app.key(&headers)?;
    let writes = &app.shared.writes;
    let wrote = writes.first_write(&mut app.connection, &key, "count", new_count()).await;
    app.forget(&key);
    wrote.map_err(failed)?;
    Ok("ok")
}

async fn counter(State(mut app): State<App>, headers: HeaderMap) -> Page {
    let key = app.key(&headers)?;
    app.add_one(&key).await?;
    let after: Option<u64> = app.read(&key, "count").await.map_err(failed)?;
    Ok(after.unwrap_or_default().to_string())
}

/// Reads and writes. `HINCRBY` would need another custom script.
async fn incr(State(mut app): State<App>, headers: HeaderMap) -> Page {
    let key = app.key(&headers)?;
    let before = app.add_one(&key).await?;
    Ok((before + 1).to_string())
}

async fn read_and_write(State(mut app): State<App>, headers: HeaderMap) -> Page {
    let key = app.key(&headers)?;
    let count: Option<u64> = app.first_read(&key, "count").await.map_err(failed)?;
    let writes = &app.shared.writes;
    let wrote = writes.write_unread(&mut app.connection, &key, "seen", new_count()).await;
    app.forget(&key);
    wrote.map_err(failed)?;
    Ok(count.unwrap_or_default().to_string())
}

async fn five(State(mut app): State<App>, headers: HeaderMap) -> Page {
    let key = app.key(&headers)?;
    let count: Option<u64> = app.first_read(&key, "count").await.map_err(failed)?;
    let name: Option<String> = app.read(&key, "name").await.map_err(failed)?;
    let vip: Option<String> = app.read(&key, "vip").await.map_err(failed)?;
    let age: Option<u32> = app.read(&key, "age").await.map_err(failed)?;
    let theme: Option<String> = app.read(&key, "theme").await.map_err(failed)?;
    Ok(line((count, name, vip, age, theme)))
}

async fn five_batched(State(mut app): State<App>, headers: HeaderMap) -> Page {
    let key = app.key(&headers)?;
    let names = ["count", "name", "vip", "age", "theme"];
    let five = app.first_reads(&key, &names).await.map_err(failed)?;
    Ok(line(five))
}

async fn login(State(mut app): State<App>, headers: HeaderMap) -> PageWithCookie {
    let id = app.shared.signer.verified(&headers).ok_or(StatusCode::UNAUTHORIZED)?;
    let successor = id.draw_successor().map_err(failed)?;
    let writes = &app.shared.writes;
    let moved = writes.move_and_write(&mut app.connection, &id, &successor, "user", USER).await;
    app.forget(&id.key());
    moved.map_err(failed)?;
    Ok(app.with_cookie(&successor))
}

/// Keeps no field of the visitor.
async fn login_listed(State(mut app): State<App>, headers: HeaderMap) -> PageWithCookie {
    let id = app.shared.signer.verified(&headers).ok_or(StatusCode::UNAUTHORIZED)?;
    let successor = id.draw_successor().map_err(failed)?;
    let writes = &app.shared.writes;
    let moved = writes.log_in(&mut app.connection, &id, &successor, "account", new_count()).await;
    app.forget(&id.key());
    moved.map_err(failed)?;
    Ok(app.with_cookie(&successor))
}

type Five = (Option<u64>, Option<String>, Option<String>, Option<u32>, Option<String>);

fn line((count, name, vip, age, theme): Five) -> String {
    let (name, theme) = (name.unwrap_or_default(), theme.unwrap_or_default());
    let vip = vip.as_deref() == Some("True");
    five_line(count.unwrap_or_default(), &name, vip, age.unwrap_or_default(), &theme)
}

impl App {
    /// Returns the session's key. Pages that need a session answer 401 if there is none.
    fn key(&self, headers: &HeaderMap) -> Result<String, StatusCode> {
        self.shared.signer.verified(headers).map(|id| id.key()).ok_or(StatusCode::UNAUTHORIZED)
    }

    /// Increments the count with a read and a write. Returns the value that was read.
    async fn add_one(&mut self, key: &str) -> Result<u64, StatusCode> {
        let before: Option<u64> = self.first_read(key, "count").await.map_err(failed)?;
        let before = before.unwrap_or_default();
        let writes = &self.shared.writes;
        let wrote = writes.write(&mut self.connection, key, "count", before + 1).await;
        self.forget(key);
        wrote.map_err(failed)?;
        Ok(before)
    }

    async fn first_read<T: FromRedisValue>(
        &mut self,
        key: &str,
        field: &'static str,
    ) -> RedisResult<Option<T>> {
        match &self.shared.near {
            None => commands::first_read(&mut self.connection, key, field).await,
            Some(near) => Ok(near.read(&mut self.connection, key, &[field]).await?.get(field)?),
        }
    }

    async fn first_reads<T: FromRedisValue>(
        &mut self,
        key: &str,
        fields: &[&'static str],
    ) -> RedisResult<T> {
        match &self.shared.near {
            None => commands::first_reads(&mut self.connection, key, fields).await,
            Some(near) => {
                Ok(near.read(&mut self.connection, key, fields).await?.get_many(fields)?)
            }
        }
    }

    async fn read<T: FromRedisValue>(
        &mut self,
        key: &str,
        field: &'static str,
    ) -> RedisResult<Option<T>> {
        match &self.shared.near {
            None => commands::read(&mut self.connection, key, field).await,
            Some(near) => Ok(near.read(&mut self.connection, key, &[field]).await?.get(field)?),
        }
    }

    /// Removes a session from the near cache after a write.
    fn forget(&self, key: &str) {
        if let Some(near) = &self.shared.near {
            near.forget(key);
        }
    }

    async fn begin(mut self, fields: &[(&str, &str)]) -> PageWithCookie {
        let id = Id::draw().map_err(failed)?;
        commands::begin(&mut self.connection, &id.key(), fields).await.map_err(failed)?;
        Ok(self.with_cookie(&id))
    }

    fn with_cookie(&self, id: &Id) -> ([(HeaderName, String); 1], &'static str) {
        ([(SET_COOKIE, self.shared.signer.set_cookie(id))], "ok")
    }
}

/// The error comes from Redis, or from the system's random number generator.
fn failed<E>(_error: E) -> StatusCode {
    StatusCode::INTERNAL_SERVER_ERROR
}
