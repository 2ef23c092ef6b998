//! The requests that every contestant gets.

/// A kind of request, and the number of concurrent connections.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scenario {
    pub(crate) title: &'static str,
    /// Page that creates the session for the requests.
    pub(crate) seed: &'static str,
    pub(crate) path: &'static str,
    pub(crate) cookie: Cookie,
    pub(crate) connections: usize,
    /// Measured with the layer and without.
    pub(crate) has_bare: bool,
    /// Only for contestants that list the sessions of a user.
    pub(crate) needs_list: bool,
}

/// The session cookie of the requests. Each request has another cookie too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cookie {
    /// The latest cookie of the connection's own session.
    Own,
    Absent,
    /// A cookie with an invalid signature.
    Forged,
    /// The cookie of a session that was created for this request alone, before the measurement.
    Fresh,
}

/// Number of connections, unless the scenario varies the number.
const USUAL: usize = 16;
const VARIED: [usize; 4] = [1, USUAL, 64, 256];

const READ: Scenario = Scenario {
    title: "one read",
    seed: "/seed/one",
    path: "/read",
    cookie: Cookie::Own,
    connections: USUAL,
    has_bare: false,
    needs_list: false,
};
const IGNORED: Scenario =
    Scenario { title: "session ignored", path: "/ignored", has_bare: true, ..READ };
const COUNTER: Scenario =
    Scenario { title: "counter page: read, write, read", path: "/counter", ..READ };
const WRITE: Scenario = Scenario { title: "one write", path: "/write", ..READ };
const INCR: Scenario = Scenario { title: "add one", path: "/incr", ..READ };
const FIVE: Scenario =
    Scenario { title: "five fields, one by one", seed: "/seed/five", path: "/five", ..READ };
const FIVE_BATCHED: Scenario =
    Scenario { title: "five fields, batched", path: "/five-batched", ..FIVE };
const LARGE_READ: Scenario =
    Scenario { title: "64 kB session, one read", seed: "/seed/large", ..READ };
const LARGE_WRITE: Scenario =
    Scenario { title: "64 kB session, one write", seed: "/seed/large", ..WRITE };
const LOGIN: Scenario = Scenario { title: "login: new id, one write", path: "/login", ..READ };
const LISTED_LOGIN: Scenario = Scenario {
    title: "login of a visitor into a list: new id, one write",
    path: "/login-listed",
    cookie: Cookie::Fresh,
    needs_list: true,
    ..READ
};
const ABSENT: Scenario = Scenario { title: "one read, no cookie", cookie: Cookie::Absent, ..READ };
const FORGED: Scenario =
    Scenario { title: "one read, forged cookie", cookie: Cookie::Forged, ..READ };

/// The scenarios of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Scenarios {
    All,
    Quick,
    /// The scenarios with this text in the title.
    Titled(String),
}

impl Scenarios {
    pub(crate) fn list(&self) -> Vec<Scenario> {
        match self {
            Self::All => all(),
            Self::Quick => vec![IGNORED, READ, COUNTER, INCR, FIVE_BATCHED, LARGE_READ],
            Self::Titled(text) => {
                all().into_iter().filter(|scenario| scenario.title.contains(&**text)).collect()
            }
        }
    }
}

fn all() -> Vec<Scenario> {
    let varied =
        |scenario: Scenario| VARIED.map(|connections| Scenario { connections, ..scenario });
    let others = [
        WRITE,
        INCR,
        FIVE,
        FIVE_BATCHED,
        LARGE_READ,
        LARGE_WRITE,
        LOGIN,
        LISTED_LOGIN,
        ABSENT,
        FORGED,
    ];
    [IGNORED].into_iter().chain(varied(READ)).chain(varied(COUNTER)).chain(others).collect()
}
