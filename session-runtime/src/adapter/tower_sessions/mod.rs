//! The `Session` of tower-sessions on these sessions, for axum-login and other crates that need it.
//!
//! Put [`Sessions::tower_sessions_layer`] around your routes in place of `SessionManagerLayer`.
//! Handlers and crates then find a `tower_sessions::Session` in the request, and your own handlers
//! may take a typed [`Session`](struct@crate::Session) as well. Both are the same session.
//!
//! The features `tower-sessions-0_14` and `tower-sessions-0_15` choose the version. With both, each
//! request has both.
//!
//! | crate | version | needs tower-sessions | feature |
//! | --- | --- | --- | --- |
//! | axum-login | 0.18 | 0.14 | `axum-login-0_18` |
//! | axum-messages | 0.8 | 0.14 | `tower-sessions-0_14` |
//!
//! [The guide] has the differences, and the way to typed fields.
//!
//! # Fields
//!
//! A value under the key `user` is the field `ts.user`, as JSON. In a schema, the same field has
//! the attribute `#[session(rename = "ts.user", json)]`. Do not index or encrypt such a field,
//! because tower-sessions knows nothing of this.
//!
//! - **The first use** of the session in a request reads all its fields in one round trip. Later
//!   uses read this copy. A request that ignores its session costs no round trip.
//! - **The end of the request** writes the fields that have changed, in one round trip. Before
//!   that, only `save` does so. Changes of a typed field show after `load`, which drops changes
//!   that are not saved.
//! - **`cycle_id`** gives the session a new id and starts its lifetime again, in the same step as
//!   the write at the end of the request. If the program crashes before, the session is as before.
//! - **`flush`** and `delete` end the session at once, with all its fields. After `cycle_id` in the
//!   same request, tower-sessions does not tell `flush` from `clear`. The session then ends at the
//!   end of the request, if it had fields of tower-sessions and has none.
//! - **`set_expiry`** is refused when the session is saved, because
//!   [`lifetime`](crate::SessionConfig::lifetime) decides on the expiry.
//! - **`id`** is not the id of the session. Each request has another. There also is an id if there
//!   is no session.
//! - **A key** shows in errors and logs, as the name of a field. So no key may contain a secret.
#![cfg_attr(feature = "derive", doc = "\n\n[the guide]: crate::guide::tower_sessions\n")]
#![cfg_attr(not(feature = "derive"), doc = "\n\n[the guide]: crate#features\n")]

#[cfg(feature = "axum-login-0_18")]
mod auth;
mod bridge;
mod former;
mod service;
mod settings;
mod view;

#[cfg(feature = "axum-login-0_18")]
pub use auth::AuthLayer;
pub use former::FormerStore;
pub use service::TowerSessionsService;

use std::time::SystemTime;

use tower_layer::Layer;

use self::former::FormerSessions;
use self::settings::Settings;
use super::tower::{SessionLayer, SessionService};
use crate::error::{Error, Kind};
use crate::session::sessions::Sessions;

const PREFIX: &str = "ts.";

/// The layer that adds the `Session` of tower-sessions to each request. Created by
/// [`Sessions::tower_sessions_layer`].
///
/// The layer also does the work of [`Sessions::layer`]. If that layer is outside, with options such
/// as `same_origin`, these options count. The [module](self) says how the sessions behave.
#[derive(Clone, Debug)]
pub struct TowerSessionsLayer {
    sessions: SessionLayer,
    settings: Settings,
}

impl Sessions {
    /// Creates the layer that adds the `Session` of tower-sessions to each request, as another view
    /// of the session. See [`adapter::tower_sessions`](crate::adapter::tower_sessions).
    pub fn tower_sessions_layer(&self) -> TowerSessionsLayer {
        let settings = Settings { prefix: PREFIX.into(), login_field: None, former: None };
        TowerSessionsLayer { sessions: self.layer(), settings }
    }
}

impl TowerSessionsLayer {
    /// Sets the prefix of the fields of tower-sessions. The default is `ts.`.
    ///
    /// # Errors
    ///
    /// Fails with [`Error::is_config`] if the prefix is empty. All fields of a schema would have to
    /// be JSON then.
    pub fn prefix(mut self, prefix: &str) -> Result<Self, Error> {
        if prefix.is_empty() {
            return Err(Error::new(Kind::EmptyPrefix));
        }
        self.settings.prefix = prefix.into();
        Ok(self)
    }

    /// Takes over the sessions that tower-sessions itself has kept in this store, until a deadline.
    /// `cookie_name` is the name of their cookie, `id` by default.
    ///
    /// Use this to move an application without signing its users out. A request with such a cookie
    /// takes the former session over, before your handler. Its values become fields of a new
    /// session, or of the request's session, under a new id. A session that has such fields already
    /// counts more. The former record then points to the session for a minute. So a request at the
    /// same time and a request after a lost response find the same session. Requests at the same
    /// instant may begin a session each, and the browser keeps the last.
    ///
    /// The price:
    ///
    /// - Until the deadline, an unsigned cookie is enough. An attacker who plants such a cookie
    ///   signs the user in to the attacker's account, as with tower-sessions.
    /// - Each such request asks the former store, also if the handler ignores the session. If the
    ///   store does not answer within the [`timeout`](crate::SessionConfig::timeout), the response
    ///   is a 503, so that no user is signed out.
    /// - Sessions that have not moved yet are not found by an index, and not ended with others.
    ///
    /// Cookies that tower-sessions has signed or encrypted are not accepted. Beside a bearer token,
    /// and behind `bearer`, nothing is taken over. The response removes the former cookie with the
    /// path `/` and no domain. With other attributes, the cookie stays until it expires.
    ///
    /// Put options such as `allow_cross_site` and `allow_degraded` outside of this layer, because
    /// those of inner layers come too late for the take-over. Of several such layers in a request,
    /// the outermost counts.
    pub fn accept_unsigned_cookies<V: 'static>(
        mut self,
        cookie_name: &str,
        store: impl FormerStore<V>,
        until: SystemTime,
    ) -> Self {
        self.settings.former = Some(FormerSessions::new(cookie_name, store, until));
        self
    }
}

impl<S> Layer<S> for TowerSessionsLayer {
    type Service = SessionService<TowerSessionsService<S>>;

    fn layer(&self, inner: S) -> Self::Service {
        self.sessions.layer(TowerSessionsService::new(inner, self.settings.clone()))
    }
}
