//! The service that adds the `Session` of tower-sessions to each request.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::header::{CACHE_CONTROL, COOKIE, HeaderValue, SET_COOKIE};
use http::{Extensions, HeaderMap, Request, Response};
use tower_service::Service;

use super::bridge::BridgedSession;
use super::former::{FormerSession, TakeOver};
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
    former: Option<FormerSession>,
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
    S: Service<Request<Body>, Response = Response<ResponseBody>> + Clone + Send + 'static,
    S::Future: Send,
    Body: Send + 'static,
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
        // The service that is ready is called. Its clone may not be ready.
        let clone = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, clone);
        Box::pin(async move {
            let Some(opened) = opened else { return inner.call(request).await };
            let taken_over = match opened.take_over().await {
                Ok(taken_over) => taken_over,
                Err(error) => return Ok(error_response(&error)),
            };
            let mut response = inner.call(request).await?;
            opened.save(&mut response).await;
            opened.finish_take_over(taken_over, response.headers_mut()).await;
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
        let former = self.find_former(&handle, request.headers());
        let session = Arc::new(BridgedSession::new(&handle, &self.prefix));
        self.set_login_field(&session);
        Some(Opened::new(session, former, request.extensions_mut()))
    }

    fn find_former(&self, handle: &SessionHandle, headers: &HeaderMap) -> Option<FormerSession> {
        let cookies = headers.get_all(COOKIE).iter().map(HeaderValue::as_bytes);
        self.former.as_ref()?.find(handle, cookies)
    }

    fn set_login_field(&self, session: &BridgedSession) {
        if let Some(field) = self.login_field {
            session.renew_with(field);
        }
    }
}

impl Opened {
    fn new(
        session: Arc<BridgedSession>,
        former: Option<FormerSession>,
        extensions: &mut Extensions,
    ) -> Self {
        extensions.insert(Mark(Arc::clone(&session)));
        Self {
            #[cfg(feature = "tower-sessions-0_14")]
            v0_14: v0_14::View::open(&session, extensions),
            #[cfg(feature = "tower-sessions-0_15")]
            v0_15: v0_15::View::open(&session, extensions),
            session,
            former,
        }
    }

    async fn take_over(&self) -> Result<TakeOver, Error> {
        match &self.former {
            Some(former) => former.take_over(&self.session.handle, &self.session.prefix).await,
            None => Ok(TakeOver::Later),
        }
    }

    /// Saves the session. If that fails, the error replaces the response.
    async fn save<Body: Default + 'static>(&self, response: &mut Response<Body>) {
        let mut saved = Ok(());
        #[cfg(feature = "tower-sessions-0_14")]
        {
            saved = saved.and(self.v0_14.finish().await);
        }
        #[cfg(feature = "tower-sessions-0_15")]
        {
            saved = saved.and(self.v0_15.finish().await);
        }
        if let Err(error) = saved {
            *response = error_response(&error);
        }
    }

    async fn finish_take_over(&self, taken_over: TakeOver, headers: &mut HeaderMap) {
        let Some(former) = &self.former else { return };
        match taken_over {
            TakeOver::Later => return,
            TakeOver::Done => {}
            TakeOver::Moved(id) => former.follow(&id, &self.session.handle).await,
        }
        if let Some(name) = former.cookie_to_remove(&self.session.handle) {
            remove_cookie(name, headers);
        }
    }
}

/// Removes a cookie with the path of tower-sessions' default. A shared cache must not send the
/// removal to others.
fn remove_cookie(name: &str, headers: &mut HeaderMap) {
    let secure = if name.starts_with("__") { "; Secure" } else { "" };
    let removal = format!("{name}=; Path=/; Max-Age=0{secure}");
    if let Ok(removal) = HeaderValue::try_from(removal) {
        headers.append(SET_COOKIE, removal);
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
}
