//! The typed session that handlers take, and the application's session manager.

pub(crate) mod batch;
mod compile_hints;
pub(crate) mod field;
pub(crate) mod form;
pub(crate) mod form_token;
pub(crate) mod found;
pub(crate) mod health;
pub(crate) mod increment;
pub(crate) mod index_query;
#[cfg(any(feature = "tower-sessions-0_14", feature = "tower-sessions-0_15"))]
pub(crate) mod json_fields;
mod peek;
pub(crate) mod record;
mod require;
pub(crate) mod schema;
pub(crate) mod searched;
pub(crate) mod sessions;
pub(crate) mod shown;
pub(crate) mod startup;
pub(crate) mod token;
#[cfg(any(feature = "admin", feature = "cli"))]
pub(crate) mod untyped;

use std::fmt;
use std::ops::Deref;
use std::time::{Duration, SystemTime};

use self::batch::{ReadBatch, WriteBatch};
use crate::config::Lifetime;
use crate::id::SessionId;
use crate::lifecycle::{EndReason, RotationReason};
use crate::operation::Operation;
use crate::request::ended::Ended;
use crate::request::freshness::Freshness;
use crate::request::handle::SessionHandle;
use crate::request::rotate::NewId;
use crate::session::record::{Changes, Values};
use crate::session::schema::Schema;
use crate::session::token::SessionToken;
use crate::telemetry::{OperationName, OperationSpan};

/// A request's session, with the fields that `S` declares. Cheap to clone.
///
/// `Session<S>` dereferences to the companion type that `#[derive(Session)]` generates.
/// `session.count()` is the field `count`, and `session.set_count(3)` sets it.
///
/// A request has a single session. All `Session` values of the request share this session, whatever
/// their schema, so each sees the changes of the others.
///
/// # Examples
///
/// A login in one step, and a logout:
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
///     // A new id and the user. No other field stays.
///     let login = session.write().set(session.user(), user).keep_only(());
///     login.renew(Lifetime::normal()).commit().await
/// }
///
/// async fn logout(session: Session<Auth>) -> Result<(), Error> {
///     session.destroy().await
/// }
/// # }
/// ```
#[doc(alias = "user_id")]
pub struct Session<S: Schema> {
    fields: S::Fields,
}

impl<S: Schema> Session<S> {
    pub(crate) fn new(handle: SessionHandle) -> Self {
        Self { fields: S::fields(handle) }
    }

    /// Returns the session's id, if the id is known without asking the store. `None` means that
    /// there is no session.
    ///
    /// Before the first operation, this is the id in the request's cookie. Later, this is the id of
    /// the session in the store.
    ///
    /// # Examples
    ///
    /// ```
    /// # session_runtime::__example!(struct Visitor { count: u64 } |session| {
    /// session.set_count(1).await?;
    /// let id = session.session_id().expect("the session was created");
    /// println!("signed in: session {id}"); // the tag alone
    /// # });
    /// ```
    #[doc(alias = "id")]
    pub fn session_id(&self) -> Option<SessionId> {
        self.handle().id()
    }

    /// Returns the time at which the session was created or last [renewed](Self::renew), in whole
    /// seconds. `None` means that there is no session. Takes no round trip.
    ///
    /// The time is a part of the [id](Self::session_id), so the time is known whenever the id is. A
    /// [rotation](Self::rotate) keeps the time.
    ///
    /// # Examples
    ///
    /// Ask for the password again before an important change:
    ///
    /// ```
    /// # session_runtime::__example!(struct Visitor { count: u64 } |session| {
    /// use std::time::Duration;
    ///
    /// const RECENT: Duration = Duration::from_secs(15 * 60);
    /// let age = session.created_at().and_then(|time| time.elapsed().ok());
    /// let has_logged_in_recently = age.is_some_and(|age| age < RECENT);
    /// assert!(has_logged_in_recently);
    /// # });
    /// ```
    pub fn created_at(&self) -> Option<SystemTime> {
        self.session_id().map(|id| id.created_at())
    }

