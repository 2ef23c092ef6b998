//! The sessions of a user: found by an indexed field, listed and ended.

mod all;
mod by_tag;
mod checkpoint;
mod entry;
#[cfg(feature = "encryption")]
mod reencrypt;
mod reindex;
mod search;
mod searches;
mod walk;

use std::fmt;
use std::sync::Arc;

pub use self::all::AllSessions;
#[cfg(feature = "cli")]
pub(crate) use self::by_tag::TagSearch;
pub(crate) use self::by_tag::by_tag;
pub use self::checkpoint::{Checkpoint, Surplus};
pub use self::entry::{LastUsed, SessionEntry};
#[cfg(feature = "encryption")]
pub use self::reencrypt::{Reencrypted, Reencryption};
pub(crate) use self::reindex::reindex;
pub(crate) use self::search::make_room;
use self::searches::Searches;

use crate::error::Error;
use crate::id::SessionId;
use crate::operation::Operation;
use crate::request::manager::Manager;
use crate::session::Session;
use crate::session::index_query::IndexQuery;
use crate::session::schema::Schema;
use crate::telemetry::{OperationName, OperationSpan};

/// The sessions with one value in an indexed field, such as all sessions of a user. Made by
/// [`Sessions::find`](crate::Sessions::find).
///
/// Every answer is proven by the sessions themselves: a session counts only if it is live and the
/// field has the value. The list of the index tells only where to look.
///
/// # Errors
///
/// All operations fail with [`Error::is_unsupported`] if the store has no index, with
/// [`Error::is_encode`] if the value has no stored form, and with [`Error::is_unavailable`] if the
/// store cannot be reached.
///
/// # Examples
///
/// ```
/// # session_runtime::__example!({
/// use session_runtime::{Session, SessionConfig, Sessions};
///
/// #[derive(Session)]
/// struct Auth {
///     #[session(index)]
///     user: Option<u64>,
/// }
///
/// let sessions = Sessions::new(SessionConfig::new().store("memory:")).await?;
/// sessions.create::<Auth>().await?.set_user(42).await?;
///
/// let mine = sessions.find(Auth::by_user(42));
/// assert_eq!(mine.count().await?, 1);
/// assert_eq!(mine.end_all().await?, 1);
/// assert_eq!(mine.count().await?, 0);
/// # });
/// ```
pub struct FoundSessions<S> {
    manager: Arc<Manager>,
    query: IndexQuery<S>,
    limit: usize,
}

impl<S: Schema> FoundSessions<S> {
    pub(crate) fn new(manager: Arc<Manager>, query: IndexQuery<S>) -> Self {
        Self { manager, query, limit: usize::MAX }
    }

    /// Limits the entries of [`list`](Self::list) and [`list_as`](Self::list_as).
    pub fn limit(mut self, most: usize) -> Self {
        self.limit = most;
        self
    }

