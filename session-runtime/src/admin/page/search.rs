//! The page that searches, and lists the sessions that were found.

use maud::{Markup, html};

use super::text::{value, visible, visible_in_title};
use super::time::{ago, period, time};
use super::{Frame, Page};
use crate::admin::actions::{Action, Ended};
use crate::admin::question::{Shown, ShownField, Value};
use crate::session::found::LastUsed;

/// The most sessions of a list.
pub(in crate::admin) const MOST: usize = 100;
/// The most characters of a value in a list.
const MOST_CHARACTERS: usize = 60;

/// The sessions with one value of an index.
pub(in crate::admin) struct Found {
    pub(in crate::admin) value: Value,
    /// The number of all live sessions.
    pub(in crate::admin) count: usize,
    pub(in crate::admin) rows: Vec<Shown>,
}

pub(in crate::admin) fn search(
    frame: &Frame<'_>,
    found: Option<&Found>,
    notice: Option<&Notice>,
) -> Page {
    let given = found.map(|found| Given::new(found.value.index, &found.value.text));
    let content = html! {
        h1 { "Sessions" }
        @if let Some(notice) = notice {
            p.notice role="status" { (notice.0) }
        }
        (forms(frame, &given.unwrap_or_default()))
        @if let Some(found) = found { (results(frame, found)) }
    };
    let title = match (notice, found) {
        (Some(notice), _) => format!("{} – Sessions", notice.0.trim_end_matches('.')),
        (None, Some(found)) => format!("{} – Sessions", found.title()),
        (None, None) => "Sessions".to_owned(),
    };
    Page::new(title, content)
}

impl Found {
    fn title(&self) -> String {
        let value = visible_in_title(&self.value.text, MOST_CHARACTERS);
        format!("{} with {} {value}", live(self.count), self.value.index)
    }
}

fn live(count: usize) -> String {
    match count {
        0 => "No live session".to_owned(),
        1 => "1 live session".to_owned(),
        count => format!("{count} live sessions"),
    }
}

/// The result of a form.
pub(in crate::admin) struct Notice(String);

impl Notice {
    pub(in crate::admin) fn new(ended: &Ended) -> Self {
        Self(match (&ended.action, &ended.value, ended.count) {
            (Action::EndAll, _, 0) => "No session was left to end.".to_owned(),
            (Action::End, None, 0) => "The session had already ended.".to_owned(),
            (Action::End, Some(value), 0) => {
                format!("The session had already ended, or had left this {}.", value.index)
            }
            (_, _, 1) => "1 session was ended.".to_owned(),
            (_, _, count) => format!("{count} sessions were ended."),
        })
    }
}

/// The inputs that were given already.
#[derive(Default)]
pub(super) struct Given<'a> {
    pub(super) index: &'a str,
    pub(super) text: &'a str,
    pub(super) tag: &'a str,
    /// The reason for which the text is no value.
    pub(super) mistake: Option<&'a str>,
    /// The reason for which the tag is none.
    pub(super) tag_mistake: Option<&'a str>,
}

impl<'a> Given<'a> {
    fn new(index: &'a str, text: &'a str) -> Self {
        Self { index, text, ..Self::default() }
    }
}

/// The form for the value of an index, and the form for a tag.
pub(super) fn forms(frame: &Frame<'_>, given: &Given<'_>) -> Markup {
    let tag_hint = if given.tag_mistake.is_some() { "tag-mistake tag-hint" } else { "tag-hint" };
    html! {
        div.forms {
            @if !frame.indexes.is_empty() { (value_form(frame, given)) }
            form action=(frame.links.page("session", &[])) method="get" role="search" aria-labelledby="tag-form" {
                h2 id="tag-form" { "By tag" }
                div.row {
                    p.grow {
                        label for="tag" { "Tag of a session" }
                        input id="tag" name="tag" value=(given.tag) required autocomplete="off"
                            spellcheck="false" autocapitalize="none" aria-describedby=(tag_hint)
                            aria-invalid=[given.tag_mistake.map(|_| "true")];
                    }
                    button { "Find session" }
                }
                @if let Some(mistake) = given.tag_mistake {
                    p.wrong id="tag-mistake" { (mistake) }
                }
                p.hint id="tag-hint" {
                    "Log lines name sessions by tags of eight characters. This looks at all keys of "
                    "the store, which may take a while."
                }
            }
        }
    }
}

