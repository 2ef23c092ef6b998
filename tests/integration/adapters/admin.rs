//! The pages for administrators, without a browser.

use std::borrow::Cow;
use std::collections::HashMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::extract::{FromRequestParts, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::middleware::{Next, from_fn};
use axum::response::Redirect;
use axum::routing::get;
use reqwest::{Client, Method, redirect};
use session_runtime::admin::Administrator;
use session_runtime::redis_session::{CookieFormat, FlaskCookie};
use session_runtime::testing::{FailingStore, Failure};
use session_runtime::{
    Error, MemoryStore, RedisStore, SameSite, Session, SessionConfig, Sessions, Transport,
};
use session_tests::cookies::{self, SECRET};
use session_tests::deployment::Shared;
use session_tests::gated_store::GatedStore;
use session_tests::jar::Jar;
use session_tests::log::{Log, logged};
use session_tests::server::RedisServer;
use session_tests::until;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::axum::serve;
use super::{Reply, sessions, sessions_named};

#[derive(Session)]
struct Auth {
    #[session(index, show)]
    user: Option<u64>,
    #[session(index(name = "mail"), show, encrypt)]
    email: Option<String>,
    #[session(show)]
    device: String,
    #[session(show, rename = "seen", alias = "last_seen")]
    seen_at: Option<SystemTime>,
    #[session(show)]
    pause: Duration,
    #[session(show, json)]
    tags: Vec<String>,
    #[session(show, on_decode_error = "default")]
    visits: u64,
    /// Not shown.
    card: String,
}

impl Auth {
    fn of(user: u64, device: &str) -> Self {
        Self {
            user: Some(user),
            email: Some(format!("{user}@example.org")),
            device: device.to_owned(),
            seen_at: Some(UNIX_EPOCH + Duration::from_secs(1_764_503_174)),
            pause: Duration::from_secs(90),
            tags: vec!["beta".to_owned()],
            visits: 3,
            card: "4111 1111".to_owned(),
        }
    }
}

/// Lets in requests with the header `boss`, which has the name.
struct Boss(String);

impl<T: Sync> FromRequestParts<T> for Boss {
    type Rejection = (StatusCode, &'static str);

    async fn from_request_parts(parts: &mut Parts, _: &T) -> Result<Self, Self::Rejection> {
        let name = parts.headers.get("boss").and_then(|name| name.to_str().ok());
        name.map(|name| Self(name.to_owned())).ok_or((StatusCode::FORBIDDEN, "not you"))
    }
}

impl Administrator for Boss {
    fn name(&self) -> Cow<'_, str> {
        Cow::Borrowed(&self.0)
    }
}

const PATHS: [&str; 9] = [
    "",
    "?by=user&value=42",
    "/session?tag=AAAAAAAA",
    "/session?by=user&value=42&tag=AAAAAAAA",
    "/end",
    "/end-all",
    "/end-all?by=user&value=42",
    "/nothing",
    "/end/session",
];

fn pages(sessions: &Sessions) -> Router {
    sessions.admin::<Auth, Boss>().router()
}

/// A browser of an administrator.
struct Desk {
    base: String,
    client: Client,
    jar: Jar,
}

impl Desk {
    /// Serves the pages, with the layer of the manager around them.
    async fn at(sessions: &Sessions) -> Self {
        let app = Router::new().nest("/admin", pages(sessions)).layer(sessions.layer());
        Self::of(format!("{}/admin", serve(app).await))
    }

    fn of(base: String) -> Self {
        let client = Client::builder().redirect(redirect::Policy::none()).build().unwrap();
        Self { base, client, jar: Jar::default() }
    }

    async fn get(&mut self, path: &str) -> Reply {
        self.send(Method::GET, path, &[], &[]).await
    }

    async fn post(&mut self, path: &str, form: &[(&str, &str)]) -> Reply {
        self.send(Method::POST, path, &[], form).await
    }

    async fn send(
        &mut self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        form: &[(&str, &str)],
    ) -> Reply {
        let request = self.client.request(method, format!("{}{path}", self.base));
        let request = headers.iter().fold(request, |all, (name, value)| all.header(*name, *value));
        let request = request.header("boss", "ada \"the boss");
        let response = self.jar.send(request.body(encoded(form))).await;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Reply { status, headers, body: response.text().await.unwrap() }
    }
}

fn encoded(form: &[(&str, &str)]) -> String {
    let mut url = reqwest::Url::parse("http://localhost").unwrap();
    url.query_pairs_mut().extend_pairs(form);
    url.query().unwrap_or_default().to_owned()
}

/// Returns the hidden inputs of the page's forms that post, one map for each.
fn forms(page: &Reply) -> Vec<HashMap<String, String>> {
    let forms = page.body.split("<form").filter(|form| form.contains("method=\"post\""));
    forms.map(|form| hidden(form.split("</form>").next().unwrap())).collect()
}

fn hidden(form: &str) -> HashMap<String, String> {
    let inputs = form.split("<input type=\"hidden\" name=\"").skip(1);
    let pair = |input: &str| {
        let (name, rest) = input.split_once("\" value=\"").unwrap();
        let value = rest.split('"').next().unwrap();
        let value = value.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"");
        (name.to_owned(), value.replace("&amp;", "&"))
    };
    inputs.map(pair).collect()
}

