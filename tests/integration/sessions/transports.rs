//! The headers of a response, for every transport, request and operation.
//!
//! Each cell has the change of the client's session, or else the cacheability of the response. The
//! column `get` also has the value that the handler read: 1 in the session of the cookie, and 2 in
//! the session of the token.
//!
//! - `cookie` sets the cookie, and `removal` removes the cookie.
//! - `token` gives the client a token, and `end` is an empty token.
//! - `private` and `shared` are responses without a change. `ignored` is a response without headers
//!   for the session.
//!
//! `WRITE_TABLES=FOLDER` writes the current table.

use std::fmt::Write as _;

use session_runtime::testing::ManualClock;
use session_runtime::{
    Error, Lifetime, MemoryStore, Session, SessionConfig, SessionHandle, Sessions, Transport,
};
use session_tests::cookies::{OTHER_SECRET, SECRET};

#[derive(Debug, Session)]
struct Visitor {
    count: u64,
}

const CASES: [Case; 6] = [
    Case::new("Cookie", Transport::Cookie),
    Case::new("Bearer", Transport::Bearer),
    Case::new("CookieOrBearer", Transport::CookieOrBearer),
    Case { is_behind_bearer: true, ..Case::new("Cookie, behind `bearer`", Transport::Cookie) },
    Case {
        is_behind_bearer: true,
        ..Case::new("CookieOrBearer, behind `bearer`", Transport::CookieOrBearer)
    },
    Case {
        is_interchangeable: true,
        ..Case::new("CookieOrBearer, interchangeable", Transport::CookieOrBearer)
    },
];

#[derive(Clone, Copy)]
struct Case {
    name: &'static str,
    transport: Transport,
    /// The layer begins sessions with tokens.
    is_behind_bearer: bool,
    is_interchangeable: bool,
}

impl Case {
    const fn new(name: &'static str, transport: Transport) -> Self {
        Self { name, transport, is_behind_bearer: false, is_interchangeable: false }
    }
}

const REQUESTS: [&str; 17] = [
    "nothing",
    "cookie",
    "cookie, older secret",
    "cookie, unknown id",
    "cookie, forged",
    "token",
    "token, older secret",
    "token, unknown id",
    "token, forged",
    "token, empty",
    "two tokens",
    "cookie and token",
    "cookie, forged token",
    "cookie, empty token",
    "cookie, Basic",
    "cookie as token",
    "token as cookie",
];

const OPERATIONS: [&str; 10] = [
    "ignore",
    "get",
    "set",
    "rotate",
    "login",
    "destroy",
    "destroy, set",
    "token",
    "set, token",
    "login, token",
];

#[tokio::test]
async fn every_transport_has_its_headers() {
    let (actual, expected) = (table().await, include_str!("transports.txt"));
    if let Ok(folder) = std::env::var("WRITE_TABLES") {
        std::fs::write(format!("{folder}/transports.txt"), &actual).unwrap();
    }
    for (actual, expected) in actual.lines().zip(expected.lines()) {
        assert_eq!(actual, expected);
    }
    assert_eq!(actual.lines().count(), expected.lines().count());
}

async fn table() -> String {
    let mut table = String::new();
    for case in CASES {
        let (name, names) = (case.name, vary(case.transport));
        write!(table, "{name}\nvary: {names}\n{:22}", "").unwrap();
        for operation in OPERATIONS {
            write!(table, "{operation:<17}").unwrap();
        }
        for request in REQUESTS {
            table = format!("{}\n{request:<22}", table.trim_end());
            for operation in OPERATIONS {
                let handle = World::new(case).request(request).await;
                if case.is_behind_bearer {
                    handle.bearer();
                }
                write!(table, "{:<17}", cell(&handle, operation, names).await).unwrap();
            }
        }
        table = format!("{}\n\n", table.trim_end());
    }
    table.trim_end().to_owned() + "\n"
}

fn vary(transport: Transport) -> &'static str {
    match transport {
        Transport::Cookie => "Cookie",
        Transport::Bearer => "Authorization",
        Transport::CookieOrBearer => "Cookie, Authorization",
    }
}

async fn cell(handle: &SessionHandle, operation: &str, vary: &str) -> String {
    let read = carry_out(&handle.session(), operation).await;
    let headers = handle.finish();
    let pairs = headers.pairs([]);
    let value = |name| pairs.iter().find(|(other, _)| *other == name).map(|(_, value)| &**value);
    let change = match (value("set-cookie"), value("session-token")) {
        (None, None) => None,
        (Some(cookie), None) if cookie.contains("Max-Age=0") => Some("removal"),
        (Some(_), None) => Some("cookie"),
        (None, Some("")) => Some("end"),
        (None, Some(_)) => Some("token"),
        (Some(_), Some(_)) => panic!("a cookie and a token: {pairs:?}"),
    };
    let cacheability = match (value("vary"), value("cache-control")) {
        (None, None) => "ignored",
        (Some(names), None) if names == vary => "shared",
        (Some(names), Some("private")) if names == vary => "private",
        (Some(names), Some("no-store")) if names == vary => "no-store",
        other => panic!("unexpected headers: {other:?}"),
    };
    assert_eq!(change.is_some(), cacheability == "no-store", "{pairs:?}");
    let shown = change.unwrap_or(cacheability);
    match read {
        Ok(Some(count)) => format!("{count} {shown}"),
        Ok(None) => shown.to_owned(),
        Err(error) if error.is_config() => format!("config {shown}"),
        Err(error) => panic!("{error}"),
    }
}

