//! The session of a request that another library's cookie names.

use super::handle::SessionHandle;
use crate::error::Error;
use crate::http::credentials::Credentials;

impl SessionHandle {
    /// Returns whether the request has no session and no session cookie, and a session would begin
    /// with a cookie. `is_foreign` finds the cookies of another library under the same name.
    pub(crate) fn is_without_session(&self, is_foreign: impl Fn(&[u8]) -> bool) -> bool {
        let lifecycle = self.lifecycle();
        if !lifecycle.begins_with_cookie() {
            return false;
        }
        if lifecycle.is_accessed() {
            return lifecycle.is_without_session();
        }
        match &*self.credentials() {
            Credentials::Cookies(cookies) => {
                cookies.values(self.manager().cookie_name()).all(is_foreign)
            }
            Credentials::Token(_) => false,
        }
    }

    /// Lets the request go on with a session that its cookies do not name, if the session is live.
    /// The response then has the cookie.
    pub(crate) fn adopt(&self, id: &str) {
        if let Ok(id) = id.parse() {
            self.accessed().adopt(self.manager().metadata(id));
        }
    }

    /// # Errors
    ///
    /// `is_unavailable` in a request that goes on without its session.
    pub(crate) fn check_not_degraded(&self) -> Result<(), Error> {
        self.lifecycle().check_not_degraded()
    }
}
