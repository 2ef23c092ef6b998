//! Login and logout with a form, "remember me", and protection against forged forms (CSRF).
//!
//! ```sh
//! cargo run --example login
//! ```
//!
//! The guide explains each rule: `session_runtime::guide::login`.

use std::error::Error as StdError;
use std::fmt::{self, Write};

use axum::extract::Form;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY};
use axum::http::{HeaderName, StatusCode};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Router, middleware};
use serde::Deserialize;
use session_runtime::{Error, Lifetime, Session, Sessions};
use subtle::ConstantTimeEq;

#[derive(Session)]
struct Auth {
    /// Name of the logged-in user.
    user: Option<String>,
    /// Token that each form of this session must send back. The type is `Option`, because a missing
    /// token must not equal an empty token.
    form_token: Option<String>,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn StdError>> {
    tracing_subscriber::fmt().init();
    let sessions = Sessions::new(session_examples::config()?).await?;
    let app = Router::new()
        .route("/", get(home))
        .route("/login", get(login_page).post(login))
        .route("/logout", post(logout))
        .layer(middleware::map_response(protect))
        .route("/style.css", get(style))
        .layer(sessions.layer());
    axum::serve(session_examples::listener().await?, app).await?;
    Ok(())
}

async fn home(session: Session<Auth>) -> Result<Response, Failure> {
    let Some(user) = session.user().await? else {
        return Ok(Redirect::to("/login").into_response());
    };
    let token = form_token(&session).await?;
    Ok(home_page(&user, &token).into_response())
}

async fn login_page(session: Session<Auth>) -> Result<Response, Failure> {
    if session.user().await?.is_some() {
        return Ok(Redirect::to("/").into_response());
    }
    Ok(login_form("", None, &form_token(&session).await?).into_response())
}

#[derive(Deserialize)]
struct LoginForm {
    #[serde(default)]
    form_token: String,
    name: String,
    password: String,
    remember: Option<String>,
}

async fn login(session: Session<Auth>, Form(form): Form<LoginForm>) -> Result<Response, Failure> {
    // Required before login too. Otherwise another site could log the visitor in under the
    // attacker's account ("login CSRF").
    check_form_token(&session, &form.form_token).await?;
    let Some(user) = demo_user(&form.name, &form.password) else {
        // The answer is the same for an unknown name and for a wrong password. A real application
        // also limits the number of attempts.
        let page =
            login_form(&form.name, Some("This name and password do not match."), &form.form_token);
        return Ok((StatusCode::FORBIDDEN, page).into_response());
    };
    let lifetime =
        if form.remember.is_some() { Lifetime::remembered() } else { Lifetime::normal() };
    sign_in(&session, user, lifetime).await?;
    Ok(Redirect::to("/").into_response())
}

async fn sign_in(session: &Session<Auth>, user: &str, lifetime: Lifetime) -> Result<(), Error> {
    // All of this is one step: no session with the user ever has the old id or the old token.
    session
        .write()
        .set(session.user(), user)
        // An attacker may know the old token.
        .set(session.form_token(), random_token())
        // Other data of a previous user must not reach the next user.
        .keep_only(())
        // An attacker may know or have planted the old id. The new id is secret again.
        .renew(lifetime)
        .commit()
        .await
}

#[derive(Deserialize)]
struct LogoutForm {
    #[serde(default)]
    form_token: String,
}

async fn logout(session: Session<Auth>, Form(form): Form<LogoutForm>) -> Result<Redirect, Failure> {
    // Without a user, a forged logout has no effect, so no token is required.
    if session.user().await?.is_some() {
        check_form_token(&session, &form.form_token).await?;
    }
    session.destroy().await?;
    Ok(Redirect::to("/login"))
}

/// Returns the form token of this session, and creates the token for the first form. Two tabs that
/// ask at the same time get the same token.
async fn form_token(session: &Session<Auth>) -> Result<String, Error> {
    let token = session.form_token().get_or_set(random_token()).await?;
    // The token exists now. An empty token would be refused.
    Ok(token.unwrap_or_default())
}

/// Compares in constant time, so the duration reveals nothing about the token.
async fn check_form_token(session: &Session<Auth>, sent: &str) -> Result<(), Failure> {
    let token = session.form_token().await?;
    let same = token.is_some_and(|token| token.as_bytes().ct_eq(sent.as_bytes()).into());
    same.then_some(()).ok_or(Failure::FormToken)
}

/// Returns 256 random bits from the operating system.
fn random_token() -> String {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).expect("random numbers from the operating system");
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Returns the user with this name and password.
///
/// **Only for this demonstration.** A real application stores passwords as argon2id hashes (crate
/// `argon2`) and verifies passwords on a thread for blocking work. Even for an unknown name, a
/// dummy hash is verified, so that the duration does not reveal which names exist.
fn demo_user(name: &str, password: &str) -> Option<&'static str> {
    let user = DEMO_USERS.into_iter().find(|user| *user == name);
    let matches = password.as_bytes().ct_eq(DEMO_PASSWORD.as_bytes());
    user.filter(|_| matches.into())
}

