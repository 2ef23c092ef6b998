//! The layer of axum-login.

use axum_login::{AuthManager, AuthnBackend};
use tower_layer::Layer;

use super::{TowerSessionsLayer, TowerSessionsService};
use crate::adapter::tower::SessionService;
use crate::session::sessions::Sessions;

/// The key of axum-login's default.
const DATA_KEY: &str = "axum-login.data";

/// The layer of axum-login on these sessions. Created by [`Sessions::auth_layer`].
///
/// The login of another user always gives the session a new id, as a defence against session
/// fixation ([OWASP Session Management]). axum-login alone keeps the id if a user signs in while
/// another is signed in.
///
/// [OWASP Session Management]: https://cheatsheetseries.owasp.org/cheatsheets/Session_Management_Cheat_Sheet.html#renew-the-session-id-after-any-privilege-level-change
#[derive(Clone, Debug)]
pub struct AuthLayer<Backend: AuthnBackend> {
    sessions: TowerSessionsLayer,
    backend: Backend,
    data_key: &'static str,
}

impl Sessions {
    /// Creates the layer of axum-login, in place of its `AuthManagerLayerBuilder`. For the options
    /// of the sessions, call [`TowerSessionsLayer::auth`].
    pub fn auth_layer<Backend: AuthnBackend>(&self, backend: Backend) -> AuthLayer<Backend> {
        self.tower_sessions_layer().auth(backend)
    }
}

impl TowerSessionsLayer {
    /// Adds the layer of axum-login.
    pub fn auth<Backend: AuthnBackend>(self, backend: Backend) -> AuthLayer<Backend> {
        AuthLayer { sessions: self, backend, data_key: DATA_KEY }
    }
}

impl<Backend: AuthnBackend> AuthLayer<Backend> {
    /// Sets the key of the user in the session. The default is `axum-login.data`, as in axum-login.
    pub fn with_data_key(self, data_key: &'static str) -> Self {
        Self { data_key, ..self }
    }
}

impl<S, Backend: AuthnBackend> Layer<S> for AuthLayer<Backend> {
    type Service = SessionService<TowerSessionsService<AuthManager<S, Backend>>>;

    fn layer(&self, inner: S) -> Self::Service {
        let mut sessions = self.sessions.clone();
        sessions.settings.login_field = Some(self.data_key);
        sessions.layer(AuthManager::new(inner, self.backend.clone(), self.data_key))
    }
}
