//! The bearer token of a session.

/// The bearer token of a session: the signed id, for clients without cookies.
///
/// Possession of the token is enough to use the session, as with the value of a cookie. So this
/// type has no `Debug`, no `Display` and no `Serialize`. Take the text with
/// [`expose_secret`](Self::expose_secret), where the client gets it.
///
/// # Examples
///
/// ```
/// # session_runtime::__example!({
/// use session_runtime::{Lifetime, Session, SessionConfig, Sessions, Transport};
///
/// #[derive(Session)]
/// struct Auth {
///     user: Option<u64>,
/// }
///
/// let config = SessionConfig::new().store("memory:").transport(Transport::CookieOrBearer);
/// let sessions = Sessions::new(config).await?;
/// let handle = sessions.open([]);
/// let auth = handle.session::<Auth>();
/// auth.write().set(auth.user(), 42).renew(Lifetime::normal()).commit().await?;
/// let token = auth.token().await?.expect("the login created a session");
/// let answer = serde_json::json!({ "token": token.expose_secret() });
/// assert_eq!(handle.finish().session_token(), answer["token"].as_str());
/// # });
/// ```
#[derive(Clone, PartialEq, Eq)]
#[must_use]
#[expect(missing_debug_implementations, reason = "the text is a secret")]
pub struct SessionToken(Box<str>);

impl SessionToken {
    pub(super) fn new(token: String) -> Self {
        Self(token.into())
    }

    /// Returns the text of the token, which is a secret.
    pub fn expose_secret(&self) -> &str {
        &self.0
    }
}
