//! The health of an application's sessions.

use std::time::Duration;

use crate::error::Error;
use crate::session::sessions::Sessions;
use crate::store::{ConnectionState, NearCacheState};

/// The health of an application's sessions. Created by [`Sessions::health`].
///
/// # Examples
///
/// A readiness probe for axum:
///
/// ```
/// # #[cfg(feature = "axum")] {
/// use axum::http::StatusCode;
/// use session_runtime::Sessions;
///
/// async fn ready(sessions: Sessions) -> StatusCode {
///     match sessions.health().await.is_ready() {
///         true => StatusCode::OK,
///         false => StatusCode::SERVICE_UNAVAILABLE,
///     }
/// }
/// # let _: axum::routing::MethodRouter = axum::routing::get(ready); }
/// ```
#[derive(Debug)]
pub struct Health {
    problem: Option<Error>,
    connection_state: ConnectionState,
    last_sign_of_life: Option<Duration>,
    clock_difference: Option<Duration>,
    near_cache: Option<NearCacheState>,
}

impl Health {
    /// Returns whether the store answers and accepts writes, as [`Sessions::ping`] finds out. For
    /// readiness probes.
    pub fn is_ready(&self) -> bool {
        self.problem.is_none()
    }

    /// Returns the error of [`Sessions::ping`], if any. Log it, and do not send it to strangers.
    pub fn problem(&self) -> Option<&Error> {
        self.problem.as_ref()
    }

    pub(super) fn into_result(self) -> Result<(), Error> {
        self.problem.map_or(Ok(()), Err)
    }

    /// Returns the state of the connection after the check, as [`Sessions::connection_state`] does.
    pub fn connection_state(&self) -> ConnectionState {
        self.connection_state
    }

    /// Returns the time since the store last answered a check: this check, an earlier check, or
    /// [`Sessions::ping`]. `None` if the store has not answered yet.
    pub fn last_sign_of_life(&self) -> Option<Duration> {
        self.last_sign_of_life
    }

    /// Returns the difference between the store's clock and this machine's clock, in either
    /// direction. `None` if the store does not answer. A difference of two and a half minutes is
    /// too large: see [`Sessions::check`].
    pub fn clock_difference(&self) -> Option<Duration> {
        self.clock_difference
    }

    /// Returns the state of the [near cache](crate::SessionConfig::near_cache), if there is one.
    pub fn near_cache(&self) -> Option<NearCacheState> {
        self.near_cache
    }
}

impl Sessions {
    /// Checks the store as [`ping`](Self::ping) does, and returns all that a readiness probe or a
    /// status page shows. A store that is away is a result, and no error.
    ///
    /// Takes the round trips of `ping`, and no other.
    #[doc(alias = "readiness")]
    #[doc(alias = "liveness")]
    pub async fn health(&self) -> Health {
        let manager = self.manager();
        let (clock_difference, problem) = match manager.distance_to_store().await {
            Ok(distance) => {
                manager.clock_log().record(distance);
                (Some(distance), manager.store().takes_writes().await.err())
            }
            Err(error) => (None, Some(error)),
        };
        Health {
            problem: problem.map(Error::from),
            connection_state: self.connection_state(),
            last_sign_of_life: manager.last_sign_of_life(),
            clock_difference,
            near_cache: manager.near_rules().map(|_| manager.store().near_cache_state()),
        }
    }
}
