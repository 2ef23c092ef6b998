//! Tokens for forms, against forged requests.

use std::fmt;

use serde::{Serialize, Serializer};

use super::Session;
use super::schema::Schema;
use crate::operation::Operation;
use crate::telemetry::{OperationName, OperationSpan};

/// The token for a form on a page of a session, from
/// [`Session::form_token`](struct@crate::Session#method.form_token).
///
/// A token has 43 characters: letters, digits, `-` and `_`. So it needs no escaping in HTML, in a
/// URL or in a header. Never put a token into a URL, though: URLs end up in logs, and in the
/// `Referer` of other requests.
///
/// `Display` and [`as_str`](Self::as_str) return the token, and `Serialize` writes it as text.
/// `Debug` hides it.
///
/// # Examples
///
/// ```
/// # session_runtime::__example!(struct Visitor { count: u64 } |session| {
/// let token = session.form_token().await?;
/// let input = format!(r#"<input type="hidden" name="form_token" value="{token}">"#);
/// assert_eq!(token.as_str().len(), 43);
/// assert_eq!(format!("{token:?}"), "FormToken(…)");
/// println!("<form method=\"post\">{input}</form>");
/// # });
/// ```
#[derive(Clone)]
#[doc(alias = "csrf")]
pub struct FormToken(Box<str>);

impl FormToken {
    /// Returns the text of the token.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<S: Schema> Session<S> {
    /// Returns a token for a form on a page of this session, and creates the session if there is
    /// none. Only pages of this session know its tokens, so a form with a token was not forged by
    /// another site. See [the guide].
    ///
    /// Each call returns another token, and all are valid while the session keeps its id. So tabs
    /// do not disturb each other. [`rotate`](Self::rotate), [`renew`](Self::renew) and a batch with
    /// either end the tokens, as a login should. Nothing is stored: the token is a random number,
    /// signed together with the id by a key that is derived from the
    /// [`secret`](crate::SessionConfig::secret).
    ///
    /// Takes no round trip if an operation of this request has found the session live, and
    /// otherwise one. If the session of the cookie is over, one or two more follow. A new session
    /// has no fields.
    ///
    /// # Errors
    ///
    /// The creation of a session fails as that of a write does:
    ///
    /// - [`Error::is_gone`](crate::Error::is_gone) if the session was ended in the meantime.
    /// - [`Error::is_cross_site`](crate::Error::is_cross_site) if another site caused the request.
    /// - [`Error::is_headers_sent`](crate::Error::is_headers_sent) if the response headers were
    ///   sent.
    /// - [`Error::is_unavailable`](crate::Error::is_unavailable) if the store cannot be reached, or
    ///   if the request goes on without its session.
    ///
    /// Always fails with [`Error::is_config`](crate::Error::is_config) without a `secret`, which
    /// only cookie formats of Python do without.
    ///
    /// # Examples
    ///
    /// ```
    /// # session_runtime::__example!(struct Visitor { count: u64 } |session| {
    /// let token = session.form_token().await?;
    /// let page = format!(
    ///     r#"<form method="post">
    /// <input type="hidden" name="form_token" value="{token}">
    /// <button>Buy</button>
    /// </form>"#
    /// );
    /// println!("{page}");
    /// session.check_form_token(token.as_str()).await?; // in the request of the form
    /// # });
    /// ```
    #[cfg_attr(feature = "derive", doc = "\n\n[the guide]: crate::guide::forged_requests\n")]
    #[cfg_attr(not(feature = "derive"), doc = "\n\n[the guide]: crate#features\n")]
    #[doc(alias = "csrf")]
    #[doc(alias = "csrf_token")]
    #[doc(alias = "xsrf")]
    pub fn form_token(&self) -> Operation<'_, FormToken> {
        let handle = self.handle();
        Operation::new(
            OperationSpan::new(OperationName::FormToken, handle).instrument(async move {
                Ok(FormToken(handle.form_token().await?.into_boxed_str()))
            }),
        )
    }

    /// Checks that `sent` is a token of this session. Call this before anything else in a handler
    /// that changes something. A missing token is the empty text.
    ///
    /// The comparison takes constant time and, in nearly all requests, no round trip. The session
    /// is that of the request's signed cookie, or the one that this request has begun or given a
    /// new id. If the request came with cookies of several sessions, the store first decides which
    /// of them counts. So a planted cookie does not open the session of the user. Creates no
    /// session, and sets no cookie.
    ///
    /// A session that is over still has its tokens, until the absolute deadline. So a login form
    /// works after the idle timeout too. This opens nothing: all operations that follow find the
    /// session over, as always. After [`destroy`](Self::destroy) in this request, no token is
    /// valid.
    ///
    /// # Errors
    ///
    /// - [`Error::is_invalid_form_token`](crate::Error::is_invalid_form_token) if the token does
    ///   not belong to the session, or if there is no session. As a response, the error is a 403.
    /// - [`Error::is_unavailable`](crate::Error::is_unavailable) if the request came with cookies
    ///   of several sessions, and the store cannot be reached.
    /// - [`Error::is_config`](crate::Error::is_config) without a `secret`, as for
    ///   [`form_token`](Self::form_token).
    ///
    /// # Examples
    ///
    /// ```
    /// # session_runtime::__example!(struct Visitor { count: u64 } |session| {
    /// let token = session.form_token().await?;
    /// session.check_form_token(token.as_str()).await?;
    /// session.renew(Lifetime::normal()).await?; // a login
    /// let outdated = session.check_form_token(token.as_str()).await;
    /// assert!(outdated.is_err_and(|error| error.is_invalid_form_token()));
    /// # });
    /// ```
    #[doc(alias = "csrf")]
    #[doc(alias = "verify_csrf_token")]
    pub fn check_form_token<'a>(&'a self, sent: &'a str) -> Operation<'a, ()> {
        let handle = self.handle();
        Operation::new(
            OperationSpan::new(OperationName::CheckFormToken, handle)
                .instrument(handle.check_form_token(sent)),
        )
    }
}

impl fmt::Display for FormToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for FormToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FormToken(…)")
    }
}

impl Serialize for FormToken {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}
