//! The tokens of forms on pages of a request's session.

use super::handle::SessionHandle;
use super::report::record_nothing;
use crate::error::{Error, Kind};
use crate::http::form_token::NONCE_LEN;
use crate::id::SessionId;
use crate::lifecycle::{FormStep, PlannedRead};
use crate::random::fill_random;

impl SessionHandle {
    /// Returns a new token for a form of this session, and creates the session if there is none.
    pub(crate) async fn form_token(&self) -> Result<String, Error> {
        let keys = self.manager().form_token_keys()?;
        let mut nonce = [0; NONCE_LEN];
        fill_random(&mut nonce)?;
        Ok(keys.make(&nonce, &self.session_of_new_form().await?))
    }

    /// # Errors
    ///
    /// `is_invalid_form_token` if the token was not made for the request's session.
    pub(crate) async fn check_form_token(&self, sent: &str) -> Result<(), Error> {
        let keys = self.manager().form_token_keys()?;
        let session = self.session_of_sent_form().await?;
        let is_valid = session.is_some_and(|id| keys.verify(sent.as_bytes(), &id));
        if is_valid { Ok(()) } else { Err(Error::new(Kind::InvalidFormToken)) }
    }

    async fn session_of_new_form(&self) -> Result<SessionId, Error> {
        loop {
            let step = self.accessed().plan_new_form(self.manager().now())?;
            match step {
                FormStep::Known(id) => return Ok(id),
                FormStep::Look(read) => self.look_for_form(&read).await?,
                FormStep::Nothing => break,
            }
        }
        self.create().await?;
        // Another operation of this request may have ended the session since.
        self.id().ok_or_else(|| Error::new(Kind::Gone))
    }

    async fn session_of_sent_form(&self) -> Result<Option<SessionId>, Error> {
        loop {
            let step = self.accessed().plan_sent_form(self.manager().now())?;
            match step {
                FormStep::Known(id) => return Ok(Some(id)),
                FormStep::Look(read) => self.look_for_form(&read).await?,
                FormStep::Nothing => return Ok(None),
            }
        }
    }

    /// Asks the store for a session, as the first read of a request does.
    async fn look_for_form(&self, read: &PlannedRead) -> Result<(), Error> {
        let reply = self.look(read).await?;
        let (resolves_pending, refreshes) = (read.resolves_pending, read.refresh.is_some());
        let progress =
            self.report(&read.session, resolves_pending, refreshes, reply, record_nothing);
        self.read_tombstone(progress.continue_value().flatten()).await
    }
}
