//! The pages for administrators in a real browser: without scripts, with the keyboard, narrow and
//! wide, light and dark, and under the rules of axe-core.

use std::borrow::Cow;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use axum::Router;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use session_runtime::admin::Administrator;
use session_runtime::{MemoryStore, Session, SessionConfig, Sessions};
use session_tests::browser::Browser;
use session_tests::cookies::SECRET;
use tokio::net::TcpListener;

use super::accessibility::Axe;

#[derive(Session)]
struct Auth {
    #[session(index, show)]
    user: Option<String>,
    #[session(index, show)]
    team: Option<u64>,
    #[session(show)]
    user_agent: String,
    #[session(show)]
    verified_at: Option<SystemTime>,
    #[session(show)]
    idle_warning: Duration,
    #[session(show)]
    note: String,
}

/// Everybody, for the pages alone.
struct Everybody;

impl<T: Sync> FromRequestParts<T> for Everybody {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(_: &mut Parts, _: &T) -> Result<Self, Self::Rejection> {
        Ok(Self)
    }
}

impl Administrator for Everybody {
    fn name(&self) -> Cow<'_, str> {
        "ada@example.org".into()
    }
}

const AGENTS: [&str; 3] = [
    "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like \
     Gecko) Version/18.5 Mobile/15E148 Safari/604.1",
    "curl/8.14.1",
];

/// Serves the pages, with three sessions of the user `grace`. Returns the manager and the address.
async fn serve() -> (Sessions, String) {
    let config = SessionConfig::new().secret(SECRET).cookie_secure(false);
    let sessions = Sessions::with_store(config, MemoryStore::new()).unwrap();
    for agent in AGENTS {
        let session = sessions.create::<Auth>().await.unwrap();
        let record = Auth {
            user: Some("grace".to_owned()),
            team: Some(7),
            user_agent: agent.to_owned(),
            verified_at: (agent.len() < 20).then_some(SystemTime::UNIX_EPOCH),
            idle_warning: Duration::from_secs(90),
            note: "a<b>\u{202e}c</b>, and AVeryLongWordWithoutAnyPlaceToBreakItInTwoParts"
                .repeat(2),
        };
        session.save(&record).await.unwrap();
    }
    let pages = sessions.admin::<Auth, Everybody>().router();
    let app = Router::new().nest("/admin/sessions", pages).layer(sessions.layer());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}/admin/sessions", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await });
    (sessions, base)
}

/// Behaviour: pages for administrators.
#[tokio::test]
async fn a_session_is_found_and_ended_without_scripts() {
    let Some(browser) = Browser::start() else { return };
    let (sessions, base) = serve().await;
    let page = browser.open(&base).await;
    page.set_scripts(false).await;
    page.reload().await;
    page.fill("#value", "grace").await;
    page.click("form:has(#value) button").await;
    page.expect_text("#results", "3 live sessions with user grace").await;
    page.click("tbody a").await;
    page.expect_title_with("Session ").await;
    page.click("main form button").await;
    page.expect_text("[role=status]", "1 session was ended.").await;
    page.expect_text("#results", "2 live sessions with user grace").await;
    page.click("a.danger").await;
    page.expect_text("h1", "End all sessions?").await;
    page.click("main form button").await;
    page.expect_text("[role=status]", "2 sessions were ended.").await;
    page.expect_text("#results", "No live session with user grace").await;
    assert_eq!(sessions.find(Auth::by_user("grace")).count().await.unwrap(), 0);
}

