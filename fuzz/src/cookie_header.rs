//! The `Cookie` headers of a request.

use std::sync::LazyLock;

use pollster::block_on;
use session_runtime::testing::{Browser, ManualClock};
use session_runtime::{Session, SessionConfig, Sessions};

use super::cookies;

#[derive(Session)]
struct Visitor {
    count: u64,
}

/// Parses the input as headers, separated by newlines. Each byte 1 stands for the value of a live
/// session's cookie.
///
/// The headers open the session only if they contain this value. They always do when the cookie is
/// appended.
pub fn cookie_header(input: &[u8]) {
    let live = &*LIVE;
    let value = live.cookie.split_once('=').unwrap().1.as_bytes();
    let filled: Vec<u8> = input
        .iter()
        .flat_map(|byte| if *byte == 1 { value } else { std::slice::from_ref(byte) })
        .copied()
        .collect();
    let mut headers: Vec<&[u8]> = filled.split(|byte| *byte == b'\n').collect();

    let is_inside = input.contains(&1) || filled.windows(value.len()).any(|part| part == value);
    assert!(live.count(&headers) == 0 || is_inside, "a session was found by nothing");
    headers.push(live.cookie.as_bytes());
    assert_eq!(live.count(&headers), COUNT, "other cookies hid the right one");
}

const COUNT: u64 = 7;

struct Live {
    sessions: Sessions,
    /// `NAME=VALUE`
    cookie: String,
}

static LIVE: LazyLock<Live> = LazyLock::new(|| {
    let config = SessionConfig::new().secret(cookies::SECRET);
    let sessions = session_runtime::testing::sessions(config, &ManualClock::default()).unwrap();
    let mut browser = Browser::new(&sessions);
    block_on(browser.visit(async |session: Session<Visitor>| session.set_count(COUNT).await))
        .unwrap();
    let cookie = browser.cookie().unwrap().to_owned();
    Live { sessions, cookie }
});

impl Live {
    /// Returns the count in the session of these headers.
    fn count(&self, headers: &[&[u8]]) -> u64 {
        let handle = self.sessions.open(headers.iter().copied());
        let count = block_on(handle.session::<Visitor>().count().get()).unwrap();
        assert_eq!(handle.finish().set_cookie(), None, "reading a session changed its cookie");
        count
    }
}
