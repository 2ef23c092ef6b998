//! Pages for administrators, as a router for axum: they find the sessions of a user, show the
//! fields that you choose, and end sessions.
//!
//! The pages need no JavaScript. [`Sessions::admin`] makes them for a schema, and for a type that
//! says [who may see them](Administrator).
//!
//! A field is shown only with `#[session(show)]`. The pages search by the fields with
//! `#[session(index)]`, and by the tag of a log line.
//!
//! # Examples
//!
//! ```
//! # #[cfg(feature = "derive")] {
//! use std::borrow::Cow;
//!
//! use axum::extract::FromRequestParts;
//! use axum::http::{StatusCode, request::Parts};
//! use axum::Router;
//! use session_runtime::admin::Administrator;
//! use session_runtime::{Session, Sessions};
//!
//! #[derive(Session)]
//! struct Auth {
//!     #[session(index, show)]
//!     user: Option<u64>,
//!     #[session(show)]
//!     user_agent: String,
//!     is_staff: bool,
//! }
//!
//! /// A user who may end the sessions of others.
//! struct Staff {
//!     user: u64,
//! }
//!
//! impl<T: Sync> FromRequestParts<T> for Staff {
//!     type Rejection = StatusCode;
//!
//!     async fn from_request_parts(parts: &mut Parts, state: &T) -> Result<Self, StatusCode> {
//!         let session = Session::<Auth>::from_request_parts(parts, state).await;
//!         let auth = async { session?.load().await }.await;
//!         match auth.map_err(|_| StatusCode::SERVICE_UNAVAILABLE)? {
//!             Auth { user: Some(user), is_staff: true, .. } => Ok(Self { user }),
//!             _ => Err(StatusCode::FORBIDDEN),
//!         }
//!     }
//! }
//!
//! impl Administrator for Staff {
//!     fn name(&self) -> Cow<'_, str> {
//!         format!("user {}", self.user).into()
//!     }
//! }
//!
//! fn app(sessions: &Sessions) -> Router {
//!     Router::new()
//!         .nest("/admin/sessions", sessions.admin::<Auth, Staff>().router())
//!         .layer(sessions.layer())
//! }
//! # }
//! ```

mod actions;
mod audit;
mod page;
mod pages;
mod query;
mod question;
mod refusal;

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use axum::Router;
use axum::extract::{FromRequestParts, Request};
use axum::routing::any;
use tokio::sync::Semaphore;
use tower_layer::Layer;
use tower_service::Service;

use self::pages::Pages;
use crate::session::schema::Schema;
use crate::session::sessions::Sessions;

/// The searches for a tag at the same time. Each walks over all keys.
const WALKS: usize = 1;

/// Somebody who may see and end the sessions of all users. Implement this for an extractor of your
/// own.
///
/// Every request to the pages runs the extractor first, also a request to a page that does not
/// exist. If the extractor fails, its rejection is the response: a 403, or a redirect to your
/// login. So the pages can never be served without your decision.
///
/// Redirect to a page of your own origin alone. The pages forbid forms that lead to another origin,
/// also by a redirect. For a login elsewhere, redirect to a page of your own that leads on.
///
/// The extractor sees the request as your layers leave it. If it takes a
/// [`Session`](struct@crate::Session), put [`Sessions::layer`] around the pages.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say who may see and end the sessions of all users",
    label = "not an `Administrator`",
    note = "implement `session_runtime::admin::Administrator` for an extractor of your own, which \
            refuses everybody else"
)]
pub trait Administrator: Send + 'static {
    /// Returns the name for the log of ended sessions, such as `ada@example.org`. The pages show
    /// the name too.
    fn name(&self) -> Cow<'_, str>;
}

/// The pages for administrators, with the sessions of the schema `S` for those that `A` lets in.
/// Made by [`Sessions::admin`].
pub struct SessionAdmin<S, A> {
    sessions: Sessions,
    types: PhantomData<fn() -> (S, A)>,
}

impl Sessions {
    /// Creates pages for administrators: they find, show and end the sessions of users. See
    /// [`admin`](crate::admin) for an example.
    ///
    /// The pages show the fields of `S` that have `#[session(show)]`, and search by those with
    /// `#[session(index)]`. `A` decides who may see the pages.
    #[doc(alias = "dashboard")]
    pub fn admin<S: Schema, A: Administrator>(&self) -> SessionAdmin<S, A> {
        SessionAdmin { sessions: self.clone(), types: PhantomData }
    }
}

impl<S: Schema, A: Administrator> SessionAdmin<S, A> {
    /// Returns the pages, to nest under any path of your router. Merged at the root, they would
    /// take all paths that your router does not know.
    ///
    /// All links in the pages are relative. So the pages work behind a proxy that strips the
    /// beginning of the path.
    pub fn router<T>(self) -> Router<T>
    where
        T: Clone + Send + Sync + 'static,
        A: FromRequestParts<T>,
    {
        let walks = Arc::new(Semaphore::new(WALKS));
        let page = any(move |administrator: A, request: Request| {
            let (sessions, name) = (self.sessions.clone(), administrator.name().into_owned());
            let pages = Pages::<S>::new(sessions, name, Arc::clone(&walks));
            // Inside the extractor: in a program with two managers, handlers get the session of the
            // innermost layer, and the administrator's may be the other.
            self.sessions.layer().layer(pages).call(request)
        });
        // A fallback would be lost in a router that is nested twice.
        Router::new().route("/", page.clone()).route("/{*page}", page)
    }
}

impl<S, A> fmt::Debug for SessionAdmin<S, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionAdmin").finish_non_exhaustive()
    }
}