/// Carries out the operations, and returns the value that `get` has read.
async fn carry_out(session: &Session<Visitor>, operations: &str) -> Result<Option<u64>, Error> {
    let mut read = None;
    for operation in operations.split(", ") {
        match operation {
            "ignore" => {}
            "get" => read = Some(session.count().await?),
            "set" => session.set_count(7).await?,
            "rotate" => session.rotate().await?,
            "login" => {
                let batch = session.write().set(session.count(), 7).keep_only(());
                batch.renew(Lifetime::normal()).commit().await?;
            }
            "destroy" => session.destroy().await?,
            "token" => drop(session.token().await?),
            other => panic!("no operation {other}"),
        }
    }
    Ok(read)
}

/// The values of two sessions on the wire, and the manager under test.
struct World {
    sessions: Sessions,
    store: MemoryStore,
}

impl World {
    fn new(case: Case) -> Self {
        let store = MemoryStore::with_clock(&ManualClock::default());
        let config = SessionConfig::new()
            .secret(format!("{SECRET},{OTHER_SECRET}"))
            .transport(case.transport)
            .interchangeable_transports(case.is_interchangeable);
        Self { sessions: Sessions::with_store(config, store.clone()).unwrap(), store }
    }

    async fn request(&self, request: &str) -> SessionHandle {
        let elsewhere = MemoryStore::with_clock(&ManualClock::default());
        let cookie = cookie_of(SECRET, &self.store).await;
        let token = token_of(SECRET, &self.store).await;
        let (cookies, tokens) = match request {
            "nothing" => (vec![], vec![]),
            "cookie" => (vec![cookie], vec![]),
            "cookie, older secret" => (vec![cookie_of(OTHER_SECRET, &self.store).await], vec![]),
            "cookie, unknown id" => (vec![cookie_of(SECRET, &elsewhere).await], vec![]),
            "cookie, forged" => (vec![forged(&cookie)], vec![]),
            "token" => (vec![], vec![token]),
            "token, older secret" => (vec![], vec![token_of(OTHER_SECRET, &self.store).await]),
            "token, unknown id" => (vec![], vec![token_of(SECRET, &elsewhere).await]),
            "token, forged" => (vec![], vec![forged(&token)]),
            "token, empty" => (vec![], vec!["Bearer".to_owned()]),
            "two tokens" => (vec![], vec![token, token_of(SECRET, &self.store).await]),
            "cookie and token" => (vec![cookie], vec![token]),
            "cookie, forged token" => (vec![cookie], vec![forged(&token)]),
            "cookie, empty token" => (vec![cookie], vec!["Bearer ".to_owned()]),
            "cookie, Basic" => (vec![cookie], vec!["Basic dXNlcjpwYXNz".to_owned()]),
            "cookie as token" => (vec![], vec![cookie.replace("__Host-session-id=", "Bearer ")]),
            "token as cookie" => (vec![token.replace("Bearer ", "__Host-session-id=")], vec![]),
            other => panic!("no request {other}"),
        };
        let handle = self.sessions.open(cookies.iter().map(String::as_bytes));
        handle.note_request("POST", |name| match name {
            "authorization" => tokens.iter().map(String::as_bytes).collect(),
            _ => Vec::new(),
        });
        handle
    }
}

fn manager(transport: Transport, secrets: &str, store: &MemoryStore) -> Sessions {
    let config = SessionConfig::new().secret(secrets).transport(transport);
    Sessions::with_store(config, store.clone()).unwrap()
}

/// Creates a session, and returns its cookie.
async fn cookie_of(secret: &str, store: &MemoryStore) -> String {
    let handle = manager(Transport::Cookie, secret, store).open([]);
    handle.session::<Visitor>().set_count(1).await.unwrap();
    handle.finish().set_cookie().unwrap().split(';').next().unwrap().to_owned()
}

/// Creates a session, and returns its token with the scheme.
async fn token_of(secret: &str, store: &MemoryStore) -> String {
    let handle = manager(Transport::Bearer, secret, store).open([]);
    handle.session::<Visitor>().set_count(2).await.unwrap();
    format!("Bearer {}", handle.finish().session_token().unwrap())
}

/// Changes the first character of the signature.
fn forged(value: &str) -> String {
    let (id, mac) = value.split_once('.').unwrap();
    let first = if mac.starts_with('A') { 'B' } else { 'A' };
    format!("{id}.{first}{}", &mac[1..])
}
