//! Pages for administrators: find the sessions of a user, look at them, and end them.
//!
//! ```sh
//! cargo run --example admin
//! ```
//!
//! Then open http://127.0.0.1:3000/admin/sessions in a browser. The login page names the password.
//! Search for the user `ada`.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::get;
use axum::{Form, Router};
use session_runtime::admin::Administrator;
use session_runtime::{Error, Lifetime, Session, Sessions};
use subtle::ConstantTimeEq;

#[derive(Session)]
struct Auth {
    #[session(index, show)]
    user: Option<String>,
    #[session(show)]
    user_agent: String,
    #[session(show)]
    address: Option<IpAddr>,
    #[session(show)]
    idle_warning: Option<Duration>,
    /// Never on a page: the field has no `show`.
    notes: String,
    is_staff: bool,
}

/// A member of staff. Only this extractor decides who sees the pages.
struct Staff {
    name: String,
}

impl<T: Sync> FromRequestParts<T> for Staff {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &T) -> Result<Self, Response> {
        let auth = Session::<Auth>::from_request_parts(parts, state).await;
        let read = async {
            let auth = auth?;
            auth.read((auth.user(), auth.is_staff())).await
        };
        match read.await.map_err(Error::into_response)? {
            (Some(name), true) => Ok(Self { name }),
            _ => Err(Redirect::to("/login").into_response()),
        }
    }
}

impl Administrator for Staff {
    fn name(&self) -> Cow<'_, str> {
        Cow::Borrowed(&self.name)
    }
}

/// A real program stores a slow hash of the password, such as Argon2.
const PASSWORD: &str = "let me in";

const LOGIN: &str = r#"<!DOCTYPE html>
<html lang="en">
<meta name="viewport" content="width=device-width">
<title>Login of the staff</title>
<h1>Login of the staff</h1>
<form method="post">
<p><label>Password: <input type="password" name="password" required></label> (let me in)
<p><button>Log in</button>
</form>"#;

#[derive(serde::Deserialize)]
struct Login {
    password: String,
}

async fn login(session: Session<Auth>, Form(form): Form<Login>) -> Result<Redirect, Error> {
    if bool::from(form.password.as_bytes().ct_eq(PASSWORD.as_bytes())) {
        let login = session.write().set(session.user(), "root").set(session.is_staff(), true);
        login.keep_only(()).renew(Lifetime::normal()).commit().await?;
        return Ok(Redirect::to("/admin/sessions"));
    }
    Ok(Redirect::to("/login"))
}

/// Users who are signed in already, so that there is something to find.
async fn sign_in_users(sessions: &Sessions) -> Result<(), Error> {
    for (at, (user, user_agent)) in [
        ("ada", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"),
        ("ada", "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15"),
        ("ada", "curl/8.14.1"),
        ("grace", "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36"),
    ]
    .into_iter()
    .enumerate()
    {
        let session = sessions.create::<Auth>().await?;
        let address = Ipv4Addr::from(u32::from(Ipv4Addr::new(192, 0, 2, 1)) + at as u32);
        session
            .write()
            .set(session.user(), user)
            .set(session.user_agent(), user_agent)
            .set(session.address(), IpAddr::from(address))
            .set(session.idle_warning(), Duration::from_secs(20 * 60))
            .set(session.notes(), "private")
            .commit()
            .await?;
    }
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Prints who ended which sessions.
    tracing_subscriber::fmt().init();
    let sessions = Sessions::new(session_examples::config()?).await?;
    sessions.require::<Auth>().await?;
    sign_in_users(&sessions).await?;
    let login_page = get(async || Html(LOGIN)).post(login);
    let app = Router::new()
        .route("/", get(async || Redirect::to("/admin/sessions")))
        .route("/login", login_page.layer(sessions.layer().same_origin()))
        .nest("/admin/sessions", sessions.admin::<Auth, Staff>().router())
        .layer(sessions.layer());
    axum::serve(session_examples::listener().await?, app).await?;
    Ok(())
}
