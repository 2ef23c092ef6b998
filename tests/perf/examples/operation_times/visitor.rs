//! The measured session, and a visitor with such a session.

use serde::{Deserialize, Serialize};
use session_runtime::{Session, SessionConfig, Sessions};

/// Default name of the cookie.
pub(crate) const COOKIE: &str = "__Host-session-id";

#[derive(Session)]
pub(crate) struct Visitor {
    pub(crate) count: u64,
    #[session(json)]
    pub(crate) properties: Properties,
}

#[derive(Clone, Default, Deserialize, Serialize)]
pub(crate) struct Properties {
    theme: String,
    languages: Vec<String>,
    visited: Vec<u32>,
}

impl Properties {
    /// A few hundred bytes of JSON.
    pub(crate) fn sample() -> Self {
        let languages = ["English", "Deutsch", "Français"].map(str::to_owned).into();
        Self { theme: "dark".to_owned(), languages, visited: vec![17, 4, 1989, 65_536] }
    }
}

/// Returns a configuration with a new secret for each run.
pub(crate) fn config(store: &str) -> SessionConfig {
    SessionConfig::new()
        .store(store)
        .secret("hex:5b0f7c3e9a4d28e16f83b5c20d97ea41c86f1b3d70e5a294fb6218c0d3479ea6")
}

/// A live session.
pub(crate) struct Visit {
    pub(crate) sessions: Sessions,
    /// Value of the session cookie.
    pub(crate) signed: String,
}

impl Visit {
    /// Creates a session on this store.
    pub(crate) async fn begin(store: &str) -> Self {
        let sessions = Sessions::new(config(store)).await.unwrap();
        let handle = sessions.open([]);
        let session: Session<Visitor> = handle.session();
        session.set_count(12_345).await.unwrap();
        session.set_properties(Properties::sample()).await.unwrap();
        let headers = handle.finish();
        let set_cookie = headers.set_cookie().unwrap();
        let (cookie, _attributes) = set_cookie.split_once(';').unwrap();
        let (name, signed) = cookie.split_once('=').unwrap();
        assert_eq!(name, COOKIE);
        Self { signed: signed.to_owned(), sessions }
    }

    /// Returns the `Cookie` header of a browser that has another cookie too.
    pub(crate) fn header(&self) -> Vec<u8> {
        header(&self.signed)
    }

    /// Returns the session in a request that has already read it.
    pub(crate) async fn live(&self) -> Session<Visitor> {
        let session = self.sessions.open([&self.header()[..]]).session::<Visitor>();
        assert_eq!(session.count().await.unwrap(), 12_345);
        session
    }
}

pub(crate) fn header(signed: &str) -> Vec<u8> {
    format!("theme=dark; {COOKIE}={signed}").into_bytes()
}

/// Handles a request that reads the session once. Returns the number.
pub(crate) async fn read_once(
    sessions: &Sessions,
    headers: impl IntoIterator<Item = &[u8]>,
) -> u64 {
    let handle = sessions.open(headers);
    let session: Session<Visitor> = handle.session();
    let count = session.count().await.unwrap();
    let _ = handle.finish();
    count
}
