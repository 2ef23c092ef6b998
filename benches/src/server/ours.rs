//! The pages with session-runtime. All web frameworks use the same handlers.

use session_runtime::{Error, Lifetime, NearCache, Session, SessionConfig, Sessions};

use super::{AGE, NAME, SECRET, THEME, USER, five_line, large_text, new_count};
use crate::Failure;

#[derive(Session)]
#[session(cached)]
pub(crate) struct Visitor {
    count: u64,
    name: String,
    vip: bool,
    age: Option<u32>,
    theme: String,
    user: Option<String>,
    blob: String,
    /// Is written beside reads of other fields.
    #[session(cached = false)]
    seen: u64,
}

#[derive(Session)]
pub(crate) struct Account {
    #[session(index)]
    account: Option<u64>,
}

/// The near cache for the fields with `cached`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Near {
    On,
    Off,
}

pub(crate) async fn sessions(redis: &str, near: Near) -> Result<Sessions, Failure> {
    let config =
        SessionConfig::new().store(format!("redis://{redis}")).secret(str::from_utf8(SECRET)?);
    let config = match near {
        Near::On => config.near_cache(NearCache::new()),
        Near::Off => config,
    };
    Ok(Sessions::new(config).await?)
}

pub(crate) async fn seed_one(session: Session<Visitor>) -> Result<&'static str, Error> {
    session.set_count(0).await?;
    Ok("ok")
}

pub(crate) async fn seed_five(session: Session<Visitor>) -> Result<&'static str, Error> {
    let write =
        session.write().set(session.count(), 0).set(session.name(), NAME).set(session.vip(), true);
    write.set(session.age(), AGE).set(session.theme(), THEME).commit().await?;
    Ok("ok")
}

pub(crate) async fn seed_large(session: Session<Visitor>) -> Result<&'static str, Error> {
    session.write().set(session.count(), 0).set(session.blob(), large_text()).commit().await?;
    Ok("ok")
}

pub(crate) async fn read(session: Session<Visitor>) -> Result<String, Error> {
    Ok(session.count().await?.to_string())
}

pub(crate) async fn write(session: Session<Visitor>) -> Result<&'static str, Error> {
    session.set_count(new_count()).await?;
    Ok("ok")
}

pub(crate) async fn counter(session: Session<Visitor>) -> Result<String, Error> {
    let count = session.count().await?;
    session.set_count(count + 1).await?;
    Ok(session.count().await?.to_string())
}

pub(crate) async fn incr(session: Session<Visitor>) -> Result<String, Error> {
    Ok(session.count().incr(1).await?.to_string())
}

pub(crate) async fn read_and_write(session: Session<Visitor>) -> Result<String, Error> {
    let count = session.count().await?;
    session.set_seen(new_count()).await?;
    Ok(count.to_string())
}

pub(crate) async fn five(session: Session<Visitor>) -> Result<String, Error> {
    let (count, name) = (session.count().await?, session.name().await?);
    let (vip, age, theme) = (session.vip().await?, session.age().await?, session.theme().await?);
    Ok(five_line(count, &name, vip, age.unwrap_or_default(), &theme))
}

pub(crate) async fn five_batched(session: Session<Visitor>) -> Result<String, Error> {
    let fields = (session.count(), session.name(), session.vip(), session.age(), session.theme());
    let (count, name, vip, age, theme) = session.read(fields).await?;
    Ok(five_line(count, &name, vip, age.unwrap_or_default(), &theme))
}

pub(crate) async fn login(session: Session<Visitor>) -> Result<&'static str, Error> {
    session.write().set(session.user(), USER).rotate().commit().await?;
    Ok("ok")
}

pub(crate) async fn login_listed(session: Session<Account>) -> Result<&'static str, Error> {
    let login = session.write().set(session.account(), new_count()).keep_only(());
    login.renew(Lifetime::normal()).commit().await?;
    Ok("ok")
}
