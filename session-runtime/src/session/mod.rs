//! What a handler takes.

pub(crate) mod batch;
mod clock_log;
mod compile_hints;
pub(crate) mod field;
pub(crate) mod increment;
mod peek;
pub(crate) mod record;
pub(crate) mod schema;
pub(crate) mod sessions;
mod startup;

use std::fmt;
use std::ops::Deref;
use std::time::{Duration, SystemTime};

use self::batch::{ReadBatch, WriteBatch};
use crate::config::Lifetime;
use crate::id::SessionId;
use crate::lifecycle::RotationReason;
use crate::operation::Operation;
use crate::request::handle::SessionHandle;
use crate::session::record::{Changes, Values};
use crate::session::schema::Schema;
use crate::store::Change;
use crate::telemetry::{OperationName, OperationSpan};

/// One request's session, with the fields that `S` declares; cheap to clone.
///
/// It dereferences to the companion type that `#[derive(Session)]` generates: `session.count()` is
/// the field `count`, `session.set_count(3)` gives it a value. All sessions of one request,
/// whatever their schema, are one session: what one of them does, the others see.
///
/// # Examples
///
/// A login under a new id, whatever session the browser came with, and a logout:
///
/// ```
/// # #[cfg(feature = "derive")] {
/// use session_runtime::{Error, Lifetime, Session};
///
/// #[derive(Session)]
/// struct Auth {
///     user: Option<String>,
/// }
///
/// async fn login(session: Session<Auth>, user: &str) -> Result<(), Error> {
///     session.renew(Lifetime::normal()).await?;
///     session.set_user(user).await
/// }
///
/// async fn logout(session: Session<Auth>) -> Result<(), Error> {
///     session.destroy().await
/// }
/// # let _ = (login, logout);
/// # }
/// ```
pub struct Session<S: Schema> {
    fields: S::Fields,
}

impl<S: Schema> Session<S> {
    pub(crate) fn new(handle: SessionHandle) -> Self {
        Self { fields: S::fields(handle) }
    }

    /// The session's id, as far as it is known without asking the store: after the first operation,
    /// the id of the session that is there; before it, the one that the request's cookie names.
    /// `None` without a session.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "derive")] {
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// # use session_runtime::{Session, SessionConfig, Sessions};
    /// # #[derive(Session)]
    /// # struct Visitor { count: u64 }
    /// # let sessions = Sessions::new(SessionConfig::new().store("memory:")).await?;
    /// # let session = sessions.create::<Visitor>().await?;
    /// session.set_count(1).await?;
    /// let id = session.session_id().expect("it was begun");
    /// println!("signed in: session {id}"); // the tag alone
    /// # Ok::<(), session_runtime::Error>(())
    /// # }).unwrap();
    /// # }
    /// ```
    pub fn session_id(&self) -> Option<SessionId> {
        self.handle().id()
    }

    /// The time at which the session was created or last [renewed](Self::renew), in whole seconds.
    /// `None` without a session. No round trip.
    ///
    /// The session's id holds the time, so it is known as far as the [id](Self::session_id) is. A
    /// [rotation](Self::rotate) keeps it.
    ///
    /// # Examples
    ///
    /// Ask for the password again before a change that matters:
    ///
    /// ```
    /// # #[cfg(feature = "derive")] {
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// # use session_runtime::{Session, SessionConfig, Sessions};
    /// # #[derive(Session)]
    /// # struct Visitor { count: u64 }
    /// # let sessions = Sessions::new(SessionConfig::new().store("memory:")).await?;
    /// # let session = sessions.create::<Visitor>().await?;
    /// use std::time::{Duration, SystemTime};
    ///
    /// const RECENT: Duration = Duration::from_secs(15 * 60);
    /// let age = session.created_at().and_then(|time| SystemTime::now().duration_since(time).ok());
    /// let has_logged_in_recently = age.is_some_and(|age| age < RECENT);
    /// # assert!(has_logged_in_recently);
    /// # Ok::<(), session_runtime::Error>(())
    /// # }).unwrap();
    /// # }
    /// ```
    pub fn created_at(&self) -> Option<SystemTime> {
        self.session_id().map(|id| id.created_at())
    }

