//! The bearer token of a request's session.

use super::handle::SessionHandle;
use crate::error::Error;
use crate::id::SessionId;

impl SessionHandle {
    /// Returns the token of the session, if there is a session. The session then travels as a
    /// token.
    pub(crate) async fn token(&self) -> Result<Option<String>, Error> {
        let tokens = self.manager().tokens()?;
        if self.live_id().is_none() && !self.exists().await? {
            return Ok(None);
        }
        let mut lifecycle = self.lifecycle();
        let Some(id) = lifecycle.live_session().map(|session| session.id) else { return Ok(None) };
        lifecycle.issue_token()?;
        Ok(Some(tokens.write(&id)))
    }

    fn live_id(&self) -> Option<SessionId> {
        self.accessed().live_session().map(|session| session.id)
    }
}
