//! What can go wrong, as one opaque type with questions.

mod invalid_value;
mod kind;
mod setting;
mod store_error;

pub use invalid_value::InvalidValue;
pub(crate) use kind::Kind;
pub(crate) use setting::Setting;
pub use store_error::StoreError;

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

/// What went wrong with a session operation.
///
/// The type is opaque: ask it what happened with the `is_…` methods. Neither it nor its
/// [sources](std::error::Error::source) ever hold a stored value, the secret part of a session id
/// or the text of a server's message, so it may be logged as it is.
///
/// With the features `axum`, `actix` and `poem` it is a response too, with the status that
/// [`status`](Self::status) says and a body that says nothing about the store.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "derive")] {
/// use session_runtime::{Error, Session};
///
/// #[derive(Session)]
/// struct Visitor {
///     name: String,
/// }
///
/// async fn greeting(session: &Session<Visitor>) -> Result<String, Error> {
///     match session.name().await {
///         Ok(name) => Ok(format!("hello {name}")),
///         // An earlier release stored something else there. The page goes on without it.
///         Err(error) if error.is_decode() => Ok("hello".to_owned()),
///         Err(error) => Err(error),
///     }
/// }
/// # let _ = greeting;
/// # }
/// ```
pub struct Error(Box<Kind>);

impl Error {
    pub(crate) fn new(kind: Kind) -> Self {
        Self(Box::new(kind))
    }

