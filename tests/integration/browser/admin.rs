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
use session_runtime::store::{Change, SessionKey, SessionStore, Write, WriteMode};
use session_runtime::testing::{FailingStore, Failure};
use session_runtime::{MemoryStore, Session, SessionConfig, SessionId, Sessions};
use session_tests::browser::{Browser, Page};
use session_tests::cookies::{self, SECRET};
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

/// The pages, with three sessions of the user `grace`.
struct Site {
    store: FailingStore,
    sessions: Sessions,
    base: String,
}

async fn serve() -> Site {
    let config = SessionConfig::new().secret(SECRET).cookie_secure(false);
    let store = FailingStore::new(MemoryStore::new());
    let sessions = Sessions::with_store(config, store.clone()).unwrap();
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
    Site { store, sessions, base }
}

/// Behaviour: pages for administrators.
#[tokio::test]
async fn a_session_is_found_and_ended_without_scripts() {
    let Some(browser) = Browser::start() else { return };
    let site = serve().await;
    let Site { sessions, base, .. } = &site;
    let page = browser.open(base).await;
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

/// Browsers change line breaks and NUL in the inputs of a form.
#[tokio::test]
async fn a_user_with_any_name_is_ended() {
    const NAME: &str = "a\nb\0";
    let Some(browser) = Browser::start() else { return };
    let Site { sessions, base, .. } = &serve().await;
    for user in [NAME, NAME, "a\r\nb\u{fffd}"] {
        sessions.create::<Auth>().await.unwrap().set_user(user).await.unwrap();
    }
    let page = browser.open(&format!("{base}?by=user&value=a%0Ab%00")).await;
    page.expect_text("#results", "2 live sessions with user aU+000AbU+0000").await;
    page.click("tbody a").await;
    page.expect_title_with("Session ").await;
    page.click("main form button").await;
    page.expect_text("[role=status]", "1 session was ended.").await;
    page.click("a.danger").await;
    page.expect_text("h1", "End all sessions?").await;
    page.click("main form button").await;
    page.expect_text("[role=status]", "1 session was ended.").await;
    page.expect_title_with("1 session was ended – Sessions").await;
    assert_eq!(sessions.find(Auth::by_user(NAME)).count().await.unwrap(), 0);
    assert_eq!(sessions.find(Auth::by_user("a\r\nb\u{fffd}")).count().await.unwrap(), 1);
}

/// A kind of page.
struct Kind {
    name: &'static str,
    /// The beginning of its heading.
    heading: &'static str,
    url: String,
}

impl Site {
    async fn kinds(&self) -> Vec<Kind> {
        let entries = self.sessions.find(Auth::by_user("grace")).list().await.unwrap();
        let (tag, shared) = (entries[0].tag(), self.share_a_tag(entries[1].tag()).await);
        let details = format!("/session?by=user&value=grace&tag={tag}");
        let list = "?by=user&value=grace";
        [
            // Before any page has begun a session: the store refuses its creation.
            ("refused", "The session store refused", details.clone()),
            ("unavailable", "The session store is not available", list.to_owned()),
            ("search", "Sessions", String::new()),
            ("list", "Sessions", list.to_owned()),
            (ENDED, "Sessions", "/end-all?by=user&value=nobody".to_owned()),
            ("nothing", "Sessions", "?by=user&value=nobody".to_owned()),
            ("mistake", "Sessions", "?by=team&value=x".to_owned()),
            ("no-tag", "Sessions", "/session?tag=x".to_owned()),
            ("details", "Session ", details),
            ("shared", "Session ", format!("/session?tag={shared}")),
            ("confirmation", "End all sessions?", format!("/end-all{list}")),
            ("unknown", "There is no such session", "/session?tag=AAAAAAAA".to_owned()),
            ("missing", "There is no such page", "/nothing".to_owned()),
        ]
        .map(|(name, heading, path)| Kind { name, heading, url: format!("{}{path}", self.base) })
        .into()
    }

    /// Creates two more sessions with this tag, of the same second.
    async fn share_a_tag(&self, tag: &str) -> String {
        for _ in 0..2 {
            let id = cookies::id(SystemTime::UNIX_EPOCH + (day() - 1) * DAY, 0);
            let id = SessionId::parse(&format!("{tag}{}", &id[8..])).unwrap();
            let changes = [Change::Set { field: "note", value: "\u{fffd}".into(), ttl: None }];
            let (mode, expires_in) = (WriteMode::Create, Duration::from_secs(3_600));
            let write = Write { mode, changes: &changes, expires_in, index: None };
            self.store.write(&SessionKey::new("app", &id), write).await.unwrap();
        }
        tag.to_owned()
    }

    /// Opens a page of this kind.
    async fn visit(&self, page: &Page, Kind { name, heading, url }: &Kind) {
        self.prepare(name);
        page.visit(url).await;
        if *name == ENDED {
            page.follow("main form button").await;
        }
        assert!(page.text("h1").await.starts_with(heading), "{name}");
    }

    /// Puts the store into the state of this kind of page.
    fn prepare(&self, kind: &str) {
        match kind {
            "unavailable" => self.store.fail(Failure::Unavailable),
            "refused" => self.store.fail(Failure::Refused),
            _ => self.store.recover(),
        }
    }
}

/// The page after a form.
const ENDED: &str = "ended";

const DAY: Duration = Duration::from_secs(86_400);

/// Returns the number of days since 1970.
fn day() -> u32 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    u32::try_from(now.as_secs() / DAY.as_secs()).unwrap()
}

