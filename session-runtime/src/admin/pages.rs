//! The requests to the pages.

use std::convert::Infallible;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::extract::OriginalUri;
use axum_core::response::Response;
use http::request::Parts;
use http::{Method, Request};
use tokio::sync::Semaphore;
use tower_service::Service;

use super::actions::{self, Action, Administration, Ended};
use super::audit::Viewing;
use super::page::{self, Form, Frame, Missing, Page};
use super::query::{Links, Query};
use super::question::{Shown, Tagged, Value};
use super::refusal::Refusal;
use crate::adapter;
use crate::error::Error;
use crate::request::handle::SessionHandle;
use crate::session::Session;
use crate::session::schema::Schema;
use crate::session::sessions::Sessions;
use crate::session::untyped::Untyped;

/// The pages for one request of an administrator.
pub(super) struct Pages<S> {
    sessions: Sessions,
    administrator: String,
    walks: Arc<Semaphore>,
    schema: PhantomData<fn() -> S>,
}

impl<S: Schema> Pages<S> {
    /// `walks` has a permit for each search that may walk over all keys now.
    pub(super) fn new(sessions: Sessions, administrator: String, walks: Arc<Semaphore>) -> Self {
        Self { sessions, administrator, walks, schema: PhantomData }
    }

    async fn respond(self, request: Request<Body>) -> Response {
        let (parts, body) = request.into_parts();
        let frame = Frame {
            administrator: &self.administrator,
            prefix: self.sessions.manager().prefix(),
            indexes: S::SEARCHED.iter().map(|field| field.index()).collect(),
            now: self.sessions.now(),
            links: links(&parts),
        };
        let page = self.answer(&frame, &parts, body).await.unwrap_or_else(|refusal| {
            if let Refusal::Error(error) = &refusal {
                adapter::report(error);
            }
            page::refusal(&frame, &refusal)
        });
        frame.response(page)
    }

    async fn answer(&self, frame: &Frame<'_>, parts: &Parts, body: Body) -> Result<Page, Refusal> {
        let session = SessionHandle::from_extensions(&parts.extensions)?.session::<S>();
        let query = Query::read(parts.uri.query().unwrap_or_default().as_bytes());
        let verb = Verb::of(&parts.method);
        if verb == Verb::Get && is_embedded(parts) {
            return Err(Refusal::Embedded);
        }
        let action = match (parts.uri.path(), verb) {
            ("/" | "", Verb::Get) => return self.search(frame, &query, &session).await,
            ("/session", Verb::Get) => {
                return self.details(frame, &query, &parts.method, &session).await;
            }
            ("/end-all", Verb::Get) => {
                return self.confirmation(frame, &query, &parts.method, &session).await;
            }
            ("/end", Verb::Post) => Action::End,
            ("/end-all", Verb::Post) => Action::EndAll,
            ("/" | "" | "/session", _) => return Err(Refusal::Method("GET, HEAD")),
            ("/end-all", _) => return Err(Refusal::Method("GET, HEAD, POST")),
            ("/end", _) => return Err(Refusal::Method("POST")),
            _ => return Err(Refusal::NoPage),
        };
        let form = actions::verified(parts, body, &session).await?;
        let (sessions, name) = (self.sessions.clone(), self.administrator.clone());
        let by = Administration { sessions, name, walks: Arc::clone(&self.walks) };
        let ended = by.carry_out::<S>(action, form).await?;
        Ok(self.result(frame, ended, &session).await)
    }

    async fn search(
        &self,
        frame: &Frame<'_>,
        query: &Query,
        session: &Session<S>,
    ) -> Result<Page, Refusal> {
        let found = match Value::read::<S>(query)? {
            None => None,
            Some(value) => Some(self.found(value, session).await?),
        };
        Ok(page::search(frame, found.as_ref(), None))
    }

    /// Returns the page after a form. It is the response to the form itself: in a redirection, the
    /// number of ended sessions would be a text that anybody can put into a link.
    async fn result(&self, frame: &Frame<'_>, ended: Ended, session: &Session<S>) -> Page {
        let notice = page::Notice::new(&ended);
        let found = match ended.value {
            None => None,
            // The sessions are ended, whether or not the list can be read again.
            Some(value) => self.found(value, session).await.ok(),
        };
        page::search(frame, found.as_ref(), Some(&notice))
    }

