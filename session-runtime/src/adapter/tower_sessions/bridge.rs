//! The session of a request, as a record that tower-sessions loads and saves.
//!
//! tower-sessions reads the whole record at the first use and writes it at the end of the request.
//! Here, only the fields that differ from the loaded copy are written, so requests at once lose
//! nothing.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex as SyncMutex, MutexGuard, OnceLock, PoisonError};

use serde_json::Value;
use tokio::sync::Mutex;

use crate::error::Error;
use crate::request::handle::SessionHandle;
use crate::session::json_fields::{JsonChanges, JsonFields};

/// The session of a request, for all versions of tower-sessions.
pub(super) struct BridgedSession {
    /// Dormant, so that a request that ignores its session stays independent of the session.
    pub(super) handle: SessionHandle,
    pub(super) prefix: Arc<str>,
    /// The fields with the users of axum-login. If one changes, the session gets a new id.
    login_fields: SyncMutex<Vec<&'static str>>,
}

/// The session of a request, as the record of one version of tower-sessions.
pub(super) struct Bridge {
    session: Arc<BridgedSession>,
    record: Mutex<Record>,
    failure: SyncMutex<Option<Error>>,
    /// A counted handle, once a part of the response body may still use the session.
    kept: OnceLock<SessionHandle>,
}

/// The id of a record of tower-sessions, which has nothing to do with the id of the session.
pub(super) type RecordId = i128;

/// More copies than dropped loads.
const MOST_COPIES: usize = 4;

#[derive(Default)]
struct Record {
    /// The fields of the latest loaded or saved records. tower-sessions may have any of them, if
    /// a load was dropped.
    copies: VecDeque<(RecordId, JsonFields)>,
    /// The record whose session `cycle_id` gives a new id, at the next save.
    cycled: Option<RecordId>,
    /// The session was ended, and no other has begun since.
    is_ended: bool,
}

/// The way in which tower-sessions saves a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Save {
    /// Under the id of the session.
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

    /// Reads the fields for a record with this new id.
    pub(super) async fn load(&self, id: RecordId) -> Result<JsonFields, Error> {
        let mut record = self.record.lock().await;
        let fields = self.session.load().await?;
        record.keep(id, fields.clone());
        Ok(fields)
    }

    /// Writes the fields that differ from the copy. After `cycle_id`, the session gets a new id in
    /// the same step.
    pub(super) async fn save(
        &self,
        id: RecordId,
        fields: &JsonFields,
        save: Save,
    ) -> Result<(), Error> {
        let mut record = self.record.lock().await;
        self.session.handle.check_not_degraded()?;
        let copy = self.copy(&record, id, save).await?;
        let changes = JsonChanges::between(&self.session.prefix, &copy, fields)?;
        let is_cycled = save == Save::New && record.cycled.is_some();
        if is_cycled && !copy.is_empty() && fields.is_empty() {
            // `flush` has removed the fields, and found no id to delete.
            self.session.handle.end().await?;
        } else if is_cycled || self.session.is_login(&copy, fields) {
            self.session.handle.renew_json(&changes).await?;
        } else if !changes.is_empty() {
            self.session.handle.save_json(&changes).await?;
        }
        (record.cycled, record.is_ended) = (None, false);
        record.keep(id, fields.clone());
        Ok(())
    }

    /// Gives the session a new id at the next save.
    pub(super) async fn cycle_id(&self, id: RecordId) {
        self.record.lock().await.cycled = Some(id);
    }

    /// Ends the session at once.
    pub(super) async fn end(&self) -> Result<(), Error> {
        let mut record = self.record.lock().await;
        self.session.handle.end().await?;
        (record.cycled, record.is_ended) = (None, true);
        Ok(())
    }

    /// Finishes a record that is empty and has no id. `flush` has ended the session, unless
    /// `cycle_id` has taken the id away before.
    pub(super) async fn finish_empty(&self) -> Result<(), Error> {
        let cycled = self.record.lock().await.cycled;
        match cycled {
            Some(id) => self.save(id, &JsonFields::default(), Save::New).await,
            None => Ok(()),
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

    /// Returns the fields that tower-sessions has read or saved last, to compare with. After an
    /// end, a new record is written whole.
    async fn copy(&self, record: &Record, id: RecordId, save: Save) -> Result<JsonFields, Error> {
        let id = match (save, record.cycled) {
            (Save::Present, _) => id,
            (Save::New, Some(cycled)) if !record.is_ended => cycled,
            (Save::New, _) => return Ok(JsonFields::default()),
        };
        match record.copies.iter().find(|(other, _)| *other == id) {
            Some((_, copy)) => Ok(copy.clone()),
            None => self.session.load().await,
        }
    }

    fn failure(&self) -> MutexGuard<'_, Option<Error>> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Record {
    fn keep(&mut self, id: RecordId, fields: JsonFields) {
        self.copies.retain(|(other, _)| *other != id);
        self.copies.push_front((id, fields));
        self.copies.truncate(MOST_COPIES);
    }
}

impl BridgedSession {
    pub(super) fn new(handle: &SessionHandle, prefix: &Arc<str>) -> Self {
        Self {
            handle: handle.dormant(),
            prefix: Arc::clone(prefix),
            login_fields: SyncMutex::default(),
        }
    }

    /// Returns whether this is the session of the same request, under the same prefix.
    pub(super) fn is_same(&self, handle: &SessionHandle, prefix: &str) -> bool {
        self.handle.is_same(handle) && *self.prefix == *prefix
    }

    /// Gives the session a new id whenever this field gets another user.
    pub(super) fn renew_with(&self, login_field: &'static str) {
        self.login_fields().push(login_field);
    }

    async fn load(&self) -> Result<JsonFields, Error> {
        self.handle.load_json(&self.prefix).await
    }

    /// Returns whether a user has signed in. axum-login gives no new id to a session whose user
    /// changes.
    fn is_login(&self, before: &JsonFields, after: &JsonFields) -> bool {
        let is_user = |login: &&Value| !login["user_id"].is_null();
        self.login_fields().iter().any(|field| {
            let login = after.get(*field).filter(is_user);
            login.is_some() && login != before.get(*field)
        })
    }

    fn login_fields(&self) -> MutexGuard<'_, Vec<&'static str>> {
        self.login_fields.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