#[tokio::test]
async fn every_page_is_accessible_at_every_width_in_light_and_dark() {
    let Some(browser) = Browser::start() else { return };
    let axe = Axe::load();
    let site = serve().await;
    let base = &site.base;
    let page = browser.open(base).await;
    let mut problems = Vec::new();
    for kind in site.kinds().await {
        let name = kind.name;
        for (width, height) in [(360, 740), (1280, 800)] {
            for scheme in ["light", "dark"] {
                page.emulate(width, height, scheme == "dark").await;
                site.visit(&page, &kind).await;
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
    let site = serve().await;
    let base = &site.base;
    let page = browser.open(base).await;
    for kind in site.kinds().await {
        let name = kind.name;
        site.visit(&page, &kind).await;
        let controls = page.run(&format!("{NAME}; {CONTROLS}")).await;
        let mut reached = Vec::new();
        for _ in 0..controls.as_array().unwrap().len() {
            page.press_tab().await;
            reached.push(page.run(&format!("{NAME}; return name(document.activeElement)")).await);
            let outline = page.run("return getComputedStyle(document.activeElement).outlineStyle");
            assert_eq!(outline.await, "solid", "{name}: {reached:?}");
        }
        assert_eq!(controls.as_array().unwrap(), &reached, "{name}");
    }
    site.prepare("list");
    // Without a mouse, from the search to the end of a session.
    page.visit(&format!("{base}?by=user&value=grace")).await;
    press_tab_until(&page, "tbody a").await;
    page.press_enter().await;
    page.expect_title_with("Session ").await;
    press_tab_until(&page, "main form button").await;
    page.press_enter().await;
    page.expect_text("[role=status]", "1 session was ended.").await;
}

/// Moves the focus to the first element of a page of few controls.
async fn press_tab_until(page: &Page, selector: &str) {
    let is_there = format!("return document.activeElement.matches('{selector}')");
    for _ in 0..50 {
        if page.run(&is_there).await == true {
            return;
        }
        page.press_tab().await;
    }
    panic!("the focus does not reach {selector}");
}

const NAME: &str =
    "const name = it => it.tagName + ' ' + (it.id || it.textContent.trim().slice(0, 40))";
const CONTROLS: &str = "return [...document.querySelectorAll('a, button, select, \
                        input:not([type=hidden]), [tabindex=\"0\"]')].map(name)";

/// Keeps a screenshot for people.
fn save(name: &str, png: &[u8]) {
    let folder = screenshots();
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join(format!("admin-{name}.png")), png).unwrap();
}

fn screenshots() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/screenshots")
}
