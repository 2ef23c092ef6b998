//! Cookies made by the real libraries with `golden.py`.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::Deserialize;
use session_runtime::redis_session::{CookieFormat, FlaskCookie, TornadoCookie};
use session_runtime::store::{SessionKey, SessionStore, Write, WriteMode};
use session_runtime::testing::ManualClock;
use session_runtime::{MemoryStore, Session, SessionConfig, SessionHandle, SessionId, Sessions};

use crate::rust::{SECRET, Visitor};

const GOLDEN: &str = include_str!("golden.json");

#[derive(Deserialize)]
struct Golden {
    secret: String,
    name: String,
    timestamp: u64,
    cookies: Vec<Cookie>,
}

#[derive(Deserialize)]
struct Cookie {
    id: String,
    format: String,
    key_version: Option<u32>,
    value: String,
}

impl Cookie {
    fn is_of_tornado(&self) -> bool {
        self.format == "tornado"
    }
}

impl Golden {
    fn read() -> Self {
        serde_json::from_str(GOLDEN).unwrap()
    }

    fn signed_at(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(self.timestamp)
    }

    fn format_of(&self, cookie: &Cookie) -> CookieFormat {
        let tornado = TornadoCookie::new(&*self.secret);
        match (&*cookie.format, cookie.key_version) {
            ("tornado", Some(version)) => CookieFormat::Tornado(tornado.key_version(version)),
            _ => CookieFormat::Flask(FlaskCookie::new(&*self.secret)),
        }
    }

    fn sessions(&self, formats: impl IntoIterator<Item = CookieFormat>) -> (Sessions, MemoryStore) {
        self.sessions_at(self.signed_at(), formats)
    }

    fn sessions_at(
        &self,
        now: SystemTime,
        formats: impl IntoIterator<Item = CookieFormat>,
    ) -> (Sessions, MemoryStore) {
        let clock = ManualClock::new(now);
        let store = MemoryStore::with_clock(&clock);
        let config =
            SessionConfig::new().secret(SECRET).cookie_name(&*self.name).cookie_formats(formats);
        (Sessions::with_store(config, store.clone()).unwrap().with_clock(&clock), store)
    }

    /// Returns the id as `SessionId` shows it. Native ids lose the braces that Python's cookies
    /// have, and Python ids gain the creation time from the cookie.
    fn text_of(&self, cookie: &Cookie) -> String {
        match cookie.id.contains('{') {
            true => cookie.id.replace(['{', '}'], ""),
            false => format!("{}.{}", cookie.id, self.timestamp),
        }
    }

    fn open(&self, sessions: &Sessions, cookie: &Cookie) -> SessionHandle {
        sessions.open([format!("{}={}", self.name, cookie.value).as_bytes()])
    }
}

fn id_of(handle: &SessionHandle) -> Option<SessionId> {
    let session: Session<Visitor> = handle.session();
    session.session_id()
}

#[test]
fn each_is_read_with_its_birth() {
    let golden = Golden::read();
    assert_eq!(
        golden.cookies.len(),
        8,
        "each format, with two keys, compressed or not, for both kinds of id"
    );
    for cookie in &golden.cookies {
        let (sessions, _) = golden.sessions([golden.format_of(cookie)]);
        let id =
            id_of(&golden.open(&sessions, cookie)).unwrap_or_else(|| panic!("{}", cookie.value));
        assert_eq!(id.expose_secret(), golden.text_of(cookie));
        assert_eq!(id.created_at(), golden.signed_at());
    }
}

#[test]
fn no_other_format_reads_them() {
    let golden = Golden::read();
    for cookie in &golden.cookies {
        let is_other = |other: &&Cookie| other.is_of_tornado() != cookie.is_of_tornado();
        let others = golden.cookies.iter().filter(is_other);
        let formats = others.map(|other| golden.format_of(other)).chain([CookieFormat::Native]);
        let (sessions, _) = golden.sessions(formats);
        assert_eq!(id_of(&golden.open(&sessions, cookie)), None);
    }
}

#[test]
fn cookies_from_the_future_or_long_ago_are_no_session() {
    const MINUTE: Duration = Duration::from_secs(60);
    let golden = Golden::read();
    for cookie in &golden.cookies {
        let is_read_at = |now| {
            let (sessions, _) = golden.sessions_at(now, [golden.format_of(cookie)]);
            id_of(&golden.open(&sessions, cookie)).is_some()
        };
        let signed_at = golden.signed_at();
        assert!(is_read_at(signed_at - 5 * MINUTE) && !is_read_at(signed_at - 6 * MINUTE));
        // The absolute lifetime. For Python ids, 30 days is shorter than Tornado's 31 days. The
        // native id has a longer lifetime.
        let days = match (&*cookie.format, cookie.id.contains('{')) {
            (_, false) => 30,
            ("tornado", true) => 31,
            (_, true) => 180,
        };
        let lifetime = days * 24 * 60 * MINUTE;
        assert!(
            is_read_at(signed_at + lifetime - MINUTE) && !is_read_at(signed_at + lifetime + MINUTE)
        );
    }
}

/// Tornado's format has only one valid encoding, so both sides produce the same bytes.
#[tokio::test]
async fn a_reissued_tornado_cookie_equals_tornados_own() {
    let golden = Golden::read();
    for cookie in golden.cookies.iter().filter(|cookie| cookie.is_of_tornado()) {
        let from_flask =
            golden.cookies.iter().find(|other| !other.is_of_tornado() && other.id == cookie.id);
        let from_flask = from_flask.unwrap();
        let (sessions, store) =
            golden.sessions([golden.format_of(cookie), golden.format_of(from_flask)]);
        let set_cookie = reissued(&golden.open(&sessions, from_flask), &store).await;
        assert_eq!(
            set_cookie.split(';').next().unwrap(),
            format!("{}={}", golden.name, cookie.value)
        );
    }
}

#[tokio::test]
async fn a_session_older_than_tornados_limit_is_reissued_while_its_cookie_is_read() {
    const DAY: Duration = Duration::from_secs(24 * 60 * 60);
    let golden = Golden::read();
    let of_ours = |cookie: &&Cookie| cookie.id.contains('{') && !cookie.is_of_tornado();
    let cookie = golden.cookies.iter().find(of_ours).unwrap();
    let tornado = || CookieFormat::Tornado(TornadoCookie::new(&*golden.secret));
    let now = golden.signed_at() + 40 * DAY;
    let (sessions, store) = golden.sessions_at(now, [tornado(), golden.format_of(cookie)]);
    let set_cookie = reissued(&golden.open(&sessions, cookie), &store).await;
    assert!(set_cookie.contains("; Max-Age=2678400"), "{set_cookie}");
    let value = set_cookie.split(';').next().unwrap();
    let is_read_after = |days: u32| {
        let (sessions, _) = golden.sessions_at(now + days * DAY, [tornado()]);
        id_of(&sessions.open([value.as_bytes()])).is_some()
    };
    assert!(is_read_after(31) && !is_read_after(32));
}

/// Returns the cookie of the response to a request with a live session.
async fn reissued(handle: &SessionHandle, store: &MemoryStore) -> String {
    let key = SessionKey::new("redis", &id_of(handle).unwrap());
    let write = Write {
        mode: WriteMode::Create,
        changes: &[],
        expires_in: Duration::from_secs(60),
        index: None,
    };
    store.write(&key, write).await.unwrap();
    assert!(handle.session::<Visitor>().exists().await.unwrap());
    handle.finish().set_cookie().unwrap().to_owned()
}
