//! The requests to the pages.

use std::convert::Infallible;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::extract::OriginalUri;
use axum_core::response::Response;
use http::request::Parts;
use http::{Method, Request};
use tower_service::Service;

use super::actions::{self, Action, Administration};
use super::page::{self, Frame, Page};
use super::query::{Links, Query};
use super::question::{Shown, Tagged, Value};
use super::refusal::Refusal;
use crate::adapter;
use crate::request::handle::SessionHandle;
use crate::session::Session;
use crate::session::schema::Schema;
use crate::session::sessions::Sessions;

/// The pages for one request of an administrator.
pub(super) struct Pages<S> {
    sessions: Sessions,
    administrator: String,
    schema: PhantomData<fn() -> S>,
}

impl<S: Schema> Pages<S> {
    pub(super) fn new(sessions: Sessions, administrator: String) -> Self {
        Self { sessions, administrator, schema: PhantomData }
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
        match self.answer(&frame, &parts, body).await {
            Ok(Answer::Page(page)) => frame.response(page),
            Ok(Answer::SeeOther(link)) => page::see_other(&link),
            Err(refusal) => {
                if let Refusal::Error(error) = &refusal {
                    adapter::report(error);
                }
                frame.response(page::refusal(&frame, &refusal))
            }
        }
    }

    async fn answer(
        &self,
        frame: &Frame<'_>,
        parts: &Parts,
        body: Body,
    ) -> Result<Answer, Refusal> {
        let session = SessionHandle::from_extensions(&parts.extensions)?.session::<S>();
        let query = Query::read(parts.uri.query().unwrap_or_default().as_bytes());
        let action = match (parts.uri.path(), Verb::of(&parts.method)) {
            ("/" | "", Verb::Get) => {
                return self.search(frame, &query, &session).await.map(Answer::Page);
            }
            ("/session", Verb::Get) => {
                return self.details(frame, &query, &session).await.map(Answer::Page);
            }
            ("/end-all", Verb::Get) => {
                return self.confirmation(frame, &query, &session).await.map(Answer::Page);
            }
            ("/end", Verb::Post) => Action::End,
            ("/end-all", Verb::Post) => Action::EndAll,
            ("/" | "" | "/session", _) => return Err(Refusal::Method("GET, HEAD")),
            ("/end-all", _) => return Err(Refusal::Method("GET, HEAD, POST")),
            ("/end", _) => return Err(Refusal::Method("POST")),
            _ => return Err(Refusal::NoPage),
        };
        let form = actions::verified(parts, body, &session).await?;
        let (sessions, name) = (&self.sessions, &*self.administrator);
        let by = Administration { sessions, name, links: &frame.links };
        by.carry_out::<S>(action, &form).await.map(Answer::SeeOther)
    }

    async fn search(
        &self,
        frame: &Frame<'_>,
        query: &Query,
        session: &Session<S>,
    ) -> Result<Page, Refusal> {
        let result = match Value::read::<S>(query)? {
            None => None,
            Some(value) => {
                let entries = value.found::<S>(&self.sessions)?.list().await?;
                let own = own_tag(session);
                let (count, shown) = (entries.len(), entries.iter().take(page::MOST));
                let rows = shown.map(|entry| Shown::new(entry, own.as_deref())).collect();
                Some(page::Found { value, count, rows })
            }
        };
        let ended = query.get("ended").and_then(|ended| ended.parse().ok());
        Ok(page::search(frame, result.as_ref(), ended))
    }

    async fn details(
        &self,
        frame: &Frame<'_>,
        query: &Query,
        session: &Session<S>,
    ) -> Result<Page, Refusal> {
        let tagged = Tagged::read::<S>(query)?;
        let entries = tagged.entries::<S>(&self.sessions).await?;
        let own = own_tag(session);
        let shown: Vec<_> = entries.iter().map(|entry| Shown::new(entry, own.as_deref())).collect();
        let token = session.form_token().await?;
        Ok(page::details(frame, &tagged, &shown, &token))
    }

    async fn confirmation(
        &self,
        frame: &Frame<'_>,
        query: &Query,
        session: &Session<S>,
    ) -> Result<Page, Refusal> {
        let value = Value::read::<S>(query)?.ok_or(Refusal::NoPage)?;
        let entries = value.found::<S>(&self.sessions)?.list().await?;
        let has_own =
            own_tag(session).is_some_and(|own| entries.iter().any(|entry| entry.tag() == own));
        let token = session.form_token().await?;
        let question = page::Confirmation { value, count: entries.len(), has_own };
        Ok(page::confirmation(frame, &question, &token))
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
            schema: PhantomData,
        }
    }
}

enum Answer {
    Page(Page),
    /// The page with the result of a form.
    SeeOther(String),
}

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

/// Returns the links of a page. The whole path is that from before the router was nested.
fn links(parts: &Parts) -> Links {
    let whole = parts.extensions.get().map_or(&parts.uri, |OriginalUri(whole)| whole);
    Links::new(whole.path(), parts.uri.path())
}

/// Returns the tag of the session that the administrator is using.
fn own_tag<S: Schema>(session: &Session<S>) -> Option<String> {
    session.session_id().map(|id| id.tag().to_owned())
}
