//! The pages, as HTML.

mod confirmation;
mod details;
mod form;
mod refusal;
mod search;
mod text;
mod time;

use std::sync::LazyLock;
use std::time::SystemTime;

use axum::body::Body;
use axum_core::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, RETRY_AFTER,
    X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderName, HeaderValue, StatusCode};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest, Sha256};

pub(super) use self::confirmation::{Confirmation, confirmation};
pub(super) use self::details::details;
pub(super) use self::form::{Form, Missing};
pub(super) use self::refusal::refusal;
pub(super) use self::search::{Found, MOST, Notice, search};

use self::text::visible;
use super::query::Links;

const STYLE: &str = include_str!("style.css");

/// Nothing is loaded, and no script runs. The hash permits the style alone.
static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
    let hash = STANDARD.encode(Sha256::digest(STYLE));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{hash}'; form-action 'self'; \
         frame-ancestors 'none'; base-uri 'none'"
    );
    HeaderValue::try_from(policy).unwrap_or(HeaderValue::from_static("default-src 'none'"))
});

/// A page without its frame.
pub(super) struct Page {
    status: StatusCode,
    title: String,
    content: Markup,
    /// A further header.
    header: Option<(HeaderName, HeaderValue)>,
}

impl Page {
    fn new(title: impl Into<String>, content: Markup) -> Self {
        Self { status: StatusCode::OK, title: title.into(), content, header: None }
    }

    fn status(self, status: StatusCode) -> Self {
        Self { status, ..self }
    }

    fn retry_after(self, seconds: u64) -> Self {
        Self { header: Some((RETRY_AFTER, seconds.into())), ..self }
    }

    fn allow(self, methods: &'static str) -> Self {
        Self { header: Some((ALLOW, HeaderValue::from_static(methods))), ..self }
    }
}

/// The frame of every page, and the facts that several pages show.
pub(super) struct Frame<'a> {
    pub(super) administrator: &'a str,
    pub(super) prefix: &'a str,
    /// The names of the indexes.
    pub(super) indexes: Vec<&'static str>,
    pub(super) now: SystemTime,
    pub(super) links: Links,
}

impl Frame<'_> {
    /// Returns the response with a page.
    pub(super) fn response(&self, page: Page) -> Response {
        let mut response = Response::new(Body::from(self.around(&page).into_string()));
        *response.status_mut() = page.status;
        let headers = response.headers_mut();
        headers.extend(headers_of_every_page());
        headers.extend(page.header);
        response
    }

    fn around(&self, page: &Page) -> Markup {
        html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    title { (page.title) " – Session administration" }
                    style { (PreEscaped(STYLE)) }
                }
                body {
                    a.skip href="#content" { "Skip to the content" }
                    header {
                        a href=(self.links.home(&[])) { "Session administration" }
                        p { "Signed in as " b { (visible(self.administrator)) } }
                    }
                    main id="content" tabindex="-1" { (page.content) }
                    footer {
                        p { "Prefix of the keys: " code { (self.prefix) } }
                        p { "All times are in UTC." }
                    }
                }
            }
        }
    }
}

fn headers_of_every_page() -> [(HeaderName, HeaderValue); 6] {
    [
        (CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (CONTENT_SECURITY_POLICY, POLICY.clone()),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
        // With `no-referrer`, forms would be sent with `Origin: null`.
        (REFERRER_POLICY, HeaderValue::from_static("same-origin")),
        (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (HeaderName::from_static("x-robots-tag"), HeaderValue::from_static("noindex, nofollow")),
    ]
}