    /// Lists the sessions with the fields that `S` declares. The latest use comes first, and
    /// sessions whose use is not known come last.
    ///
    /// Reads all sessions of the user, and refreshes none.
    pub fn list(&self) -> Operation<'_, Vec<SessionEntry<S>>> {
        self.list_as()
    }

    /// Lists the sessions with the fields of another schema. Otherwise the same as
    /// [`list`](Self::list).
    ///
    /// # Examples
    ///
    /// ```
    /// # session_runtime::__example!({
    /// use session_runtime::{Session, SessionConfig, Sessions};
    ///
    /// #[derive(Session)]
    /// struct Auth {
    ///     #[session(index)]
    ///     user: Option<u64>,
    /// }
    ///
    /// #[derive(Session)]
    /// struct Device {
    ///     user_agent: String,
    /// }
    ///
    /// let sessions = Sessions::new(SessionConfig::new().store("memory:")).await?;
    /// let session = sessions.create::<Auth>().await?;
    /// session.set_user(42).await?;
    /// for entry in sessions.find(Auth::by_user(42)).list_as::<Device>().await? {
    ///     let device = entry.data().map(|device| device.user_agent).unwrap_or_default();
    ///     println!("{device}, since {:?}", entry.signed_in_at());
    ///     assert!(entry.is_current(&session));
    /// }
    /// # });
    /// ```
    pub fn list_as<D: Schema>(&self) -> Operation<'_, Vec<SessionEntry<D>>> {
        operation(OperationName::List, async {
            let found = self.searches()?.found(D::READ_NAMES).await?;
            let mut entries: Vec<_> =
                found.into_iter().map(|one| SessionEntry::new(&self.manager, one)).collect();
            entries.sort_by_key(SessionEntry::rank);
            entries.truncate(self.limit);
            Ok(entries)
        })
    }

    /// Returns the number of live sessions.
    pub fn count(&self) -> Operation<'_, usize> {
        operation(OperationName::Count, async { Ok(self.searches()?.found(&[]).await?.len()) })
    }

    /// Ends the session with this tag. Returns `false` if no session of the user has the tag.
    ///
    /// A tag that a browser sends can therefore end no session of another user.
    pub fn end<'a>(&'a self, tag: &'a str) -> Operation<'a, bool> {
        operation(OperationName::End, async move {
            Ok(self.searches()?.end_found(|id| id.tag() == tag).await? > 0)
        })
    }

    /// Ends all sessions but this one, and returns how many were ended.
    ///
    /// Call this after a change of the password. A login with an earlier
    /// [`checkpoint`](Self::checkpoint) is refused from now on.
    pub fn end_others<'a, D: Schema>(&'a self, session: &Session<D>) -> Operation<'a, usize> {
        let session = session.clone();
        operation(OperationName::EndOthers, async move {
            let searches = self.searches()?;
            // Of several cookies, only a read shows which session is live.
            let current = session.exists().await?.then(|| session.session_id()).flatten();
            let is_other = |id: SessionId| current.is_none_or(|current| current.tag() != id.tag());
            searches.end_listed(is_other).await
        })
    }

    /// Ends all sessions, and returns how many were ended. Needs no request: for administrators,
    /// jobs and the back-channel logout of OpenID Connect.
    ///
    /// Every session in the list at the first read has ended afterwards, under any later id. A
    /// login with an earlier [`checkpoint`](Self::checkpoint) is refused from now on. Sessions that
    /// now belong to another user stay. In a Redis Cluster, a session also ends if it left this
    /// user within the last ten minutes, and kept its id.
    ///
    /// # Errors
    ///
    /// If a session cannot be ended, the others are ended first, and the first error is returned.
    /// You can repeat the call.
    #[doc(alias = "revoke")]
    #[doc(alias = "logout_everywhere")]
    pub fn end_all(&self) -> Operation<'_, usize> {
        operation(OperationName::EndAll, async { self.searches()?.end_listed(|_| true).await })
    }

    /// Ends all but the newest sessions, in the order of the sign-in. Returns how many were ended.
    ///
    /// To cap the number at each login, use
    /// [`WriteBatch::at_most`](crate::batch::WriteBatch::at_most), which is exact for logins at the
    /// same time too.
    pub fn keep_newest(&self, most: usize) -> Operation<'_, usize> {
        operation(
            OperationName::KeepNewest,
            async move { self.searches()?.end_oldest_but(most).await },
        )
    }

    /// Returns the present moment by the clock of the store, for
    /// [`WriteBatch::unless_ended_since`](crate::batch::WriteBatch::unless_ended_since). Take the
    /// checkpoint before you verify a password.
    ///
    /// A checkpoint is valid for ten minutes.
    pub fn checkpoint(&self) -> Operation<'_, Checkpoint> {
        operation(OperationName::Checkpoint, async {
            let value = self.query.value()?.clone();
            let at = self.searches()?.time().await?;
            Ok(Checkpoint { index: self.query.field.index, value, at })
        })
    }

    fn searches(&self) -> Result<Searches<'_>, Error> {
        let IndexQuery { field, removes_stale, .. } = self.query;
        Searches::new(&self.manager, field, self.query.value()?, removes_stale)
    }
}

/// Wraps an operation in a span.
fn operation<'a, T: 'a>(
    name: OperationName,
    operation: impl Future<Output = Result<T, Error>> + Send + 'a,
) -> Operation<'a, T> {
    Operation::new(OperationSpan::without_session(name).instrument(operation))
}

impl<S> fmt::Debug for FoundSessions<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("FoundSessions").field(&self.query).finish()
    }
}