/// Each kind of page: its name and its address.
async fn kinds(sessions: &Sessions, base: &str) -> Vec<(&'static str, String)> {
    let entries = sessions.find(Auth::by_user("grace")).list().await.unwrap();
    let tag = entries[0].tag();
    [
        ("search", String::new()),
        ("list", "?by=user&value=grace".to_owned()),
        ("notice", "?by=user&value=grace&ended=1".to_owned()),
        ("nothing", "?by=user&value=nobody".to_owned()),
        ("mistake", "?by=team&value=x".to_owned()),
        ("details", format!("/session?by=user&value=grace&tag={tag}")),
        ("confirmation", "/end-all?by=user&value=grace".to_owned()),
        ("unknown", "/session?tag=AAAAAAAA".to_owned()),
        ("missing", "/nothing".to_owned()),
    ]
    .map(|(name, path)| (name, format!("{base}{path}")))
    .into()
}

#[tokio::test]
async fn every_page_is_accessible_at_every_width_in_light_and_dark() {
    let Some(browser) = Browser::start() else { return };
    let axe = Axe::load();
    let (sessions, base) = serve().await;
    let page = browser.open(&base).await;
    let mut problems = Vec::new();
    for (name, url) in kinds(&sessions, &base).await {
        for (width, height) in [(360, 740), (768, 800), (1280, 800)] {
            for scheme in ["light", "dark"] {
                page.emulate(width, height, scheme == "dark").await;
                page.visit(&url).await;
                let at = format!("{name}-{width}-{scheme}");
                let tall = page.run("return document.documentElement.scrollHeight").await;
                let tall = u32::try_from(tall.as_u64().unwrap()).unwrap();
                page.emulate(width, tall.max(height), scheme == "dark").await;
                save(&at, &page.png().await);
                page.emulate(width, height, scheme == "dark").await;
                let wide = page.run("return document.documentElement.scrollWidth").await;
                if wide.as_u64().unwrap() > width.into() {
                    problems.push(format!("{at}: {wide} wide"));
                }
                if let Some(axe) = &axe {
                    let violations = axe.violations(&page).await.into_iter();
                    problems.extend(violations.map(|violation| format!("{at}: {violation}")));
                }
            }
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

/// The focus goes to each control in the order of the page, and is visible there.
#[tokio::test]
async fn the_keyboard_reaches_every_control() {
    let Some(browser) = Browser::start() else { return };
    let (sessions, base) = serve().await;
    let page = browser.open(&base).await;
    for (name, url) in kinds(&sessions, &base).await {
        page.visit(&url).await;
        let controls = page.run(CONTROLS).await;
        let mut reached = Vec::new();
        for _ in 0..controls.as_array().unwrap().len() {
            page.press_tab().await;
            reached.push(page.run(&format!("{NAME}; return name(document.activeElement)")).await);
            let outline = page.run("return getComputedStyle(document.activeElement).outlineStyle");
            assert_eq!(outline.await, "solid", "{name}: {reached:?}");
        }
        assert_eq!(controls.as_array().unwrap(), &reached, "{name}");
    }
    // Without a mouse, from the search to the end of a session.
    page.visit(&format!("{base}?by=user&value=grace")).await;
    let link = format!("{NAME}; return name(document.querySelector('tbody a'))");
    let link = page.run(&link).await;
    while page.run(&format!("{NAME}; return name(document.activeElement)")).await != link {
        page.press_tab().await;
    }
    page.press_enter().await;
    page.expect_title_with("Session ").await;
    while !page
        .run("return document.activeElement.matches('main form button')")
        .await
        .as_bool()
        .unwrap()
    {
        page.press_tab().await;
    }
    page.press_enter().await;
    page.expect_text("[role=status]", "1 session was ended.").await;
}

const NAME: &str =
    "const name = it => it.tagName + ' ' + (it.id || it.textContent.trim().slice(0, 40))";
const CONTROLS: &str = "const name = it => it.tagName + ' ' + (it.id || it.textContent.trim().slice(0, 40)); \
     return [...document.querySelectorAll(\
       'a, button, select, input:not([type=hidden]), [tabindex=\"0\"]')].map(name)";

/// Keeps a screenshot for people.
fn save(name: &str, png: &[u8]) {
    let folder = screenshots();
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join(format!("admin-{name}.png")), png).unwrap();
}

fn screenshots() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/screenshots")
}
