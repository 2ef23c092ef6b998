//! ruts. A session is a hash, and each field has an expiry.

use std::sync::Arc;

use axum::Router;
use axum::http::StatusCode;
use fred::clients::Client;
use ruts::store::redis::RedisStore;
use ruts::store::{SessionMap, Ttl};
use ruts::{CookieOptions, Key, Session, SessionLayer};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tower_cookies::CookieManagerLayer;

use super::{AGE, IDLE_SECONDS, NAME, SECRET, THEME, USER, five_line, large_text, new_count};
use crate::Failure;

pub(crate) async fn pages(redis: &str) -> Result<Router, Failure> {
    let client = super::fred_client::connect(redis).await?;
    let store = RedisStore::new(Arc::new(client)).await?;
    let cookie = CookieOptions::build()
        .name(super::COOKIE)
        .secure(true)
        .http_only(true)
        .path("/")
        .max_age(IDLE_SECONDS)
        .signing_key(Key::from(SECRET));
    let layer = SessionLayer::new(Arc::new(store)).with_cookie_options(cookie);
    let pages = axum_pages!().route("/grow/{fields}/{bytes}", axum::routing::get(grow));
    Ok(pages.layer(layer).layer(CookieManagerLayer::new()))
}

type Visit = Session<RedisStore<Client>>;
type Page = Result<String, StatusCode>;

fn failed<E>(_error: E) -> StatusCode {
    StatusCode::INTERNAL_SERVER_ERROR
}

async fn get<T: DeserializeOwned + Default + Send + Sync>(
    session: &Visit,
    field: &str,
) -> Result<T, StatusCode> {
    Ok(session.get(field).await.map_err(failed)?.unwrap_or_default())
}

async fn set<T: Serialize + Send + Sync>(
    session: &Visit,
    field: &str,
    value: &T,
) -> Result<(), StatusCode> {
    let ttl = Ttl::new(IDLE_SECONDS.cast_signed()).map_err(failed)?;
    session.set(field, value, ttl, None).await.map_err(failed)
}

async fn seed_one(session: Visit) -> Page {
    set(&session, "count", &0_u64).await?;
    Ok("ok".to_owned())
}

async fn seed_five(session: Visit) -> Page {
    set(&session, "count", &0_u64).await?;
    set(&session, "name", &NAME).await?;
    set(&session, "vip", &true).await?;
    set(&session, "age", &AGE).await?;
    set(&session, "theme", &THEME).await?;
    Ok("ok".to_owned())
}

async fn seed_large(session: Visit) -> Page {
    set(&session, "count", &0_u64).await?;
    set(&session, "blob", &large_text()).await?;
    Ok("ok".to_owned())
}

async fn grow(
    session: Visit,
    axum::extract::Path(size): axum::extract::Path<(usize, usize)>,
) -> Page {
    let (fields, bytes) = size;
    for field in 0..fields {
        set(&session, &format!("field {field}"), &"x".repeat(bytes)).await?;
    }
    Ok("ok".to_owned())
}

async fn read(session: Visit) -> Page {
    let count: u64 = get(&session, "count").await?;
    Ok(count.to_string())
}

async fn write(session: Visit) -> Page {
    set(&session, "count", &new_count()).await?;
    Ok("ok".to_owned())
}

async fn counter(session: Visit) -> Page {
    let before: u64 = get(&session, "count").await?;
    set(&session, "count", &(before + 1)).await?;
    let after: u64 = get(&session, "count").await?;
    Ok(after.to_string())
}

/// ruts has no increment. This is the code that users write.
async fn incr(session: Visit) -> Page {
    let before: u64 = get(&session, "count").await?;
    set(&session, "count", &(before + 1)).await?;
    Ok((before + 1).to_string())
}

async fn five(session: Visit) -> Page {
    let (count, name): (_, String) = (get(&session, "count").await?, get(&session, "name").await?);
    let (vip, age) = (get(&session, "vip").await?, get(&session, "age").await?);
    let theme: String = get(&session, "theme").await?;
    Ok(five_line(count, &name, vip, age, &theme))
}

/// The only read of several fields reads all fields.
async fn five_batched(session: Visit) -> Page {
    let all = session.get_all().await.map_err(failed)?.ok_or(StatusCode::INTERNAL_SERVER_ERROR)?;
    let (name, theme): (String, String) = (field(&all, "name")?, field(&all, "theme")?);
    Ok(five_line(field(&all, "count")?, &name, field(&all, "vip")?, field(&all, "age")?, &theme))
}

fn field<T: DeserializeOwned + Default>(all: &SessionMap, name: &str) -> Result<T, StatusCode> {
    Ok(all.get(name).map_err(failed)?.unwrap_or_default())
}

/// The next write sends the new id to the store.
async fn login(session: Visit) -> Page {
    session.prepare_regenerate();
    set(&session, "user", &USER).await?;
    Ok("ok".to_owned())
}
