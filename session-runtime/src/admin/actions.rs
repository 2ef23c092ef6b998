//! The forms that end sessions.

use axum::body::{Body, to_bytes};
use http::request::Parts;

use super::audit::Ending;
use super::query::{Links, Query};
use super::question::{Tagged, Value, select};
use super::refusal::Refusal;
use crate::adapter;
use crate::request::handle::SessionHandle;
use crate::session::Session;
use crate::session::schema::Schema;
use crate::session::sessions::Sessions;

/// The most bytes of a form. The longest input is the text of an indexed value.
const MOST_BYTES: usize = 256 * 1024;

/// A form of the pages.
pub(super) enum Action {
    End,
    EndAll,
}

/// Returns a form that came from a page for this administrator.
pub(super) async fn verified<S: Schema>(
    parts: &Parts,
    body: Body,
    session: &Session<S>,
) -> Result<Query, Refusal> {
    let handle = SessionHandle::from_extensions(&parts.extensions)?;
    adapter::check_same_origin(handle, parts)?;
    let body = to_bytes(body, MOST_BYTES).await.map_err(|_| Refusal::Form)?;
    let form = Query::read(&body);
    session.check_form_token(form.get("form_token").unwrap_or_default()).await?;
    Ok(form)
}

/// The administrator who sent a form.
pub(super) struct Administration<'a> {
    pub(super) sessions: &'a Sessions,
    pub(super) name: &'a str,
    pub(super) links: &'a Links,
}

impl Administration<'_> {
    /// Carries out a form, and returns the link to the page with the result.
    pub(super) async fn carry_out<S: Schema>(
        &self,
        action: Action,
        form: &Query,
    ) -> Result<String, Refusal> {
        match action {
            Action::End => self.end::<S>(form).await,
            Action::EndAll => self.end_all::<S>(form).await,
        }
    }

    async fn end<S: Schema>(&self, form: &Query) -> Result<String, Refusal> {
        let tagged = Tagged::read::<S>(form)?;
        let entries = tagged.entries::<S>(self.sessions).await?;
        let entry = select(&entries, form.get("created"))?;
        let index = tagged.value.as_ref().map(|value| value.index);
        let ended = entry.end().await;
        let ending = Ending { administrator: self.name, index, tags: tagged.tag.clone() };
        ending.record(ended.as_ref().map(|was_live| usize::from(*was_live)));
        let notice = [("ended", if ended? { "1" } else { "0" })];
        Ok(match &tagged.value {
            Some(value) => self.links.home(&value.and(&notice)),
            None => self.links.home(&notice),
        })
    }

    async fn end_all<S: Schema>(&self, form: &Query) -> Result<String, Refusal> {
        let value = Value::read::<S>(form)?.ok_or(Refusal::NoPage)?;
        let found = value.found::<S>(self.sessions)?;
        let entries = found.list().await?;
        let tags: Vec<_> = entries.iter().map(|entry| entry.tag()).collect();
        let (index, tags) = (Some(value.index), tags.join(","));
        let ended = found.end_all().await;
        let ending = Ending { administrator: self.name, index, tags };
        ending.record(ended.as_ref().map(|ended| *ended));
        Ok(self.links.home(&value.and(&[("ended", &ended?.to_string())])))
    }
}
