//! The inputs of forms that change something.

use maud::{Markup, html};

use crate::admin::question::Value;
use crate::session::form_token::FormToken;

/// The form of a page, or the reason why there is none.
pub(in crate::admin) enum Form {
    With(FormToken),
    Missing(Missing),
}

/// The reason for which a page has no form.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::admin) enum Missing {
    /// The response has no body.
    Body,
    /// Sessions travel as bearer tokens, which browsers do not send.
    Cookies,
    /// The manager has no secret for form tokens.
    Secret,
    /// The administrator came from another site, and the browser left the session cookie out.
    OwnSite,
}

impl Form {
    /// Returns the form with these inputs. `again` is the link to the page itself.
    pub(super) fn around(&self, action: &str, again: &str, content: Markup) -> Markup {
        match self {
            Self::With(token) => html! {
                form.row action=(action) method="post" {
                    input type="hidden" name="form_token" value=(token.as_str());
                    (content)
                }
            },
            Self::Missing(missing) => missing.notice(again),
        }
    }
}

impl Missing {
    fn notice(self, again: &str) -> Markup {
        html! {
            p.wrong {
                "There is no button here. "
                @match self {
                    Self::Body => "The request was for the headers alone.",
                    Self::Cookies => {
                        "The sessions of this application travel as bearer tokens, without "
                        "cookies. Browsers send no such token with a form."
                    }
                    Self::Secret => {
                        "Its form needs a token, and the application has no "
                        code { "secret" } " to sign tokens."
                    }
                    Self::OwnSite => {
                        "You came from another site, and your browser left the session cookie out. "
                        a href=(again) { "Open this page again" } " for the button."
                    }
                }
            }
        }
    }
}

/// The inputs with the value of an index.
pub(super) fn hidden(value: &Value) -> Markup {
    let (name, text) = value.hidden();
    html! { input type="hidden" name=(name) value=(text); }
}
