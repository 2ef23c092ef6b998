//! The forms that end sessions.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, FromRequest};
use http::request::Parts;
use http::{Request, StatusCode};
use tokio::sync::Semaphore;

use super::audit::Ending;
use super::query::Query;
use super::question::{Tagged, Value, select};
use super::refusal::Refusal;
use crate::adapter;
use crate::background::to_the_end;
use crate::session::Session;
use crate::session::schema::Schema;
use crate::session::sessions::Sessions;
use crate::session::untyped::Untyped;

/// The most bytes of a form. The longest input is the text of an indexed value.
const MOST_BYTES: usize = 256 * 1024;

/// A form of the pages.
pub(super) enum Action {
    End,
    EndAll,
}

/// The result of a form.
pub(super) struct Ended {
    /// The value of the index by which the sessions were found.
    pub(super) value: Option<Value>,
    pub(super) count: usize,
    pub(super) action: Action,
}

/// Returns a form that came from a page for this administrator.
pub(super) async fn verified<S: Schema>(
    parts: &Parts,
    body: Body,
    session: &Session<S>,
) -> Result<Query, Refusal> {
    adapter::check_own_origin(parts)?;
    let mut request = Request::new(body);
    DefaultBodyLimit::max(MOST_BYTES).apply(&mut request);
    let body = Bytes::from_request(request, &()).await.map_err(|error| match error.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Refusal::LargeForm,
        _ => Refusal::BrokenForm,
    })?;
    let form = Query::read(&body);
    session.check_form_token(form.get("form_token").unwrap_or_default()).await?;
    Ok(form)
}

/// The administrator who sent a form.
pub(super) struct Administration {
    pub(super) sessions: Sessions,
    pub(super) name: String,
    pub(super) walks: Arc<Semaphore>,
}

impl Administration {
    /// Carries out a form. Goes on if the browser goes away, so that every end is recorded.
    pub(super) async fn carry_out<S: Schema>(
        self,
        action: Action,
        form: Query,
    ) -> Result<Ended, Refusal> {
        let task = async move {
            match action {
                Action::End => self.end::<S>(&form).await,
                Action::EndAll => self.end_all::<S>(&form).await,
            }
        };
        to_the_end(task).await.unwrap_or(Err(Refusal::Interrupted))
    }

    async fn end<S: Schema>(&self, form: &Query) -> Result<Ended, Refusal> {
        let tagged = Tagged::of_form::<S>(form)?;
        let entries = tagged.entries::<S, Untyped>(&self.sessions, &self.walks).await?;
        let ended = match select(&entries, form.get("created"))? {
            Some(entry) => entry.end().await,
            None => Ok(false),
        };
        let count = ended.map(usize::from);
        let index = tagged.value.as_ref().map(|value| value.index);
        Ending { administrator: &self.name, index, tags: &[&tagged.tag] }
            .record(count.as_ref().copied());
        Ok(Ended { value: tagged.value, count: count?, action: Action::End })
    }

    async fn end_all<S: Schema>(&self, form: &Query) -> Result<Ended, Refusal> {
        let value = Value::of_form::<S>(form)?.ok_or(Refusal::NoPage)?;
        let found = value.found::<S>(&self.sessions)?;
        let entries = found.list_as::<Untyped>().await?;
        let tags: Vec<_> = entries.iter().map(|entry| entry.tag()).collect();
        let count = found.end_all().await;
        let index = Some(value.index);
        Ending { administrator: &self.name, index, tags: &tags }.record(count.as_ref().copied());
        Ok(Ended { value: Some(value), count: count?, action: Action::EndAll })
    }
}
