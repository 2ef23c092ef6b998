//! Login and logout with a form, "remember me", and protection against forged forms (CSRF). A page
//! shows where a user is signed in, and an administrator can sign a user out everywhere.
//!
//! ```sh
//! cargo run --example login
//! ```
//!
//! The guide explains each rule: `session_runtime::guide::login`, `guide::forged_requests` and
//! `guide::user_sessions`.

use std::error::Error as StdError;
use std::fmt::{self, Write};
use std::time::SystemTime;

use axum::extract::Form;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, USER_AGENT,
};
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Router, middleware};
use serde::Deserialize;
use session_runtime::find::{Checkpoint, SessionEntry, Surplus};
use session_runtime::{EndReason, Error, FormToken, Lifetime, Session, Sessions};
use subtle::ConstantTimeEq;

#[derive(Session)]
struct Auth {
    /// Name of the logged-in user. The index finds all sessions of a user.
    #[session(index)]
    user: Option<String>,
}

/// Shown beside each session of a user.
#[derive(Session)]
struct Device {
    user_agent: String,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn StdError>> {
    tracing_subscriber::fmt().init();
    let sessions = Sessions::new(session_examples::config()?).await?;
    sessions.require::<Auth>().await?;
    let app = Router::new()
        .route("/", get(home))
        .route("/login", get(login_page).post(login))
        .route("/logout", post(logout))
        .route("/devices", get(devices))
        .route("/devices/end", post(end_device))
        .route("/devices/end-others", post(end_others))
        .route("/admin", get(admin).post(end_all))
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
    let token = session.form_token().await?;
    Ok(home_page(&user, &token).into_response())
}

async fn login_page(session: Session<Auth>) -> Result<Response, Failure> {
    if session.user().await?.is_some() {
        return Ok(Redirect::to("/").into_response());
    }
    let notice = session.end_reason().await?.and_then(end_notice);
    Ok(login_form("", notice, &session.form_token().await?).into_response())
}

/// Returns what users should know about the end of their session. Visitors who were not signed in
/// have sessions that expire too, so an expiry is no news.
fn end_notice(reason: EndReason) -> Option<&'static str> {
    match reason {
        EndReason::EndedElsewhere => Some("Your session was ended elsewhere."),
        EndReason::TooMany => Some("You were signed out here: five other devices are signed in."),
        _ => None,
    }
}

#[derive(Deserialize)]
struct LoginForm {
    #[serde(default)]
    form_token: String,
    name: String,
    password: String,
    remember: Option<String>,
}

async fn login(
    session: Session<Auth>,
    device: Session<Device>,
    sessions: Sessions,
    headers: HeaderMap,
    Form(form): Form<LoginForm>,
) -> Result<Response, Failure> {
    // Required before login too. Otherwise another site could log the visitor in under the
    // attacker's account ("login CSRF").
    session.check_form_token(&form.form_token).await?;
    // Taken before the password is verified, because an administrator may sign the user out
    // everywhere in the meantime.
    let seen = sessions.find(Auth::by_user(&form.name)).checkpoint().await?;
    let Some(user) = demo_user(&form.name, &form.password) else {
        // The answer is the same for an unknown name and for a wrong password. A real application
        // also limits the number of attempts.
        let (problem, token) =
            ("This name and password do not match.", session.form_token().await?);
        let page = login_form(&form.name, Some(problem), &token);
        return Ok((StatusCode::FORBIDDEN, page).into_response());
    };
    let lifetime =
        if form.remember.is_some() { Lifetime::remembered() } else { Lifetime::normal() };
    let user_agent = headers.get(USER_AGENT).and_then(|value| value.to_str().ok());
    let login = Login { user, user_agent: user_agent.unwrap_or_default(), lifetime, seen };
    sign_in(&session, &device, login).await?;
    Ok(Redirect::to("/").into_response())
}

/// A login with the right password.
struct Login<'a> {
    user: &'a str,
    user_agent: &'a str,
    lifetime: Lifetime,
    seen: Checkpoint,
}

async fn sign_in(
    session: &Session<Auth>,
    device: &Session<Device>,
    login: Login<'_>,
) -> Result<(), Error> {
    // All of this is one step: no session with the user ever has the old id.
    session
        .write()
        .set(session.user(), login.user)
        .set(device.user_agent(), login.user_agent)
        // Other data of a previous user must not reach the next user.
        .keep_only(())
        // An attacker may know or have planted the old id. The new id is secret again, and ends all
        // form tokens of the old id.
        .renew(login.lifetime)
        // Refused if all sessions of the user were ended during the login.
        .unless_ended_since(login.seen)
        // A sixth device signs the oldest out.
        .at_most(5, Surplus::EndOldest)
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
        session.check_form_token(&form.form_token).await?;
    }
    session.destroy().await?;
    Ok(Redirect::to("/login"))
}

/// Shows where the user is signed in. A real application first asks for the password again if the
/// last check is too old.
async fn devices(session: Session<Auth>, sessions: Sessions) -> Result<Response, Failure> {
    let Some(user) = session.user().await? else {
        return Ok(Redirect::to("/login").into_response());
    };
    let token = session.form_token().await?;
    let entries = sessions.find(Auth::by_user(&user)).list_as::<Device>().await?;
    let rows = entries
        .iter()
        .map(|entry| device_row(entry, entry.is_current(&session), sessions.now(), &token));
    Ok(devices_page(&rows.collect::<String>(), &token).into_response())
}

#[derive(Deserialize)]
struct EndForm {
    #[serde(default)]
    form_token: String,
    #[serde(default)]
    tag: String,
}

