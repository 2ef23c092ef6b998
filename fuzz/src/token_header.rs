//! The headers with bearer tokens of a request.

use std::sync::LazyLock;

use pollster::block_on;
use session_runtime::testing::ManualClock;
use session_runtime::{MemoryStore, Session, SessionConfig, Sessions, Transport};

use super::cookies;

#[derive(Session)]
struct Visitor {
    count: u64,
}

/// Parses the input as the values of a header, separated by newlines. Each byte 1 stands for the
/// token of a live session.
///
/// In `Authorization`, the session is found if every value with the scheme `Bearer` contains this
/// token. Without such a value, the cookie of another session counts. In a header for tokens alone,
/// the session is found if every value is this token.
pub fn token_header(input: &[u8]) {
    let live = &*LIVE;
    let filled: Vec<u8> = input
        .iter()
        .flat_map(
            |byte| if *byte == 1 { live.token.as_bytes() } else { std::slice::from_ref(byte) },
        )
        .copied()
        .collect();
    let values: Vec<&[u8]> = filled.split(|byte| *byte == b'\n').collect();
    let is_live = |token: &&[u8]| *token == live.token.as_bytes();

    let tokens: Vec<_> = values.iter().filter_map(|value| bearer_token(value)).collect();
    let expected = match &tokens[..] {
        [] => OF_COOKIE,
        tokens if tokens.iter().all(is_live) => OF_TOKEN,
        _ => NOTHING,
    };
    assert_eq!(live.count(&live.standard, "authorization", &values), expected);

    let all_are_live = values.iter().map(|value| value.trim_ascii()).all(|value| is_live(&value));
    let expected = if all_are_live { OF_TOKEN } else { NOTHING };
    assert_eq!(live.count(&live.named, "x-session-token", &values), expected);
}

/// Returns what follows the scheme, or `None` for another scheme.
fn bearer_token(value: &[u8]) -> Option<&[u8]> {
    let value = value.trim_ascii();
    let end = value.iter().position(u8::is_ascii_whitespace).unwrap_or(value.len());
    value[..end].eq_ignore_ascii_case(b"Bearer").then(|| value[end..].trim_ascii())
}

const OF_TOKEN: u64 = 7;
const OF_COOKIE: u64 = 8;
const NOTHING: u64 = 0;

struct Live {
    /// Tokens in `Authorization`.
    standard: Sessions,
    /// Tokens in a header for them alone.
    named: Sessions,
    token: String,
    /// `NAME=VALUE`
    cookie: String,
}

static LIVE: LazyLock<Live> = LazyLock::new(|| {
    let clock = ManualClock::default();
    let store = MemoryStore::with_clock(&clock);
    let config =
        || SessionConfig::new().secret(cookies::SECRET).transport(Transport::CookieOrBearer);
    let sessions = |config| Sessions::with_store(config, store.clone()).unwrap().with_clock(&clock);
    let standard = sessions(config());
    let begin = |count| {
        let session = block_on(standard.create::<Visitor>()).unwrap();
        block_on(session.set_count(count)).unwrap();
        session.session_id().unwrap().expose_secret().to_owned()
    };
    Live {
        token: cookies::token(&begin(OF_TOKEN)),
        cookie: cookies::cookie(&begin(OF_COOKIE)),
        named: sessions(config().token_header("X-Session-Token")),
        standard,
    }
});

impl Live {
    /// Returns the count in the session of a request with these values of a header, and with the
    /// cookie.
    fn count(&self, sessions: &Sessions, header: &str, values: &[&[u8]]) -> u64 {
        let handle = sessions.open([self.cookie.as_bytes()]);
        handle.note_request("GET", |name| {
            let values = if name == header { values } else { &[] };
            values.iter().copied()
        });
        let count = block_on(handle.session::<Visitor>().count().get()).unwrap();
        let headers = handle.finish();
        assert_eq!(headers.set_cookie(), None, "reading a session changed its cookie");
        assert_eq!(headers.session_token(), None, "reading a session changed its token");
        count
    }
}
