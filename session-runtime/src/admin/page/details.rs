//! The page of a session.

use maud::{Markup, html};

use super::form::{Form, hidden};
use super::search::{last_used, moment, unknown};
use super::text::{value, visible};
use super::time::{period, time};
use super::{Frame, Page};
use crate::admin::question::{Shown, ShownField, Tagged};
use crate::session::shown::ShownValue;

/// The most characters of a value.
const MOST_CHARACTERS: usize = 4_000;

pub(in crate::admin) fn details(
    frame: &Frame<'_>,
    tagged: &Tagged,
    sessions: &[Shown],
    form: &Form,
) -> Page {
    let is_shared = sessions.len() > 1;
    let content = html! {
        (back(frame, tagged))
        h1 { "Session " code { (tagged.tag) } }
        @if is_shared {
            p.notice {
                "There are " (sessions.len()) " sessions with this tag. Tags are random, and nothing "
                "prevents that. The time of the creation tells the sessions apart."
            }
        }
        @for (at, session) in sessions.iter().enumerate() {
            @let heading = format!("session-{at}");
            section.card aria-labelledby=(heading) {
                @if is_shared {
                    h2 id=(heading) {
                        (at + 1) " of " (sessions.len()) ", created " (time(session.created_at))
                    }
                } @else {
                    h2 id=(heading) { "Details" }
                }
                @if session.is_own {
                    p.notice { "You are using this session now. Its end signs you out." }
                }
                (facts(frame, session))
                @if is_alone(session, sessions) {
                    (end(frame, tagged, session, form, &heading))
                } @else {
                    p.wrong {
                        "This session cannot be ended here: another session has the same tag, and "
                        "was created in the same second. End all sessions of the user instead."
                    }
                }
            }
        }
    };
    Page::new(format!("Session {}", tagged.tag), content)
}

fn back(frame: &Frame<'_>, tagged: &Tagged) -> Markup {
    html! {
        nav aria-label="Way back" {
            @match &tagged.value {
                Some(value) => a href=(frame.links.home(&value.and(&[]))) {
                    "All sessions with " code { (value.index) } " " (visible(&value.text))
                },
                None => a href=(frame.links.home(&[])) { "Search" },
            }
        }
    }
}

fn facts(frame: &Frame<'_>, session: &Shown) -> Markup {
    html! {
        dl {
            @if let Some(at) = session.signed_in_at {
                div { dt { "Signed in" } dd { (moment(frame, at)) } }
            } @else {
                div { dt { "Signed in" } dd { (unknown()) } }
            }
            div { dt { "Last used" } dd { (last_used(frame, session.last_used)) } }
            div { dt { "Expires in" } dd { (period(session.expires_in)) } }
            div { dt { "Created" } dd { (moment(frame, session.created_at)) } }
            @for field in &session.fields {
                div {
                    dt { code { (field.name) } }
                    dd { (value(&field.value, MOST_CHARACTERS)) (search(frame, field)) }
                }
            }
        }
    }
}

/// The link to the other sessions with the value of an indexed field. An encrypted value is in no
/// link, because links end up in histories and logs.
fn search(frame: &Frame<'_>, field: &ShownField) -> Markup {
    let (Some(index), ShownValue::Text(text), false) =
        (field.index, &field.value, field.is_encrypted)
    else {
        return Markup::default();
    };
    let link = frame.links.home(&[("by", index), ("value", text)]);
    html! { " " a href=(link) { "All sessions with this " code { (index) } } }
}

/// Returns whether the tag and the time of creation name this session alone.
fn is_alone(session: &Shown, sessions: &[Shown]) -> bool {
    sessions.iter().filter(|other| other.created() == session.created()).count() == 1
}

fn end(frame: &Frame<'_>, tagged: &Tagged, session: &Shown, form: &Form, heading: &str) -> Markup {
    let tag = [("tag", &*tagged.tag)];
    let again = match &tagged.value {
        Some(value) => frame.links.page("session", &value.and(&tag)),
        None => frame.links.page("session", &tag),
    };
    let inputs = html! {
        @if let Some(value) = &tagged.value { (hidden(value)) }
        input type="hidden" name="tag" value=(session.tag);
        input type="hidden" name="created" value=(session.created());
        button.danger aria-describedby=(heading) { "End this session" }
    };
    form.around(&frame.links.page("end", &[]), &again, inputs)
}
