//! The pages for requests that are not carried out.

use http::StatusCode;
use maud::{Markup, html};

use super::search::{Given, forms};
use super::text::visible;
use super::{Frame, Page};
use crate::admin::refusal::Refusal;
use crate::error::Error;

/// The seconds after which a try is worth it.
const RETRY_AFTER: u64 = 5;

pub(in crate::admin) fn refusal(frame: &Frame<'_>, refusal: &Refusal) -> Page {
    match refusal {
        Refusal::NoPage => plain(frame, "There is no such page", html! { p { "Search again." } })
            .status(StatusCode::NOT_FOUND),
        Refusal::Method(allowed) => {
            let text = html! { p { "This address takes " (allowed) " alone." } };
            plain(frame, "This is not a page", text)
                .status(StatusCode::METHOD_NOT_ALLOWED)
                .allow(allowed)
        }
        Refusal::Embedded => {
            let text = html! { p { "Another site asked for this page in the background." } };
            plain(frame, "The request was refused", text).status(StatusCode::FORBIDDEN)
        }
        Refusal::UnknownIndex => {
            let text = html! { p { "The application has no index of this name." } };
            plain(frame, "There is no such index", text).status(StatusCode::BAD_REQUEST)
        }
        Refusal::NotOfType { index, text, reason } => mistaken(frame, index, text, reason),
        Refusal::UnknownTag(tag) => unknown_tag(frame, tag),
        Refusal::MalformedTag(text) => malformed_tag(frame, text),
        Refusal::Busy => busy(frame),
        Refusal::SharedTag => shared_tag(frame),
        Refusal::OtherSession => other_session(frame),
        Refusal::LargeForm => {
            plain(frame, "The form is too large", html! { p { "Nothing was ended." } })
                .status(StatusCode::PAYLOAD_TOO_LARGE)
        }
        Refusal::BrokenForm => {
            plain(frame, "The form did not arrive", html! { p { "Nothing was ended." } })
                .status(StatusCode::BAD_REQUEST)
        }
        Refusal::Interrupted => {
            let text = html! {
                p { "Search again to see which sessions have ended. The log may lack their end." }
            };
            plain(frame, "The application stopped meanwhile", text)
                .status(StatusCode::INTERNAL_SERVER_ERROR)
        }
        Refusal::Error(error) => failed(frame, error),
    }
}

/// A page with a heading, a text and the way back.
fn plain(frame: &Frame<'_>, heading: &str, text: Markup) -> Page {
    let content = html! {
        h1 { (heading) }
        (text)
        p { a href=(frame.links.home(&[])) { "Back to the search" } }
    };
    Page::new(heading, content)
}

fn mistaken(frame: &Frame<'_>, index: &str, text: &str, reason: &str) -> Page {
    let mistake = format!("No session can have this value: {reason}.");
    forms_again(frame, &Given { index, text, mistake: Some(&mistake), ..Given::default() })
}

/// The search with the inputs as they were given.
fn forms_again(frame: &Frame<'_>, given: &Given<'_>) -> Page {
    let content = html! {
        h1 { "Sessions" }
        (forms(frame, given))
    };
    Page::new("Mistake: Sessions", content).status(StatusCode::BAD_REQUEST)
}

fn unknown_tag(frame: &Frame<'_>, tag: &str) -> Page {
    let content = html! {
        h1 { "There is no such session" }
        p {
            "No live session under the prefix " code { (frame.prefix) } " has the tag "
            b { (visible(tag)) } ". It may have ended. "
            "If you came from a list, it may also have left that list."
        }
        (forms(frame, &Given { tag, ..Given::default() }))
    };
    Page::new("There is no such session", content).status(StatusCode::NOT_FOUND)
}

fn shared_tag(frame: &Frame<'_>) -> Page {
    let text = html! {
        p {
            "Several sessions have this tag, and the form does not name exactly one of them. "
            b { "Nothing was ended." } " Search for the tag again, or end all sessions of the user."
        }
    };
    plain(frame, "Which session?", text).status(StatusCode::CONFLICT)
}

fn other_session(frame: &Frame<'_>) -> Page {
    let text = html! {
        p {
            "The session that you saw has ended, or had a new login since. The session that has "
            "its tag now was created at another time, and may belong to another person. "
            b { "Nothing was ended." } " Search for the tag again."
        }
    };
    plain(frame, "This is another session", text).status(StatusCode::CONFLICT)
}

fn malformed_tag(frame: &Frame<'_>, text: &str) -> Page {
    let mistake = "A tag has 8 characters: letters, digits, - and _.";
    forms_again(frame, &Given { tag: text, tag_mistake: Some(mistake), ..Given::default() })
}

fn busy(frame: &Frame<'_>) -> Page {
    let text = html! {
        p {
            "Another search for a tag is looking at all keys of the store. There is one at a time. "
            b { "Nothing was ended." } " Try again in a moment."
        }
    };
    let page = plain(frame, "Another search is running", text);
    page.status(StatusCode::SERVICE_UNAVAILABLE).retry_after(RETRY_AFTER)
}

/// A page for an error. The log has the details, and the page has no message from the server.
fn failed(frame: &Frame<'_>, error: &Error) -> Page {
    let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let is_forged = error.is_invalid_form_token() || error.is_cross_origin();
    if is_forged || error.is_cross_site() {
        let text = html! {
            p {
                "The request did not come from a page that was opened in this browser and this "
                "session. " b { "Nothing was ended." } " Open the page again, and repeat the step."
            }
        };
        return plain(frame, "The form was refused", text).status(status);
    }
    if error.is_unavailable() {
        let text = html! {
            p { "The store did not answer in time. Load the page again in a moment." }
            p { "If a form was sent, search again to see whether it was carried out." }
        };
        let page = plain(frame, "The session store is not available", text);
        return page.status(status).retry_after(RETRY_AFTER);
    }
    if error.is_encode() {
        let text = html! { p { "No session can have this value: it has no stored form." } };
        return plain(frame, "There is no such value", text).status(StatusCode::BAD_REQUEST);
    }
    if error.is_config() {
        let text = html! {
            p { "A setting of the application is missing or wrong. The log has the details." }
        };
        return plain(frame, "A setting is wrong", text).status(status);
    }
    if error.is_unsupported() {
        let text = html! {
            p { "The session store of the application cannot do this. The log has the details." }
        };
        return plain(frame, "The session store cannot do this", text).status(status);
    }
    let text = html! {
        p {
            "The session store refused the request. The application's user on the server may lack a "
            "permission. The log of the application has the details."
        }
    };
    plain(frame, "The session store refused", text).status(status)
}