fn pairs(form: &HashMap<String, String>) -> Vec<(&str, &str)> {
    form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

const VIEW: &str = "an administrator viewed sessions";
const END: &str = "an administrator ended sessions";

/// Returns the events with this message, without time and level.
fn lines(log: &Log, message: &str) -> Vec<String> {
    let line = |line: &str| {
        let (_, event) = line.split_once(" INFO ")?;
        let event = event.strip_prefix("session_runtime::admin: ")?;
        event.starts_with(message).then(|| event.to_owned())
    };
    log.text().lines().filter_map(line).collect()
}

async fn sign_in(sessions: &Sessions, record: &Auth) -> String {
    let session = sessions.create::<Auth>().await.unwrap();
    session.save(record).await.unwrap();
    session.session_id().unwrap().tag().to_owned()
}

async fn live(sessions: &Sessions, user: u64) -> usize {
    sessions.find(Auth::by_user(user)).count().await.unwrap()
}

/// Behaviour: pages for administrators. The extractor decides before anything else happens.
#[tokio::test]
async fn every_page_asks_who_comes_before_anything_else() {
    let store = FailingStore::new(MemoryStore::new());
    let sessions =
        Sessions::with_store(SessionConfig::new().secret(SECRET), store.clone()).unwrap();
    let app = Router::new().nest("/admin", pages(&sessions)).layer(sessions.layer());
    let base = format!("{}/admin", serve(app).await);
    store.fail(Failure::Unavailable);
    for path in PATHS {
        for method in ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "BREW"] {
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            let request = Client::new().request(method.clone(), format!("{base}{path}"));
            let reply = super::reply(request.header("sec-fetch-site", "cross-site")).await;
            assert_eq!((reply.status, reply.body.as_str()), (403, "not you"), "{method} {path}");
            assert!(reply.headers.get("vary").is_none(), "the session was accessed: {path}");
        }
        let head = Client::new().head(format!("{base}{path}")).send().await.unwrap();
        assert_eq!(head.status(), 403);
    }
}

#[tokio::test]
async fn the_sessions_of_a_user_are_listed_with_the_shown_fields() {
    let sessions = sessions();
    let first = sign_in(&sessions, &Auth::of(42, "laptop")).await;
    let second = sign_in(&sessions, &Auth { seen_at: None, ..Auth::of(42, "") }).await;
    let other = sign_in(&sessions, &Auth::of(7, "phone")).await;
    let mut desk = Desk::at(&sessions).await;
    let page = desk.get("?by=user&value=42").await;
    assert_eq!(page.status, 200);
    assert!(page.body.contains("<title>2 live sessions with user 42 – Sessions"), "{}", page.body);
    let shown =
        ["2 live sessions", "laptop", "2025-11-30 11:46:14", "1 min 30 s", "[&quot;beta&quot;]"];
    for text in [&*first, &second, "42@example.org", "empty text", "not set"].iter().chain(&shown) {
        assert!(page.body.contains(text), "{text}: {}", page.body);
    }
    for text in [&*other, "phone", "4111", "<code>card"] {
        assert!(!page.body.contains(text), "{text}");
    }
    // By the encrypted field, and in the text of a form.
    let by_mail = desk.get("?by=mail&value=7%40example.org").await;
    assert!(by_mail.body.contains(&other) && by_mail.body.contains("1 live session"));
    // Without the name of the index, by the first.
    assert!(desk.get("?value=7").await.body.contains(&other));
}

#[tokio::test]
async fn nothing_found_names_the_prefix_that_was_searched() {
    let config = SessionConfig::new().secret(SECRET).prefix("shop");
    let sessions = Sessions::with_store(config, MemoryStore::new()).unwrap();
    let mut desk = Desk::at(&sessions).await;
    let page = desk.get("?by=user&value=42").await;
    assert!(page.status == 200 && page.body.contains("No live session"), "{}", page.body);
    assert!(page.body.contains("prefix <code>shop</code>"));
    for path in ["/session?tag=AAAAAAAA", "/session?by=user&value=42&tag=AAAAAAAA"] {
        let page = desk.get(path).await;
        assert!(page.status == 404 && page.body.contains("no such session"), "{path}");
        assert!(page.body.contains("prefix <code>shop</code>"), "{path}");
    }
}