    /// Whether there is a session. One round trip, none without a cookie; refreshes the expiry as a
    /// read does.
    ///
    /// A session that is over by this program's clock or lifetimes does not exist here, even while
    /// the store has it: see [the guide](crate::guide::lifecycle#sessions-of-another-program).
    ///
    /// # Errors
    ///
    /// [`Error::is_unavailable`](crate::Error::is_unavailable) if the store cannot be reached.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "derive")] {
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// # use session_runtime::{Session, SessionConfig, Sessions};
    /// # #[derive(Session)]
    /// # struct Visitor { count: u64 }
    /// # let sessions = Sessions::new(SessionConfig::new().store("memory:")).await?;
    /// let visitor = sessions.open([b"theme=dark".as_slice()]).session::<Visitor>();
    /// assert!(!visitor.exists().await?);
    /// visitor.set_count(1).await?;
    /// assert!(visitor.exists().await?);
    /// # Ok::<(), session_runtime::Error>(())
    /// # }).unwrap();
    /// # }
    /// ```
    pub fn exists(&self) -> Operation<'_, bool> {
        Operation::new(
            OperationSpan::new(OperationName::Exists, self.handle())
                .instrument(self.handle().exists()),
        )
    }

    /// How long from now the session expires if nobody uses it; `None` without a session. One round
    /// trip; refreshes nothing, so that a page may ask it again and again.
    ///
    /// # Errors
    ///
    /// [`Error::is_unavailable`](crate::Error::is_unavailable) if the store cannot be reached.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "derive")] {
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// # use std::time::Duration;
    /// # use session_runtime::{Session, SessionConfig, Sessions};
    /// # #[derive(Session)]
    /// # struct Visitor { count: u64 }
    /// # let sessions = Sessions::new(SessionConfig::new().store("memory:")).await?;
    /// # let session = sessions.create::<Visitor>().await?;
    /// session.set_count(1).await?;
    /// let left = session.expires_in().await?;
    /// assert!(left <= Some(Duration::from_secs(24 * 3600)));
    /// # assert!(left.is_some());
    /// # Ok::<(), session_runtime::Error>(())
    /// # }).unwrap();
    /// # }
    /// ```
    pub fn expires_in(&self) -> Operation<'_, Option<Duration>> {
        Operation::new(
            OperationSpan::new(OperationName::ExpiresIn, self.handle())
                .instrument(self.handle().expires_in()),
        )
    }

    /// The session's lifetime, as it is configured, as far as it is known without asking the store;
    /// `None` without a session. See [`session_id`](Self::session_id) for when it is known.
    /// Asks nobody.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "derive")] {
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// # use session_runtime::{Lifetime, Session, SessionConfig, Sessions};
    /// # #[derive(Session)]
    /// # struct Visitor { count: u64 }
    /// # let sessions = Sessions::new(SessionConfig::new().store("memory:")).await?;
    /// # let session = sessions.create::<Visitor>().await?;
    /// session.renew(Lifetime::remembered()).await?;
    /// let lifetime = session.lifetime().expect("there is a session");
    /// let is_remembered = lifetime.class() == Lifetime::remembered().class();
    /// # assert!(is_remembered);
    /// # Ok::<(), session_runtime::Error>(())
    /// # }).unwrap();
    /// # }
    /// ```
    pub fn lifetime(&self) -> Option<Lifetime> {
        self.handle().lifetime()
    }

    /// Reads several fields in one round trip: a tuple of up to twelve, or a `Vec` of fields of one
    /// type. They are as they were at one moment.
    ///
    /// # Errors
    ///
    /// [`Error::is_decode`](crate::Error::is_decode) for the first field that holds no value of its
    /// type, [`Error::is_unavailable`](crate::Error::is_unavailable) if the store cannot be
    /// reached, [`Error::is_unsupported`](crate::Error::is_unsupported) if a field is another
    /// request's.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "derive")] {
    /// # use session_runtime::{Error, Session};
    /// # #[derive(Session)]
    /// # struct Visitor { count: u64, name: String }
    /// # async fn example(session: Session<Visitor>) -> Result<(), Error> {
    /// let (count, name) = session.read((session.count(), session.name())).await?;
    /// # let _: (u64, String) = (count, name);
    /// # Ok(())
    /// # }
    /// # let _ = example;
    /// # }
    /// ```
    pub fn read<B: ReadBatch>(&self, batch: B) -> Operation<'_, B::Output> {
        batch::read(self.handle(), batch)
    }

    /// Changes several fields in one round trip, all or none; in two if this request has read them
    /// and another has removed one since.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "derive")] {
    /// # use session_runtime::{Error, Session};
    /// # #[derive(Session)]
    /// # struct Visitor { count: u64, age: Option<u32> }
    /// # async fn example(session: Session<Visitor>) -> Result<(), Error> {
    /// session.write().set(session.count(), 3).remove(session.age()).commit().await?;
    /// # Ok(())
    /// # }
    /// # let _ = example;
    /// # }
    /// ```
    pub fn write(&self) -> WriteBatch<'_> {
        WriteBatch::new(self.handle())
    }

    /// Reads the whole struct in one round trip. Missing fields are their defaults.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read).
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "derive")] {
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// # use session_runtime::{Session, SessionConfig, Sessions};
    /// # #[derive(Session)]
    /// # struct Visitor { count: u64, name: String }
    /// # let sessions = Sessions::new(SessionConfig::new().store("memory:")).await?;
    /// # let session = sessions.create::<Visitor>().await?;
    /// session.set_count(7).await?;
    /// let Visitor { count, name } = session.load().await?;
    /// assert_eq!((count, name.as_str()), (7, ""));
    /// # Ok::<(), session_runtime::Error>(())
    /// # }).unwrap();
    /// # }
    /// ```
    pub fn load(&self) -> Operation<'_, S> {
        let handle = self.handle();
        Operation::new(OperationSpan::new(OperationName::Load, handle).instrument(async move {
            S::load(&mut Values::new(handle.get_many(S::READ_NAMES).await?))
        }))
    }

    /// Writes the whole struct in one round trip, or two as [`write`](Self::write) does, all or
    /// nothing. Fields that the struct does not know are left alone.
    ///
    /// # Errors
    ///
    /// As [`WriteBatch::commit`].
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "derive")] {
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// # use session_runtime::{Session, SessionConfig, Sessions};
    /// # #[derive(Session)]
    /// # struct Visitor { count: u64, name: String }
    /// # let sessions = Sessions::new(SessionConfig::new().store("memory:")).await?;
    /// # let session = sessions.create::<Visitor>().await?;
    /// session.save(&Visitor { count: 7, name: "Ada".to_owned() }).await?;
    /// assert_eq!(session.name().await?, "Ada");
    /// # Ok::<(), session_runtime::Error>(())
    /// # }).unwrap();
    /// # }
    /// ```
    pub fn save(&self, value: &S) -> Operation<'_, ()> {
        let handle = self.handle();
        let mut changes = Changes::default();
        let encoded = S::save(value, &mut changes);
        Operation::new(OperationSpan::new(OperationName::Save, handle).instrument(async move {
            encoded?;
            handle.write(&changes.into_vec()).await.map(|_| ())
        }))
    }

    /// Removes all fields of this schema. The session goes on, with the fields of other schemas.
    /// One round trip, none without a session.
    ///
    /// # Errors
    ///
    /// [`Error::is_gone`](crate::Error::is_gone) if the session was ended meanwhile,
    /// [`Error::is_unavailable`](crate::Error::is_unavailable) if the store cannot be reached.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "derive")] {
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// # use session_runtime::{Session, SessionConfig, Sessions};
    /// # #[derive(Session)]
    /// # struct Visitor { count: u64 }
    /// # let sessions = Sessions::new(SessionConfig::new().store("memory:")).await?;
    /// # let session = sessions.create::<Visitor>().await?;
    /// session.set_count(7).await?;
    /// session.clear().await?;
    /// assert_eq!(session.count().await?, 0);
    /// assert!(session.exists().await?);
    /// # Ok::<(), session_runtime::Error>(())
    /// # }).unwrap();
    /// # }
    /// ```
    #[doc(alias = "flush")]
    pub fn clear(&self) -> Operation<'_, ()> {
        let handle = self.handle();
        let changes: Vec<_> = S::READ_NAMES.iter().map(|field| Change::Remove { field }).collect();
        Operation::new(
            OperationSpan::new(OperationName::Clear, handle)
                .instrument(async move { handle.write(&changes).await.map(|_| ()) }),
        )
    }

    /// Gives the session a new id; the old one is dead at once. Data and absolute deadline stay;
    /// the idle timeout starts again, as with every write.
    ///
    /// A session that is over by this program's clock or lifetimes is ended, since another program
    /// might go on with the old id. For a session of [`open_id`](crate::Sessions::open_id) that
    /// is an [`Error::is_config`](crate::Error::is_config) error.
    ///
    /// To be called when the visitor's privileges change, against session fixation ([OWASP Session
    /// Management]). One round trip, none without a session. Repeating it after an unknown
    /// outcome leads to the same id.
    ///
    /// # Errors
    ///
    /// [`Error::is_gone`](crate::Error::is_gone) if the session was ended, or rotated by another
    /// request at the same moment; [`Error::is_headers_sent`](crate::Error::is_headers_sent) if the
    /// response's head was sent; [`Error::is_unavailable`](crate::Error::is_unavailable) if the
    /// store cannot be reached.
    ///
    /// [OWASP Session Management]: https://cheatsheetseries.owasp.org/cheatsheets/Session_Management_Cheat_Sheet.html#renew-the-session-id-after-any-privilege-level-change
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "derive")] {
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// # use session_runtime::{Session, SessionConfig, Sessions};
    /// # #[derive(Session)]
    /// # struct Visitor { count: u64 }
    /// # let sessions = Sessions::new(SessionConfig::new().store("memory:")).await?;
    /// # let session = sessions.create::<Visitor>().await?;
    /// session.set_count(7).await?;
    /// let before = session.session_id();
    /// session.rotate().await?;
    /// assert_ne!(session.session_id(), before);
    /// assert_eq!(session.count().await?, 7);
    /// # Ok::<(), session_runtime::Error>(())
    /// # }).unwrap();
    /// # }
    /// ```
    #[doc(alias = "cycle_id")]
    #[doc(alias = "regenerate")]
    pub fn rotate(&self) -> Operation<'_, ()> {
        Operation::new(
            OperationSpan::new(OperationName::Rotate, self.handle())
                .instrument(self.handle().rotate(RotationReason::Rotate)),
        )
    }

    /// Gives the session a new id and lets its lifetime begin again, as this one: for login, and
    /// "remember me".
    ///
    /// `lifetime` **names** one of those that are configured: what it lasts is decided by
    /// [`SessionConfig::lifetime`](crate::SessionConfig::lifetime) alone. The data stays: whoever
    /// logs in another user than before calls [`destroy`](Self::destroy) first. Without a
    /// session the lifetime is that of the session which the request's next write begins. The
    /// same holds for a session that the browser's own logout, rotation or login has just ended.
    ///
    /// # Errors
    ///
    /// As [`rotate`](Self::rotate), and [`Error::is_config`](crate::Error::is_config) if no
    /// lifetime of this class is configured, or another one.
    /// [`Error::is_gone`](crate::Error::is_gone) if another part of the application ended the
    /// session while this request was under way.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "derive")] {
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// # use session_runtime::{Lifetime, Session, SessionConfig, Sessions};
    /// # #[derive(Session)]
    /// # struct Visitor { count: u64 }
    /// # let sessions = Sessions::new(SessionConfig::new().store("memory:")).await?;
    /// # let session = sessions.create::<Visitor>().await?;
    /// // The box "remember me" was ticked.
    /// session.renew(Lifetime::remembered()).await?;
    /// # Ok::<(), session_runtime::Error>(())
    /// # }).unwrap();
    /// # }
    /// ```
    #[doc(alias = "login")]
    #[doc(alias = "regenerate")]
    #[doc(alias = "remember_me")]
    pub fn renew(&self, lifetime: Lifetime) -> Operation<'_, ()> {
        let handle = self.handle();
        Operation::new(OperationSpan::new(OperationName::Renew, handle).instrument(async move {
            handle.manager().check_lifetime(lifetime)?;
            handle.rotate(RotationReason::Renew(lifetime.class)).await
        }))
    }

    /// Ends the session: its data is deleted, and the client is told to forget its cookie.
    ///
    /// Requests that still hold the id find it dead and cannot bring it back. All sessions end that
    /// cookies of this name in the request belong to. If another request rotated the session
    /// meanwhile, the successor ends too. A session that began with a login since, by
    /// [`renew`](Self::renew), does not: the id of before may be known to somebody else. For a
    /// session of [`open_id`](crate::Sessions::open_id) it does.
    ///
    /// A write after it begins a new session. One round trip for each session, none without one.
    ///
    /// # Errors
    ///
    /// [`Error::is_headers_sent`](crate::Error::is_headers_sent) if the response's head was sent;
    /// [`Error::is_unavailable`](crate::Error::is_unavailable) if the store cannot be reached: the
    /// session may be there still.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "derive")] {
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// # use session_runtime::{Session, SessionConfig, Sessions};
    /// # #[derive(Session)]
    /// # struct Visitor { count: u64 }
    /// # let sessions = Sessions::new(SessionConfig::new().store("memory:")).await?;
    /// # let session = sessions.create::<Visitor>().await?;
    /// session.set_count(7).await?;
    /// session.destroy().await?;
    /// assert_eq!(session.count().await?, 0);
    /// assert!(!session.exists().await?);
    /// # Ok::<(), session_runtime::Error>(())
    /// # }).unwrap();
    /// # }
    /// ```
    #[doc(alias = "logout")]
    #[doc(alias = "invalidate")]
    #[doc(alias = "flush")]
    #[doc(alias = "purge")]
    #[doc(alias = "delete")]
    pub fn destroy(&self) -> Operation<'_, ()> {
        Operation::new(
            OperationSpan::new(OperationName::Destroy, self.handle())
                .instrument(self.handle().destroy()),
        )
    }

    fn handle(&self) -> &SessionHandle {
        S::handle(&self.fields)
    }
}

impl SessionHandle {
    /// The session with the fields that `S` declares.
    pub fn session<S: Schema>(&self) -> Session<S> {
        Session::new(self.clone())
    }
}

impl<S: Schema> Deref for Session<S> {
    type Target = S::Fields;

    fn deref(&self) -> &S::Fields {
        &self.fields
    }
}

impl<S: Schema> Clone for Session<S> {
    fn clone(&self) -> Self {
        Self::new(self.handle().clone())
    }
}

impl<S: Schema> fmt::Debug for Session<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Session").field(self.handle()).finish()
    }
}
