//! The page that asks before all sessions end.

use maud::html;

use super::form::{Form, hidden};
use super::text::visible;
use super::{Frame, Page};
use crate::admin::question::Value;

/// The sessions to end.
pub(in crate::admin) struct Confirmation {
    pub(in crate::admin) value: Value,
    pub(in crate::admin) count: usize,
    /// The administrator is using one of the sessions.
    pub(in crate::admin) has_own: bool,
}

pub(in crate::admin) fn confirmation(
    frame: &Frame<'_>,
    question: &Confirmation,
    form: &Form,
) -> Page {
    let Confirmation { value, count, has_own } = question;
    let again = frame.links.page("end-all", &value.and(&[]));
    let inputs = html! {
        (hidden(value))
        button.danger {
            @if *count == 1 { "End 1 session" } @else { "End " (count) " sessions" }
        }
        a.button href=(frame.links.home(&value.and(&[]))) { "Cancel" }
    };
    let content = html! {
        h1 { "End all sessions?" }
        section.card aria-label="Confirmation" {
            p {
                @match count {
                    0 => "There is no live session",
                    1 => { "There is " b { "1 live session" } },
                    count => { "There are " b { (count) " live sessions" } },
                }
                " with " code { (value.index) } " " b { (visible(&value.text)) } "."
            }
            p {
                "All of them end now, also those that begin meanwhile. Requests with them get no "
                "session, and their live connections close. This cannot be undone."
            }
            @if *has_own {
                p.notice { "You are using one of these sessions. Its end signs you out." }
            }
            (form.around(&frame.links.page("end-all", &[]), &again, inputs))
        }
    };
    Page::new("End all sessions?", content)
}
