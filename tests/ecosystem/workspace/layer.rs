//! Stands in for the layers of tower-sessions and axum-login, with the names and settings of both.
//! The tests of these crates import this library in place of theirs.

use std::marker::PhantomData;
use std::sync::{Arc, OnceLock};

#[cfg(feature = "axum-login")]
use session_runtime::adapter::tower_sessions::AuthLayer;
use session_runtime::adapter::tower_sessions::TowerSessionsLayer;
use session_runtime::{Lifetime, MemoryStore, SameSite, SessionConfig, Sessions};
use tower_cookies::{Key, cookie};
use tower_layer::Layer;
use tower_sessions::Expiry;

/// The settings of a layer of tower-sessions. The store is ignored: the sessions are in a
/// `MemoryStore` of this project.
#[derive(Clone)]
pub struct SessionManagerLayer<Store> {
    config: SessionConfig,
    sessions: Arc<OnceLock<Sessions>>,
    store: PhantomData<fn() -> Store>,
}

impl<Store> SessionManagerLayer<Store> {
    pub fn new(_: Store) -> Self {
        let config = SessionConfig::new()
            .secret("hex:8f1d0f3c6b2a4e5d9c7b8a69584736251413f2e1d0cfbead9c8b7a6958473625")
            .cookie_name("id")
            .cookie_same_site(SameSite::Strict);
        Self { config, sessions: Arc::default(), store: PhantomData }
    }

    pub fn with_name(self, name: &str) -> Self {
        self.with(|config| config.cookie_name(name))
    }

    pub fn with_http_only(self, http_only: bool) -> Self {
        self.with(|config| config.cookie_http_only(http_only))
    }

    pub fn with_same_site(self, same_site: cookie::SameSite) -> Self {
        let same_site = match same_site {
            cookie::SameSite::Strict => SameSite::Strict,
            cookie::SameSite::Lax => SameSite::Lax,
            cookie::SameSite::None => SameSite::None,
        };
        self.with(|config| config.cookie_same_site(same_site))
    }

    pub fn with_secure(self, secure: bool) -> Self {
        self.with(|config| config.cookie_secure(secure))
    }

    pub fn with_path(self, path: &str) -> Self {
        self.with(|config| config.cookie_path(path))
    }

    pub fn with_domain(self, domain: impl Into<String>) -> Self {
        self.with(|config| config.cookie_domain(domain))
    }

    pub fn with_expiry(self, expiry: Expiry) -> Self {
        let lifetime = Lifetime::normal();
        let lifetime = match expiry {
            Expiry::OnSessionEnd => lifetime,
            Expiry::OnInactivity(idle) => lifetime.idle(idle.unsigned_abs()).persistent(true),
            Expiry::AtDateTime(at) => {
                let left = at - time::OffsetDateTime::now_utc();
                lifetime.max(left.unsigned_abs()).idle(left.unsigned_abs()).persistent(true)
            }
        };
        self.with(|config| config.lifetime(lifetime))
    }

    /// Not needed here: a read postpones the expiry.
    pub fn with_always_save(self, _: bool) -> Self {
        self
    }

    /// Every cookie is signed here. The key becomes the secret.
    pub fn with_signed(self, key: Key) -> Self {
        let hex: String = key.signing().iter().map(|byte| format!("{byte:02x}")).collect();
        self.with(|config| config.secret(format!("hex:{hex}")))
    }

    /// A cookie has nothing to hide here. The key becomes the secret.
    pub fn with_private(self, key: Key) -> Self {
        self.with_signed(key)
    }

    fn with(self, change: impl FnOnce(SessionConfig) -> SessionConfig) -> Self {
        Self { config: change(self.config), sessions: Arc::default(), store: PhantomData }
    }

    fn sessions(&self) -> &Sessions {
        let begin = || Sessions::with_store(self.config.clone(), MemoryStore::new());
        self.sessions.get_or_init(|| begin().expect("the settings of a test are valid"))
    }
}

impl<Store, S> Layer<S> for SessionManagerLayer<Store>
where
    TowerSessionsLayer: Layer<S>,
{
    type Service = <TowerSessionsLayer as Layer<S>>::Service;

    fn layer(&self, inner: S) -> Self::Service {
        self.sessions().tower_sessions_layer().layer(inner)
    }
}

/// The layer of axum-login.
#[cfg(feature = "axum-login")]
pub struct AuthManagerLayerBuilder<Backend: axum_login::AuthnBackend>(AuthLayer<Backend>);

#[cfg(feature = "axum-login")]
impl<Backend: axum_login::AuthnBackend> AuthManagerLayerBuilder<Backend> {
    pub fn new<Store>(backend: Backend, sessions: SessionManagerLayer<Store>) -> Self {
        Self(sessions.sessions().auth_layer(backend))
    }

    pub fn build(self) -> AuthLayer<Backend> {
        self.0
    }
}
