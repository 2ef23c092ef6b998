//! The requests that every contestant gets.

use crate::server::Contestant;

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
    pub(crate) entrants: Entrants,
    /// Number of reads for each request that does not write.
    pub(crate) reads: usize,
}

/// The contestants in a scenario.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Entrants {
    All,
    /// By hand and ours. The others do not have the page.
    WithoutPeers,
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
    Fresh {
        /// Number of sessions for each connection.
        sessions: usize,
    },
    /// The cookie of a session that all connections share with others.
    OfCrowd,
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
    entrants: Entrants::All,
    reads: 1,
};
const IGNORED: Scenario =
    Scenario { title: "session ignored", path: "/ignored", has_bare: true, reads: 0, ..READ };
const COUNTER: Scenario =
    Scenario { title: "counter page: read, write, read", path: "/counter", reads: 2, ..READ };
const WRITE: Scenario = Scenario { title: "one write", path: "/write", reads: 0, ..READ };
const INCR: Scenario = Scenario { title: "add one", path: "/incr", reads: 0, ..READ };
const FIVE: Scenario = Scenario {
    title: "five fields, one by one",
    seed: "/seed/five",
    path: "/five",
    reads: 5,
    ..READ
};
const FIVE_BATCHED: Scenario =
    Scenario { title: "five fields, batched", path: "/five-batched", reads: 1, ..FIVE };
const LARGE_READ: Scenario =
    Scenario { title: "64 kB session, one read", seed: "/seed/large", ..READ };
const LARGE_WRITE: Scenario =
    Scenario { title: "64 kB session, one write", seed: "/seed/large", ..WRITE };
const LOGIN: Scenario =
    Scenario { title: "login: new id, one write", path: "/login", reads: 0, ..READ };
const LISTED_LOGIN: Scenario = Scenario {
    title: "login of a visitor into a list: new id, one write",
    path: "/login-listed",
    cookie: Cookie::Fresh { sessions: 120 },
    entrants: Entrants::WithoutPeers,
    reads: 0,
    ..READ
};
const ABSENT: Scenario =
    Scenario { title: "one read, no cookie", cookie: Cookie::Absent, reads: 0, ..READ };
const FORGED: Scenario =
    Scenario { title: "one read, forged cookie", cookie: Cookie::Forged, reads: 0, ..READ };
const READ_ONCE: Scenario = Scenario {
    title: "every session read once",
    cookie: Cookie::Fresh { sessions: 320 },
    entrants: Entrants::WithoutPeers,
    ..READ
};
const READ_AND_WRITE: Scenario = Scenario {
    title: "one read, one write of another field",
    path: "/read-and-write",
    entrants: Entrants::WithoutPeers,
    ..READ
};
const CROWD: Scenario =
    Scenario { title: "10,000 sessions by Zipf, 10 % writes", cookie: Cookie::OfCrowd, ..READ };

/// The scenarios and contestants of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Selection {
    pub(crate) set: Set,
    pub(crate) is_quick: bool,
    /// Only the scenarios with this text in the title.
    pub(crate) only: Option<String>,
}

/// A set of scenarios, with the contestants of this set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Set {
    Usual,
    /// For near caches.
    Near,
}

impl Selection {
    pub(crate) fn scenarios(&self) -> Vec<Scenario> {
        let mut scenarios = match (self.set, self.is_quick) {
            (Set::Usual, false) => usual(),
            (Set::Usual, true) => {
                vec![IGNORED, READ, COUNTER, INCR, FIVE_BATCHED, LARGE_READ]
            }
            (Set::Near, _) => near(),
        };
        scenarios.retain(|scenario| {
            self.only.as_ref().is_none_or(|text| scenario.title.contains(&**text))
        });
        scenarios
    }

    pub(crate) fn contestants(&self) -> Vec<Contestant> {
        match self.set {
            Set::Usual => Contestant::usual(),
            Set::Near => Contestant::beside_near_caches(),
        }
    }
}

fn usual() -> Vec<Scenario> {
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

fn near() -> Vec<Scenario> {
    let busy = Scenario { connections: 64, ..READ };
    vec![busy, READ, FIVE, FIVE_BATCHED, READ_ONCE, READ_AND_WRITE, CROWD]
}
