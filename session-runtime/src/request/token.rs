//! The bearer token of a request's session.

use super::handle::SessionHandle;
use crate::error::Error;

impl SessionHandle {
    /// Returns the token of the session, if there is a session. The session then travels as a
    /// token.
    pub(crate) async fn token(&self) -> Result<Option<String>, Error> {
        let manager = self.manager();
        let tokens = manager.tokens()?;
        let mut issued = self.accessed().issue_token(manager.now())?;
        if issued.is_none() {
            self.exists().await?;
            issued = self.lifecycle().issue_token(manager.now())?;
        }
        Ok(issued.map(|id| tokens.write(&id)))
    }
}
