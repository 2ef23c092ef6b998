//! tower-sessions with its Redis store. A session is a single value, which is read and written as a
//! whole.

use axum::Router;
use axum::http::StatusCode;
use fred::clients::Client;
use time::Duration;
use tower_sessions::cookie::Key;
use tower_sessions::session::Error;
use tower_sessions::{Expiry, Session, SessionManagerLayer};
use tower_sessions_redis_store::RedisStore;

use super::{
    AGE, IDLE_SECONDS, NAME, Prolonged, SECRET, THEME, USER, five_line, large_text, new_count,
};
use crate::Failure;

pub(super) async fn pages(redis: &str, prolonged: Prolonged) -> Result<Router, Failure> {
    let store: RedisStore<Client> = RedisStore::new(super::fred_client::connect(redis).await?);
    let layer = SessionManagerLayer::new(store)
        .with_name(super::COOKIE)
        .with_expiry(Expiry::OnInactivity(Duration::seconds(IDLE_SECONDS.cast_signed())))
        .with_always_save(prolonged == Prolonged::ByEveryRequest)
        .with_signed(Key::from(SECRET));
    Ok(axum_pages!().route("/grow/{fields}/{bytes}", axum::routing::get(grow)).layer(layer))
}

type Page = Result<String, StatusCode>;

fn failed(_error: Error) -> StatusCode {
    StatusCode::INTERNAL_SERVER_ERROR
}

async fn count(session: &Session) -> Result<u64, StatusCode> {
    Ok(session.get("count").await.map_err(failed)?.unwrap_or_default())
}

async fn set_count(session: &Session, count: u64) -> Result<(), StatusCode> {
    session.insert("count", count).await.map_err(failed)
}

async fn seed_one(session: Session) -> Page {
    set_count(&session, 0).await?;
    Ok("ok".to_owned())
}

async fn seed_five(session: Session) -> Page {
    set_count(&session, 0).await?;
    session.insert("name", NAME).await.map_err(failed)?;
    session.insert("vip", true).await.map_err(failed)?;
    session.insert("age", AGE).await.map_err(failed)?;
    session.insert("theme", THEME).await.map_err(failed)?;
    Ok("ok".to_owned())
}

async fn seed_large(session: Session) -> Page {
    set_count(&session, 0).await?;
    session.insert("blob", large_text()).await.map_err(failed)?;
    Ok("ok".to_owned())
}

async fn grow(
    session: Session,
    axum::extract::Path(size): axum::extract::Path<(usize, usize)>,
) -> Page {
    let (fields, bytes) = size;
    for field in 0..fields {
        session.insert(&format!("field {field}"), "x".repeat(bytes)).await.map_err(failed)?;
    }
    Ok("ok".to_owned())
}

async fn read(session: Session) -> Page {
    Ok(count(&session).await?.to_string())
}

async fn write(session: Session) -> Page {
    set_count(&session, new_count()).await?;
    Ok("ok".to_owned())
}

async fn counter(session: Session) -> Page {
    let before = count(&session).await?;
    set_count(&session, before + 1).await?;
    Ok(count(&session).await?.to_string())
}

/// tower-sessions has no increment. This is the code that users write.
async fn incr(session: Session) -> Page {
    let after = count(&session).await? + 1;
    set_count(&session, after).await?;
    Ok(after.to_string())
}

async fn five(session: Session) -> Page {
    let name: Option<String> = session.get("name").await.map_err(failed)?;
    let vip: Option<bool> = session.get("vip").await.map_err(failed)?;
    let age: Option<u32> = session.get("age").await.map_err(failed)?;
    let theme: Option<String> = session.get("theme").await.map_err(failed)?;
    let (name, theme) = (name.unwrap_or_default(), theme.unwrap_or_default());
    Ok(five_line(
        count(&session).await?,
        &name,
        vip.unwrap_or_default(),
        age.unwrap_or_default(),
        &theme,
    ))
}

/// All reads use the data that the first read loaded.
async fn five_batched(session: Session) -> Page {
    five(session).await
}

async fn login(session: Session) -> Page {
    session.cycle_id().await.map_err(failed)?;
    session.insert("user", USER).await.map_err(failed)?;
    Ok("ok".to_owned())
}
