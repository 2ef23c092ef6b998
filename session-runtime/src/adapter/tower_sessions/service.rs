//! The service that adds the `Session` of tower-sessions to each request.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use http::header::{COOKIE, HeaderValue, SET_COOKIE};
use http::{Extensions, HeaderMap, Request, Response};
use tower_service::Service;

use super::bridge::BridgedSession;
use super::former::FormerSession;
use super::settings::Settings;
#[cfg(feature = "tower-sessions-0_14")]
use super::view::v0_14;
#[cfg(feature = "tower-sessions-0_15")]
use super::view::v0_15;
use crate::adapter::tower::error_response;
use crate::error::Error;
use crate::request::handle::SessionHandle;

/// A service that adds the `Session` of tower-sessions to each request. Created by
/// [`TowerSessionsLayer`](super::TowerSessionsLayer).
#[derive(Clone, Debug)]
pub struct TowerSessionsService<S> {
    inner: S,
    settings: Settings,
}

/// The sessions of tower-sessions that a request got, one for each version.
struct Opened {
    session: Arc<BridgedSession>,
    #[cfg(feature = "tower-sessions-0_14")]
    v0_14: v0_14::View,
    #[cfg(feature = "tower-sessions-0_15")]
    v0_15: v0_15::View,
}

/// Shows inner layers that the request has its session already.
#[derive(Clone)]
struct Mark(Arc<BridgedSession>);

impl<S> TowerSessionsService<S> {
    pub(super) fn new(inner: S, settings: Settings) -> Self {
        Self { inner, settings }
    }
}

impl<S, Body, ResponseBody> Service<Request<Body>> for TowerSessionsService<S>
where
    S: Service<Request<Body>, Response = Response<ResponseBody>>,
    S::Future: Send + 'static,
    ResponseBody: Default + Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let opened = self.settings.open(&mut request);
        let response = self.inner.call(request);
        Box::pin(async move {
            let mut response = response.await?;
            if let Some(opened) = opened {
                opened.finish(&mut response).await;
            }
            Ok(response)
        })
    }
}

impl Settings {
    /// Adds the session to a request, unless an outer layer has done so.
    fn open<Body>(&self, request: &mut Request<Body>) -> Option<Opened> {
        let handle = request.extensions().get::<SessionHandle>()?.clone();
        if let Some(Mark(outer)) = request.extensions().get()
            && outer.is_same(&handle, &self.prefix)
        {
            self.set_login_field(outer);
            return None;
        }
        let session = Arc::new(BridgedSession {
            former: self.find_former(&handle, request.headers()),
            handle: handle.dormant(),
            prefix: Arc::clone(&self.prefix),
            login_field: OnceLock::new(),
        });
        self.set_login_field(&session);
        Some(Opened::new(session, request.extensions_mut()))
    }

    fn find_former(&self, handle: &SessionHandle, headers: &HeaderMap) -> Option<FormerSession> {
        let cookies = headers.get_all(COOKIE).iter().map(HeaderValue::as_bytes);
        self.former.as_ref()?.find(cookies, handle.manager().now())
    }

    fn set_login_field(&self, session: &BridgedSession) {
        if let Some(field) = self.login_field {
            // Of two layers with different fields, the outer layer counts.
            session.login_field.get_or_init(|| field);
        }
    }
}

impl Opened {
    fn new(session: Arc<BridgedSession>, extensions: &mut Extensions) -> Self {
        extensions.insert(Mark(Arc::clone(&session)));
        Self {
            #[cfg(feature = "tower-sessions-0_14")]
            v0_14: v0_14::View::open(&session, extensions),
            #[cfg(feature = "tower-sessions-0_15")]
            v0_15: v0_15::View::open(&session, extensions),
            session,
        }
    }

    /// Saves the session. If that fails, the error replaces the response.
    async fn finish<Body: Default + 'static>(self, response: &mut Response<Body>) {
        if let Err(error) = self.save().await {
            *response = error_response(&error);
        }
        let BridgedSession { handle, former, .. } = &*self.session;
        if let Some(former) = former
            && former.is_taken_over()
            && former.cookie_name() != handle.manager().cookie_name()
        {
            remove_cookie(former.cookie_name(), response.headers_mut());
        }
    }

    async fn save(&self) -> Result<(), Error> {
        #[cfg(feature = "tower-sessions-0_14")]
        self.v0_14.finish().await?;
        #[cfg(feature = "tower-sessions-0_15")]
        self.v0_15.finish().await?;
        Ok(())
    }
}

/// Removes the cookie of a former session, which has the path of tower-sessions' default.
fn remove_cookie(name: &str, headers: &mut HeaderMap) {
    let secure = if name.starts_with("__") { "; Secure" } else { "" };
    let removal = format!("{name}=; Path=/; Max-Age=0{secure}");
    if let Ok(removal) = HeaderValue::try_from(removal) {
        headers.append(SET_COOKIE, removal);
    }
}
