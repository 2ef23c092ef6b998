//! A browser, as far as the session's cookie goes.

use std::fmt;

use crate::session::Session;
use crate::session::schema::Schema;
use crate::session::sessions::Sessions;

/// A browser, as far as the session's cookie goes: it keeps what responses set, and sends it with
/// requests.
///
/// [`visit`](Self::visit) carries out one request without a server, and `send` sends one to a
/// router of tower. For other servers, [`cookie`](Self::cookie) is what to send to your handlers,
/// and [`receive`](Self::receive) takes what they answer. A clone is another browser with the same
/// cookie, as after a second tab was opened or the cookie was stolen.
///
/// How a session gets into the state that a test needs:
///
/// | state | how |
/// | --- | --- |
/// | live, with data | `visit` that sets fields |
/// | expired | `visit`, then [`ManualClock::advance`](super::ManualClock::advance) |
/// | ended | `visit`, a clone, and a `visit` that destroys: the clone keeps the cookie |
/// | rotated away | the same with a `visit` that rotates |
/// | forged | [`forge`](Self::forge) |
/// | signed by an older secret | `visit`, then [`with_sessions`](Self::with_sessions) of a manager whose secrets are the new and the old one, on the same store |
/// | unknown to the store | `visit`, then [`with_sessions`](Self::with_sessions) of a manager with the same secret on another store |
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "derive")] {
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
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
/// // Somebody has the cookie of before the login.
/// let mut thief = browser.clone();
/// browser.visit(async |session: Session<Visitor>| session.rotate().await).await?;
/// assert_eq!(browser.visit(async |session: Session<Visitor>| session.count().await).await?, 7);
/// assert_eq!(thief.visit(async |session: Session<Visitor>| session.count().await).await?, 0);
/// # Ok::<(), session_runtime::Error>(())
/// # }).unwrap();
/// # }
/// ```
#[derive(Clone)]
pub struct Browser {
    sessions: Sessions,
    /// `NAME=VALUE`
    cookie: Option<String>,
}

impl Browser {
    /// A browser that has no cookie yet.
    pub fn new(sessions: &Sessions) -> Self {
        Self { sessions: sessions.clone(), cookie: None }
    }

    /// Carries out one request: what a handler would do with its session. Then the response's head
    /// is sent, and its cookie is kept.
    ///
    /// The session may be held for longer than the request; as ever, nothing that changes the
    /// cookie can be done with it then.
    pub async fn visit<S: Schema, T>(&mut self, request: impl AsyncFnOnce(Session<S>) -> T) -> T {
        let handle = self.sessions.open(self.cookie.as_deref().map(str::as_bytes));
        let answer = request(handle.session()).await;
        if let Some(set_cookie) = handle.finish().set_cookie() {
            self.receive(set_cookie);
        }
        answer
    }

    /// Sends a request to a router, with the cookie, and keeps the cookie that the response sets.
    /// The router is anything of tower: axum's `Router`, or a service with
    /// [`SessionLayer`](crate::adapter::tower::SessionLayer) around it.
    ///
    /// # Errors
    ///
    /// The service's own. axum's router has none.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(all(feature = "axum", feature = "derive"))] {
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
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
    ///     let response = browser.send(router.clone(), Request::get("/").body(Body::empty())?).await?;
    ///     assert_eq!(to_bytes(response.into_body(), usize::MAX).await?, expected);
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// # }
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
        std::future::poll_fn(|cx| router.poll_ready(cx)).await?;
        let response = router.call(request).await?;
        let set_cookies = response.headers().get_all(http::header::SET_COOKIE);
        for set_cookie in set_cookies.iter().filter_map(|value| value.to_str().ok()) {
            self.receive(set_cookie);
        }
        Ok(response)
    }

    /// What the browser sends as the value of the request header `Cookie`; nothing while it has no
    /// cookie of the session's.
    pub fn cookie(&self) -> Option<&str> {
        self.cookie.as_deref()
    }

    /// Takes the value of a response header `Set-Cookie`. Other cookies than the session's are
    /// ignored, and so are the attributes, but for an age of zero, which removes the cookie.
    pub fn receive(&mut self, set_cookie: &str) {
        let mut parts = set_cookie.split(';').map(str::trim);
        let Some(pair) = parts.next() else { return };
        if pair
            .split_once('=')
            .is_some_and(|(name, _)| name == self.sessions.manager().cookie_name())
        {
            let is_removal = parts.any(|attribute| attribute.eq_ignore_ascii_case("Max-Age=0"));
            self.cookie = (!is_removal).then(|| pair.to_owned());
        }
    }

    /// The same cookie before another manager, whose cookie has the same name.
    pub fn with_sessions(&self, sessions: &Sessions) -> Self {
        Self { sessions: sessions.clone(), cookie: self.cookie.clone() }
    }

    /// The same cookie with another signature: what somebody would send who knows a session's id
    /// and no secret. Without a cookie there is nothing to forge.
    pub fn forge(&self) -> Self {
        let forged = |cookie: &String| {
            // The MAC's first character: the last one does not stand for bits alone.
            let (id, mac) = cookie.rsplit_once('.').unwrap_or((cookie, ""));
            let first = if mac.starts_with('A') { 'B' } else { 'A' };
            format!("{id}.{first}{}", mac.get(1..).unwrap_or_default())
        };
        Self { sessions: self.sessions.clone(), cookie: self.cookie.as_ref().map(forged) }
    }
}

/// Shows no cookie: it is a session's secret.
impl fmt::Debug for Browser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Browser")
            .field("has_cookie", &self.cookie.is_some())
            .finish_non_exhaustive()
    }
}