    /// Returns whether there is a session. Takes a single round trip, or none without a cookie.
    /// Refreshes the expiry as a read does.
    ///
    /// A session that has ended by this program's clock or lifetimes does not exist here, even if
    /// the store still has it. See [the guide].
    ///
    /// # Errors
    ///
    /// Fails with [`Error::is_unavailable`](crate::Error::is_unavailable) if the store cannot be
    /// reached.
    ///
    /// # Examples
    ///
    /// ```
    /// # session_runtime::__example!(struct Visitor { count: u64 } |_session, sessions| {
    /// let visitor = sessions.open([b"theme=dark".as_slice()]).session::<Visitor>();
    /// assert!(!visitor.exists().await?);
    /// visitor.set_count(1).await?;
    /// assert!(visitor.exists().await?);
    /// # });
    /// ```
    #[cfg_attr(
        feature = "derive",
        doc = "\n\n[the guide]: crate::guide::lifecycle#sessions-of-another-program\n"
    )]
    #[cfg_attr(not(feature = "derive"), doc = "\n\n[the guide]: crate#features\n")]
    pub fn exists(&self) -> Operation<'_, bool> {
        Operation::new(
            OperationSpan::new(OperationName::Exists, self.handle())
                .instrument(self.handle().exists()),
        )
    }

    /// Prolongs the session without reading a field, for the heartbeats of WebSockets and event
    /// streams. Returns whether the session is live. Takes a single round trip, or none without a
    /// session.
    ///
    /// A WebSocket is one request that lasts for hours. Reads restart the idle timeout only once in
    /// a request, but `touch` does so at every call that is due. A session never outlasts its
    /// absolute deadline.
    ///
    /// A call is due when less than nine tenths of the idle timeout are left.
    /// [`SessionConfig::refresh_below`](crate::SessionConfig::refresh_below) sets another share.
    /// Other calls change nothing in the store, so frequent heartbeats cost the server no writes.
    /// `touch` does not wait for the change of the expiry. To be safe, call `touch` several times
    /// within the idle timeout.
    ///
    /// After the end of the session, `touch` returns `false`. The end may be a logout, an expiry,
    /// or a new id from another request. [`ended`](Self::ended) has the reason, so leave the close
    /// of a WebSocket to that future.
    ///
    /// # Errors
    ///
    /// Fails with [`Error::is_unavailable`](crate::Error::is_unavailable) if the store cannot be
    /// reached. The session may still be live, so try again at the next heartbeat.
    ///
    /// # Examples
    ///
    /// Beats until the session is over, beside the connection:
    ///
    /// ```
    /// # #[cfg(feature = "derive")] {
    /// use std::time::Duration;
    /// use session_runtime::{EndReason, Session};
    ///
    /// #[derive(Session)]
    /// struct Visitor {
    ///     count: u64,
    /// }
    ///
    /// async fn heartbeat(session: Session<Visitor>) -> EndReason {
    ///     // After an error, the next beat tries again.
    ///     while session.touch().await.unwrap_or(true) {
    ///         tokio::time::sleep(Duration::from_secs(60)).await;
    ///     }
    ///     session.ended().await // the reason, for the close code
    /// }
    /// # }
    /// ```
    ///
    /// [The guide] has a loop that also notices clients which have left without a word.
    #[cfg_attr(
        feature = "derive",
        doc = "\n\n[The guide]: crate::guide::live_connections#heartbeats\n"
    )]
    #[cfg_attr(not(feature = "derive"), doc = "\n\n[The guide]: crate#features\n")]
    #[doc(alias = "heartbeat")]
    #[doc(alias = "keep_alive")]
    pub fn touch(&self) -> Operation<'_, bool> {
        Operation::new(
            OperationSpan::new(OperationName::Touch, self.handle())
                .instrument(self.handle().touch()),
        )
    }

    /// Returns the time until an unused session expires. `None` means that there is no session.
    /// Takes a single round trip. Refreshes nothing, so a page may poll this.
    ///
    /// # Errors
    ///
    /// Fails with [`Error::is_unavailable`](crate::Error::is_unavailable) if the store cannot be
    /// reached.
    ///
    /// # Examples
    ///
    /// ```
    /// # session_runtime::__example!(struct Visitor { count: u64 } |session| {
    /// use std::time::Duration;
    ///
    /// session.set_count(1).await?;
    /// let left = session.expires_in().await?;
    /// assert!(left.is_some_and(|left| left <= Duration::from_secs(24 * 3600)));
    /// # });
    /// ```
    #[doc(alias = "expiry")]
    #[doc(alias = "max_age")]
    #[doc(alias = "ttl")]
    pub fn expires_in(&self) -> Operation<'_, Option<Duration>> {
        Operation::new(
            OperationSpan::new(OperationName::ExpiresIn, self.handle())
                .instrument(self.handle().expires_in()),
        )
    }

    /// Returns the session's lifetime, as configured. `None` means that there is no session. Takes
    /// no round trip. The lifetime is known whenever the [id](Self::session_id) is.
    ///
    /// # Examples
    ///
    /// ```
    /// # session_runtime::__example!(struct Visitor { count: u64 } |session| {
    /// session.renew(Lifetime::remembered()).await?;
    /// let lifetime = session.lifetime().expect("there is a session");
    /// assert_eq!(lifetime.class(), Lifetime::remembered().class());
    /// # });
    /// ```
    #[doc(alias = "max_age")]
    pub fn lifetime(&self) -> Option<Lifetime> {
        self.handle().lifetime()
    }

    /// Reads several fields in a single round trip, all at the same moment. The batch is a tuple of
    /// up to twelve fields, or a `Vec` of fields of the same type.
    ///
    /// A [near cache](crate::NearCache) may answer if all fields have the attribute `cached`, and
    /// none is [fresh](crate::Field::fresh).
    ///
    /// # Errors
    ///
    /// - [`Error::is_decode`](crate::Error::is_decode) for the first field whose stored bytes do
    ///   not fit the field's type.
    /// - [`Error::is_unavailable`](crate::Error::is_unavailable) if the store cannot be reached.
    /// - [`Error::is_unsupported`](crate::Error::is_unsupported) if a field belongs to another
    ///   request.
    ///
    /// # Examples
    ///
    /// ```
    /// # session_runtime::__example!(struct Visitor { count: u64, name: String } |session| {
    /// let (count, name) = session.read((session.count(), session.name())).await?;
    /// assert_eq!((count, name.as_str()), (0, ""));
    /// # });
    /// ```
    pub fn read<B: ReadBatch>(&self, batch: B) -> Operation<'_, B::Output> {
        batch::read(self.handle(), batch)
    }

    /// Changes several fields in a single round trip, all or none. Takes two round trips if this
    /// request has read the fields and another request has since removed any of them.
    ///
    /// # Examples
    ///
    /// ```
    /// # session_runtime::__example!(struct Visitor { count: u64, age: Option<u32> } |session| {
    /// session.write().set(session.count(), 3).remove(session.age()).commit().await?;
    /// assert_eq!(session.count().await?, 3);
    /// # });
    /// ```
    pub fn write(&self) -> WriteBatch<'_> {
        WriteBatch::new(self.handle())
    }

    /// Reads the whole struct in a single round trip. Missing fields get their defaults. A
    /// [near cache](crate::NearCache) may answer if all fields have the attribute `cached`.
    ///
    /// # Errors
    ///
    /// The same as for [`read`](Self::read).
    ///
    /// # Examples
    ///
    /// ```
    /// # session_runtime::__example!(struct Visitor { count: u64, name: String } |session| {
    /// session.set_count(7).await?;
    /// let Visitor { count, name } = session.load().await?;
    /// assert_eq!((count, name.as_str()), (7, ""));
    /// # });
    /// ```
    pub fn load(&self) -> Operation<'_, S> {
        let handle = self.handle();
        Operation::new(OperationSpan::new(OperationName::Load, handle).instrument(async move {
            let freshness = Freshness::of(S::CACHED);
            let answer = handle.get_many(S::READ_NAMES, freshness).await?;
            S::load(&mut Values::new(handle.manager(), answer))
        }))
    }

    /// Writes the whole struct, all fields or none. Takes as many round trips as
    /// [`write`](Self::write). Fields that are not in the struct stay unchanged.
    ///
    /// # Errors
    ///
    /// The same as for [`WriteBatch::commit`].
    ///
    /// # Examples
    ///
    /// ```
    /// # session_runtime::__example!(struct Visitor { count: u64, name: String } |session| {
    /// session.save(&Visitor { count: 7, name: "Ada".to_owned() }).await?;
    /// assert_eq!(session.name().await?, "Ada");
    /// # });
    /// ```
    pub fn save(&self, value: &S) -> Operation<'_, ()> {
        let handle = self.handle();
        let mut changes = Changes::default();
        let encoded = S::save(value, &mut changes);
        Operation::new(OperationSpan::new(OperationName::Save, handle).instrument(async move {
            encoded?;
            handle.write(changes.as_set()).await.map(|_| ())
        }))
    }

    /// Removes all fields of this schema. The session stays, with the fields of other schemas.
    /// Takes a single round trip, or none without a session. To end the session, call
    /// [`destroy`](Self::destroy).
    ///
    /// # Errors
    ///
    /// Fails with [`Error::is_gone`](crate::Error::is_gone) if the session was ended in the
    /// meantime, and with [`Error::is_unavailable`](crate::Error::is_unavailable) if the store
    /// cannot be reached.
    ///
    /// # Examples
    ///
    /// ```
    /// # session_runtime::__example!(struct Visitor { count: u64 } |session| {
    /// session.set_count(7).await?;
    /// session.clear().await?;
    /// assert_eq!(session.count().await?, 0);
    /// assert!(session.exists().await?);
    /// # });
    /// ```
    #[doc(alias = "flush")]
    pub fn clear(&self) -> Operation<'_, ()> {
        let handle = self.handle();
        let mut changes = Changes::default();
        changes.remove_all(S::READ_NAMES, S::INDEXED);
        Operation::new(
            OperationSpan::new(OperationName::Clear, handle)
                .instrument(async move { handle.write(changes.as_set()).await.map(|_| ()) }),
        )
    }

    /// Gives the session a new id, and ends the old id at once. The data and the absolute deadline
    /// stay. The idle timeout starts again, as after every write.
    ///
    /// If the session has ended by this program's clock or lifetimes, `rotate` ends it in the store
    /// as well. Otherwise another program could still accept the old id. For a session from
    /// [`open_id`](crate::Sessions::open_id), this case is an
    /// [`Error::is_config`](crate::Error::is_config) error.
    ///
    /// The id should change when the visitor's privileges change, as a defence against session
    /// fixation ([OWASP Session Management]). To write the new privilege in the same step, use
    /// [`WriteBatch::rotate`](crate::batch::WriteBatch::rotate). At login, use
    /// [`WriteBatch::renew`](crate::batch::WriteBatch::renew).
    ///
    /// Takes a single round trip, or none without a session. If the outcome is unknown, you can
    /// call `rotate` again. The retry leads to the same id.
    ///
    /// # Errors
    ///
    /// - [`Error::is_gone`](crate::Error::is_gone) if the session was ended, or rotated by a
    ///   concurrent request.
    /// - [`Error::is_headers_sent`](crate::Error::is_headers_sent) if the response headers were
    ///   sent.
    /// - [`Error::is_unavailable`](crate::Error::is_unavailable) if the store cannot be reached.
    ///
    /// [OWASP Session Management]: https://cheatsheetseries.owasp.org/cheatsheets/Session_Management_Cheat_Sheet.html#renew-the-session-id-after-any-privilege-level-change
    ///
    /// # Examples
    ///
    /// ```
    /// # session_runtime::__example!(struct Visitor { count: u64 } |session| {
    /// session.set_count(7).await?;
    /// let before = session.session_id();
    /// session.rotate().await?;
    /// assert_ne!(session.session_id(), before);
    /// assert_eq!(session.count().await?, 7);
    /// # });
    /// ```
    #[doc(alias = "cycle_id")]
    #[doc(alias = "regenerate")]
    #[doc(alias = "regenerate_id")]
    pub fn rotate(&self) -> Operation<'_, ()> {
        Operation::new(OperationSpan::new(OperationName::Rotate, self.handle()).instrument(
            self.handle().rotate(NewId { reason: RotationReason::Rotate, batch: None }),
        ))
    }

    /// Gives the session a new id and starts a lifetime. Pass [`Lifetime::normal`], or
    /// [`Lifetime::remembered`] for "remember me".
    ///
    /// A login also writes the user, and usually removes other fields. All of this is one step with
    /// [`WriteBatch::renew`](crate::batch::WriteBatch::renew). `Session::renew` changes no field,
    /// so the data stays even if another user signs in. Call it for a user who is signed in and has
    /// given the password again.
    ///
    /// `lifetime` only **names** a configured lifetime.
    /// [`SessionConfig::lifetime`](crate::SessionConfig::lifetime) alone decides on the duration.
    ///
    /// Without a session, `renew` chooses the lifetime of the session that the request's next write
    /// creates. The same holds if the browser's own logout, rotation or login has just ended the
    /// session.
    ///
    /// # Errors
    ///
    /// The same as for [`rotate`](Self::rotate), with these differences:
    ///
    /// - [`Error::is_config`](crate::Error::is_config) if no lifetime of this class is configured,
    ///   or if the configured lifetime differs from this one.
    /// - [`Error::is_gone`](crate::Error::is_gone) if another part of the application ended the
    ///   session during this request.
    ///
    /// # Examples
    ///
    /// ```
    /// # session_runtime::__example!(struct Visitor { count: u64 } |session| {
    /// // The box "remember me" was ticked.
    /// session.renew(Lifetime::remembered()).await?;
    /// # });
    /// ```
    #[doc(alias = "login")]
    #[doc(alias = "regenerate")]
    #[doc(alias = "remember_me")]
    #[doc(alias = "sign_in")]
    pub fn renew(&self, lifetime: Lifetime) -> Operation<'_, ()> {
        let handle = self.handle();
        Operation::new(OperationSpan::new(OperationName::Renew, handle).instrument(async move {
            handle.manager().check_lifetime(lifetime)?;
            let reason = RotationReason::Renew(lifetime.class);
            handle.rotate(NewId { reason, batch: None }).await
        }))
    }

    /// Ends the session. The data is deleted, and the response tells the client to delete the
    /// cookie.
    ///
    /// Requests that still hold the id find the session ended and cannot bring it back. If the
    /// request came with several cookies of this name, all their sessions end.
    ///
    /// If another request rotated the session in the meantime, the successor ends too. A successor
    /// made by [`renew`](Self::renew) is a login, and does not end, because a stranger may know the
    /// id from before that login. If you call `destroy` on a session from
    /// [`open_id`](crate::Sessions::open_id), such a successor ends as well.
    ///
    /// A later write in this request creates a new session. Takes a round trip for each session,
    /// and none if there is no session.
    ///
    /// # Errors
    ///
    /// - [`Error::is_headers_sent`](crate::Error::is_headers_sent) if the response headers were
    ///   sent.
    /// - [`Error::is_unavailable`](crate::Error::is_unavailable) if the store cannot be reached.
    ///   The session may still exist.
    ///
    /// # Examples
    ///
    /// ```
    /// # session_runtime::__example!(struct Visitor { count: u64 } |session| {
    /// session.set_count(7).await?;
    /// session.destroy().await?;
    /// assert_eq!(session.count().await?, 0);
    /// assert!(!session.exists().await?);
    /// # });
    /// ```
    #[doc(alias = "logout")]
    #[doc(alias = "invalidate")]
    #[doc(alias = "flush")]
    #[doc(alias = "purge")]
    #[doc(alias = "delete")]
    #[doc(alias = "sign_out")]
    pub fn destroy(&self) -> Operation<'_, ()> {
        Operation::new(
            OperationSpan::new(OperationName::Destroy, self.handle())
                .instrument(self.handle().destroy()),
        )
    }

    /// Returns the bearer token of the session, for a client without cookies. From now on, the
    /// session travels as a token: the response sets no cookie. `None` means that there is no
    /// session.
    ///
    /// Call this after the login, because a new id changes the token, also a new id by an operation
    /// at the same time. The response header
    /// `Session-Token` has the token as well. The
    /// [transport](crate::SessionConfig::transport) has to accept tokens. See [the guide].
    ///
    /// Takes no round trip if an operation of this request has found the session live, and a single
    /// round trip otherwise. Refreshes the expiry as a read does.
    ///
    /// # Errors
    ///
    /// - [`Error::is_config`](crate::Error::is_config) if the transport has no tokens.
    /// - [`Error::is_headers_sent`](crate::Error::is_headers_sent) if the response headers were
    ///   sent, and the session did not come as a token.
    /// - [`Error::is_unavailable`](crate::Error::is_unavailable) if the store cannot be reached.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(all(feature = "axum", feature = "derive"))] {
    /// use axum::Json;
    /// use serde_json::{Value, json};
    /// use session_runtime::{Error, Lifetime, Session};
    ///
    /// #[derive(Session)]
    /// struct Auth {
    ///     user: Option<u64>,
    /// }
    ///
    /// /// Answers a login of a mobile application.
    /// async fn login(auth: Session<Auth>) -> Result<Json<Value>, Error> {
    ///     let login = auth.write().set(auth.user(), 42).keep_only(());
    ///     login.renew(Lifetime::normal()).commit().await?;
    ///     let token = auth.token().await?;
    ///     Ok(Json(json!({ "token": token.map(|token| token.expose_secret().to_owned()) })))
    /// }
    /// # }
    /// ```
    #[cfg_attr(feature = "derive", doc = "\n\n[the guide]: crate::guide::bearer\n")]
    #[cfg_attr(not(feature = "derive"), doc = "\n\n[the guide]: crate#features\n")]
    #[doc(alias = "bearer")]
    #[doc(alias = "jwt")]
    pub fn token(&self) -> Operation<'_, Option<SessionToken>> {
        let handle = self.handle();
        Operation::new(
            OperationSpan::new(OperationName::Token, handle)
                .instrument(async move { Ok(handle.token().await?.map(SessionToken::new)) }),
        )
    }

    /// Returns why the session of the request's cookie is over, so that a sign-in page can tell the
    /// user. `None` means that the session is live, or that no cookie has a valid signature. See
    /// [the guide].
    ///
    /// The answer is about the session of the cookie, even after this request has created another
    /// session. After [`destroy`](Self::destroy) of a live session in this request, the reason is the
    /// logout. A new id by this request is no end.
    ///
    /// Takes no round trip if an operation of this request has found the session live. A WebSocket
    /// gets the reason from [`ended`](Self::ended). In a job, call [`exists`](Self::exists) first,
    /// which notices a later end. Takes one round trip as the first operation, and one more to read
    /// why a session is over. Refreshes nothing.
    ///
    /// # Errors
    ///
    /// Fails with [`Error::is_unavailable`](crate::Error::is_unavailable) if the store cannot be
    /// reached.
    ///
    /// # Examples
    ///
    /// ```
    /// # session_runtime::__example!(struct Visitor { count: u64 } |session| {
    /// use session_runtime::EndReason;
    ///
    /// let notice = match session.end_reason().await? {
    ///     Some(EndReason::EndedElsewhere) => "Your session was ended elsewhere.",
    ///     Some(EndReason::TooMany) => "You were signed out: too many devices.",
    ///     Some(EndReason::Expired) => "Please sign in again.",
    ///     _ => "",
    /// };
    /// # });
    /// ```
    #[cfg_attr(
        feature = "derive",
        doc = "\n\n[the guide]: crate::guide::user_sessions#why-was-i-signed-out\n"
    )]
    #[cfg_attr(not(feature = "derive"), doc = "\n\n[the guide]: crate#features\n")]
    #[doc(alias = "signed_out")]
    pub fn end_reason(&self) -> Operation<'_, Option<EndReason>> {
        Operation::new(
            OperationSpan::new(OperationName::EndReason, self.handle())
                .instrument(self.handle().end_reason()),
        )
    }

    /// Returns the end of the session as a future, for WebSockets, event streams and long polls.
    ///
    /// The future completes with the reason soon after the session is over: after a logout, an end
    /// by another part of the application, a new id, or the expiry. The future does not borrow the
    /// session. While nothing happens to the session, the store is asked once in each
    /// [interval](crate::SessionConfig::end_check_interval). See [the guide].
    ///
    /// - Without a session, the future does not complete. So first check that there is a session,
    ///   and refuse the connection otherwise.
    /// - While the store is away, the future only completes at the absolute deadline.
    /// - A session that is over already completes the future at once.
    /// - A new id by another request counts as an end, with the reason
    ///   [`EndReason::Moved`]. The old id is dead, and only the browser has the new cookie.
    ///
    /// You may drop the future at any time, for example in a loop around `select!`. The next future
    /// of the same request continues where the dropped one was.
    ///
    /// The memory store tells of an end within milliseconds, Redis and Valkey within a second, or
    /// two if the session is busy. Other stores are asked in each interval.
    ///
    /// # Examples
    ///
    /// ```
    /// # session_runtime::__example!(struct Visitor { count: u64 } |session, _sessions| {
    /// session.set_count(1).await?;
    /// let ended = session.ended();
    /// session.destroy().await?; // in practice, another request does this
    /// println!("the session is over: {:?}", ended.await);
    /// # });
    /// ```
    #[cfg_attr(feature = "derive", doc = "\n\n[the guide]: crate::guide::live_connections\n")]
    #[cfg_attr(not(feature = "derive"), doc = "\n\n[the guide]: crate#features\n")]
    #[doc(alias = "websocket")]
    #[doc(alias = "on_end")]
    pub fn ended(&self) -> Ended {
        self.handle().ended()
    }

    fn handle(&self) -> &SessionHandle {
        S::handle(&self.fields)
    }
}

impl SessionHandle {
    /// Returns the session, with the fields that `S` declares.
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
