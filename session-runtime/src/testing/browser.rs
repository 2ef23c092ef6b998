//! A browser that keeps the session's cookie, or another client that keeps the token.

use std::fmt;

use crate::config::TokenHeader;
use crate::error::Error;
use crate::session::Session;
use crate::session::schema::Schema;
use crate::session::sessions::Sessions;

/// A browser for tests. It keeps the session's cookie from responses, and sends the cookie with
/// requests. If the session [travels as a bearer token](crate::SessionConfig::transport), it keeps
/// and sends the token instead, like a client without cookies. A real browser would keep its cookie
/// beside a token of a script.
///
/// [`visit`](Self::visit) runs a request without a server, and `send` sends a request to a tower
/// router. With other web frameworks, send [`cookie`](Self::cookie) to your handlers and pass the
/// response's cookies to [`receive`](Self::receive). For tokens, these are [`token`](Self::token)
/// and [`receive_token`](Self::receive_token). A clone is another browser with the same cookie or
/// token, like a second tab or a thief.
///
/// To bring a session into the state that a test needs:
///
/// | state | how |
/// | --- | --- |
/// | signed in, or live with data | [`signed_in`](Self::signed_in), or `visit` and set fields |
/// | expired | `visit`, then [`ManualClock::advance`](super::ManualClock::advance) |
/// | ended | `visit`, clone, then `visit` and destroy: the clone keeps the cookie |
/// | rotated away | `visit`, clone, then `visit` and rotate |
/// | forged | [`forge`](Self::forge) |
/// | signed by an older secret | `visit`, then [`with_sessions`](Self::with_sessions): a manager with both secrets, the same store |
/// | unknown to the store | `visit`, then [`with_sessions`](Self::with_sessions): a manager with another store |
///
/// # Examples
///
/// ```
/// # session_runtime::__example!({
/// use session_runtime::testing::{Browser, ManualClock, sessions};
/// use session_runtime::{Session, SessionConfig};
///
/// #[derive(Session)]
/// struct Visitor {
///     count: u64,
/// }
///
/// let sessions = sessions(SessionConfig::new(), &ManualClock::default())?;
/// let mut browser = Browser::new(&sessions);
/// browser.visit(async |session: Session<Visitor>| session.set_count(7).await).await?;
///
/// // A thief has the cookie from before the login.
/// let mut thief = browser.clone();
/// browser.visit(async |session: Session<Visitor>| session.rotate().await).await?;
///
/// let count = async |session: Session<Visitor>| session.count().await;
/// assert_eq!(browser.visit(count).await?, 7);
/// assert_eq!(thief.visit(count).await?, 0);
/// # });
/// ```
#[derive(Clone)]
pub struct Browser {
    sessions: Sessions,
    kept: Option<Kept>,
}

/// The value that names the session in requests.
#[derive(Clone)]
enum Kept {
    /// `NAME=VALUE`
    Cookie(String),
    Token(String),
}

impl Browser {
    /// Creates a browser without a cookie.
    pub fn new(sessions: &Sessions) -> Self {
        Self { sessions: sessions.clone(), kept: None }
    }

    /// Creates a browser with a new session that contains this data, such as the user. Needs no
    /// login page.
    ///
    /// The session is written as [`save`](struct@Session#method.save) writes it, with its index. If
    /// all values of the data are `None`, there is no session. For the fields of another schema, or
    /// for another lifetime, [`visit`](Self::visit) afterwards.
    ///
    /// # Errors
    ///
    /// The same as for [`save`](struct@Session#method.save).
    ///
    /// # Examples
    ///
    /// ```
    /// # session_runtime::__example!({
    /// use session_runtime::testing::{Browser, ManualClock, sessions};
    /// use session_runtime::{Lifetime, Session, SessionConfig};
    ///
    /// #[derive(Session)]
    /// struct Auth {
    ///     #[session(index)]
    ///     user: Option<u64>,
    /// }
    ///
    /// let sessions = sessions(SessionConfig::new(), &ManualClock::default())?;
    /// let ada = Auth { user: Some(42) };
    /// let mut laptop = Browser::signed_in(&sessions, &ada).await?;
    /// let mut phone = Browser::signed_in(&sessions, &ada).await?;
    /// phone.visit(async |auth: Session<Auth>| auth.renew(Lifetime::remembered()).await).await?;
    ///
    /// // "Log out everywhere" on the laptop.
    /// assert_eq!(sessions.find(Auth::by_user(42)).end_all().await?, 2);
    /// for browser in [&mut laptop, &mut phone] {
    ///     assert_eq!(browser.visit(async |auth: Session<Auth>| auth.user().await).await?, None);
    /// }
    /// # });
    /// ```
    pub async fn signed_in<S: Schema>(sessions: &Sessions, data: &S) -> Result<Self, Error> {
        let mut browser = Self::new(sessions);
        browser.visit(async |session: Session<S>| session.save(data).await).await?;
        Ok(browser)
    }

