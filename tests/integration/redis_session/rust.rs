//! The Rust program beside the Python program.

use axum::Router;
use axum::routing::{get, post};
use session_runtime::redis_session::{CookieFormat, FlaskCookie, TornadoCookie};
use session_runtime::{Error, Session, SessionConfig, SessionId, Sessions};
use session_tests::python;

pub(crate) const SECRET: &str =
    "hex:9f2c7e15b04d8a6331e7c9580fbd42a67c1e90d35a8b4f26e10d7b93c5f8a264";

#[derive(Session)]
pub(crate) struct Visitor {
    pub(crate) count: u64,
}

pub(crate) fn tornado() -> CookieFormat {
    CookieFormat::Tornado(TornadoCookie::new(python::SECRET))
}

pub(crate) fn flask() -> CookieFormat {
    CookieFormat::Flask(FlaskCookie::new(python::SECRET))
}

/// Returns a configuration for this server, with these formats and plain HTTP.
pub(crate) fn config(url: &str, formats: impl IntoIterator<Item = CookieFormat>) -> SessionConfig {
    SessionConfig::new().store(url).secret(SECRET).cookie_secure(false).cookie_formats(formats)
}

/// Serves `GET /count`, `POST /incr`, `POST /remove`, `GET /id`, `GET /expires-in`, `POST /rotate`
/// and `POST /destroy`, and returns the base URL.
pub(crate) async fn serve(config: SessionConfig) -> String {
    let sessions = Sessions::new(config).await.unwrap();
    let app = Router::new()
        .route("/count", get(async |session: Session<Visitor>| text(session.count().await)))
        .route("/incr", post(async |session: Session<Visitor>| text(session.count().incr(1).await)))
        .route("/id", get(id))
        .route("/expires-in", get(expires_in))
        .route("/remove", post(remove))
        .route("/rotate", post(async |session: Session<Visitor>| session.rotate().await))
        .route("/destroy", post(async |session: Session<Visitor>| session.destroy().await))
        .layer(sessions.layer());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async { axum::serve(listener, app).await.unwrap() });
    base
}

fn text(number: Result<u64, Error>) -> Result<String, Error> {
    number.map(|number| number.to_string())
}

/// Returns Python ids as Python knows them, and native ids without braces.
async fn id(session: Session<Visitor>) -> Result<String, Error> {
    session.exists().await?;
    Ok(session.session_id().map(|id| id_alone(&id)).unwrap_or_default())
}

/// Returns the id without the creation time that goes along with a Python id.
pub(crate) fn id_alone(id: &SessionId) -> String {
    id.expose_secret().split('.').take(1).collect()
}

/// Returns the time left in seconds.
async fn expires_in(session: Session<Visitor>) -> Result<String, Error> {
    Ok(session.expires_in().await?.unwrap_or_default().as_secs().to_string())
}

async fn remove(session: Session<Visitor>) -> Result<String, Error> {
    Ok(session.count().remove().await?.to_string())
}