    async fn found(&self, value: Value, session: &Session<S>) -> Result<page::Found, Refusal> {
        let entries = value.found::<S>(&self.sessions)?.list().await?;
        let own = own_tag(session);
        let (count, shown) = (entries.len(), entries.iter().take(page::MOST));
        let rows: Vec<_> = shown.map(|entry| Shown::new(entry, own.as_deref())).collect();
        let administrator = &self.administrator;
        Viewing { administrator, index: Some(value.index), tag: None }.record(rows.len());
        Ok(page::Found { value, count, rows })
    }

    async fn details(
        &self,
        frame: &Frame<'_>,
        query: &Query,
        method: &Method,
        session: &Session<S>,
    ) -> Result<Page, Refusal> {
        let tagged = Tagged::read::<S>(query)?;
        let entries = tagged.entries::<S, S>(&self.sessions, &self.walks).await?;
        if entries.is_empty() {
            return Err(Refusal::UnknownTag(tagged.tag));
        }
        let own = own_tag(session);
        let shown: Vec<_> = entries.iter().map(|entry| Shown::new(entry, own.as_deref())).collect();
        let form = self.form(method, session).await?;
        let index = tagged.value.as_ref().map(|value| value.index);
        let administrator = &self.administrator;
        Viewing { administrator, index, tag: Some(&tagged.tag) }.record(shown.len());
        Ok(page::details(frame, &tagged, &shown, &form))
    }

    async fn confirmation(
        &self,
        frame: &Frame<'_>,
        query: &Query,
        method: &Method,
        session: &Session<S>,
    ) -> Result<Page, Refusal> {
        let value = Value::read::<S>(query)?.ok_or(Refusal::NoPage)?;
        let entries = value.found::<S>(&self.sessions)?.list_as::<Untyped>().await?;
        let has_own =
            own_tag(session).is_some_and(|own| entries.iter().any(|entry| entry.tag() == own));
        let question = page::Confirmation { value, count: entries.len(), has_own };
        Ok(page::confirmation(frame, &question, &self.form(method, session).await?))
    }

    /// Returns whether the page has a form, which needs the session of the administrator.
    async fn form(&self, method: &Method, session: &Session<S>) -> Result<Form, Error> {
        // Nobody sends the form of a response without a body, so no session begins for it.
        if method == Method::HEAD {
            return Ok(Form::Missing(Missing::Body));
        }
        if self.sessions.manager().tokens_replace_cookies() {
            return Ok(Form::Missing(Missing::Cookies));
        }
        match session.form_token().await {
            Ok(token) => Ok(Form::With(token)),
            Err(error) if error.is_cross_site() => Ok(Form::Missing(Missing::OwnSite)),
            Err(error) if error.is_config() => {
                adapter::report(&error);
                Ok(Form::Missing(Missing::Secret))
            }
            Err(error) => Err(error),
        }
    }
}

impl<S: Schema> Service<Request<Body>> for Pages<S> {
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let pages = self.clone();
        Box::pin(async move { Ok(pages.respond(request).await) })
    }
}

impl<S> Clone for Pages<S> {
    fn clone(&self) -> Self {
        Self {
            sessions: self.sessions.clone(),
            administrator: self.administrator.clone(),
            walks: Arc::clone(&self.walks),
            schema: PhantomData,
        }
    }
}

#[derive(PartialEq, Eq)]
enum Verb {
    Get,
    Post,
    Other,
}

impl Verb {
    fn of(method: &Method) -> Self {
        match *method {
            Method::GET | Method::HEAD => Self::Get,
            Method::POST => Self::Post,
            _ => Self::Other,
        }
    }
}

/// Returns whether a page of another site loads this one, such as an image or a script. Each load
/// would be a search.
fn is_embedded(parts: &Parts) -> bool {
    let says = |name, value| parts.headers.get(name).is_some_and(|said| said == value);
    says("sec-fetch-site", "cross-site") && !says("sec-fetch-mode", "navigate")
}

/// Returns the links of a page. The whole path is that from before the router was nested.
fn links(parts: &Parts) -> Links {
    let whole = parts.extensions.get().map_or(&parts.uri, |OriginalUri(whole)| whole);
    Links::new(whole.path(), parts.uri.path())
}

/// Returns the tag of the session that the administrator is using.
fn own_tag<S: Schema>(session: &Session<S>) -> Option<String> {
    session.session_id().map(|id| id.tag().to_owned())
}
