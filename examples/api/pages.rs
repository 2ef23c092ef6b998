//! The pages for browsers, with cookies and redirects.

use axum::extract::Form;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Redirect, Response};
use session_runtime::{Error, Lifetime, Session};

use crate::{Auth, Failure, Login, sign_in};

pub(crate) async fn home(auth: Session<Auth>) -> Result<Response, Error> {
    Ok(match auth.user().await? {
        // Only the names of the demonstration get into the session, so there is nothing to escape.
        Some(user) => Html(HOME_PAGE.replace("USER", &user)).into_response(),
        None => Redirect::to("/login").into_response(),
    })
}

pub(crate) async fn login_page() -> Html<&'static str> {
    Html(LOGIN_PAGE)
}

pub(crate) async fn login(
    auth: Session<Auth>,
    Form(login): Form<Login>,
) -> Result<Response, Error> {
    Ok(match sign_in(&auth, &login, Lifetime::normal()).await {
        Ok(()) => Redirect::to("/").into_response(),
        Err(Failure::Session(error)) => return Err(error),
        Err(_) => (StatusCode::FORBIDDEN, Html(LOGIN_PAGE)).into_response(),
    })
}

pub(crate) async fn logout(auth: Session<Auth>) -> Result<Redirect, Error> {
    auth.destroy().await?;
    Ok(Redirect::to("/login"))
}

const LOGIN_PAGE: &str = r#"<!DOCTYPE html><html lang="en"><meta charset="utf-8">
<title>Sign in</title>
<form method="post" action="/login">
<p><label>Name <input id="name" name="name" value="ada"></label>
<p><label>Password <input id="password" name="password" value="an example"></label>
<p><button id="login">Sign in</button>
</form>"#;

const HOME_PAGE: &str = r#"<!DOCTYPE html><html lang="en"><meta charset="utf-8">
<title>Welcome</title>
<p>You are signed in as <strong id="user">USER</strong>.
<form method="post" action="/logout"><button id="logout">Sign out</button></form>"#;