fn value_form(frame: &Frame<'_>, given: &Given<'_>) -> Markup {
    let indexes = &*frame.indexes;
    let hint = if given.mistake.is_some() { "value-mistake value-hint" } else { "value-hint" };
    html! {
        form action=(frame.links.home(&[])) method="get" role="search" aria-labelledby="value-form" {
            h2 id="value-form" { "By value" }
            div.row {
                @if let [index] = indexes {
                    input type="hidden" name="by" value=(index);
                } @else {
                    p {
                        label for="by" { "Field" }
                        select id="by" name="by" {
                            @for index in indexes {
                                option value=(index) selected[*index == given.index] { (index) }
                            }
                        }
                    }
                }
                p.grow {
                    label for="value" {
                        @if let [index] = indexes { "Value of " code { (index) } }
                        @else { "Value" }
                    }
                    input id="value" name="value" value=(given.text) required autocomplete="off"
                        spellcheck="false" autocapitalize="none" aria-describedby=(hint)
                        aria-invalid=[given.mistake.map(|_| "true")];
                }
                button { "Find sessions" }
            }
            @if let Some(mistake) = given.mistake {
                p.wrong id="value-mistake" { (mistake) }
            }
            p.hint id="value-hint" { "The whole value, exactly as the application stores it." }
        }
    }
}

fn results(frame: &Frame<'_>, found: &Found) -> Markup {
    let Found { value, count, rows } = found;
    html! {
        section aria-labelledby="results" {
            div.heading {
                h2 id="results" {
                    (live(*count)) " with " code { (value.index) } " " (visible(&value.text))
                }
                @if *count > 0 {
                    a.button.danger href=(frame.links.page("end-all", &value.and(&[]))) {
                        @if *count == 1 { "End the session…" } @else { "End all " (count) " sessions…" }
                    }
                }
            }
            @if rows.is_empty() {
                p {
                    "No session under the prefix " code { (frame.prefix) } " has this value now. "
                    "Sessions of another prefix, or of another database, are not searched."
                }
            } @else {
                @if rows.len() < *count {
                    p.notice {
                        "The list shows the " (rows.len()) " sessions with the latest use, of "
                        (count) "."
                    }
                }
                (table(frame, value, rows))
            }
        }
    }
}

/// The roles stay when a narrow page shows each row as a card.
fn table(frame: &Frame<'_>, of: &Value, rows: &[Shown]) -> Markup {
    let fields = rows.first().into_iter().flat_map(|row| differing(of, row));
    html! {
        div.table role="region" aria-label="Table of the sessions" tabindex="0" {
            table role="table" aria-labelledby="results" {
                thead role="rowgroup" {
                    tr role="row" {
                        @for name in ["Session", "Signed in", "Last used", "Expires in", "Created"] {
                            th role="columnheader" scope="col" { (name) }
                        }
                        @for field in fields {
                            th role="columnheader" scope="col" { code { (field.name) } }
                        }
                    }
                }
                tbody role="rowgroup" {
                    @for row in rows { (table_row(frame, of, row)) }
                }
            }
        }
    }
}

/// Returns the fields of a row. The searched field has the same value in all rows.
fn differing<'a>(of: &Value, row: &'a Shown) -> impl Iterator<Item = &'a ShownField> {
    row.fields.iter().filter(|field| field.index != Some(of.index))
}

fn table_row(frame: &Frame<'_>, of: &Value, row: &Shown) -> Markup {
    let cell = |label: &str, content: Markup| {
        html! {
            td role="cell" { span.label aria-hidden="true" { (label) } span.content { (content) } }
        }
    };
    html! {
        tr role="row" {
            th role="rowheader" scope="row" {
                a href=(frame.links.page("session", &of.and(&[("tag", &row.tag)]))) { code { (row.tag) } }
                @if row.is_own { " " span.own { "yours" } }
            }
            (cell("Signed in", match row.signed_in_at {
                Some(at) => moment(frame, at),
                None => unknown(),
            }))
            (cell("Last used", last_used(frame, row.last_used)))
            (cell("Expires in", html! { (period(row.expires_in)) }))
            (cell("Created", moment(frame, row.created_at)))
            @for field in differing(of, row) {
                (cell(field.name, value(&field.value, MOST_CHARACTERS)))
            }
        }
    }
}

/// A time, with its age.
pub(super) fn moment(frame: &Frame<'_>, at: std::time::SystemTime) -> Markup {
    html! { span { (ago(at, frame.now)) } " " span.faint { (time(at)) } }
}

pub(super) fn last_used(frame: &Frame<'_>, used: Option<LastUsed>) -> Markup {
    match used {
        None => unknown(),
        Some(LastUsed { at, within }) if within.is_zero() => moment(frame, at),
        Some(LastUsed { at, .. }) => html! { "at most " (moment(frame, at)) },
    }
}

pub(super) fn unknown() -> Markup {
    html! { span.faint { "unknown" } }
}