#[tokio::test]
async fn a_mistake_in_a_search_is_explained() {
    let sessions = sessions();
    let mut desk = Desk::at(&sessions).await;
    let page = desk.get("?by=user&value=4%3Cx").await;
    assert_eq!(page.status, 400);
    assert!(page.body.contains("not the decimal text of an integer"), "{}", page.body);
    assert!(page.body.contains(r#"value="4&lt;x""#) && page.body.contains("aria-invalid"));
    for (method, path, status) in [
        (Method::GET, "?by=card&value=4111", 400),
        (Method::GET, "/end-all", 404),
        (Method::GET, "/nothing", 404),
        (Method::GET, "/end", 405),
        (Method::PUT, "", 405),
        (Method::DELETE, "/end-all", 405),
    ] {
        let reply = desk.send(method, path, &[], &[]).await;
        assert_eq!(reply.status, status, "{path}");
        assert_eq!(reply.headers.contains_key("allow"), status == 405, "{path}");
    }
}

#[tokio::test]
async fn a_session_is_found_by_its_tag_and_ended() {
    let sessions = sessions();
    let tag = sign_in(&sessions, &Auth::of(42, "laptop")).await;
    sign_in(&sessions, &Auth::of(42, "phone")).await;
    let mut desk = Desk::at(&sessions).await;
    for (path, index) in [("", "None"), ("by=user&value=42&", "\"user\"")] {
        let (log, guard) = logged();
        let session = sign_in(&sessions, &Auth::of(42, "tablet")).await;
        // As copied from a log line.
        let page = desk.get(&format!("/session?{path}tag=+{session}+")).await;
        assert!(page.body.contains("tablet") && !page.body.contains("phone"), "{}", page.body);
        let form = forms(&page).remove(0);
        let ended = desk.post("/end", &pairs(&form)).await;
        assert!(ended.body.contains(r#"role="status">1 session was ended."#), "{}", ended.body);
        assert_eq!(live(&sessions, 42).await, 2);
        let again = desk.post("/end", &pairs(&form)).await;
        assert!(again.body.contains("The session had already ended"), "{}", again.body);
        assert_eq!(live(&sessions, 42).await, 2);
        drop(guard);
        let (views, ends) = (lines(&log, VIEW), lines(&log, END));
        assert!(views[0].contains(&session) && views[0].contains("viewed=1"), "{views:?}");
        assert!(ends.len() == 2 && ends[1].contains("ended=0"), "{ends:?}");
        for part in ["ended=1", &session, r#"administrator="ada \"the boss""#] {
            assert!(ends[0].contains(part), "{part}: {ends:?}");
        }
        for line in views.iter().chain(&ends) {
            assert_eq!(line.contains("index=\"user\""), index != "None", "{line}");
            assert!(!line.replace(&session, "").contains("42"), "the value: {line}");
        }
    }
    assert!(sessions.by_tag::<Auth>(&tag).await.unwrap().len() == 1);
}

#[tokio::test]
async fn all_sessions_of_a_user_end_after_a_question() {
    let sessions = sessions();
    let mut tags = Vec::new();
    for device in ["laptop", "phone", "tablet"] {
        tags.push(sign_in(&sessions, &Auth::of(42, device)).await);
    }
    sign_in(&sessions, &Auth::of(7, "phone")).await;
    let mut desk = Desk::at(&sessions).await;
    let (log, guard) = logged();
    let question = desk.get("/end-all?by=user&value=42").await;
    assert!(question.body.contains("3 live sessions"), "{}", question.body);
    assert_eq!(live(&sessions, 42).await, 3);
    let form = forms(&question).remove(0);
    let ended = desk.post("/end-all", &pairs(&form)).await;
    assert!(ended.body.contains("3 sessions were ended."), "{}", ended.body);
    assert_eq!((live(&sessions, 42).await, live(&sessions, 7).await), (0, 1));
    assert!(ended.body.contains("<title>3 sessions were ended – Sessions"), "{}", ended.body);
    // Once more, with nothing left.
    let ended = desk.post("/end-all", &pairs(&form)).await;
    assert!(ended.body.contains("No session was left to end."));
    drop(guard);
    let line = lines(&log, END).remove(0);
    assert!(line.contains("ended=3") && tags.iter().all(|tag| line.contains(tag)), "{line}");
    assert!(!line.contains("left_out"), "{line}");
}

#[tokio::test]
async fn a_forged_form_ends_nothing() {
    let sessions = sessions();
    let tag = sign_in(&sessions, &Auth::of(42, "laptop")).await;
    let mut desk = Desk::at(&sessions).await;
    let mut other = Desk::of(desk.base.clone());
    let details = format!("/session?by=user&value=42&tag={tag}");
    for (page, action) in [(&*details, "/end"), ("/end-all?by=user&value=42", "/end-all")] {
        let form = forms(&desk.get(page).await).remove(0);
        let foreign = forms(&other.get(page).await).remove(0);
        let without: Vec<_> =
            pairs(&form).into_iter().filter(|(name, _)| *name != "form_token").collect();
        let empty = [&without[..], &[("form_token", "")]].concat();
        let origin = |origin| vec![("origin", origin)];
        for (headers, form) in [
            (vec![], without),
            (vec![], empty),
            (vec![], pairs(&foreign)),
            (origin("null"), pairs(&form)),
            (origin("https://evil.example"), pairs(&form)),
            (vec![("sec-fetch-site", "cross-site")], pairs(&form)),
            (vec![("sec-fetch-site", "same-site")], pairs(&form)),
        ] {
            let refused = desk.send(Method::POST, action, &headers, &form).await;
            assert_eq!(refused.status, 403, "{action} {headers:?}");
            assert!(refused.body.contains("The form was refused"), "{}", refused.body);
            assert_eq!(live(&sessions, 42).await, 1, "{action} {headers:?}");
        }
        // The query counts for no form.
        let query = format!("{action}?{}", encoded(&pairs(&form)));
        assert_eq!(desk.post(&query, &[]).await.status, 403);
        let large = "x".repeat(300_000);
        assert_eq!(desk.post(action, &[("value", &large)]).await.status, 413);
        assert_eq!(live(&sessions, 42).await, 1);
        // Nor does a form of the administrator without the administrator.
        let request = Client::new().post(format!("{}{action}", desk.base));
        let request = request.header("cookie", desk.jar.header()).body(encoded(&pairs(&form)));
        assert_eq!(super::reply(request).await.body, "not you");
        assert_eq!(live(&sessions, 42).await, 1);
    }
}

#[tokio::test]
async fn texts_of_other_people_are_no_markup() {
    const EVIL: &str = "<script>alert(1)</script>\u{202e}\"'&\0";
    let sessions = sessions();
    let record =
        Auth { email: Some(EVIL.to_owned()), tags: vec![EVIL.to_owned()], ..Auth::of(42, EVIL) };
    let tag = sign_in(&sessions, &record).await;
    let mut desk = Desk::at(&sessions).await;
    let evil = encoded(&[("value", EVIL)]);
    let evil_tag = encoded(&[("tag", EVIL)]);
    for path in [
        "?by=user&value=42".to_owned(),
        format!("?by=mail&{evil}"),
        format!("?by=user&{evil}"),
        format!("?by={}", &evil["value=".len()..]),
        format!("/session?tag={tag}"),
        format!("/session?by=mail&{evil}&tag={tag}"),
        format!("/session?{evil_tag}"),
        format!("/end-all?by=mail&{evil}"),
        format!("/{}", &evil["value=".len()..]),
    ] {
        let page = desk.get(&path).await;
        let text =
            page.body.replace("value=\"&lt;script&gt;alert(1)&lt;/script&gt;\u{202e}&quot;", "");
        assert!(!text.contains("<script") && !text.contains('\u{202e}'), "{path}: {text}");
    }
    let page = desk.get("?by=user&value=42").await;
    assert!(page.body.contains(r#"&lt;/script&gt;<span class="char">U+202E</span>"#));
    assert!(page.body.contains(r#"<span class="char">U+0000</span>"#));
    // The value goes through the links and the form unchanged.
    let list = desk.get(&format!("?by=mail&{evil}")).await;
    assert!(list.body.contains("1 live session"), "{}", list.body);
    let question = desk.get(&format!("/end-all?by=mail&{evil}")).await;
    let ended = desk.post("/end-all", &pairs(&forms(&question)[0])).await;
    assert!(ended.body.contains("1 session was ended."));
}

#[tokio::test]
async fn every_page_forbids_scripts_frames_and_caches() {
    let sessions = sessions();
    let tag = sign_in(&sessions, &Auth::of(42, "laptop")).await;
    let mut desk = Desk::at(&sessions).await;
    let details = format!("/session?by=user&value=42&tag={tag}");
    for path in PATHS.iter().copied().chain([&*details]) {
        for method in [Method::GET, Method::POST] {
            let reply = desk.send(method, path, &[], &[]).await;
            let header = |name: &str| reply.headers[name].to_str().unwrap().to_owned();
            let policy = header("content-security-policy");
            for part in ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'"] {
                assert!(policy.contains(part) && !policy.contains("unsafe"), "{path}: {policy}");
            }
            assert!(header("cache-control").contains("no-store"), "{path}");
            assert_eq!(header("referrer-policy"), "same-origin");
            assert_eq!(header("x-content-type-options"), "nosniff");
            assert!(header("x-robots-tag").contains("noindex"));
        }
    }
}

/// Tags are random, but nothing prevents two sessions with one.
#[tokio::test(flavor = "multi_thread")]
async fn two_sessions_with_one_tag_are_told_apart() {
    let server = RedisServer::start();
    let config = SessionConfig::new().secret(SECRET).store(server.url());
    let sessions = Sessions::new(config).await.unwrap();
    let tag = sign_in(&sessions, &Auth::of(42, "laptop")).await;
    let add = |seconds_ago: u64| {
        let id = cookies::id(SystemTime::now() - Duration::from_secs(seconds_ago), 0);
        let key = format!("app:sessions:{{{tag}}}{}", &id[8..]);
        let _: i64 = server.cli(&[
            "HSET",
            &key,
            "",
            "",
            "user",
            "42",
            "device",
            &format!("old {seconds_ago}"),
        ]);
        let _: i64 = server.cli(&["EXPIRE", &key, "1000"]);
        key
    };
    let key = add(1_000);
    let mut desk = Desk::at(&sessions).await;
    let page = desk.get(&format!("/session?tag={tag}")).await;
    assert!(page.body.contains("laptop") && page.body.contains("old 1000"), "{}", page.body);
    assert!(page.body.contains("2 sessions with this tag"));
    let both = forms(&page);
    assert_ne!(both[0]["created"], both[1]["created"]);

    let mut without = both[0].clone();
    without.remove("created");
    let refused = desk.post("/end", &pairs(&without)).await;
    assert!(refused.status == 409 && refused.body.contains("Which session?"), "{}", refused.body);
    assert_eq!(server.cli::<i64>(&["EXISTS", &key]), 1);

    // The first was created first.
    let ended = desk.post("/end", &pairs(&both[0])).await;
    assert!(ended.body.contains("1 session was ended."));
    let page = desk.get(&format!("/session?tag={tag}")).await;
    assert!(page.body.contains("laptop") && !page.body.contains("old 1000"), "{}", page.body);

    // Of the same second: only all together can be ended.
    let second = SystemTime::now() - Duration::from_secs(500);
    for _ in 0..2 {
        let id = cookies::id(second, 0);
        let key = format!("app:sessions:{{{tag}}}{}", &id[8..]);
        let _: i64 = server.cli(&["HSET", &key, "", "", "user", "42"]);
        let _: i64 = server.cli(&["EXPIRE", &key, "1000"]);
    }
    let page = desk.get(&format!("/session?tag={tag}")).await;
    assert!(page.body.contains("3 sessions with this tag"), "{}", page.body);
    assert_eq!((forms(&page).len(), page.body.matches("cannot be ended here").count()), (1, 2));
}

/// Another program may store anything.
#[tokio::test(flavor = "multi_thread")]
async fn a_value_that_does_not_fit_leaves_the_rest_of_the_page() {
    let server = RedisServer::start();
    let config = SessionConfig::new().secret(SECRET).store(server.url());
    let sessions = Sessions::new(config).await.unwrap();
    let tag = sign_in(&sessions, &Auth::of(42, "laptop")).await;
    let id = *sessions.find(Auth::by_user(42)).list().await.unwrap()[0].id();
    let key = format!("app:sessions:{{{tag}}}{}", &id.expose_secret()[8..]);
    let _: i64 = server.cli(&[
        "HSET",
        &key,
        "seen",
        "yesterday",
        "tags",
        "{",
        "visits",
        "many",
        "mail",
        "x",
    ]);
    let _: i64 = server.cli(&["HSET", &key, "email", "plain"]);
    let mut desk = Desk::at(&sessions).await;
    for path in ["?by=user&value=42", &format!("/session?tag={tag}")] {
        let page = desk.get(path).await;
        assert_eq!(page.status, 200, "{path}");
        assert_eq!(page.body.matches("does not fit its type").count(), 3, "{}", page.body);
        assert_eq!(page.body.matches("cannot be decrypted").count(), 1, "{}", page.body);
        assert!(page.body.contains("laptop") && page.body.contains("1 min 30 s"));
        for stored in ["yesterday", "many", "plain"] {
            assert!(!page.body.contains(stored), "{stored}");
        }
    }
    let form = forms(&desk.get(&format!("/session?by=user&value=42&tag={tag}")).await).remove(0);
    let ended = desk.post("/end", &pairs(&form)).await;
    assert!(ended.body.contains("1 session was ended."));
    assert_eq!(live(&sessions, 42).await, 0);
}

/// The page says what to look for, and nothing of the server's message.
#[tokio::test]
async fn a_missing_permission_and_a_lost_server_have_a_page() {
    let mut server = RedisServer::start();
    let config = SessionConfig::new().secret(SECRET).store(server.url());
    let sessions = Sessions::new(config.timeout(Duration::from_millis(500))).await.unwrap();
    let tag = sign_in(&sessions, &Auth::of(42, "laptop")).await;
    let mut desk = Desk::at(&sessions).await;
    let details = format!("/session?tag={tag}");
    let form = forms(&desk.get(&details).await).remove(0);
    for (permission, path) in [("zrange", "?by=user&value=42"), ("scan", &details)] {
        let (log, guard) = logged();
        let _: String = server.cli(&["ACL", "SETUSER", "default", &format!("-{permission}")]);
        let page = desk.get(path).await;
        assert_eq!(page.status, 500, "{path}");
        assert!(page.body.contains("The session store refused"), "{}", page.body);
        for word in ["NOPERM", permission, "default"] {
            assert!(!page.body.contains(&format!("{word} ")), "{word}: {}", page.body);
        }
        assert!(log.text().contains("a session error was sent as the response"));
        drop(guard);
        let _: String = server.cli(&["ACL", "SETUSER", "default", &format!("+{permission}")]);
    }
    let _: String = server.cli(&["ACL", "SETUSER", "default", "-evalsha", "-eval"]);
    let refused = desk.post("/end", &pairs(&form)).await;
    assert!(refused.status == 500 && refused.body.contains("refused"), "{}", refused.body);
    let _: String = server.cli(&["ACL", "SETUSER", "default", "+@all"]);
    assert_eq!(live(&sessions, 42).await, 1);
    server.kill();
    for path in ["?by=user&value=42", &details, "/end-all?by=user&value=42"] {
        let page = desk.get(path).await;
        assert_eq!(
            (page.status, page.headers["retry-after"].to_str().unwrap()),
            (503, "5"),
            "{path}"
        );
        assert!(page.body.contains("not available"), "{}", page.body);
    }
    assert_eq!(desk.post("/end", &pairs(&form)).await.status, 503);
}

#[tokio::test]
async fn a_long_list_is_cut_and_says_so() {
    let sessions = sessions();
    for _ in 0..103 {
        let session = sessions.create::<Auth>().await.unwrap();
        session.set_user(42).await.unwrap();
    }
    let mut desk = Desk::at(&sessions).await;
    let page = desk.get("?by=user&value=42").await;
    assert!(page.body.contains("103 live sessions") && page.body.contains("the 100 sessions"));
    assert_eq!(page.body.matches("<tr").count(), 1 + 100);
    let question = desk.get("/end-all?by=user&value=42").await;
    assert!(question.body.contains("103 live sessions"));
    let (log, guard) = logged();
    let ended = desk.post("/end-all", &pairs(&forms(&question)[0])).await;
    assert!(ended.body.contains("103 sessions were ended."));
    drop(guard);
    let line = lines(&log, END).remove(0);
    assert!(line.contains("left_out=3") && line.contains("ended=103"), "{line}");
    assert_eq!(line.matches(',').count(), 99, "{line}");
}

/// An administrator may close the tab, and a proxy may give up.
#[tokio::test]
async fn an_end_is_finished_and_recorded_although_the_browser_goes_away() {
    const COUNT: usize = 200;
    let server = RedisServer::start();
    let store = GatedStore::new(RedisStore::connect(&server.url()).await.unwrap());
    let config = SessionConfig::new().secret(SECRET);
    let sessions = Sessions::with_store(config, store.clone()).unwrap();
    for _ in 0..COUNT {
        sessions.create::<Auth>().await.unwrap().set_user(42).await.unwrap();
    }
    let (gone, mut is_gone) = tokio::sync::mpsc::unbounded_channel();
    let app = Router::new().nest("/admin", pages(&sessions)).layer(sessions.layer());
    let app = app.layer(from_fn(move |request: Request, next: Next| {
        let gone = Leave(gone.clone());
        async move {
            let response = next.run(request).await;
            drop(gone);
            response
        }
    }));
    let mut desk = Desk::of(format!("{}/admin", serve(app).await));
    let form = forms(&desk.get("/end-all?by=user&value=42").await).remove(0);
    is_gone.recv().await.unwrap();
    let (log, _guard) = logged();
    let mut held = store.hold("destroy_if");
    let request = desk.client.post(format!("{}/end-all", desk.base)).header("boss", "ada");
    let request = request.header("cookie", desk.jar.header()).body(encoded(&pairs(&form)));
    let browser = tokio::spawn(request.send());
    held.arrival().await;
    browser.abort();
    is_gone.recv().await.unwrap();
    assert_eq!(live(&sessions, 42).await, COUNT);
    drop(held);
    until("the record of the end", async || !lines(&log, END).is_empty()).await;
    assert!(lines(&log, END)[0].contains(&format!("ended={COUNT}")));
    assert_eq!(live(&sessions, 42).await, 0);
}

/// Tells when a request is over, or dropped.
struct Leave(tokio::sync::mpsc::UnboundedSender<()>);

impl Drop for Leave {
    fn drop(&mut self) {
        let _ = self.0.send(());
    }
}

/// After a login, the tag may be that of another person.
#[tokio::test]
async fn a_session_that_is_not_the_one_on_the_page_stays() {
    let server = RedisServer::start();
    let config = SessionConfig::new().secret(SECRET).store(server.url());
    let sessions = Sessions::new(config).await.unwrap();
    let tag = sign_in(&sessions, &Auth::of(42, "laptop")).await;
    let mut desk = Desk::at(&sessions).await;
    for path in ["", "by=user&value=42&"] {
        let page = desk.get(&format!("/session?{path}tag={tag}")).await;
        let mut form = forms(&page).remove(0);
        let created: u64 = form["created"].parse().unwrap();
        form.insert("created".to_owned(), (created - 500).to_string());
        let refused = desk.post("/end", &pairs(&form)).await;
        assert!(refused.status == 409 && refused.body.contains("another session"), "{path}");
        form.remove("created");
        assert_eq!(desk.post("/end", &pairs(&form)).await.status, 409);
        assert_eq!(live(&sessions, 42).await, 1);
    }
}

#[tokio::test]
async fn a_value_of_any_characters_goes_through_a_form() {
    const NAME: &str = "a\nb\r\nc\0 %41+&é";
    let sessions = sessions();
    let record = Auth { email: Some(NAME.to_owned()), ..Auth::of(42, "laptop") };
    let tag = sign_in(&sessions, &record).await;
    let mut desk = Desk::at(&sessions).await;
    let value = encoded(&[("value", NAME)]);
    for (page, action) in [
        (format!("/session?by=mail&{value}&tag={tag}"), "/end"),
        (format!("/end-all?by=mail&{value}"), "/end-all"),
    ] {
        let form = forms(&desk.get(&page).await).remove(0);
        // A browser changes these characters.
        for text in form.values() {
            assert!(!text.contains(['\n', '\r', '\0']), "{text:?}");
        }
        let ended = desk.post(action, &pairs(&form)).await;
        assert!(ended.body.contains("1 session was ended."), "{}", ended.body);
        sign_in(&sessions, &record).await;
    }
}

/// Links end up in histories and in the logs of servers.
#[tokio::test]
async fn an_encrypted_value_is_in_no_link_of_a_session() {
    let sessions = sessions();
    let tag = sign_in(&sessions, &Auth::of(42, "laptop")).await;
    let mut desk = Desk::at(&sessions).await;
    let page = desk.get(&format!("/session?tag={tag}")).await;
    assert!(page.body.contains("42@example.org"));
    assert!(
        page.body.contains("All sessions with this <code>user") && !page.body.contains("42%40")
    );
}

/// A page that may use the session from another origin may still not end sessions of others.
#[tokio::test]
async fn a_trusted_origin_ends_nothing() {
    let config = SessionConfig::new().secret(SECRET).trusted_origins(["https://shop.example"]);
    let sessions = Sessions::with_store(config, MemoryStore::new()).unwrap();
    sign_in(&sessions, &Auth::of(42, "laptop")).await;
    let mut desk = Desk::at(&sessions).await;
    let form = forms(&desk.get("/end-all?by=user&value=42").await).remove(0);
    for site in [None, Some(("sec-fetch-site", "same-site"))] {
        let headers: Vec<_> =
            [Some(("origin", "https://shop.example")), site].into_iter().flatten().collect();
        let refused = desk.send(Method::POST, "/end-all", &headers, &pairs(&form)).await;
        assert_eq!(refused.status, 403);
    }
    assert_eq!(live(&sessions, 42).await, 1);
}

/// The page itself stays, because looking needs no form.
#[tokio::test]
async fn a_page_without_a_form_says_why() {
    let python = || CookieFormat::Flask(FlaskCookie::new("a Flask secret of more than 32 bytes"));
    let config = SessionConfig::new;
    for (config, headers, reason) in [
        (config().cookie_formats([python()]), vec![], "secret"),
        (config().secret(SECRET).transport(Transport::Bearer), vec![], "bearer tokens"),
        (
            config().secret(SECRET).cookie_same_site(SameSite::Strict),
            CROSS_SITE_LINK.to_vec(),
            "another site",
        ),
    ] {
        let sessions = Sessions::with_store(config, MemoryStore::new()).unwrap();
        let session = sessions.create::<User>().await.unwrap();
        session.set_user(42).await.unwrap();
        let app = Router::new().nest("/admin", sessions.admin::<User, Boss>().router());
        let mut desk = Desk::of(format!("{}/admin", serve(app).await));
        let tag = session.session_id().unwrap().tag().to_owned();
        for path in
            [format!("/session?by=user&value=42&tag={tag}"), "/end-all?by=user&value=42".to_owned()]
        {
            let page = desk.send(Method::GET, &path, &headers, &[]).await;
            assert_eq!(page.status, 200, "{reason}: {}", page.body);
            assert!(page.body.contains(reason) && page.body.contains("no button"), "{}", page.body);
            assert!(forms(&page).is_empty(), "{reason}");
            assert!(page.headers.get("set-cookie").is_none(), "{reason}");
        }
    }
}

#[derive(Session)]
struct User {
    #[session(index, show)]
    user: Option<u64>,
}

const CROSS_SITE_LINK: [(&str, &str); 3] = [
    ("sec-fetch-site", "cross-site"),
    ("sec-fetch-mode", "navigate"),
    ("sec-fetch-dest", "document"),
];

#[tokio::test]
async fn a_question_for_the_headers_begins_no_session() {
    let sessions = sessions();
    let tag = sign_in(&sessions, &Auth::of(42, "laptop")).await;
    let mut desk = Desk::at(&sessions).await;
    for path in [format!("/session?tag={tag}"), "/end-all?by=user&value=42".to_owned()] {
        let reply = desk.send(Method::HEAD, &path, &[], &[]).await;
        assert!(reply.status == 200 && reply.headers.get("set-cookie").is_none(), "{path}");
        assert!(desk.get(&path).await.headers.get("set-cookie").is_some(), "{path}");
        desk.jar = Jar::default();
    }
}

/// A search for a tag walks over all keys.
#[tokio::test]
async fn a_text_that_is_no_tag_is_refused_before_the_walk() {
    let store = FailingStore::new(MemoryStore::new());
    let sessions =
        Sessions::with_store(SessionConfig::new().secret(SECRET), store.clone()).unwrap();
    let tag = sign_in(&sessions, &Auth::of(42, "laptop")).await;
    let mut desk = Desk::at(&sessions).await;
    // As in a log line.
    let page = desk.get(&format!("/session?tag={tag}%E2%80%A6")).await;
    assert!(page.status == 200 && page.body.contains("laptop"), "{}", page.body);
    store.fail(Failure::Unavailable);
    for text in ["", "AAAAAAA", "AAAAAAAAA", "AAAA.AAA", "AAAAAA%C3%A9", "*"] {
        let page = desk.get(&format!("/session?tag={text}")).await;
        assert!(page.status == 400 && page.body.contains("A tag has 8 characters"), "{text}");
    }
    // An image on a page of another site.
    let image = [("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "no-cors")];
    for path in [&*format!("/session?tag={tag}"), "?by=user&value=42"] {
        assert_eq!(desk.send(Method::GET, path, &image, &[]).await.status, 403, "{path}");
        assert_eq!(desk.send(Method::GET, path, &CROSS_SITE_LINK, &[]).await.status, 503, "{path}");
    }
}

#[tokio::test]
async fn one_search_for_a_tag_runs_at_a_time() {
    let store = GatedStore::new(MemoryStore::new());
    let sessions =
        Sessions::with_store(SessionConfig::new().secret(SECRET), store.clone()).unwrap();
    let tag = sign_in(&sessions, &Auth::of(42, "laptop")).await;
    let mut desk = Desk::at(&sessions).await;
    let path = format!("/session?tag={tag}");
    let mut held = store.hold("scan");
    let mut other = Desk::of(desk.base.clone());
    let first = tokio::spawn({
        let path = path.clone();
        async move { other.get(&path).await.status }
    });
    held.arrival().await;
    let busy = desk.get(&path).await;
    assert!(busy.status == 503 && busy.body.contains("Another search"), "{}", busy.body);
    assert_eq!(busy.headers["retry-after"], "5");
    assert_eq!(desk.get(&format!("/session?by=user&value=42&tag={tag}")).await.status, 200);
    drop(held);
    assert_eq!(first.await.unwrap(), 200);
    assert_eq!(desk.get(&path).await.status, 200);
}

#[tokio::test]
async fn a_form_that_does_not_arrive_is_no_large_form() {
    let sessions = sessions();
    let desk = Desk::at(&sessions).await;
    let host = desk.base.strip_prefix("http://").unwrap().strip_suffix("/admin").unwrap();
    let mut socket = TcpStream::connect(host).await.unwrap();
    let request = "POST /admin/end HTTP/1.1\r\nHost: x\r\nBoss: ada\r\n\
                   Transfer-Encoding: chunked\r\n\r\nno chunk\r\n";
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut reply = String::new();
    socket.read_to_string(&mut reply).await.unwrap();
    assert!(reply.starts_with("HTTP/1.1 400") && reply.contains("did not arrive"), "{reply}");
}

/// The administrator's own mistakes, and those of the program.
#[tokio::test]
async fn a_missing_key_has_a_page_of_its_own() {
    let config = SessionConfig::new().cookie_formats([CookieFormat::Flask(FlaskCookie::new(
        "a Flask secret of more than 32 bytes",
    ))]);
    let sessions = Sessions::with_store(config, MemoryStore::new()).unwrap();
    let mut desk = Desk::at(&sessions).await;
    let page = desk.get("?by=mail&value=a").await;
    assert!(page.status == 500 && page.body.contains("A setting is wrong"), "{}", page.body);
}

/// Links are relative, so a browser behind a proxy follows them too.
#[tokio::test]
async fn the_pages_work_wherever_they_are_mounted() {
    let sessions = sessions();
    let tag = sign_in(&sessions, &Auth::of(42, "laptop")).await;
    let inner = Router::new().nest("/sessions", pages(&sessions));
    let app = Router::new()
        .nest("/a/b", inner)
        .nest("/once", pages(&sessions))
        .nest_service("/service", pages(&sessions))
        .layer(sessions.layer());
    let served = serve(app).await;
    let root = Router::new().route("/other", get(|| async { "other" })).merge(pages(&sessions));
    let root = serve(root).await;
    let twice = format!("{served}/a/b/sessions");
    let slash = format!("{served}/service/");
    for base in [&*twice, &format!("{served}/once"), &format!("{served}/service"), &slash, &root] {
        let mut desk = Desk::of(base.to_owned());
        let list = desk.get("?by=user&value=42").await;
        let session = link_to(&desk, "", &list, &tag);
        let details = desk.get(&session).await;
        assert!(details.body.contains("laptop"), "{base}: {session} {}", details.body);
        let back = link_to(&desk, &session, &details, "All sessions with");
        assert!(desk.get(&back).await.body.contains("1 live session"), "{base}: {back}");
        let home = link_to(&desk, &session, &details, "Session administration");
        assert!(desk.get(&home).await.body.contains("<h1>Sessions</h1>"), "{base}: {home}");
        let question = link_to(&desk, "", &list, "End the session");
        assert!(desk.get(&question).await.body.contains("End all sessions?"), "{base}");
        let missing = desk.get(if base.ends_with('/') { "x/y" } else { "/x/y" }).await;
        let home = link_to(&desk, "/x/y", &missing, "Session administration");
        assert!(desk.get(&home).await.body.contains("<h1>Sessions</h1>"), "{base}: {home}");
    }
    assert_eq!(super::get(&format!("{root}/other"), "").await.body, "other");
}

/// Returns the target of the first link with this text, relative to the pages.
fn link_to(desk: &Desk, path: &str, page: &Reply, text: &str) -> String {
    let links = page.body.split("<a ").skip(1).map(|link| link.split("</a>").next().unwrap());
    let mut links = links.filter(|link| link.contains(text) && link.contains("href=\""));
    let link = links.next().unwrap_or_else(|| panic!("no link {text}: {}", page.body));
    let href = link.split("href=\"").nth(1).unwrap().split('"').next().unwrap();
    let base = if path.is_empty() { desk.base.clone() } else { format!("{}{path}", desk.base) };
    let base = reqwest::Url::parse(&base.replace("//x", "/x")).unwrap();
    let target = base.join(&href.replace("&amp;", "&")).unwrap();
    let target = target.as_str();
    target
        .strip_prefix(&desk.base)
        .unwrap_or_else(|| {
            let root = desk.base.trim_end_matches('/');
            target.strip_prefix(root).unwrap_or_else(|| panic!("{target} is not in {}", desk.base))
        })
        .to_owned()
}

#[derive(Session)]
struct StaffAuth {
    staff: Option<String>,
}

/// A member of staff, by a session of another manager.
struct Staff(String);

impl<T: Sync> FromRequestParts<T> for Staff {
    type Rejection = Redirect;

    async fn from_request_parts(parts: &mut Parts, state: &T) -> Result<Self, Redirect> {
        let session = Session::<StaffAuth>::from_request_parts(parts, state).await;
        let staff = async { session?.staff().await };
        match staff.await {
            Ok(Some(name)) => Ok(Self(name)),
            Ok(None) | Err(_) => Err(Redirect::to("/login")),
        }
    }
}

impl Administrator for Staff {
    fn name(&self) -> Cow<'_, str> {
        Cow::Borrowed(&self.0)
    }
}

/// A user who wrote the same field into a session of the users' manager is no administrator.
#[tokio::test]
async fn administrators_may_have_a_manager_of_their_own() {
    async fn log_in(session: Session<StaffAuth>) -> Result<&'static str, Error> {
        session.set_staff("root".to_owned()).await.map(|()| "welcome")
    }
    let (users, staff) = (sessions_named("user"), sessions_named("staff"));
    let tag = sign_in(&users, &Auth::of(42, "laptop")).await;
    let app = Router::new()
        .nest("/admin", users.admin::<Auth, Staff>().router())
        .route("/login", get(log_in))
        .layer(staff.layer())
        .route("/users-login", get(log_in).layer(users.layer()));
    let base = serve(app).await;
    let mut desk = Desk::of(base);
    desk.get("/users-login").await;
    let stranger = desk.get("/admin").await;
    assert_eq!((stranger.status, stranger.headers["location"].to_str().unwrap()), (303, "/login"));
    desk.get("/login").await;
    let page = desk.get(&format!("/admin/session?by=user&value=42&tag={tag}")).await;
    assert!(page.body.contains("laptop") && page.body.contains("root"), "{}", page.body);
    let form = forms(&page).remove(0);
    let ended = desk.post("/admin/end", &pairs(&form)).await;
    assert!(ended.body.contains("1 session was ended."));
    assert_eq!(live(&users, 42).await, 0);
}

/// The state of an application can decide too.
#[tokio::test]
async fn the_extractor_may_use_the_state() {
    #[derive(Clone)]
    struct Names(&'static str);
    struct Named(&'static str);
    impl FromRequestParts<Names> for Named {
        type Rejection = StatusCode;

        async fn from_request_parts(_: &mut Parts, state: &Names) -> Result<Self, StatusCode> {
            Ok(Self(state.0))
        }
    }
    impl Administrator for Named {
        fn name(&self) -> Cow<'_, str> {
            self.0.into()
        }
    }
    let sessions = sessions();
    let pages = sessions.admin::<Auth, Named>().router();
    let app = Router::new().nest("/admin", pages).with_state(Names("grace"));
    let mut desk = Desk::of(format!("{}/admin", serve(app).await));
    assert!(desk.get("").await.body.contains("grace"));
}

#[tokio::test]
async fn the_own_session_is_marked() {
    let sessions = sessions();
    let app = Router::new()
        .route(
            "/login",
            get(|session: Session<Auth>| async move { session.set_user(42).await.map(|()| "") }),
        )
        .nest("/admin", pages(&sessions))
        .layer(sessions.layer());
    let mut desk = Desk::of(serve(app).await);
    desk.get("/login").await;
    sign_in(&sessions, &Auth::of(42, "phone")).await;
    let list = desk.get("/admin?by=user&value=42").await;
    assert_eq!(list.body.matches("yours").count(), 1, "{}", list.body);
    let question = desk.get("/admin/end-all?by=user&value=42").await;
    assert!(question.body.contains("You are using one of these sessions"), "{}", question.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pages_work_on_a_cluster() {
    let cluster = Shared::cluster().await;
    let config = SessionConfig::new().secret(SECRET).store(cluster.url()).prefix("admin-pages");
    let sessions = Sessions::new(config).await.unwrap();
    let tag = sign_in(&sessions, &Auth::of(42, "laptop")).await;
    for device in ["phone", "tablet"] {
        sign_in(&sessions, &Auth::of(42, device)).await;
    }
    let mut desk = Desk::at(&sessions).await;
    assert!(desk.get("?by=user&value=42").await.body.contains("3 live sessions"));
    let form = forms(&desk.get(&format!("/session?tag={tag}")).await).remove(0);
    let ended = desk.post("/end", &pairs(&form)).await;
    assert!(ended.body.contains("1 session was ended."));
    let form = forms(&desk.get("/end-all?by=user&value=42").await).remove(0);
    let ended = desk.post("/end-all", &pairs(&form)).await;
    assert!(ended.body.contains("2 sessions were ended."));
    assert_eq!(live(&sessions, 42).await, 0);
}