async fn end_device(
    session: Session<Auth>,
    sessions: Sessions,
    Form(form): Form<EndForm>,
) -> Result<Redirect, Failure> {
    session.check_form_token(&form.form_token).await?;
    if let Some(user) = session.user().await? {
        // Ends only a session of this user, whatever the tag.
        sessions.find(Auth::by_user(&user)).end(&form.tag).await?;
    }
    Ok(Redirect::to("/devices"))
}

async fn end_others(
    session: Session<Auth>,
    sessions: Sessions,
    Form(form): Form<EndForm>,
) -> Result<Redirect, Failure> {
    session.check_form_token(&form.form_token).await?;
    if let Some(user) = session.user().await? {
        sessions.find(Auth::by_user(&user)).end_others(&session).await?;
    }
    Ok(Redirect::to("/devices"))
}

async fn admin(session: Session<Auth>) -> Result<Html<String>, Failure> {
    check_administrator(&session).await?;
    Ok(admin_page(None, &session.form_token().await?))
}

#[derive(Deserialize)]
struct AdminForm {
    #[serde(default)]
    form_token: String,
    name: String,
}

async fn end_all(
    session: Session<Auth>,
    sessions: Sessions,
    Form(form): Form<AdminForm>,
) -> Result<Html<String>, Failure> {
    check_administrator(&session).await?;
    session.check_form_token(&form.form_token).await?;
    // A real application first marks the account as locked, if the user must not come back.
    let ended = sessions.find(Auth::by_user(&form.name)).end_all().await?;
    Ok(admin_page(Some(ended), &session.form_token().await?))
}

/// **Only for this demonstration.** A real application looks up the rights of the user.
async fn check_administrator(session: &Session<Auth>) -> Result<(), Failure> {
    let is_administrator = session.user().await?.as_deref() == Some(ADMINISTRATOR);
    is_administrator.then_some(()).ok_or(Failure::NoAdministrator)
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
const ADMINISTRATOR: &str = "grace";

/// Reason why a request failed, shown as an HTML page.
enum Failure {
    NoAdministrator,
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
            Self::NoAdministrator => {
                (StatusCode::FORBIDDEN, no_administrator_page()).into_response()
            }
            Self::Session(error) => {
                let page = match () {
                    () if error.is_ended_since() => ended_since_page(),
                    () if error.is_gone() => gone_page(),
                    () if error.is_invalid_form_token() => form_token_page(),
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

fn home_page(user: &str, token: &FormToken) -> Html<String> {
    page(
        "Welcome",
        format_args!(
            r#"<p>You are signed in as <strong id="user">{user}</strong>.</p>
<form method="post" action="/logout">
<input type="hidden" name="form_token" value="{token}">
<button id="logout">Sign out</button>
</form>
<p><a id="devices" href="/devices">Where you are signed in</a>{admin}</p>"#,
            user = Escaped(user),
            admin = if user == ADMINISTRATOR {
                r#", <a id="admin" href="/admin">administration</a>"#
            } else {
                ""
            },
        ),
    )
}

/// Returns the list item of a session. The tag names the session in the form, and gives no access.
fn device_row(
    entry: &SessionEntry<Device>,
    is_current: bool,
    now: SystemTime,
    token: &FormToken,
) -> String {
    // A browser can send any text as its user agent.
    let user_agent = entry.data().map(|device| device.user_agent).unwrap_or_default();
    let name = Escaped(if user_agent.is_empty() { "an unknown browser" } else { &user_agent });
    let used = entry.last_used().and_then(|used| now.duration_since(used.at).ok());
    let used = used.map(|ago| format!(", used {} minutes ago", ago.as_secs() / 60));
    if is_current {
        return format!("<li><strong>{name}</strong>, this device</li>\n");
    }
    format!(
        r#"<li>{name}{used}
<form method="post" action="/devices/end">
<input type="hidden" name="form_token" value="{token}">
<button class="end" name="tag" value="{tag}">Sign out there</button>
</form></li>
"#,
        used = used.unwrap_or_default(),
        tag = Escaped(entry.tag()),
    )
}

fn devices_page(rows: &str, token: &FormToken) -> Html<String> {
    page(
        "Where you are signed in",
        format_args!(
            r#"<ul id="sessions">
{rows}</ul>
<form method="post" action="/devices/end-others">
<input type="hidden" name="form_token" value="{token}">
<button id="end-others">Sign out everywhere else</button>
</form>
<p><a href="/">Back</a></p>"#,
        ),
    )
}

fn admin_page(ended: Option<usize>, token: &FormToken) -> Html<String> {
    let done = ended.map(|ended| format!(r#"<p id="ended">{ended} sessions were ended.</p>"#));
    page(
        "Administration",
        format_args!(
            r#"{done}
<form method="post" action="/admin">
<input type="hidden" name="form_token" value="{token}">
<label for="name">Name</label>
<input id="name" name="name" required autofocus>
<button id="end-all">Sign out everywhere</button>
</form>
<p><a href="/">Back</a></p>"#,
            done = done.unwrap_or_default(),
        ),
    )
}

fn no_administrator_page() -> Html<String> {
    page(
        "Only for administrators",
        format_args!(r#"<p>Sign in as <code>{ADMINISTRATOR}</code>. <a href="/">Back</a></p>"#),
    )
}

/// All sessions of the user were ended during the login.
fn ended_since_page() -> Html<String> {
    page(
        "Please sign in again",
        format_args!(
            r#"<p>You were signed out everywhere just now. <a id="again" href="/login">Sign in</a></p>"#
        ),
    )
}

fn login_form(name: &str, problem: Option<&str>, token: &FormToken) -> Html<String> {
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
            name = Escaped(name),
            user = DEMO_USERS[0],
            password = DEMO_PASSWORD,
        ),
    )
}

/// The form does not come from a page of this session.
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
