//! actix-session with its Redis store. A session is a JSON value, and each field is JSON in a
//! string.

use actix_session::config::{PersistentSession, TtlExtensionPolicy};
use actix_session::storage::RedisSessionStore;
use actix_session::{Session, SessionMiddleware};
use actix_web::cookie::Key;
use actix_web::{App, HttpServer, web};
use time::Duration;

use super::host::Listeners;
use super::{
    AGE, IDLE_SECONDS, NAME, Prolonged, SECRET, THEME, USER, five_line, large_text, new_count,
};
use crate::Failure;

pub(super) async fn serve(
    redis: &str,
    listeners: Listeners,
    prolonged: Prolonged,
) -> Result<(), Failure> {
    let store = RedisSessionStore::new(format!("redis://{redis}")).await?;
    listeners.announce()?;
    let pages = move || {
        let lifetime = PersistentSession::default();
        let lifetime = lifetime.session_ttl(Duration::seconds(IDLE_SECONDS.cast_signed()));
        let lifetime = lifetime.session_ttl_extension_policy(match prolonged {
            Prolonged::ByWrites => TtlExtensionPolicy::OnStateChanges,
            Prolonged::ByEveryRequest => TtlExtensionPolicy::OnEveryRequest,
        });
        let middleware = SessionMiddleware::builder(store.clone(), Key::from(SECRET))
            .cookie_name(super::COOKIE.to_owned())
            // By default, cookies are encrypted. The other contestants only sign cookies.
            .cookie_content_security(actix_session::config::CookieContentSecurity::Signed)
            .session_lifecycle(lifetime);
        actix_pages!(App::new())
            .route("/grow/{fields}/{bytes}", web::get().to(grow))
            .wrap(middleware.build())
    };
    let bare = || App::new().route("/ignored", web::get().to(super::ignored));
    let pages = HttpServer::new(pages).listen(listeners.pages)?.run();
    let bare = HttpServer::new(bare).listen(listeners.bare)?.run();
    tokio::try_join!(pages, bare)?;
    Ok(())
}

type Page = actix_web::Result<String>;

fn count(session: &Session) -> actix_web::Result<u64> {
    Ok(session.get("count")?.unwrap_or_default())
}

async fn seed_one(session: Session) -> Page {
    session.insert("count", 0)?;
    Ok("ok".to_owned())
}

async fn seed_five(session: Session) -> Page {
    session.insert("count", 0)?;
    session.insert("name", NAME)?;
    session.insert("vip", true)?;
    session.insert("age", AGE)?;
    session.insert("theme", THEME)?;
    Ok("ok".to_owned())
}

async fn seed_large(session: Session) -> Page {
    session.insert("count", 0)?;
    session.insert("blob", large_text())?;
    Ok("ok".to_owned())
}

async fn grow(session: Session, size: web::Path<(usize, usize)>) -> Page {
    let (fields, bytes) = size.into_inner();
    for field in 0..fields {
        session.insert(format!("field {field}"), "x".repeat(bytes))?;
    }
    Ok("ok".to_owned())
}

async fn read(session: Session) -> Page {
    Ok(count(&session)?.to_string())
}

async fn write(session: Session) -> Page {
    session.insert("count", new_count())?;
    Ok("ok".to_owned())
}

async fn counter(session: Session) -> Page {
    let before = count(&session)?;
    session.insert("count", before + 1)?;
    Ok(count(&session)?.to_string())
}

/// actix-session has no atomic increment. This is the code that users write.
async fn incr(session: Session) -> Page {
    let after = count(&session)? + 1;
    session.insert("count", after)?;
    Ok(after.to_string())
}

async fn five(session: Session) -> Page {
    let (name, vip): (Option<String>, Option<bool>) = (session.get("name")?, session.get("vip")?);
    let (age, theme): (Option<u32>, Option<String>) = (session.get("age")?, session.get("theme")?);
    let (name, theme) = (name.unwrap_or_default(), theme.unwrap_or_default());
    Ok(five_line(count(&session)?, &name, vip.unwrap_or_default(), age.unwrap_or_default(), &theme))
}

/// All reads use the data that was loaded before the handler.
async fn five_batched(session: Session) -> Page {
    five(session).await
}

async fn login(session: Session) -> Page {
    session.renew();
    session.insert("user", USER)?;
    Ok("ok".to_owned())
}