    pub(crate) fn config(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Kind::Config(message.into()))
    }

    /// `reason` completes a sentence that begins with the setting, and does not quote its value.
    pub(crate) fn setting(setting: Setting, reason: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Kind::Setting { setting, reason: reason.into() })
    }

    /// What is said of a store that cannot be connected to when the application starts.
    #[cfg(feature = "redis")]
    pub(crate) fn looked_for_by(self, setting: Setting) -> Self {
        match *self.0 {
            Kind::Store(error) if error.is_unavailable() => {
                Self::new(Kind::NotConnected { setting, error })
            }
            kind => Self::new(kind),
        }
    }

    /// The setting that it is about, to name it otherwise.
    pub(crate) fn setting_mut(&mut self) -> Option<&mut Setting> {
        match &mut *self.0 {
            Kind::Setting { setting, .. } => Some(setting),
            _ => None,
        }
    }

    /// The status code of the response that it is: 403 when [`is_cross_site`](Self::is_cross_site),
    /// 409 when [`is_gone`](Self::is_gone), 503 when [`is_unavailable`](Self::is_unavailable)
    /// or [`is_contended`](Self::is_contended), 500 otherwise.
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
    /// # session.set_count(1).await?;
    /// let stale = sessions.open_id::<Visitor>(&session.session_id().expect("it was created"));
    /// stale.count().await?;
    /// session.destroy().await?;
    /// let Err(error) = stale.set_count(1).await else { unreachable!() };
    /// assert_eq!(error.status(), 409);
    /// # Ok::<(), session_runtime::Error>(())
    /// # }).unwrap();
    /// # }
    /// ```
    pub fn status(&self) -> u16 {
        if self.is_gone() {
            409
        } else if self.is_cross_site() {
            403
        } else if self.is_unavailable() || self.is_contended() {
            503
        } else {
            500
        }
    }

    /// How long the client should wait before it tries again: a second when
    /// [`is_contended`](Self::is_contended), nothing otherwise. As a response, the error says
    /// it in whole seconds as `Retry-After` (RFC 9110, section 10.2.3).
    ///
    /// # Examples
    ///
    /// For pages of your own:
    ///
    /// ```
    /// use session_runtime::Error;
    ///
    /// fn headers(error: &Error) -> Vec<(&'static str, String)> {
    ///     let wait = error.retry_after().map(|wait| ("retry-after", wait.as_secs().to_string()));
    ///     wait.into_iter().collect()
    /// }
    /// # let _ = headers;
    /// ```
    pub fn retry_after(&self) -> Option<Duration> {
        self.is_contended().then_some(Duration::from_secs(1))
    }

    /// One word for what it is, which telemetry tells.
    pub(crate) fn outcome(&self) -> &'static str {
        match &*self.0 {
            Kind::Decode { .. } => "decode",
            Kind::Encode { .. } => "encode",
            Kind::TooLarge { .. } => "too_large",
            Kind::OutOfRange { .. } => "out_of_range",
            Kind::Contended { .. } => "contended",
            Kind::CrossSite => "cross_site",
            Kind::Gone | Kind::Expired => "gone",
            Kind::HeadersSent | Kind::TooLate => "headers_sent",
            Kind::MissingLayer => "missing_layer",
            Kind::OtherRequest
            | Kind::ExpiryOfZero
            | Kind::SchemaNeedsFieldExpiry { .. }
            | Kind::NoFieldExpiry(_) => "unsupported",
            #[cfg(feature = "blocking")]
            Kind::DrivesRuntime | Kind::NoThread(_) => "unsupported",
            Kind::NoRandomness => "no_randomness",
            Kind::Setting { .. } | Kind::Config(_) | Kind::Disputed => "config",
            Kind::WithoutSession => "unavailable",
            Kind::Store(error) if error.is_outcome_unknown() => "outcome_unknown",
            Kind::Store(error) if error.is_unavailable() => "unavailable",
            Kind::Store(_) => "refused",
            #[cfg(feature = "redis")]
            Kind::NotConnected { .. } => "unavailable",
        }
    }

    /// A stored value is not one that the field's type can hold. Names the field and the type,
    /// never the value. Other fields of the session go on working.
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
    /// # #[derive(Session)]
    /// # struct Before { count: String }
    /// # let handle = sessions.open([b"".as_slice()]);
    /// # let (before, session) = (handle.session::<Before>(), handle.session::<Visitor>());
    /// before.set_count("seven").await?; // by the program of yesterday
    /// let count = session.count().await;
    /// assert!(count.is_err_and(|error| error.is_decode()));
    /// # Ok::<(), session_runtime::Error>(())
    /// # }).unwrap();
    /// # }
    /// ```
    pub fn is_decode(&self) -> bool {
        matches!(*self.0, Kind::Decode { .. })
    }

    /// A value given to a setter has no stored form that reads as it again. As JSON these are maps
    /// with keys that are no text, floats that are not finite, and more than 127 lists and maps
    /// within each other. Nothing was sent.
    pub fn is_encode(&self) -> bool {
        matches!(*self.0, Kind::Encode { .. })
    }

    /// The session was destroyed, rotated away or has expired while this request was under way.
    /// Nothing was written. A request that arrives later has no session: its first write begins
    /// a new one.
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
    /// # let id = session.session_id().expect("it was created");
    /// let other_tab = sessions.open_id::<Visitor>(&id);
    /// assert_eq!(other_tab.count().await?, 7);
    /// session.destroy().await?;
    /// assert!(other_tab.set_count(8).await.is_err_and(|error| error.is_gone()));
    /// # Ok::<(), session_runtime::Error>(())
    /// # }).unwrap();
    /// # }
    /// ```
    pub fn is_gone(&self) -> bool {
        matches!(*self.0, Kind::Gone | Kind::Expired)
    }

    /// The result of [`incr`](crate::Field::incr) would be out of the type's range. Nothing was
    /// written.
    pub fn is_out_of_range(&self) -> bool {
        matches!(*self.0, Kind::OutOfRange { .. })
    }

    /// Others changed the field each time before [`update`](crate::Field::update) could, until its
    /// time was over. Nothing was written.
    ///
    /// Too many do so at once. In a moment it may work: as a response, it is a 503 with
    /// `Retry-After`.
    pub fn is_contended(&self) -> bool {
        matches!(*self.0, Kind::Contended { .. })
    }

    /// A value is larger than the configured limit. Nothing was sent.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "derive")] {
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// # use session_runtime::{Session, SessionConfig, Sessions};
    /// # #[derive(Session)]
    /// # struct Visitor { name: String }
    /// # let sessions = Sessions::new(SessionConfig::new().store("memory:")).await?;
    /// # let session = sessions.create::<Visitor>().await?;
    /// let name = "x".repeat(2 << 20);
    /// assert!(session.set_name(name).await.is_err_and(|error| error.is_too_large()));
    /// # Ok::<(), session_runtime::Error>(())
    /// # }).unwrap();
    /// # }
    /// ```
    pub fn is_too_large(&self) -> bool {
        matches!(*self.0, Kind::TooLarge { .. })
    }

    /// The store could not be reached, did not answer within the deadline, or said that it cannot
    /// serve now; or it was so when the request was to be served [without its
    /// session](crate::SessionHandle::allow_degraded), and this would have written to it.
    pub fn is_unavailable(&self) -> bool {
        match &*self.0 {
            Kind::Store(error) => error.is_unavailable(),
            #[cfg(feature = "redis")]
            Kind::NotConnected { .. } => true,
            kind => matches!(kind, Kind::WithoutSession),
        }
    }

    /// A write was sent and no reply came: it may or may not have been carried out. It was not sent
    /// again.
    pub fn is_outcome_unknown(&self) -> bool {
        matches!(&*self.0, Kind::Store(error) if error.is_outcome_unknown())
    }

    /// The operation would have changed the session's cookie after the response's head was sent. A
    /// session that such a write began while the head was sent has no cookie and expires by
    /// itself.
    ///
    /// Also a session that is taken from a request only after the response's head was sent, as one
    /// that does not depend on a session.
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
    /// let handle = sessions.open([b"theme=dark".as_slice()]);
    /// let _ = handle.finish(); // the head is sent
    /// let begun = handle.session::<Visitor>().set_count(1).await;
    /// assert!(begun.is_err_and(|error| error.is_headers_sent()));
    /// # Ok::<(), session_runtime::Error>(())
    /// # }).unwrap();
    /// # }
    /// ```
    pub fn is_headers_sent(&self) -> bool {
        matches!(*self.0, Kind::HeadersSent | Kind::TooLate)
    }

    /// The operation would have begun a session for a request that another site caused, and that
    /// came without the session's cookie. Nothing was written: the browser may have a session,
    /// whose cookie the new one's would replace. What permits it is `allow_cross_site` of the layer
    /// or the middleware. [The guide](crate::guide::cross_site) says how callbacks of payments and
    /// logins go without.
    ///
    /// # Examples
    ///
    /// ```
    /// use session_runtime::{Error, Session};
    ///
    /// # #[cfg(feature = "derive")] {
    /// #[derive(Session)]
    /// struct Visitor {
    ///     count: u64,
    /// }
    ///
    /// /// Counts whom it can count.
    /// async fn count(session: &Session<Visitor>) -> Result<Option<u64>, Error> {
    ///     match session.count().incr(1).await {
    ///         Ok(count) => Ok(Some(count)),
    ///         Err(error) if error.is_cross_site() => Ok(None),
    ///         Err(error) => Err(error),
    ///     }
    /// }
    /// # let _ = count;
    /// # }
    /// ```
    pub fn is_cross_site(&self) -> bool {
        matches!(*self.0, Kind::CrossSite)
    }

    /// The request did not pass through the session layer.
    pub fn is_missing_layer(&self) -> bool {
        matches!(*self.0, Kind::MissingLayer)
    }

    /// What was asked for cannot be done: a batch that holds a field of another request's session,
    /// a field's own expiry on a server that has none, or one of zero, or `wait` on a thread
    /// that drives an async runtime. Nothing was written.
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
    /// let other = sessions.create::<Visitor>().await?;
    /// let mixed = session.read((session.count(), other.count())).await;
    /// assert!(mixed.is_err_and(|error| error.is_unsupported()));
    /// # Ok::<(), session_runtime::Error>(())
    /// # }).unwrap();
    /// # }
    /// ```
    pub fn is_unsupported(&self) -> bool {
        #[cfg(feature = "blocking")]
        if matches!(*self.0, Kind::DrivesRuntime | Kind::NoThread(_)) {
            return true;
        }
        matches!(
            *self.0,
            Kind::OtherRequest
                | Kind::ExpiryOfZero
                | Kind::SchemaNeedsFieldExpiry { .. }
                | Kind::NoFieldExpiry(_)
        )
    }

    /// The configuration cannot be used. The message names the setting and what it takes. Also an
    /// answer about a session that the store still has while this process's clock or lifetimes
    /// say that it is over.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// # use session_runtime::{SessionConfig, Sessions};
    /// # let sessions = Sessions::new(SessionConfig::new().store("memory:")).await?;
    /// let config = SessionConfig::new().secret("changeme");
    /// assert!(Sessions::new(config).await.is_err_and(|error| error.is_config()));
    /// # Ok::<(), session_runtime::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn is_config(&self) -> bool {
        matches!(*self.0, Kind::Config(_) | Kind::Setting { .. } | Kind::Disputed)
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        Self::new(Kind::Store(error))
    }
}

/// As `Display`: it is what a `main` prints that returns the error, and it has to say what to do.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source()
    }
}
