//! The session of a request that another library's cookie names.

use std::future::Future;
use std::time::Instant;

use super::handle::SessionHandle;
use crate::background::timeout_at;
use crate::error::Error;

impl SessionHandle {
    /// Returns whether the request's cookies count, and a session would begin with a cookie.
    pub(crate) fn begins_with_cookie(&self) -> bool {
        self.lifecycle().begins_with_cookie()
    }

    /// Lets the request go on with a session that its cookies do not name, if the session is live.
    /// The response then has the cookie. Returns `false` if the request may not do so.
    pub(crate) async fn adopt(&self, id: &str) -> Result<bool, Error> {
        let Ok(id) = id.parse() else { return Ok(true) };
        if self.exists().await? {
            return Ok(true);
        }
        if !self.accessed().adopt(self.manager().metadata(id)) {
            return Ok(false);
        }
        self.exists().await?;
        Ok(true)
    }

    /// Gives another store the deadline of our own. `None` means that it has passed.
    pub(crate) async fn in_time<T>(&self, operation: impl Future<Output = T>) -> Option<T> {
        let (until, mut done) = (Instant::now() + self.manager().timeout(), None);
        timeout_at(until, async { done = Some(operation.await) }).await;
        done
    }

    /// # Errors
    ///
    /// `is_unavailable` in a request that goes on without its session.
    pub(crate) fn check_not_degraded(&self) -> Result<(), Error> {
        self.lifecycle().check_not_degraded()
    }
}
