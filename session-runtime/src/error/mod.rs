//! The errors of session operations, as an opaque type.

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

/// An error of a session operation.
///
/// The type is opaque: the `is_…` methods tell the kinds apart. You can log an error as it is.
/// Neither the error nor its [sources](std::error::Error::source) contain a stored value, the
/// secret part of a session id or the text of a server's message.
///
/// With the features `axum`, `actix` and `poem`, an error is also a response. Its status is
/// [`status`](Self::status), and its body says nothing about the store.
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
///         // An earlier release stored another type. The page does without the name.
///         Err(error) if error.is_decode() => Ok("hello".to_owned()),
///         Err(error) => Err(error),
///     }
/// }
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

    /// Creates an error about a setting. `reason` completes a sentence that begins with the
    /// setting, and does not quote the value.
    pub(crate) fn setting(setting: Setting, reason: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Kind::Setting { setting, reason: reason.into() })
    }

    /// Names the setting to look at, for a store that cannot be reached when the application
    /// starts.
    #[cfg(feature = "redis")]
    pub(crate) fn looked_for_by(self, setting: Setting) -> Self {
        match *self.0 {
            Kind::Store(error) if error.is_unavailable() => {
                Self::new(Kind::NotConnected { setting, error })
            }
            kind => Self::new(kind),
        }
    }

    /// Returns the setting of the error, to change how it is named.
    pub(crate) fn setting_mut(&mut self) -> Option<&mut Setting> {
        match &mut *self.0 {
            Kind::Setting { setting, .. } => Some(setting),
            _ => None,
        }
    }

    /// Returns the status code of the error as a response.
    ///
    /// - 403 if [`is_cross_origin`](Self::is_cross_origin),
    ///   [`is_cross_site`](Self::is_cross_site) or
    ///   [`is_invalid_form_token`](Self::is_invalid_form_token)
    /// - 409 if [`is_gone`](Self::is_gone)
    /// - 503 if [`is_unavailable`](Self::is_unavailable) or [`is_contended`](Self::is_contended)
    /// - 500 otherwise
    ///
    /// # Examples
    ///
    /// ```
    /// # session_runtime::__example!(struct Visitor { count: u64 } |session, sessions| {
    /// session.set_count(1).await?;
    /// let id = session.session_id().expect("the session was created");
    /// let stale = sessions.open_id::<Visitor>(&id);
    /// stale.count().await?;
    /// session.destroy().await?;
    /// let Err(error) = stale.set_count(1).await else { unreachable!() };
    /// assert_eq!(error.status(), 409);
    /// # });
    /// ```
    #[doc(alias = "status_code")]
    #[doc(alias = "http_status")]
    pub fn status(&self) -> u16 {
        if self.is_gone() || self.is_ended_since() || self.is_too_many() {
            409
        } else if self.is_cross_origin() || self.is_cross_site() || self.is_invalid_form_token() {
            403
        } else if self.is_unavailable() || self.is_contended() {
            503
        } else {
            500
        }
    }

    /// Returns how long the client should wait before another attempt: a second if
    /// [`is_contended`](Self::is_contended), otherwise `None`.
    ///
    /// A response made from the error contains the time in whole seconds as `Retry-After` (RFC
    /// 9110, section 10.2.3).
    ///
    /// # Examples
    ///
    /// For custom error pages:
    ///
    /// ```
    /// use session_runtime::Error;
    ///
    /// fn headers(error: &Error) -> Vec<(&'static str, String)> {
    ///     let Some(wait) = error.retry_after() else { return Vec::new() };
    ///     vec![("retry-after", wait.as_secs().to_string())]
    /// }
    /// ```
    pub fn retry_after(&self) -> Option<Duration> {
        self.is_contended().then_some(Duration::from_secs(1))
    }

    /// Returns the kind of the error as a word for telemetry.
    pub(crate) fn outcome(&self) -> &'static str {
        match &*self.0 {
            Kind::Decode { .. } | Kind::Decrypt { .. } => "decode",
            Kind::Encode { .. } => "encode",
            #[cfg(any(feature = "tower-sessions-0_14", feature = "tower-sessions-0_15"))]
            Kind::UnwritableJson { .. } => "encode",
            #[cfg(any(feature = "tower-sessions-0_14", feature = "tower-sessions-0_15"))]
            Kind::OwnExpiry => "unsupported",
            #[cfg(any(feature = "tower-sessions-0_14", feature = "tower-sessions-0_15"))]
            Kind::EmptyPrefix => "config",
            #[cfg(any(feature = "tower-sessions-0_14", feature = "tower-sessions-0_15"))]
            Kind::FormerStore => "unavailable",
            Kind::TooLarge { .. } => "too_large",
            Kind::OutOfRange { .. } => "out_of_range",
            Kind::Contended { .. } => "contended",
            Kind::CrossSite => "cross_site",
            Kind::InvalidFormToken => "invalid_form_token",
            Kind::CrossOrigin { .. } => "cross_origin",
            Kind::Gone | Kind::Expired => "gone",
            Kind::HeadersSent | Kind::TooLate => "headers_sent",
            Kind::MissingLayer => "missing_layer",
            Kind::OtherRequest
            | Kind::KeptWithoutNewId
            | Kind::NoChangesInRotation
            | Kind::NoIndex
            | Kind::SchemaWithoutIndex { .. }
            | Kind::GuardWithoutLogin
            | Kind::ExpiryOfZero
            | Kind::SchemaNeedsFieldExpiry { .. }
            | Kind::NoFieldExpiry(_) => "unsupported",
            #[cfg(feature = "encryption")]
            Kind::SchemaWithoutEncryption { .. } | Kind::NoKeepingTimes => "unsupported",
            #[cfg(feature = "blocking")]
            Kind::DrivesRuntime | Kind::NoThread(_) => "unsupported",
            Kind::NoRandomness => "no_randomness",
            Kind::Setting { .. }
            | Kind::Config(_)
            | Kind::Disputed
            | Kind::NoTokens
            | Kind::NoEncryptionKey { .. } => "config",
            Kind::WithoutSession => "unavailable",
            Kind::Store(error) if error.is_outcome_unknown() => "outcome_unknown",
            Kind::Store(error) if error.is_unavailable() => "unavailable",
            Kind::Store(error) if error.is_ended_since() => "ended_since",
            Kind::Store(error) if error.is_too_many() => "too_many",
            Kind::Store(error) if error.is_unsupported() => "unsupported",
            Kind::Store(_) => "refused",
            #[cfg(feature = "redis")]
            Kind::NotConnected { .. } => "unavailable",
        }
    }

    /// Returns `true` if a stored value is not valid for the type of the field.
    ///
    /// The message names the field and the type, but never the value. Other fields of the session
    /// still work.
    ///
    /// # Examples
    ///
    /// ```
    /// # session_runtime::__example!(struct Visitor { count: u64 } |session, sessions| {
    /// #[derive(Session)]
    /// struct Before {
    ///     count: String,
    /// }
    ///
    /// let before = sessions.open_id::<Before>(&session.session_id().expect("it was created"));
    /// before.set_count("seven").await?; // by yesterday's release
    /// assert!(session.count().await.is_err_and(|error| error.is_decode()));
    /// # });
    /// ```
    pub fn is_decode(&self) -> bool {
        self.outcome() == "decode"
    }

    /// Returns `true` if a value has no stored form from which the same value can be read. Nothing
    /// was sent.
    ///
    /// For JSON, these values are maps with keys that are not text, floats that are not finite, and
    /// more than 127 nested lists and maps.
    pub fn is_encode(&self) -> bool {
        self.outcome() == "encode"
    }

    /// Returns `true` if the session was destroyed, rotated or has expired while this request was
    /// under way. Nothing was written.
    ///
    /// A request that arrives later has no session, and its first write creates a new session.
    ///
    /// # Examples
    ///
    /// ```
    /// # session_runtime::__example!(struct Visitor { count: u64 } |session, sessions| {
    /// session.set_count(7).await?;
    /// let id = session.session_id().expect("the session was created");
    /// let other_tab = sessions.open_id::<Visitor>(&id);
    /// assert_eq!(other_tab.count().await?, 7);
    /// session.destroy().await?;
    /// assert!(other_tab.set_count(8).await.is_err_and(|error| error.is_gone()));
    /// # });
    /// ```
    #[doc(alias = "conflict")]
    #[doc(alias = "409")]
    pub fn is_gone(&self) -> bool {
        matches!(*self.0, Kind::Gone | Kind::Expired)
    }

    /// Returns `true` if a login was overtaken: all sessions of the user were ended since the
    /// checkpoint of [`unless_ended_since`]. Nothing was written. As a response, the error is a
    /// 409.
    ///
    /// [`unless_ended_since`]: crate::batch::WriteBatch::unless_ended_since
    pub fn is_ended_since(&self) -> bool {
        matches!(&*self.0, Kind::Store(error) if error.is_ended_since())
    }

    /// Returns `true` if a login was refused, because the user has as many sessions as
    /// [`at_most`] allows. Nothing was written. As a response, the error is a 409.
    ///
    /// [`at_most`]: crate::batch::WriteBatch::at_most
    pub fn is_too_many(&self) -> bool {
        matches!(&*self.0, Kind::Store(error) if error.is_too_many())
    }

    /// Returns `true` if the result of [`incr`](crate::Field::incr) would be out of the type's
    /// range. Nothing was written.
    #[doc(alias = "overflow")]
    pub fn is_out_of_range(&self) -> bool {
        matches!(*self.0, Kind::OutOfRange { .. })
    }

    /// Returns `true` if other requests changed the field before each attempt of
    /// [`update`](crate::Field::update), until the deadline. Nothing was written.
    ///
    /// Too many requests change the field at once, and a later attempt may succeed. As a response,
    /// the error is a 503 with `Retry-After`.
    pub fn is_contended(&self) -> bool {
        matches!(*self.0, Kind::Contended { .. })
    }

    /// Returns `true` if a value is larger than the configured limit. Nothing was sent.
    ///
    /// # Examples
    ///
    /// ```
    /// # session_runtime::__example!(struct Visitor { name: String } |session| {
    /// let name = "x".repeat(2 << 20);
    /// assert!(session.set_name(name).await.is_err_and(|error| error.is_too_large()));
    /// # });
    /// ```
    pub fn is_too_large(&self) -> bool {
        matches!(*self.0, Kind::TooLarge { .. })
    }

    /// Returns `true` if the store could not be reached, did not reply within the deadline, or
    /// refused to serve for now.
    ///
    /// Also `true` for a write in a request that goes on [without its
    /// session](crate::SessionHandle::allow_degraded), because the store was unavailable.
    #[doc(alias = "503")]
    #[doc(alias = "connection")]
    pub fn is_unavailable(&self) -> bool {
        match &*self.0 {
            Kind::Store(error) => error.is_unavailable(),
            #[cfg(feature = "redis")]
            Kind::NotConnected { .. } => true,
            #[cfg(any(feature = "tower-sessions-0_14", feature = "tower-sessions-0_15"))]
            Kind::FormerStore => true,
            kind => matches!(kind, Kind::WithoutSession),
        }
    }

    /// Returns `true` if a write was sent and no reply came. The store may or may not have carried
    /// out the write. The write was not sent again.
    pub fn is_outcome_unknown(&self) -> bool {
        matches!(&*self.0, Kind::Store(error) if error.is_outcome_unknown())
    }

    /// Returns `true` if the operation would have changed the session cookie after the response
    /// headers were sent.
    ///
    /// If such a write created a session while the headers were being sent, that session has no
    /// cookie and expires.
    ///
    /// Also `true` if a session is first taken from a request after the response headers were sent
    /// as independent of a session.
    ///
    /// # Examples
    ///
    /// ```
    /// # session_runtime::__example!(struct Visitor { count: u64 } |_session, sessions| {
    /// let handle = sessions.open([b"theme=dark".as_slice()]);
    /// let _ = handle.finish(); // the headers are sent
    /// let begun = handle.session::<Visitor>().set_count(1).await;
    /// assert!(begun.is_err_and(|error| error.is_headers_sent()));
    /// # });
    /// ```
    pub fn is_headers_sent(&self) -> bool {
        matches!(*self.0, Kind::HeadersSent | Kind::TooLate)
    }

    /// Returns `true` if the operation would have created a session in a request from another site,
    /// without the session cookie. Nothing was written.
    ///
    /// The browser may have a session, and the cookie of a new session would replace the existing
    /// cookie. `allow_cross_site` of the layer or the middleware permits the creation. [The
    /// guide] describes callbacks of payments and logins that work without this permission.
    ///
    /// This rule is always on, and protects the user's session. It is no defence against forged
    /// requests, which have the session cookie: see [`is_cross_origin`](Self::is_cross_origin).
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "derive")] {
    /// use session_runtime::{Error, Session};
    ///
    /// #[derive(Session)]
    /// struct Visitor {
    ///     count: u64,
    /// }
    ///
    /// /// Counts visits, except from other sites without a session.
    /// async fn count(session: &Session<Visitor>) -> Result<Option<u64>, Error> {
    ///     match session.count().incr(1).await {
    ///         Ok(count) => Ok(Some(count)),
    ///         Err(error) if error.is_cross_site() => Ok(None),
    ///         Err(error) => Err(error),
    ///     }
    /// }
    /// # }
    /// ```
    #[cfg_attr(feature = "derive", doc = "\n\n[the guide]: crate::guide::cross_site\n")]
    #[cfg_attr(not(feature = "derive"), doc = "\n\n[the guide]: crate#features\n")]
    #[doc(alias = "403")]
    pub fn is_cross_site(&self) -> bool {
        matches!(*self.0, Kind::CrossSite)
    }

    /// Returns `true` if a form token does not belong to the request's session: see
    /// [`Session::check_form_token`](struct@crate::Session#method.check_form_token). As a response,
    /// the error is a 403.
    ///
    /// Mostly, the form was open while the session changed, for example during a login in another
    /// tab. So say that nothing was done, and link to a fresh page.
    ///
    /// # Examples
    ///
    /// ```
    /// # session_runtime::__example!(struct Visitor { count: u64 } |session| {
    /// let forged = session.check_form_token("").await;
    /// assert!(forged.is_err_and(|error| error.is_invalid_form_token()));
    /// # });
    /// ```
    #[doc(alias = "csrf")]
    #[doc(alias = "403")]
    pub fn is_invalid_form_token(&self) -> bool {
        matches!(*self.0, Kind::InvalidFormToken)
    }

    /// Returns `true` if the same-origin check refused the request: a page of another origin caused
    /// the request, which may change something. No handler ran. As a response, the error is a 403.
    ///
    /// Only routes whose layer has `same_origin` carry out the check, and programs that call
    /// [`check_same_origin`](crate::SessionHandle::check_same_origin). The session does not matter
    /// there. [`is_cross_site`](Self::is_cross_site) has another cause: a write would have created
    /// a session.
    ///
    /// The message names the header that decided.
    #[doc(alias = "403")]
    #[doc(alias = "csrf")]
    pub fn is_cross_origin(&self) -> bool {
        matches!(*self.0, Kind::CrossOrigin { .. })
    }

    /// Returns `true` if the request did not pass through the session layer.
    pub fn is_missing_layer(&self) -> bool {
        matches!(*self.0, Kind::MissingLayer)
    }

    /// Returns `true` if the operation is not possible. Nothing was written.
    ///
    /// - A batch contains a field of another request's session.
    /// - A field has its own expiry, and the server does not support that.
    /// - A field's expiry is zero.
    /// - A field is indexed, and the store cannot find sessions by a field.
    /// - A custom store cannot list its sessions.
    /// - A batch has the conditions of a login, and does not set the user as they need.
    /// - `wait` was called on a thread that drives an async runtime, or could not start a thread.
    ///
    /// # Examples
    ///
    /// ```
    /// # session_runtime::__example!(struct Visitor { count: u64 } |session, sessions| {
    /// let other = sessions.create::<Visitor>().await?;
    /// let mixed = session.read((session.count(), other.count())).await;
    /// assert!(mixed.is_err_and(|error| error.is_unsupported()));
    /// # });
    /// ```
    pub fn is_unsupported(&self) -> bool {
        self.outcome() == "unsupported"
    }

    /// Returns `true` if the configuration cannot be used. The message names the setting and the
    /// accepted values.
    ///
    /// Also `true` if the store still has a session that is over by the clock or the lifetimes of
    /// this process.
    ///
    /// # Examples
    ///
    /// ```
    /// # session_runtime::__example!({
    /// use session_runtime::{SessionConfig, Sessions};
    ///
    /// let config = SessionConfig::new().secret("changeme");
    /// assert!(Sessions::new(config).await.is_err_and(|error| error.is_config()));
    /// # });
    /// ```
    pub fn is_config(&self) -> bool {
        self.outcome() == "config"
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        Self::new(Kind::Store(error))
    }
}

/// Formats the error like `Display`. A `main` that returns the error prints this text, which has to
/// say what to do.
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