    /// Runs a request, where the closure is the handler. Then sends the response headers and keeps
    /// the session's cookie or token.
    ///
    /// You may hold the session for longer than the request. As always, later operations cannot
    /// change the cookie.
    pub async fn visit<S: Schema, T>(&mut self, request: impl AsyncFnOnce(Session<S>) -> T) -> T {
        let handle = self.sessions.open(self.cookie().map(str::as_bytes));
        if let Some((_, value)) = self.token_header() {
            handle.note_tokens([value.as_bytes()]);
        }
        let answer = request(handle.session()).await;
        let headers = handle.finish();
        if let Some(set_cookie) = headers.set_cookie() {
            self.receive(set_cookie);
        }
        if let Some(token) = headers.session_token() {
            self.receive_token(token);
        }
        answer
    }

    /// Sends a request with the cookie or token to a router, and keeps those of the response. The
    /// router is any tower service, such as axum's `Router` or a service with a
    /// [`SessionLayer`](crate::adapter::tower::SessionLayer).
    ///
    /// # Errors
    ///
    /// Returns the service's error. axum's router has none.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "axum")] session_runtime::__example!({
    /// use axum::body::{Body, to_bytes};
    /// use axum::http::Request;
    /// use axum::{Router, routing::get};
    /// use session_runtime::testing::{Browser, ManualClock, sessions};
    /// use session_runtime::{Error, Session, SessionConfig};
    ///
    /// #[derive(Session)]
    /// struct Visitor {
    ///     count: u64,
    /// }
    ///
    /// async fn count(session: Session<Visitor>) -> Result<String, Error> {
    ///     Ok(session.count().incr(1).await?.to_string())
    /// }
    ///
    /// let sessions = sessions(SessionConfig::new(), &ManualClock::default())?;
    /// let router = Router::new().route("/", get(count)).layer(sessions.layer());
    /// let mut browser = Browser::new(&sessions);
    /// for expected in ["1", "2"] {
    ///     let request = Request::get("/").body(Body::empty())?;
    ///     let response = browser.send(router.clone(), request).await?;
    ///     assert_eq!(to_bytes(response.into_body(), usize::MAX).await?, expected);
    /// }
    /// # });
    /// ```
    #[cfg(feature = "tower")]
    pub async fn send<S, B, R>(
        &mut self,
        mut router: S,
        mut request: http::Request<B>,
    ) -> Result<http::Response<R>, S::Error>
    where
        S: tower_service::Service<http::Request<B>, Response = http::Response<R>>,
    {
        let cookie = self.cookie().and_then(|cookie| http::HeaderValue::from_str(cookie).ok());
        if let Some(cookie) = cookie {
            request.headers_mut().append(http::header::COOKIE, cookie);
        }
        let token = self.token_header().and_then(|(name, value)| header(name, &value));
        if let Some((name, value)) = token {
            request.headers_mut().append(name, value);
        }
        std::future::poll_fn(|cx| router.poll_ready(cx)).await?;
        let response = router.call(request).await?;
        let set_cookies = response.headers().get_all(http::header::SET_COOKIE);
        for set_cookie in set_cookies.iter().filter_map(|value| value.to_str().ok()) {
            self.receive(set_cookie);
        }
        let tokens = self.sessions.manager().tokens().ok();
        let token = tokens.and_then(|tokens| response.headers().get(&**tokens.response_header()));
        if let Some(token) = token.and_then(|token| token.to_str().ok()) {
            self.receive_token(token);
        }
        Ok(response)
    }