const DEMO_USERS: [&str; 2] = ["ada", "grace"];
const DEMO_PASSWORD: &str = "an example";

/// Reason why a request failed, shown as an HTML page.
enum Failure {
    /// The form did not come from a page of this session.
    FormToken,
    Session(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Session(error)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        match self {
            Self::FormToken => (StatusCode::FORBIDDEN, form_token_page()).into_response(),
            Self::Session(error) => {
                let page = match () {
                    () if error.is_gone() => gone_page(),
                    () if error.is_cross_site() => cross_site_page(),
                    () if error.is_unavailable() => unavailable_page(),
                    () => broken_page(),
                };
                // The library logs the error and chooses the status.
                (error.into_response().status(), page).into_response()
            }
        }
    }
}

/// Adds security headers to every page. All pages contain a form token, and some a user's name.
async fn protect(response: Response) -> impl IntoResponse {
    let headers = [
        // Keeps the page out of caches, and out of the back button after logout.
        (CACHE_CONTROL, "no-store"),
        // Allows no scripts, no images but the page's icon, and no frames. In a frame, another site
        // could trick the user into pressing our buttons.
        (
            CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'self'; img-src data:; form-action 'self'; base-uri \
             'none'; frame-ancestors 'none'",
        ),
        (REFERRER_POLICY, "same-origin"),
        (HeaderName::from_static("x-content-type-options"), "nosniff"),
    ];
    (headers, response)
}

async fn style() -> impl IntoResponse {
    let headers =
        [(CONTENT_TYPE, "text/css; charset=utf-8"), (CACHE_CONTROL, "public, max-age=3600")];
    (headers, include_str!("login.css"))
}

fn home_page(user: &str, token: &str) -> Html<String> {
    page(
        "Welcome",
        format_args!(
            r#"<p>You are signed in as <strong id="user">{user}</strong>.</p>
<form method="post" action="/logout">
<input type="hidden" name="form_token" value="{token}">
<button id="logout">Sign out</button>
</form>"#,
            user = Escaped(user),
            token = Escaped(token),
        ),
    )
}

fn login_form(name: &str, problem: Option<&str>, token: &str) -> Html<String> {
    let problem = problem
        .map(|problem| format!(r#"<p class="problem" role="alert">{}</p>"#, Escaped(problem)));
    page(
        "Sign in",
        format_args!(
            r#"{problem}
<form method="post" action="/login">
<input type="hidden" name="form_token" value="{token}">
<label for="name">Name</label>
<input id="name" name="name" value="{name}" autocomplete="username" required autofocus>
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" required>
<label class="box"><input id="remember" name="remember" type="checkbox"> Remember me on this device</label>
<button id="login">Sign in</button>
</form>
<p class="hint">For this demonstration: <code>{user}</code>, with the password <code>{password}</code>.</p>"#,
            problem = problem.unwrap_or_default(),
            token = Escaped(token),
            name = Escaped(name),
            user = DEMO_USERS[0],
            password = DEMO_PASSWORD,
        ),
    )
}

fn form_token_page() -> Html<String> {
    page(
        "This page was out of date",
        format_args!(
            r#"<p>Nothing was done: the form belongs to an earlier session.</p>
<p><a id="again" href="/">Go on</a></p>"#
        ),
    )
}

/// The session ended during the request.
fn gone_page() -> Html<String> {
    page(
        "Your session has ended",
        format_args!(
            r#"<p>You were signed out, or signed in again in another window.</p>
<p><a id="again" href="/">Go on</a>, in a few seconds.</p>"#
        ),
    )
}

/// Another site caused the request, so the browser did not send the cookie.
fn cross_site_page() -> Html<String> {
    page(
        "This came from another site",
        format_args!(
            r#"<p>Nothing was done, so that you stay signed in.</p>
<p><a id="again" href="/">Go on here</a></p>"#
        ),
    )
}

fn unavailable_page() -> Html<String> {
    page(
        "One moment, please",
        format_args!(
            r#"<p>We cannot reach your session just now. You may still be signed in.</p>
<p><a id="again" href="/">Try again</a></p>"#
        ),
    )
}

fn broken_page() -> Html<String> {
    page(
        "That did not work",
        format_args!(r#"<p>The mistake is ours. <a id="again" href="/">Go on</a></p>"#),
    )
}

/// Returns a page. Text in `body` that comes from users must be [`Escaped`]. A real application
/// uses templates that escape automatically.
fn page(title: &str, body: fmt::Arguments<'_>) -> Html<String> {
    let title = Escaped(title);
    Html(format!(
        r#"<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="stylesheet" href="/style.css">
<link rel="icon" href="data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg'/%3E">
</head>
<body>
<main>
<h1>{title}</h1>
{body}
</main>
</body>
</html>
"#
    ))
}

/// Text that is escaped for HTML, in an element or in a quoted attribute.
struct Escaped<'a>(&'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|c| match c {
            '&' => f.write_str("&amp;"),
            '<' => f.write_str("&lt;"),
            '>' => f.write_str("&gt;"),
            '"' => f.write_str("&quot;"),
            '\'' => f.write_str("&#39;"),
            _ => f.write_char(c),
        })
    }
}
