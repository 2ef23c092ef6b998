//! The session of a request, as the record of fields that tower-sessions keeps.
//!
//! tower-sessions reads the whole record at the first use and writes it at the end of the request.
//! Here, only the fields that differ are written, so requests at once lose nothing.

use std::sync::{Arc, Mutex as SyncMutex, MutexGuard, OnceLock, PoisonError};

use serde_json::Value;
use tokio::sync::Mutex;

use super::former::FormerSession;
use crate::error::Error;
use crate::request::handle::SessionHandle;
use crate::session::json_fields::{JsonChanges, JsonFields};

/// The session of a request, for all versions of tower-sessions.
pub(super) struct BridgedSession {
    /// Dormant, so that a request that ignores its session stays independent of the session.
    pub(super) handle: SessionHandle,
    pub(super) prefix: Arc<str>,
    /// The field with the user of axum-login. If it changes, the session gets a new id.
    pub(super) login_field: OnceLock<&'static str>,
    pub(super) former: Option<FormerSession>,
}

/// The session of a request, as a record of one version of tower-sessions.
pub(super) struct Bridge {
    session: Arc<BridgedSession>,
    record: Mutex<Record>,
    failure: SyncMutex<Option<Error>>,
    /// A counted handle, once a part of the response body may still use the session.
    kept: OnceLock<SessionHandle>,
}

#[derive(Default)]
struct Record {
    /// The fields that the store has, as far as known. `None` before the first read.
    stored: Option<JsonFields>,
    /// The fields before the session was ended. tower-sessions may still have them, and must not
    /// bring them back.
    ended: Option<JsonFields>,
    /// The next save gives the session a new id.
    renewal_due: bool,
}

/// The way in which tower-sessions saves a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Save {
    /// Under the id of the record.
    Present,
    /// Under a new id, after `cycle_id` or `flush`.
    New,
}

impl Bridge {
    pub(super) fn new(session: &Arc<BridgedSession>) -> Self {
        Self {
            session: Arc::clone(session),
            record: Mutex::default(),
            failure: SyncMutex::default(),
            kept: OnceLock::new(),
        }
    }

    /// Lets the response depend on the session, even if the request has not used the session yet.
    pub(super) fn keep(&self) {
        self.kept.get_or_init(|| self.session.handle.clone());
    }

    pub(super) async fn load(&self) -> Result<JsonFields, Error> {
        let mut record = self.record.lock().await;
        self.read(&mut record).await?;
        Ok(record.stored.clone().unwrap_or_default())
    }

    /// Writes the fields that differ from those in the store. After `cycle_id`, the session gets a
    /// new id in the same step.
    pub(super) async fn save(&self, fields: &JsonFields, save: Save) -> Result<(), Error> {
        let mut record = self.record.lock().await;
        self.write(&mut record, fields, save).await
    }

    /// Gives the session a new id at the next save.
    pub(super) async fn cycle_id(&self) {
        self.record.lock().await.renewal_due = true;
    }

    /// Ends the session at once.
    pub(super) async fn end(&self) -> Result<(), Error> {
        let mut record = self.record.lock().await;
        self.end_all(&mut record).await
    }

    /// Finishes a record that is empty and has no id. `flush` has ended the session, unless
    /// `cycle_id` has taken the id away before.
    pub(super) async fn finish_empty(&self) -> Result<(), Error> {
        let mut record = self.record.lock().await;
        if !record.renewal_due {
            return Ok(());
        }
        let was_flushed = record.stored.as_ref().is_some_and(|stored| !stored.is_empty());
        if was_flushed {
            self.end_all(&mut record).await
        } else {
            self.write(&mut record, &JsonFields::default(), Save::New).await
        }
    }

    /// Keeps an error for the response, because tower-sessions passes on only its text.
    pub(super) fn note_failure(&self, error: Error) {
        *self.failure() = Some(error);
    }

    /// Takes the latest error, and forgets it.
    pub(super) fn take_failure(&self) -> Option<Error> {
        self.failure().take()
    }

    async fn read(&self, record: &mut Record) -> Result<(), Error> {
        let mut fields = self.session.handle.load_json(&self.session.prefix).await?;
        if fields.is_empty()
            && let Some(former) = self.session.take_over().await?
        {
            fields = former;
        }
        record.stored = Some(fields);
        record.ended = None;
        Ok(())
    }

    async fn write(
        &self,
        record: &mut Record,
        fields: &JsonFields,
        save: Save,
    ) -> Result<(), Error> {
        if record.stored.is_none() {
            self.read(record).await?;
        }
        let ended = record.ended.as_ref().filter(|_| save == Save::Present);
        let before = ended.or(record.stored.as_ref());
        let nothing = JsonFields::default();
        let before = before.unwrap_or(&nothing);
        let changes = JsonChanges::between(&self.session.prefix, before, fields)?;
        if let Some(former) = self.session.former.as_ref().filter(|_| fields.is_empty()) {
            former.end().await?;
        }
        if record.renewal_due || self.session.is_login(before, fields) {
            self.session.handle.renew_json(&changes).await?;
        } else if !changes.is_empty() {
            self.session.handle.save_json(&changes).await?;
        }
        record.renewal_due = false;
        record.ended = (ended.is_some()).then(|| fields.clone());
        record.stored = Some(fields.clone());
        Ok(())
    }

    async fn end_all(&self, record: &mut Record) -> Result<(), Error> {
        if let Some(former) = &self.session.former {
            former.end().await?;
        }
        self.session.handle.end().await?;
        record.ended = record.stored.replace(JsonFields::default());
        record.renewal_due = false;
        Ok(())
    }

    fn failure(&self) -> MutexGuard<'_, Option<Error>> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl BridgedSession {
    /// Returns whether this is the session of the same request, under the same prefix.
    pub(super) fn is_same(&self, handle: &SessionHandle, prefix: &str) -> bool {
        self.handle.is_same(handle) && *self.prefix == *prefix
    }

    /// Returns whether a user has signed in. axum-login gives no new id to a session whose user
    /// changes.
    fn is_login(&self, before: &JsonFields, after: &JsonFields) -> bool {
        let Some(field) = self.login_field.get() else { return false };
        let is_user = |login: &&Value| !login["user_id"].is_null();
        let login = after.get(*field).filter(is_user);
        login.is_some() && login != before.get(*field)
    }

    /// Copies a former session into this session, which gets a new id, or into a new session.
    async fn take_over(&self) -> Result<Option<JsonFields>, Error> {
        let Some(former) = &self.former else { return Ok(None) };
        if self.handle.is_degraded() {
            return Ok(None);
        }
        let Some(fields) = former.load().await? else { return Ok(None) };
        let changes = JsonChanges::between(&self.prefix, &JsonFields::default(), &fields)?;
        match self.handle.renew_json(&changes).await {
            Ok(()) => {}
            // A later request of the user's own takes the session over.
            Err(error) if error.is_cross_site() => return Ok(None),
            Err(error) => return Err(error),
        }
        former.retire(&fields, self.handle.manager().now()).await;
        Ok(Some(fields))
    }
}