    /// Returns the value of the request header `Cookie`. `None` means that the browser has no
    /// session cookie.
    pub fn cookie(&self) -> Option<&str> {
        match &self.kept {
            Some(Kept::Cookie(cookie)) => Some(cookie),
            _ => None,
        }
    }

    /// Returns the bearer token. Send it in the request header `Authorization`, after `Bearer`, or
    /// in the header that you have [configured](crate::SessionConfig::token_header). `None` means
    /// that the browser has no token.
    ///
    /// # Examples
    ///
    /// ```
    /// # session_runtime::__example!({
    /// use session_runtime::testing::{Browser, ManualClock, sessions};
    /// use session_runtime::{Session, SessionConfig, Transport};
    ///
    /// #[derive(Session)]
    /// struct Visitor {
    ///     count: u64,
    /// }
    ///
    /// let config = SessionConfig::new().transport(Transport::Bearer);
    /// let sessions = sessions(config, &ManualClock::default())?;
    /// let mut client = Browser::new(&sessions);
    /// client.visit(async |session: Session<Visitor>| session.set_count(7).await).await?;
    /// assert_eq!(client.cookie(), None);
    /// let authorization = format!("Bearer {}", client.token().expect("a new session"));
    /// assert_eq!(authorization.len(), "Bearer ".len() + 84);
    /// # });
    /// ```
    pub fn token(&self) -> Option<&str> {
        match &self.kept {
            Some(Kept::Token(token)) => Some(token),
            _ => None,
        }
    }

    /// Returns the name and the value of the request header with the token.
    fn token_header(&self) -> Option<(&str, String)> {
        let (header, token) = (self.sessions.manager().token_header()?, self.token()?);
        let value = match header {
            TokenHeader::Authorization => format!("Bearer {token}"),
            TokenHeader::Named(_) => token.to_owned(),
        };
        Some((header.name(), value))
    }

    /// Accepts the value of a response header `Set-Cookie`. Ignores other cookies than the
    /// session's, and ignores all attributes except an age of zero, which removes the cookie.
    pub fn receive(&mut self, set_cookie: &str) {
        let mut parts = set_cookie.split(';').map(str::trim);
        let Some(pair) = parts.next() else { return };
        if pair
            .split_once('=')
            .is_some_and(|(name, _)| name == self.sessions.manager().cookie_name())
        {
            let is_removal = parts.any(|attribute| attribute.eq_ignore_ascii_case("Max-Age=0"));
            self.kept = (!is_removal).then(|| Kept::Cookie(pair.to_owned()));
        }
    }

    /// Accepts the value of a response header `Session-Token`. An empty value removes the token.
    pub fn receive_token(&mut self, token: &str) {
        self.kept = (!token.is_empty()).then(|| Kept::Token(token.to_owned()));
    }

    /// Returns a browser with the same cookie or token for another manager, whose cookie has the
    /// same name.
    pub fn with_sessions(&self, sessions: &Sessions) -> Self {
        Self { sessions: sessions.clone(), kept: self.kept.clone() }
    }

    /// Returns a browser with the same cookie or token but another signature. An attacker with the
    /// id and without the secret could send this. Without a cookie or token, there is nothing to
    /// forge.
    pub fn forge(&self) -> Self {
        let forged = self.kept.as_ref().map(|kept| match kept {
            Kept::Cookie(cookie) => Kept::Cookie(forged(cookie)),
            Kept::Token(token) => Kept::Token(forged(token)),
        });
        Self { sessions: self.sessions.clone(), kept: forged }
    }
}

/// Changes the MAC's first character, because some bits of the last character are unused.
fn forged(signed: &str) -> String {
    let (id, mac) = signed.rsplit_once('.').unwrap_or((signed, ""));
    let first = if mac.starts_with('A') { 'B' } else { 'A' };
    format!("{id}.{first}{}", mac.get(1..).unwrap_or_default())
}

#[cfg(feature = "tower")]
fn header(name: &str, value: &str) -> Option<(http::HeaderName, http::HeaderValue)> {
    Some((name.parse().ok()?, http::HeaderValue::from_str(value).ok()?))
}

/// Does not show the cookie or token, which is a secret.
impl fmt::Debug for Browser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Browser")
            .field("has_cookie", &self.cookie().is_some())
            .field("has_token", &self.token().is_some())
            .finish_non_exhaustive()
    }
}
